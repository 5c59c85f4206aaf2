import { assert, assertEquals } from "@std/assert";
import { solveDense } from "../../runtime/solver/mod.ts";
import { type BookProblem, denseForm } from "./book_problem.ts";
import { HOCK_SCHITTKOWSKI } from "./hock_schittkowski.ts";

for (const problem of HOCK_SCHITTKOWSKI) {
  Deno.test(`solveDense() reaches the book's objective ${problem.best} on problem ${problem.name}`, () => {
    const result = solveDense(denseForm(problem));
    assertEquals(result.status, 0);
    const scale = Math.max(1, Math.abs(problem.best));
    assert((result.objective - problem.best) / scale < 1e-6, `${result.objective}`);
    assert((result.objective - problem.best) / scale > -1e-5, `${result.objective}`);
    assertFeasible(problem, result.x);
  });
}

Deno.test("denseForm() agrees with central differences in every derivative of every problem", () => {
  for (const problem of HOCK_SCHITTKOWSKI) {
    const { n, m, ...form } = denseForm(problem);
    // Off the start, where some formulas are kinked or zero.
    const x = form.x0.map((value, i) => value + 0.01 * (i + 1));
    const lambda = Float64Array.from({ length: m }, (_, r) => 1 + 0.5 * r);
    const hessian = new Float64Array(n * n);
    form.hessian(x, 2, lambda, hessian);
    for (let i = 0; i < n; i++) {
      const h = 1e-5 * Math.max(1, Math.abs(x[i]));
      const [up, down] = [h, -h].map((d) =>
        slopes(form, x.map((value, k) => k === i ? value + d : value), lambda)
      );
      const here = slopes(form, x, lambda);
      for (let j = 0; j < n; j++) {
        const difference = (up.gradient[j] - down.gradient[j]) / (2 * h);
        const scale = Math.max(1, ...hessian.map(Math.abs), Math.abs(here.gradient[j]));
        assert(Math.abs(difference - hessian[i * n + j]) < 1e-6 * scale, `${problem.name}: ${i}, ${j}`);
      }
      const slope = (up.value - down.value) / (2 * h);
      assert(
        Math.abs(slope - here.gradient[i]) < 1e-6 * Math.max(1, Math.abs(slope), Math.abs(up.value)),
        problem.name,
      );
    }
  }
});

/** Value and gradient of 2f + Σλg. */
function slopes(form: Omit<ReturnType<typeof denseForm>, "n" | "m">, x: Float64Array, lambda: Float64Array) {
  const gradient = new Float64Array(x.length);
  form.gradient(x, gradient);
  const jacobian = new Float64Array(lambda.length * x.length);
  const rows = new Float64Array(lambda.length);
  form.jacobian(x, jacobian);
  form.constraints(x, rows);
  return {
    value: 2 * form.objective(x) + rows.reduce((sum, row, r) => sum + lambda[r] * row, 0),
    gradient: gradient.map((d, i) =>
      2 * d + lambda.reduce((sum, l, r) => sum + l * jacobian[r * x.length + i], 0)
    ),
  };
}

function assertFeasible(problem: BookProblem, x: Float64Array): void {
  const form = denseForm(problem);
  x.forEach((value, i) => assert(value >= form.xl[i] && value <= form.xu[i], `x[${i}] = ${value}`));
  const g = new Float64Array(form.m);
  form.constraints(x, g);
  g.forEach((value, r) => {
    const room = 1e-6 * Math.max(1, Math.abs(value));
    assert(value >= form.gl[r] - room && value <= form.gu[r] + room, `row ${r} = ${value}`);
  });
}
