import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import type { DenseProblem } from "../../runtime/solver/mod.ts";
import { denseForm } from "./book_problem.ts";
import { everyForm } from "./forms.ts";
import { HOCK_SCHITTKOWSKI } from "./hock_schittkowski.ts";
import { hs071, hs071Optimum } from "./hs071.ts";

/** min (x − p)² + (y − 1)² with x + y ≥ q and 0 ≤ x, y: everything is known in closed form. */
function shifted(p: number, q: number): DenseProblem {
  return {
    n: 2,
    m: 1,
    x0: Float64Array.of(2, 2),
    xl: Float64Array.of(0, 0),
    xu: Float64Array.of(1e19, 1e19),
    gl: Float64Array.of(q),
    gu: Float64Array.of(1e19),
    objective: ([x, y]) => (x - p) ** 2 + (y - 1) ** 2,
    gradient([x, y], g) {
      g.set([2 * (x - p), 2 * (y - 1)]);
      return true;
    },
    constraints([x, y], c) {
      c[0] = x + y;
      return true;
    },
    jacobian(_x, values) {
      values.fill(1);
      return true;
    },
    hessian(_x, sigma, _lambda, values) {
      values.set([2 * sigma, 0, 0, 2 * sigma]);
      return true;
    },
  };
}

everyForm("sensitivity() gives dx/dp and dx/dq of a problem whose answer is a formula", ({ create }) => {
  // Active row: x = (q + p − 1)/2, y = (q − p + 1)/2, multiplier −(q − p − 1).
  const problem = shifted(1, 4);
  const solver = create(problem);
  const { x, mult_g } = solver.solve(problem);
  [2, 2].forEach((value, i) => assertAlmostEquals(x[i], value, 1e-6));
  assertAlmostEquals(mult_g[0], -2, 1e-6);
  const byP = solver.sensitivity(problem, {
    lagrangian: Float64Array.of(-2, 0),
    constraints: Float64Array.of(0),
  });
  const byQ = solver.sensitivity(problem, {
    lagrangian: new Float64Array(2),
    constraints: Float64Array.of(-1),
  });
  assert(byP !== undefined && byQ !== undefined);
  [0.5, -0.5].forEach((value, i) => assertAlmostEquals(byP.x[i], value, 1e-5));
  [0.5, 0.5].forEach((value, i) => assertAlmostEquals(byQ.x[i], value, 1e-5));
  assertAlmostEquals(byP.mult_g[0], 1, 1e-5);
  assertAlmostEquals(byQ.mult_g[0], -1, 1e-5);
});

everyForm("sensitivity() keeps a variable that is at its bound", ({ create }) => {
  const problem = shifted(-1, -5);
  const solver = create(problem);
  assertAlmostEquals(solver.solve(problem).x[0], 0, 1e-7);
  const by = solver.sensitivity(problem, {
    lagrangian: Float64Array.of(-2, 0),
    constraints: Float64Array.of(0),
  });
  assertAlmostEquals(by!.x[0], 0, 1e-6);
});

everyForm("a warm start with every multiplier takes fewer iterations than a cold one", ({ solve }) => {
  const cold = solve(hs071);
  const warm = solve({ ...hs071, x0: cold.x }, {
    warm_start_init_point: "yes",
    warm_start: cold,
    mu_init: 1e-6,
    warm_start_bound_push: 1e-8,
    warm_start_bound_frac: 1e-8,
    warm_start_slack_bound_push: 1e-8,
    warm_start_slack_bound_frac: 1e-8,
    warm_start_mult_bound_push: 1e-8,
  });
  assertEquals(warm.status, 0);
  assert(warm.iterations <= 3, `${warm.iterations} iterations`);
  assertAlmostEquals(warm.objective, hs071Optimum.objective, 1e-6);
});

