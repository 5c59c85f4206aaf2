import { assert, assertEquals } from "@std/assert";
import { denseForm } from "../solver/book_problem.ts";
import { nativeCode } from "./native_ipopt.ts";
import { codeOf } from "./problem_code.ts";
import { smallProblems } from "./solver_problems.ts";
import { timedProblem } from "./timed_problem.ts";

const SMALL = smallProblems().filter(({ x0 }) => x0.length <= 30);

function close(a: ArrayLike<number>, b: ArrayLike<number>, what: string): void {
  assertEquals(a.length, b.length, what);
  for (let k = 0; k < a.length; k++) {
    assert(Math.abs(a[k] - b[k]) <= 1e-9 * Math.max(1, Math.abs(b[k])), `${what}[${k}]: ${a[k]}, ${b[k]}`);
  }
}

Deno.test("timedProblem() has the values and derivatives that Jet computes", () => {
  for (const book of SMALL) {
    const { dense, sparse } = timedProblem(codeOf(book.name, book));
    const expected = denseForm(book);
    const { n, m } = expected;
    const x = expected.x0.map((value, j) => value + 0.01 * (j % 7 + 1));
    const lambda = Float64Array.from({ length: m }, (_, i) => 1 + 0.3 * i);
    const both = (size: number, write: (of: typeof expected, to: Float64Array) => boolean) =>
      [dense as typeof expected, expected].map((of) => {
        const to = new Float64Array(size);
        write(of, to);
        return to;
      });
    close([dense.objective(x)], [expected.objective(x)], `${book.name} objective`);
    const [g, gradient] = both(n, (of, to) => of.gradient(x, to));
    close(g, gradient, `${book.name} gradient`);
    const [c, rows] = both(m, (of, to) => of.constraints(x, to));
    close(c, rows, `${book.name} constraints`);
    const [j, jacobian] = both(m * n, (of, to) => of.jacobian(x, to));
    close(j, jacobian, `${book.name} Jacobian`);
    const [h, hessian] = both(n * n, (of, to) => of.hessian(x, 2, lambda, to));
    // Only the lower triangle is written.
    for (let i = 0; i < n; i++) for (let k = i + 1; k < n; k++) hessian[i * n + k] = 0;
    close(h, hessian, `${book.name} Hessian`);
    const values = new Float64Array(sparse.hessianStructure.iRow.length);
    sparse.hessian!(x, 2, lambda, values);
    const { iRow, jCol } = sparse.hessianStructure;
    close(
      values,
      Float64Array.from(values, (_, k) => h[iRow[k] * n + jCol[k]]),
      `${book.name} sparse Hessian`,
    );
  }
});

Deno.test("nativeCode() has a line for each problem, with its sizes", () => {
  const codes = SMALL.map((book) => codeOf(book.name, book));
  const table = nativeCode(codes).split("static const Problem problems[] = {\n")[1].split("\n");
  codes.forEach(({ name, book, jacobian }, k) => {
    const sizes = `${book.x0.length}, ${book.rows?.length ?? 0}, ${jacobian.iRow.length}`;
    assert(table[k].startsWith(`  {"${name}", ${sizes}, `), table[k]);
  });
});
