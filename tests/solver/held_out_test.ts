import { assert, assertEquals } from "@std/assert";
import { createSolver, type SolveOptions } from "../../runtime/solver/mod.ts";
import { denseForm } from "./book_problem.ts";
import { HELD_OUT, INFEASIBLE, UNBOUNDED } from "./held_out.ts";

/** Iterations of IPOPT 3.11.9 with MUMPS on the whole table, with these derivatives and its defaults; it solves all of it. */
const MODES: readonly { title: string; options: SolveOptions; iterations: number }[] = [
  { title: "by default", options: {}, iterations: 666 },
  { title: "with adaptive µ", options: { mu_strategy: "adaptive" }, iterations: 643 },
  { title: "without Hessians", options: { hessian_approximation: "limited-memory" }, iterations: 1326 },
];

for (const { title, options, iterations } of MODES) {
  Deno.test(`${HELD_OUT.length} problems reach their published objectives ${title}, in at most 5 % more iterations than IPOPT's ${iterations}`, () => {
    let total = 0;
    for (const problem of HELD_OUT) {
      const form = denseForm(problem);
      const result = createSolver(form.n, form.m).solve(form, options);
      assertEquals(result.status, 0, problem.name);
      const excess = (result.objective - problem.best) / Math.max(1, Math.abs(problem.best));
      assert(Math.abs(excess) < 1e-6, `${problem.name}: ${result.objective}`);
      const violation = result.kkt_error.constraint_violation;
      assert(violation <= 1e-5, `${problem.name}: violation ${violation}`);
      total += result.iterations;
    }
    assert(total <= 1.05 * iterations, `${total} iterations`);
  });
}

Deno.test("problems without a feasible point end with 2, without a least value with 4, as with IPOPT", () => {
  for (const [problems, status] of [[INFEASIBLE, 2], [UNBOUNDED, 4]] as const) {
    for (const problem of problems) {
      const form = denseForm(problem);
      assertEquals(createSolver(form.n, form.m).solve(form).status, status, problem.name);
    }
  }
});
