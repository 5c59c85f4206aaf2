import { Driver } from "./core/driver.ts";
import { Settings } from "./core/settings.ts";
import { DenseModel } from "./dense_model.ts";
import type { DenseProblem } from "./dense_problem.ts";
import { DenseSystem } from "./linear_algebra/dense_system.ts";
import { LinearSystem, Reduction } from "./linear_algebra/linear_system.ts";
import { applyOptions, type SolveOptions } from "./options.ts";
import { reducedHessian } from "./reduced_hessian.ts";
import type { SolveResult } from "./result.ts";
import type { Solver } from "./solver.ts";
import { checkParameter, checkSizes } from "./solver_input.ts";
import { askedOf, resultOf } from "./solver_result.ts";

/**
 * Takes the memory for problems of one size, with dense matrices.
 * @param n Number of variables, at least 1.
 * @param m Number of constraints.
 * @throws {RangeError} If a size is not a whole number in its range.
 */
export function createSolver(n: number, m: number): Solver {
  checkSizes(n, m);
  return solverOver(n, m, new DenseSystem(new Reduction(n, m)));
}

/** @param system For n variables and m rows. */
export function solverOver(n: number, m: number, system: LinearSystem): Solver {
  const settings = new Settings();
  const model = new DenseModel(n, m);
  const driver = new Driver(model, settings, system);
  return {
    n,
    m,
    solve(problem, options = {}) {
      model.begin(problem, options);
      const complaint = applyOptions(options, settings, problem.hessian !== undefined, system.dense);
      const asked = askedOf(problem, options, model, complaint);
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
      return resultOf(status, driver, figures, asked);
    },
    sensitivity(problem, { lagrangian, constraints }) {
      checkParameter(n, m, lagrangian, constraints);
      model.begin(problem, {});
      const x = new Float64Array(n);
      const mult_g = new Float64Array(m);
      const solved = driver.linearize() && driver.sensitivity(lagrangian, constraints, x, mult_g);
      model.end();
      return solved ? { x, mult_g } : undefined;
    },
    reducedHessian(problem, variables) {
      model.begin(problem, {});
      const found = driver.linearize()
        ? reducedHessian(n, m, variables, driver.sensitivity.bind(driver))
        : undefined;
      model.end();
      return found;
    },
  };
}

/** Solves one dense problem; the arrays of the result are the caller's. */
export function solveDense(problem: DenseProblem, options?: SolveOptions): SolveResult {
  return createSolver(problem.n, problem.m).solve(problem, options);
}
