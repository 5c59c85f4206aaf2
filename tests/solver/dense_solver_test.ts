import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { createSolver, type DenseProblem, solveDense } from "../../runtime/solver/mod.ts";
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

Deno.test("createSolver() refuses sizes that are no sizes, solve() a problem of another size", () => {
  assertThrows(() => createSolver(0, 1), RangeError);
  assertThrows(() => createSolver(3, 2).solve(hs071), RangeError, "expected");
});
