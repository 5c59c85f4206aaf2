/// <reference types="./portable.d.ts" />
import { LinearSystem } from "../linear_algebra/linear_system.ts";

/**
 * What the interior point works on: min f(v) with c(v) = 0 and lower ≤ v ≤ upper, where v = (x, t). The entries t occur
 * linearly, each in one row only: c_i = h_i(x) + Σ sign_k·t_k over the k with row_k = i. Slacks are such entries, and so
 * are the relaxations of the restoration phase; they are eliminated before anything is factorised.
 */
export abstract class Nlp {
  readonly system: LinearSystem;
  /** Lengths of x and c, and of t; they change with the free variables of each solve. */
  n: i32 = 0;
  m: i32 = 0;
  singles: i32 = 0;
  /** n + singles. */
  size: i32 = 0;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly row: Int32Array;
  readonly sign: Float64Array;
  /** Which t is the slack of a row; −1: the row is an equality. */
  readonly slack: Int32Array;
  dependsOnMu: boolean = false;

  constructor(system: LinearSystem, capacity: i32, rows: i32, singlesCapacity: i32) {
    this.system = system;
    this.lower = new Float64Array(capacity);
    this.upper = new Float64Array(capacity);
    this.row = new Int32Array(singlesCapacity);
    this.sign = new Float64Array(singlesCapacity);
    this.slack = new Int32Array(rows);
  }

  /** @param mu Barrier parameter: the restoration's proximity term depends on it. @returns NaN where it cannot. */
  abstract objective(v: Float64Array, mu: f64): f64;
  abstract gradient(v: Float64Array, mu: f64, out: Float64Array): boolean;
  abstract residual(v: Float64Array, out: Float64Array): boolean;
  /** Evaluates J into the system. */
  abstract jacobian(v: Float64Array): boolean;
  /** Evaluates the Hessian of the Lagrangian into the system. */
  abstract hessian(v: Float64Array, mu: f64, y: Float64Array): boolean;
  /** What the objective adds to the diagonal of the Hessian, so that W may be a quasi-Newton matrix of the rest. */
  abstract addDiagonal(mu: f64, dx: Float64Array): void;

  /** out += Jᵀ·y for all of v. */
  addTransposed(y: Float64Array, out: Float64Array): void {
    this.system.addTransposed(y, out);
    for (let k: i32 = 0; k < this.singles; k++) out[this.n + k] += this.sign[k] * y[this.row[k]];
  }
}
