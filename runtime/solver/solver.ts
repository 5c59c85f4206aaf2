import type { DenseProblem } from "./dense_problem.ts";
import type { SolveOptions } from "./options.ts";
import type { SolveResult } from "./result.ts";

/** How a problem changes with a parameter p, at its solution. */
export interface ParameterDerivative {
  /** ∂²(f + Σ mult_g_i·g_i)/∂x∂p, length n. */
  readonly lagrangian: Float64Array;
  /** ∂g/∂p minus ∂(bounds of g)/∂p, length m. */
  readonly constraints: Float64Array;
}

/** dx/dp and d mult_g/dp. */
export interface Sensitivity {
  /** Length n; 0 where a variable is fixed. */
  readonly x: Float64Array;
  /** Length m. */
  readonly mult_g: Float64Array;
}

/**
 * A solver with the memory for problems of one size, and of one structure where it is sparse. The forms in TypeScript and
 * in WebAssembly take the same steps to the last bit.
 */
export interface Solver<P extends DenseProblem = DenseProblem> {
  /** Number of variables. */
  readonly n: number;
  /** Number of constraints. */
  readonly m: number;
  /**
   * Solves; nothing is allocated but the small result object, whose arrays are overwritten by the next solve.
   * @throws {RangeError} If the problem has another size.
   */
  solve(problem: P, options?: SolveOptions): SolveResult;
  /**
   * First-order change of the last answer with a parameter, from the factors there; what is at a bound stays.
   * @param problem The one that was solved last, with its Hessian.
   * @returns Undefined where the system is singular.
   */
  sensitivity(problem: P, by: ParameterDerivative): Sensitivity | undefined;
  /**
   * Hessian of the objective as a function of some variables alone, the others following so that the active constraints
   * keep holding; its inverse is the covariance of estimated parameters.
   * @param variables As many as there are degrees of freedom at the answer, or fewer.
   * @returns Row-major, k × k; undefined where it does not exist, e.g. where one of the variables is at its bound.
   */
  reducedHessian(problem: P, variables: readonly number[]): Float64Array | undefined;
}
