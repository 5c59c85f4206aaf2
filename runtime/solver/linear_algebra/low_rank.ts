/// <reference types="../core/portable.d.ts" />
import { DenseLdlt } from "./ldlt.ts";

/** A pivot of the small matrix below this is zero. */
const TINY: f64 = 1e-300;

/** out += Σ sign_k·w_k·(w_kᵀ·x) over `count` vectors of n entries each. */
export function addProducts(
  n: i32,
  count: i32,
  w: Float64Array,
  sign: Float64Array,
  x: Float64Array,
  out: Float64Array,
): void {
  for (let k: i32 = 0; k < count; k++) {
    const at = k * n;
    let sum: f64 = 0;
    for (let i: i32 = 0; i < n; i++) sum += w[at + i] * x[i];
    sum *= sign[k];
    for (let i: i32 = 0; i < n; i++) out[i] += sum * w[at + i];
  }
}

/**
 * Solutions of A + W·D·Wᵀ from the factors of A, D = diag(±1) (Sherman, Morrison and Woodbury): with Z = A⁻¹·W and
 * M = D + Wᵀ·Z they are x − Z·M⁻¹·Wᵀ·x for x = A⁻¹·b. Of the matrix [A W; Wᵀ −D] both Schur complements are known, so by
 * Sylvester's law the inertia of the sum follows from those of A, M and D.
 */
export class LowRank {
  /** Number of vectors; their signs, and the vectors one after the other, n entries each. */
  count: i32 = 0;
  private n: i32 = 0;
  private vectors: Float64Array = new Float64Array(0);
  private sign: Float64Array = new Float64Array(0);
  private solutions: Float64Array = new Float64Array(0);
  column: Float64Array = new Float64Array(0);
  private small: Float64Array = new Float64Array(0);
  private ldlt: DenseLdlt = new DenseLdlt(0);
  private order: i32 = 0;

  /** @param w Read only while it is in use: not copied. */
  set(n: i32, count: i32, w: Float64Array, sign: Float64Array): void {
    this.n = n;
    this.count = count;
    this.vectors = w;
    this.sign = sign;
  }

  /** out += W·D·Wᵀ·x */
  addTimes(x: Float64Array, out: Float64Array): void {
    addProducts(this.n, this.count, this.vectors, this.sign, x, out);
  }

  /** Begins a factorisation of order `order`; then every vector is loaded, solved for and taken. */
  begin(order: i32): void {
    if (this.solutions.length < this.count * order) this.solutions = new Float64Array(this.count * order);
    if (this.column.length < order) this.column = new Float64Array(order);
    if (this.small.length < this.count) {
      this.small = new Float64Array(this.count);
      this.ldlt = new DenseLdlt(this.count);
    }
    this.order = order;
  }

  /** Writes vector k, filled up with zeros, into `column`. */
  load(k: i32): void {
    const n = this.n;
    for (let i: i32 = 0; i < n; i++) this.column[i] = this.vectors[k * n + i];
    for (let i = n; i < this.order; i++) this.column[i] = 0;
  }

  /** Takes A⁻¹·w_k from `column`. */
  take(k: i32): void {
    const n = this.n;
    const column = this.column;
    const z = this.solutions;
    for (let i: i32 = 0; i < this.order; i++) z[k * this.order + i] = column[i];
    for (let j = k; j < this.count; j++) {
      let sum: f64 = j === k ? this.sign[k] : 0;
      for (let i: i32 = 0; i < n; i++) sum += this.vectors[j * n + i] * column[i];
      this.ldlt.a[k * this.count + j] = sum;
    }
  }

  /** @param negatives Negative eigenvalues of A. @returns Those of the sum, or −1 where it is singular. */
  factor(negatives: i32): i32 {
    if (!this.ldlt.factor(this.count, TINY)) return -1;
    let plus: i32 = 0;
    for (let k: i32 = 0; k < this.count; k++) if (this.sign[k] > 0) plus++;
    return negatives + this.count - this.ldlt.negatives - plus;
  }

  /** Turns a solution for A into one for the sum, in place. */
  correct(x: Float64Array): void {
    const n = this.n;
    const w = this.vectors;
    const z = this.solutions;
    const t = this.small;
    for (let k: i32 = 0; k < this.count; k++) {
      let sum: f64 = 0;
      for (let i: i32 = 0; i < n; i++) sum += w[k * n + i] * x[i];
      t[k] = sum;
    }
    this.ldlt.solve(t);
    for (let k: i32 = 0; k < this.count; k++) {
      const at = k * this.order;
      const value = t[k];
      for (let i: i32 = 0; i < this.order; i++) x[i] -= value * z[at + i];
    }
  }
}
