import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  createSolver,
  createSparseSolver,
  createSparseWasmSolver,
  createWasmSolver,
  isSparse,
  solve,
  solveDense,
  type SolveOptions,
  type Structure,
} from "../../runtime/solver/mod.ts";
import { denseForm } from "./book_problem.ts";
import { asProblem, controlProblem } from "./control_problem.ts";
import { module, sparseForm } from "./forms.ts";
import { HOCK_SCHITTKOWSKI } from "./hock_schittkowski.ts";

const VARIANTS: readonly SolveOptions[] = [
  {},
  { mu_strategy: "adaptive" },
  { hessian_approximation: "limited-memory", max_iter: 500 },
];

Deno.test("createSparseSolver() takes the iterations of the dense solver on every problem of the book", () => {
  for (const problem of HOCK_SCHITTKOWSKI) {
    const form = denseForm(problem);
    const sparse = sparseForm(form);
    const solver = createSparseSolver(form.n, form.m, sparse.jacobianStructure, sparse.hessianStructure);
    for (const options of VARIANTS) {
      const expected = solveDense(form, options);
      const result = solver.solve(sparse, options);
      assertEquals(
        [result.status, result.iterations],
        [expected.status, expected.iterations],
        `${problem.name} ${JSON.stringify(options)}`,
      );
      const scale = Math.max(1, Math.abs(expected.objective));
      assertAlmostEquals(result.objective, expected.objective, 1e-7 * scale, problem.name);
    }
  }
});

Deno.test("createSparseWasmSolver() gives the same bits as createSparseSolver() on every problem of the book", () => {
  for (const problem of HOCK_SCHITTKOWSKI) {
    const sparse = sparseForm(denseForm(problem));
    const { n, m, jacobianStructure, hessianStructure } = sparse;
    const script = createSparseSolver(n, m, jacobianStructure, hessianStructure);
    const wasm = createSparseWasmSolver(module, n, m, jacobianStructure, hessianStructure);
    for (const options of VARIANTS) {
      const a = script.solve(sparse, options);
      const b = wasm.solve(sparse, options);
      assertEquals(
        [b.status, b.iterations, b.evaluations],
        [a.status, a.iterations, a.evaluations],
        problem.name,
      );
      assertEquals([...b.x, ...b.mult_g, b.objective], [...a.x, ...a.mult_g, a.objective], problem.name);
    }
  }
});

Deno.test("a sparse problem without a Hessian is solved by limited memory, in the dense form's iterations", () => {
  for (const problem of HOCK_SCHITTKOWSKI) {
    const { hessian: _, ...form } = denseForm(problem);
    const sparse = sparseForm(form);
    const expected = solveDense(form, { hessian_approximation: "limited-memory" });
    const result = createSparseSolver(form.n, form.m, sparse.jacobianStructure).solve(sparse);
    assertEquals([result.status, result.iterations], [expected.status, expected.iterations], problem.name);
  }
});

Deno.test("createSparseSolver() solves again after other variables were fixed", () => {
  const problem = HOCK_SCHITTKOWSKI.find(({ name }) => name === "43")!;
  const form = denseForm(problem);
  const sparse = sparseForm(form);
  const { n, m, jacobianStructure, hessianStructure } = sparse;
  const wasm = createSparseWasmSolver(module, n, m, jacobianStructure, hessianStructure);
  for (const solver of [createSparseSolver(n, m, jacobianStructure, hessianStructure), wasm]) {
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
  }
});

Deno.test("a sparse memory stays as it is when other variables are fixed in each of 500 solves", () => {
  const problem = controlProblem(100);
  const solver = createSparseWasmSolver(
    module,
    problem.n,
    problem.m,
    problem.jacobianStructure,
    problem.hessianStructure,
  );
  // One control at a time is held at its lower bound: the order of elimination is found anew.
  const held = (k: number) => ({ ...problem, xu: problem.xu.with(99 + k % 100, -2) });
  for (let k = 0; k < 100; k++) assertEquals(solver.solve(held(k)).status, 0);
  const before = solver.memoryBytes;
  for (let k = 0; k < 500; k++) solver.solve(held(k));
  assertEquals(solver.memoryBytes, before);
});

Deno.test("solve() takes IPOPT's 11 iterations to 1.85625932 on a control problem of 16,000 variables", async () => {
  const problem = asProblem(controlProblem(8000));
  const script = await solve(problem);
  const wasm = await solve(problem, { module });
  for (const result of [script, wasm]) {
    assertEquals([result.status, result.iterations], [0, 11]);
    assertAlmostEquals(result.objective, 1.85625932, 1e-8);
  }
  assertEquals(wasm.objective, script.objective);
  assert(wasm.x.every((value, k) => value === script.x[k]));
});

Deno.test("solver.wasm holds a control problem of 160,000 variables in its 1 GB", () => {
  const problem = controlProblem(80_000);
  const { n, m, jacobianStructure, hessianStructure } = problem;
  const solver = createSparseWasmSolver(module, n, m, jacobianStructure, hessianStructure);
  const { status, iterations, objective } = solver.solve(problem);
  assertEquals([status, iterations], [0, 10]);
  assertAlmostEquals(objective, 1.85608959, 1e-8);
  assert(solver.memoryBytes <= 2 ** 30);
});

