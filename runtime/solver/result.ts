import type { DerivativeError } from "./derivative_test.ts";
import type { Violation } from "./violation.ts";

/** Residuals of the optimality conditions at the answer, recomputed from the callbacks; ∞-norms in the user's units. */
export interface KktError {
  readonly dual_infeasibility: number;
  readonly constraint_violation: number;
  readonly complementarity: number;
}

/** What a solve found. Signs of the multipliers: ∇f + Jᵀ·mult_g − mult_x_L + mult_x_U = 0, mult_x_L and mult_x_U ≥ 0. */
export interface SolveResult {
  /** Length n, within the bounds. */
  readonly x: Float64Array;
  readonly objective: number;
  /** IPOPT's return code: 0 solved, 1 acceptable, 2 infeasible, below 0 not solved; see {@linkcode describeStatus}. */
  readonly status: number;
  /** g(x), length m. */
  readonly constraints: Float64Array;
  readonly mult_g: Float64Array;
  readonly mult_x_L: Float64Array;
  readonly mult_x_U: Float64Array;
  /** Those of the restoration phase included. */
  readonly iterations: number;
  /** Evaluations of the objective. */
  readonly evaluations: number;
  /** The status in words, with the first exception of a callback if there was one. */
  readonly message: string;
  /** What the answer does not hold, worst first; empty where it is solved. */
  readonly violations: readonly Violation[];
  /** What `derivative_test` found. */
  readonly derivative_errors: readonly DerivativeError[];
  /** NaN where the solve ended before it could be computed. */
  readonly kkt_error: KktError;
}
