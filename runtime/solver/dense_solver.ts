import { Driver } from "./core/driver.ts";
import { Settings } from "./core/settings.ts";
import { DenseModel } from "./dense_model.ts";
import type { DenseProblem } from "./dense_problem.ts";
import { DenseSystem } from "./linear_algebra/dense_system.ts";
import { LinearSystem, Reduction } from "./linear_algebra/linear_system.ts";
import { reducedHessian } from "./reduced_hessian.ts";
import { applyOptions, type SolveOptions } from "./options.ts";
import type { SolveResult } from "./result.ts";
import { askedOf, resultOf } from "./solver_result.ts";

/** How a problem changes with a parameter p, at its solution. */
export interface ParameterDerivative {
  /** ∂²(f + Σ mult_g_i·g_i)/∂x∂p, length n. */
  readonly lagrangian: Float64Array;
  /** ∂g/∂p minus ∂(bounds of g)/∂p, length m. */
  readonly constraints: Float64Array;
}

/** dx/dp and d mult_g/dp. */
export interface Sensitivity {
  readonly x: Float64Array;
  readonly mult_g: Float64Array;
}

/** A solver with the memory for problems of one size. */
export interface DenseSolver {
  readonly n: number;
  readonly m: number;
  /**
   * Solves; nothing is allocated but the small result object, whose arrays are overwritten by the next solve.
   * @throws {RangeError} If the problem has another size.
   */
  solve(problem: DenseProblem, options?: SolveOptions): SolveResult;
  /**
   * First-order change of the last answer with a parameter, from the factors there; what is at a bound stays.
   * @param problem The one that was solved last, with its Hessian.
   * @returns Undefined where the system is singular.
   */
  sensitivity(problem: DenseProblem, by: ParameterDerivative): Sensitivity | undefined;
  /**
   * Hessian of the objective as a function of some variables alone, the others following so that the active constraints
   * keep holding; its inverse is the covariance of estimated parameters.
   * @param variables As many as there are degrees of freedom at the answer, or fewer.
   * @returns Row-major, k × k; undefined where it does not exist, e.g. where one of the variables is at its bound.
   */
  reducedHessian(problem: DenseProblem, variables: readonly number[]): Float64Array | undefined;
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
      model.begin(problem, {});
      const x = new Float64Array(n);
      const mult_g = new Float64Array(m);
      const solved = driver.linearize() && driver.sensitivity(lagrangian, constraints, x, mult_g);
      model.end();
      return solved ? { x, mult_g } : undefined;
    },
    reducedHessian(problem, variables) {
      model.begin(problem, {});
      const found = driver.linearize() ? reducedHessian(driver, variables) : undefined;
      model.end();
      return found;
    },
  };
}

/** Solves one dense problem; the arrays of the result are the caller's. */
export function solveDense(problem: DenseProblem, options?: SolveOptions): SolveResult {
  return createSolver(problem.n, problem.m).solve(problem, options);
}