Deno.test("a control problem of 2,000 variables is solved without its Hessian", async () => {
  const { eval_h: _, ...problem } = asProblem(controlProblem(1000));
  const { objective } = await solve(asProblem(controlProblem(1000)));
  for (const options of [{}, { module }, { hessian_approximation: "limited-memory" }] as const) {
    const result = await solve(problem, options);
    assertEquals(result.status, 0);
    assertAlmostEquals(result.objective, objective, 1e-6);
  }
});

Deno.test("a problem that is too large for the memory is refused, not a trap", () => {
  assertThrows(() => createWasmSolver(module, 20_000, 0), RangeError, "1 GB");
});

Deno.test("solve() gives the control that its optimality conditions imply", async () => {
  const stages = 200;
  const { x, mult_g } = await solve(asProblem(controlProblem(stages)), { tol: 1e-10 });
  // Inside its bounds ∂L/∂u_i = 2h·u_i − h·y_i = 0.
  for (let i = 0; i < stages; i++) {
    const u = x[stages - 1 + i];
    if (Math.abs(u) < 1.99) assertAlmostEquals(u, mult_g[i] / 2, 1e-5);
  }
});

Deno.test("sensitivity() and reducedHessian() of a sparse solver are those of the dense one", () => {
  const problem = controlProblem(20);
  const { n, m, jacobianStructure, hessianStructure } = problem;
  const dense = {
    ...problem,
    jacobian: (x: Float64Array, values: Float64Array) =>
      spread(jacobianStructure, n, values, (to) => problem.jacobian(x, to)),
    hessian: (x: Float64Array, sigma: number, lambda: Float64Array, values: Float64Array) =>
      spread(hessianStructure, n, values, (to) => problem.hessian!(x, sigma, lambda, to)),
  };
  // The right-hand side of the first row: x_0 is the parameter.
  const by = { lagrangian: new Float64Array(n), constraints: new Float64Array(m).fill(-1, 0, 1) };
  const controls = [22, 25, 30];
  const reference = createSolver(n, m);
  reference.solve(dense);
  const expected = reference.sensitivity(dense, by)!;
  const curvature = reference.reducedHessian(dense, controls)!;
  for (
    const solver of [
      createSparseSolver(n, m, jacobianStructure, hessianStructure),
      createSparseWasmSolver(module, n, m, jacobianStructure, hessianStructure),
    ]
  ) {
    solver.solve(problem);
    const { x, mult_g } = solver.sensitivity(problem, by)!;
    x.forEach((value, j) => assertAlmostEquals(value, expected.x[j], 1e-7));
    mult_g.forEach((value, i) => assertAlmostEquals(value, expected.mult_g[i], 1e-7));
    solver.reducedHessian(problem, controls)!.forEach((value, k) =>
      assertAlmostEquals(value, curvature[k], 1e-6)
    );
  }
});

/** Writes values by their places into a row-major matrix of n columns. */
function spread(
  { iRow, jCol }: Structure,
  n: number,
  to: Float64Array,
  write: (values: Float64Array) => boolean,
): boolean {
  const values = new Float64Array(iRow.length);
  const done = write(values);
  to.fill(0);
  iRow.forEach((i, k) => to[i * n + jCol[k]] += values[k]);
  return done;
}

Deno.test("derivative_test reads a sparse problem's own places, and finds what is missing from them", () => {
  const problem = controlProblem(300);
  const { n, m, jacobianStructure, hessianStructure } = problem;
  const solver = createSparseSolver(n, m, jacobianStructure, hessianStructure);
  const options = { derivative_test: "second-order", max_iter: 0 } as const;
  assertEquals(solver.solve(problem, options).derivative_errors, []);
  const wrong = {
    ...problem,
    jacobian(x: Float64Array, values: Float64Array) {
      const done = problem.jacobian(x, values);
      values[7] += 0.01;
      return done;
    },
    gradient: (x: Float64Array, g: Float64Array) => (problem.gradient(x, g), g[310] += 0.01, true),
    hessian(x: Float64Array, sigma: number, lambda: Float64Array, values: Float64Array) {
      const done = problem.hessian!(x, sigma, lambda, values);
      values[5] = 1;
      return done;
    },
  };
  const found = solver.solve(wrong, options).derivative_errors.map(({ kind, row, column }) =>
    `${kind} ${row} ${column}`
  );
  const [row, column] = [jacobianStructure.iRow[7], jacobianStructure.jCol[7]];
  assertEquals(found.sort(), ["gradient 0 310", "hessian 5 5", `jacobian ${row} ${column}`].sort());
});

Deno.test("isSparse() keeps small and filled problems dense", () => {
  assert(isSparse(16_000, 8_000, 50_000));
  assertEquals(isSparse(30, 10, 60), false);
  assertEquals(isSparse(100, 0, 5050), false);
});

Deno.test("createSparseSolver() refuses places outside by name and number", () => {
  const nothing = { iRow: new Int32Array(0), jCol: new Int32Array(0) };
  const outside = { iRow: new Int32Array([0, 2]), jCol: new Int32Array([0, 0]) };
  const uneven = { iRow: new Int32Array(2), jCol: new Int32Array(1) };
  assertThrows(() => createSparseSolver(2, 0, nothing, outside), RangeError, "Hessian: place 1 is (2, 0)");
  assertThrows(() => createSparseSolver(2, 1, outside), RangeError, "Jacobian");
  assertThrows(() => createSparseWasmSolver(module, 2, 1, uneven), RangeError, "2 rows for 1 columns");
});
