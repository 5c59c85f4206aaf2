import { assert, assertAlmostEquals, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { solve, solveDense } from "../../runtime/solver/mod.ts";
import { createSparseSolver, isSparse, type SparseProblem } from "../../runtime/solver/sparse_solver.ts";
import { type DenseForm, denseForm } from "./book_problem.ts";
import { controlProblem } from "./control_problem.ts";
import { HOCK_SCHITTKOWSKI } from "./hock_schittkowski.ts";

/** The same problem with all places of its matrices listed: the sparse path on a dense structure. */
function sparseForm(form: DenseForm): SparseProblem {
  const { n, m } = form;
  const iRow: number[] = [];
  const jCol: number[] = [];
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) iRow.push(i), jCol.push(j);
  const full = new Float64Array(n * n);
  return {
    ...form,
    jacobianStructure: {
      iRow: Int32Array.from({ length: m * n }, (_, k) => Math.floor(k / n)),
      jCol: Int32Array.from({ length: m * n }, (_, k) => k % n),
    },
    hessianStructure: { iRow: new Int32Array(iRow), jCol: new Int32Array(jCol) },
    hessian(x, sigma, lambda, values) {
      form.hessian(x, sigma, lambda, full);
      iRow.forEach((i, k) => values[k] = full[i * n + jCol[k]]);
      return true;
    },
  };
}

Deno.test("createSparseSolver() takes the iterations of the dense solver on every problem of the book", () => {
  for (const problem of HOCK_SCHITTKOWSKI) {
    const form = denseForm(problem);
    const sparse = sparseForm(form);
    const solver = createSparseSolver(form.n, form.m, sparse.jacobianStructure, sparse.hessianStructure);
    const expected = solveDense(form);
    const result = solver.solve(sparse);
    assertEquals([result.status, result.iterations], [expected.status, expected.iterations], problem.name);
    const scale = Math.max(1, Math.abs(expected.objective));
    assertAlmostEquals(result.objective, expected.objective, 1e-7 * scale, problem.name);
  }
});

Deno.test("createSparseSolver() solves again after other variables were fixed", () => {
  const problem = HOCK_SCHITTKOWSKI.find(({ name }) => name === "43")!;
  const form = denseForm(problem);
  const sparse = sparseForm(form);
  const solver = createSparseSolver(form.n, form.m, sparse.jacobianStructure, sparse.hessianStructure);
  const first = solver.solve(sparse).objective;
  for (const fixed of [1, 3]) {
    const value = form.x0.map((_, i) => i === fixed ? 0.5 : -Infinity);
    const xu = form.x0.map((_, i) => i === fixed ? 0.5 : Infinity);
    const result = solver.solve({ ...sparse, xl: value, xu });
    assertEquals(result.status, 0);
    assertEquals(result.x[fixed], 0.5);
    assertAlmostEquals(result.objective, solveDense({ ...form, xl: value, xu }).objective, 1e-6);
  }
  assertEquals(solver.solve(sparse).objective, first);
});

Deno.test("solve() takes IPOPT's 11 iterations to 1.85625932 on a control problem of 16,000 variables", async () => {
  const result = await solve(controlProblem(8000));
  assertEquals([result.status, result.iterations], [0, 11]);
  assertAlmostEquals(result.objective, 1.85625932, 1e-8);
});

Deno.test("solve() gives the control that its optimality conditions imply", async () => {
  const stages = 200;
  const { x, mult_g } = await solve(controlProblem(stages), { tol: 1e-10 });
  // Inside its bounds ∂L/∂u_i = 2h·u_i − h·y_i = 0.
  for (let i = 0; i < stages; i++) {
    const u = x[stages - 1 + i];
    if (Math.abs(u) < 1.99) assertAlmostEquals(u, mult_g[i] / 2, 1e-5);
  }
});

Deno.test("isSparse() keeps small and filled problems dense", () => {
  assert(isSparse(16_000, 8_000, 50_000));
  assertEquals(isSparse(30, 10, 60), false);
  assertEquals(isSparse(100, 0, 5050), false);
});

Deno.test("createSparseSolver() refuses places outside and a missing Hessian by name", () => {
  const nothing = { iRow: new Int32Array(0), jCol: new Int32Array(0) };
  const outside = { iRow: new Int32Array([2]), jCol: new Int32Array([0]) };
  assertThrows(() => createSparseSolver(2, 0, nothing, outside), RangeError, "Hessian");
  const form = denseForm(HOCK_SCHITTKOWSKI[0]);
  const sparse = sparseForm(form);
  const solver = createSparseSolver(form.n, form.m, sparse.jacobianStructure, sparse.hessianStructure);
  const result = solver.solve(sparse, { hessian_approximation: "limited-memory" });
  assertEquals(result.status, -12);
  assertStringIncludes(result.message, "hessian_approximation");
});
