import type { DerivativeError } from "./derivative_test.ts";
import type { Violation } from "./violation.ts";

/** Residuals of the optimality conditions at the answer, recomputed from the callbacks; ∞-norms in the user's units. */
export interface KktError {
  /** Of the gradient of the Lagrangian. */
  readonly dual_infeasibility: number;
  /** Of the constraints; the bounds of the variables hold. */
  readonly constraint_violation: number;
  /** Of distances to bounds times multipliers. */
  readonly complementarity: number;
}

/** What a solve found. Signs of the multipliers: ∇f + Jᵀ·mult_g − mult_x_L + mult_x_U = 0, mult_x_L and mult_x_U ≥ 0. */
export interface SolveResult {
  /** Length n, within the bounds. */
  readonly x: Float64Array;
  /** That of the last iterate, which may use the 1e-8 by which bounds are relaxed. */
  readonly objective: number;
  /** IPOPT's return code: 0 solved, 1 acceptable, 2 infeasible, below 0 not solved; see {@linkcode describeStatus}. */
  readonly status: number;
  /** g(x), length m. */
  readonly constraints: Float64Array;
  /** Multipliers of the constraints, length m: minus the shadow prices of their bounds. */
  readonly mult_g: Float64Array;
  /** Multipliers of the lower bounds, length n. */
  readonly mult_x_L: Float64Array;
  /** Multipliers of the upper bounds, length n. */
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
