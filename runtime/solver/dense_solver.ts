import { Driver } from "./core/driver.ts";
import { Settings } from "./core/settings.ts";
import { DenseModel } from "./dense_model.ts";
import type { DenseProblem } from "./dense_problem.ts";
import { DenseSystem } from "./linear_algebra/dense_system.ts";
import { Reduction } from "./linear_algebra/linear_system.ts";
import { applyOptions, type SolveOptions } from "./options.ts";
import type { SolveResult } from "./result.ts";
import { describeStatus } from "./status.ts";

/** A solver with the memory for problems of one size. */
export interface DenseSolver {
  readonly n: number;
  readonly m: number;
  /**
   * Solves; nothing is allocated but the small result object, whose arrays are overwritten by the next solve.
   * @throws {RangeError} If the problem has another size.
   */
  solve(problem: DenseProblem, options?: SolveOptions): SolveResult;
}

/**
 * @param n Number of variables, at least 1.
 * @param m Number of constraints.
 * @throws {RangeError} If a size is not a whole number in its range.
 */
export function createSolver(n: number, m: number): DenseSolver {
  if (!Number.isInteger(n) || n < 1 || !Number.isInteger(m) || m < 0) {
    throw new RangeError(
      `Cannot make a solver for ${n} variables and ${m} constraints: expected whole numbers`,
    );
  }
  const settings = new Settings();
  const model = new DenseModel(n, m);
  const driver = new Driver(model, settings, new DenseSystem(new Reduction(n, m)));
  return {
    n,
    m,
    solve(problem, options = {}) {
      model.begin(problem, options);
      const complaint = applyOptions(options, settings, problem.hessian !== undefined);
      let status = -12;
      if (complaint === undefined) status = driver.solve();
      else driver.x.set(problem.x0);
      if (status === 5 && model.timedOut) status = -5;
      const { failure } = model;
      model.end();
      return {
        x: driver.x,
        objective: driver.objective,
        status,
        constraints: driver.g,
        mult_g: driver.multG,
        mult_x_L: driver.multL,
        mult_x_U: driver.multU,
        iterations: driver.main.iterations,
        evaluations: driver.base.functionCalls,
        message: (complaint ?? describeStatus(status)) + (failure === undefined ? "" : ` (${failure})`),
        kkt_error: {
          dual_infeasibility: driver.dualInfeasibility,
          constraint_violation: driver.violation,
          complementarity: driver.complementarity,
        },
      };
    },
  };
}

/** Solves one dense problem; the arrays of the result are the caller's. */
export function solveDense(problem: DenseProblem, options?: SolveOptions): SolveResult {
  return createSolver(problem.n, problem.m).solve(problem, options);
}
