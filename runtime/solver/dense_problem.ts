/** A dense problem; every callback writes into the given array and answers false where it cannot evaluate. */
export interface DenseProblem {
  readonly n: number;
  readonly m: number;
  /** Lengths n. A side beyond ±1e19 is open. */
  readonly x0: Float64Array;
  readonly xl: Float64Array;
  readonly xu: Float64Array;
  /** Lengths m. */
  readonly gl: Float64Array;
  readonly gu: Float64Array;
  /** NaN: cannot be evaluated at `x`. */
  objective(x: Float64Array): number;
  /** @param g Length n, overwritten. */
  gradient(x: Float64Array, g: Float64Array): boolean;
  /** @param c Length m, overwritten. */
  constraints(x: Float64Array, c: Float64Array): boolean;
  /** @param values Row-major m × n, overwritten. */
  jacobian(x: Float64Array, values: Float64Array): boolean;
  /**
   * Hessian of sigma·f + Σ lambda_i·g_i. Absent: a damped BFGS matrix takes its place.
   * @param values Row-major n × n; the lower triangle is read.
   */
  hessian?(x: Float64Array, sigma: number, lambda: Float64Array, values: Float64Array): boolean;
}
