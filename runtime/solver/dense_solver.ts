import { Driver } from "./core/driver.ts";
import { Settings } from "./core/settings.ts";
import { DenseModel } from "./dense_model.ts";
import type { DenseProblem } from "./dense_problem.ts";
import { DenseSystem } from "./linear_algebra/dense_system.ts";
import { LinearSystem, Reduction } from "./linear_algebra/linear_system.ts";
import { applyOptions, type SolveOptions } from "./options.ts";
import type { SolveResult } from "./result.ts";
import { resultOf } from "./solver_result.ts";

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
  return solverOver(n, m, new DenseSystem(new Reduction(n, m)), true);
}

/** @param approximates Whether the system can hold a quasi-Newton matrix. */
export function solverOver(n: number, m: number, system: LinearSystem, approximates: boolean): DenseSolver {
  const settings = new Settings();
  const model = new DenseModel(n, m);
  const driver = new Driver(model, settings, system);
  return {
    n,
    m,
    solve(problem, options = {}) {
      model.begin(problem, options);
      let complaint = applyOptions(options, settings, problem.hessian !== undefined);
      if (settings.limited_memory && !approximates) {
        complaint ??= 'Cannot set option "hessian_approximation": a sparse solve needs the exact Hessian';
      }
      if (complaint !== undefined) driver.reject();
      const status = complaint === undefined ? driver.solve() : -12;
      model.end();
      const figures = {
        objective: driver.objective,
        iterations: driver.main.iterations,
        evaluations: driver.base.functionCalls,
        dual: driver.dualInfeasibility,
        violation: driver.violation,
        complementarity: driver.complementarity,
      };
      return resultOf(status, driver, figures, model, complaint);
    },
  };
}

/** Solves one dense problem; the arrays of the result are the caller's. */
export function solveDense(problem: DenseProblem, options?: SolveOptions): SolveResult {
  return createSolver(problem.n, problem.m).solve(problem, options);
}