everyForm(
  "derivative_test finds a wrong gradient, a wrong Jacobian and a wrong Hessian, and names them",
  ({ solve }) => {
    const lines: string[] = [];
    const print = (line: string) => void lines.push(line);
    const wrong: DenseProblem = {
      ...hs071,
      gradient(x, g) {
        hs071.gradient(x, g);
        g[2] += 0.1;
        return true;
      },
      jacobian(x, values) {
        hs071.jacobian(x, values);
        values[5] *= 1.01;
        return true;
      },
    };
    const names = { variable_names: ["a", "b", "c", "d"], constraint_names: ["product", "square"] };
    const first = solve(wrong, { derivative_test: "first-order", print, ...names, max_iter: 0 });
    assertEquals(first.derivative_errors.map(({ kind, row, column }) => [kind, row, column]), [
      ["jacobian", 1, 1],
      ["gradient", 0, 2],
    ]);
    assertStringIncludes(lines[0], "d square / d b");
    assertEquals(solve(hs071, { derivative_test: "second-order" }).derivative_errors, []);
    const hessian: DenseProblem["hessian"] = (x, sigma, lambda, values) => {
      hs071.hessian!(x, sigma, lambda, values);
      values[12] *= -1;
      return true;
    };
    const second = solve({ ...hs071, hessian }, { derivative_test: "only-second-order", max_iter: 0 });
    assertEquals(second.derivative_errors.map(({ kind, row, column }) => [kind, row, column]), [
      ["hessian", 3, 0],
    ]);
  },
);

everyForm(
  "functions rounded to 32 bits end solved or acceptable at a tolerance that they can reach",
  ({ solve }) => {
    const rounded: DenseProblem = {
      ...hs071,
      objective: (x) => Math.fround(hs071.objective(x)),
      constraints(x, c) {
        hs071.constraints(x, c);
        c.forEach((value, i) => c[i] = Math.fround(value));
        return true;
      },
    };
    const result = solve(rounded, { function_noise: 6e-8, tol: 1e-6, constr_viol_tol: 1e-4 });
    assert(result.status === 0 || result.status === 1, `${result.status}`);
    assertAlmostEquals(result.objective, hs071Optimum.objective, 1e-3);
  },
);

everyForm(
  "reducedHessian() is the curvature along the active constraint, and undefined at a bound",
  ({ create }) => {
    // With y = 4 − x the objective is (x − 1)² + (3 − x)²: its second derivative is 4.
    const problem = shifted(1, 4);
    const solver = create(problem);
    solver.solve(problem);
    assertAlmostEquals(solver.reducedHessian(problem, [0])![0], 4, 1e-4);
    // Without an active row the Hessian is its own.
    const free = shifted(1, -5);
    solver.solve(free);
    const hessian = solver.reducedHessian(free, [0, 1])!;
    [2, 0, 0, 2].forEach((value, i) => assertAlmostEquals(hessian[i], value, 1e-5));
    // Two variables on one active row have one degree of freedom.
    solver.solve(problem);
    assertEquals(solver.reducedHessian(problem, [0, 1]), undefined);
  },
);

everyForm(
  "sensitivity() says how the book's answers move with the bounds of their constraints",
  ({ create }) => {
    let compared = 0;
    for (const book of HOCK_SCHITTKOWSKI) {
      const problem = denseForm(book);
      const solver = create(problem);
      const answer = (row: number, step: number) => {
        const [gl, gu] = [problem.gl, problem.gu].map((of) => of.with(row, of[row] + step));
        return solver.solve({ ...problem, gl, gu }, { tol: 1e-10 }).x.slice();
      };
      for (let row = 0; row < problem.m; row++) {
        const [less, more, at] = [answer(row, -1e-4), answer(row, 1e-4), answer(row, 0)];
        const slope = more.map((value, j) => (value - less[j]) / 2e-4);
        // Where a constraint just begins to matter there is no derivative, only one for each side.
        if (
          slope.some((value, j) =>
            Math.abs((more[j] - at[j]) / 1e-4 - value) > 1e-2 * Math.max(1, Math.abs(value))
          )
        ) {
          continue;
        }
        const constraints = new Float64Array(problem.m);
        constraints[row] = -1;
        const { x } = solver.sensitivity(problem, { lagrangian: new Float64Array(problem.n), constraints })!;
        x.forEach((value, j) =>
          assertAlmostEquals(value, slope[j], 1e-2 * Math.max(1, Math.abs(slope[j])), `${book.name}, ${row}`)
        );
        compared++;
      }
    }
    assert(compared > 40, `${compared}`);
  },
);
