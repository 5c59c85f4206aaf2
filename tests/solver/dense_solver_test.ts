import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { createSolver, type DenseProblem, solve, solveDense } from "../../runtime/solver/mod.ts";
import { hs071, hs071Optimum } from "./hs071.ts";

Deno.test("solveDense() reaches f* = 17.0140173 on HS071 in 8 iterations", () => {
  const result = solveDense(hs071);
  assertEquals([result.status, result.iterations], [0, 8]);
  assertAlmostEquals(result.objective, hs071Optimum.objective, 1e-6);
  result.x.forEach((x, i) => assertAlmostEquals(x, hs071Optimum.x[i], 1e-6));
});

Deno.test("solveDense() gives multipliers with which the gradient of the Lagrangian vanishes", () => {
  const { x, mult_g, mult_x_L, mult_x_U } = solveDense(hs071);
  const gradient = new Float64Array(4);
  const jacobian = new Float64Array(8);
  hs071.gradient(x, gradient);
  hs071.jacobian(x, jacobian);
  for (let j = 0; j < 4; j++) {
    const sum = gradient[j] + jacobian[j] * mult_g[0] + jacobian[4 + j] * mult_g[1] - mult_x_L[j] +
      mult_x_U[j];
    assertAlmostEquals(sum, 0, 1e-6);
    assert(mult_x_L[j] >= 0 && mult_x_U[j] >= 0);
  }
});

Deno.test("solveDense() without a Hessian reaches the optimum of HS071 by a damped BFGS matrix", () => {
  const { hessian: _, ...rest } = hs071;
  const result = solveDense(rest);
  assertEquals(result.status, 0);
  assertAlmostEquals(result.objective, hs071Optimum.objective, 1e-6);
});

Deno.test("a solver that is used again gives the same bits", () => {
  const solver = createSolver(4, 2);
  const first = solver.solve(hs071).x.slice();
  for (let k = 0; k < 20; k++) assertEquals(solver.solve(hs071).x, first);
});

Deno.test("solve() takes the callbacks of ipopt-wasm", async () => {
  const dense = (size: number, call: (x: Float64Array, out: Float64Array) => boolean, x: Float64Array) => {
    const out = new Float64Array(size);
    call(x, out);
    return out;
  };
  const result = await solve({
    ...hs071,
    nele_jac: 8,
    nele_hess: 10,
    eval_f: (x) => hs071.objective(x),
    eval_grad_f: (x) => dense(4, hs071.gradient, x),
    eval_g: (x) => dense(2, hs071.constraints, x),
    eval_jac_g: (x, structure) =>
      structure
        ? { iRow: Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1), jCol: Int32Array.of(0, 1, 2, 3, 0, 1, 2, 3) }
        : dense(8, hs071.jacobian, x),
    eval_h(x, sigma, lambda, structure) {
      const iRow = Int32Array.of(0, 1, 1, 2, 2, 2, 3, 3, 3, 3);
      const jCol = Int32Array.of(0, 0, 1, 0, 1, 2, 0, 1, 2, 3);
      if (structure) return { iRow, jCol };
      const full = dense(16, (at, out) => hs071.hessian!(at, sigma, lambda, out), x);
      return Float64Array.from(iRow, (row, k) => full[row * 4 + jCol[k]]);
    },
  });
  assertEquals([result.status, result.iterations], [0, 8]);
});

/** min x1 + x2 with x1² + x2² ≤ `radius`² and x1 ≥ 2. */
function disc(radius: number): DenseProblem {
  return {
    n: 2,
    m: 1,
    x0: Float64Array.of(3, 1),
    xl: Float64Array.of(2, -1e19),
    xu: Float64Array.of(1e19, 1e19),
    gl: Float64Array.of(-1e19),
    gu: Float64Array.of(radius * radius),
    objective: ([a, b]) => a + b,
    gradient(_x, g) {
      g.fill(1);
      return true;
    },
    constraints([a, b], c) {
      c[0] = a * a + b * b;
      return true;
    },
    jacobian([a, b], values) {
      values.set([2 * a, 2 * b]);
      return true;
    },
    hessian(_x, _sigma, [lambda], values) {
      values.set([2 * lambda, 0, 0, 2 * lambda]);
      return true;
    },
  };
}

Deno.test("solveDense() says 2 where no point is feasible, and 0 where one is", () => {
  assertEquals(solveDense(disc(1)).status, 2);
  assertEquals(solveDense(disc(2.5)).status, 0);
});

Deno.test("solveDense() ends with −13 where the start cannot be evaluated, and names the exception", () => {
  const result = solveDense({
    ...hs071,
    objective() {
      throw new Error("sensor is gone");
    },
  });
  assertEquals(result.status, -13);
  assert(result.message.includes("objective: sensor is gone"));
});

Deno.test("solveDense() stops with 5 when it is cancelled and with −5 when time is up", () => {
  let looks = 0;
  assertEquals(solveDense(hs071, { cancelled: () => ++looks > 20 }).status, 5);
  let time = 0;
  assertEquals(solveDense(hs071, { now: () => time++, max_wall_time: 0.02 }).status, -5);
});

Deno.test("createSolver() refuses sizes that are no sizes, solve() a problem of another size", () => {
  assertThrows(() => createSolver(0, 1), RangeError);
  assertThrows(() => createSolver(3, 2).solve(hs071), RangeError, "expected");
});
