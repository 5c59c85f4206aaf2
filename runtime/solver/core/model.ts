/// <reference types="./portable.d.ts" />
/**
 * The user's problem: min f(x) with gl ≤ g(x) ≤ gu and xl ≤ x ≤ xu, in the user's units. A side beyond ±1e19 is open.
 * Every evaluation writes into the given array; NaN or false says that it cannot be done at this x.
 */
export abstract class Model {
  readonly n: i32;
  readonly m: i32;
  readonly x0: Float64Array;
  readonly xl: Float64Array;
  readonly xu: Float64Array;
  readonly gl: Float64Array;
  readonly gu: Float64Array;
  /** Multipliers to begin with where `warm_start_init_point` is set; in the signs of the result. */
  readonly startG: Float64Array;
  readonly startL: Float64Array;
  readonly startU: Float64Array;
  /** Size of one unit of each variable; 1 unless scaling by the user is chosen. */
  readonly unit: Float64Array;

  constructor(n: i32, m: i32) {
    this.n = n;
    this.m = m;
    this.x0 = new Float64Array(n);
    this.xl = new Float64Array(n);
    this.xu = new Float64Array(n);
    this.gl = new Float64Array(m);
    this.gu = new Float64Array(m);
    this.startG = new Float64Array(m);
    this.startL = new Float64Array(n);
    this.startU = new Float64Array(n);
    this.unit = new Float64Array(n);
  }

  abstract objective(x: Float64Array): f64;
  abstract gradient(x: Float64Array, g: Float64Array): boolean;
  abstract constraints(x: Float64Array, c: Float64Array): boolean;
  abstract jacobian(x: Float64Array, values: Float64Array): boolean;
  abstract hessian(x: Float64Array, sigma: f64, lambda: Float64Array, values: Float64Array): boolean;
  /** Whether the user asked to stop; looked at in every iteration and before every evaluation. */
  abstract cancelled(): boolean;
  /** Seconds since the solve began; 0 where there is no clock. */
  abstract elapsed(): f64;
  /** After every iteration. @returns False to stop. */
  abstract report(progress: Float64Array): boolean;
}
