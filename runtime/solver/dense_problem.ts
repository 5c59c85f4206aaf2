/** A dense problem; every callback writes into the given array and answers false where it cannot evaluate. */
export interface DenseProblem {
  /** Number of variables. */
  readonly n: number;
  /** Number of constraints. */
  readonly m: number;
  /** Where to begin, length n; it may be outside of the bounds. */
  readonly x0: Float64Array;
  /** Lower bounds, length n; −1e19 or less: none. */
  readonly xl: Float64Array;
  /** Upper bounds, length n; 1e19 or more: none. Equal to the lower one: the variable is fixed. */
  readonly xu: Float64Array;
  /** Lower bounds of the constraints, length m. */
  readonly gl: Float64Array;
  /** Upper bounds of the constraints, length m. */
  readonly gu: Float64Array;
  /** NaN: cannot be evaluated at `x`. */
  objective(x: Float64Array): number;
  /** Writes the gradient of the objective. @param g Length n, overwritten. */
  gradient(x: Float64Array, g: Float64Array): boolean;
  /** Writes the constraints' values. @param c Length m, overwritten. */
  constraints(x: Float64Array, c: Float64Array): boolean;
  /** Writes the constraints' Jacobian. @param values Row-major m × n, overwritten. */
  jacobian(x: Float64Array, values: Float64Array): boolean;
  /**
   * Hessian of sigma·f + Σ lambda_i·g_i. Absent: a damped BFGS matrix takes its place.
   * @param values Row-major n × n; the lower triangle is read.
   */
  hessian?(x: Float64Array, sigma: number, lambda: Float64Array, values: Float64Array): boolean;
}
