/// <reference types="../core/portable.d.ts" />
import { dotFrom, subtractFrom, subtractOne, subtractTwo } from "./columns.ts";

/**
 * Dense LDLᵀ of a symmetric indefinite matrix with Bunch–Kaufman pivoting (Bunch and Kaufman, Math. Comp. 31, 1977):
 * P·A·Pᵀ = L·D·Lᵀ, D with blocks of 1×1 and 2×2. The sums run elementwise, so the twin with vector instructions gives
 * the same bits.
 */
export class DenseLdlt {
  /** Column j of the lower triangle begins at j·n; overwritten by the factors. Length capacity². */
  readonly a: Float64Array;
  private readonly order: Int32Array;
  /** 1 at a 1×1 pivot, 2 at the first and 0 at the second column of a 2×2 pivot. */
  private readonly block: Int32Array;
  private readonly work: Float64Array;
  private n: i32 = 0;
  /** Negative eigenvalues of the last factorised matrix. */
  negatives: i32 = 0;

  constructor(capacity: i32) {
    this.a = new Float64Array(capacity * capacity);
    this.order = new Int32Array(capacity);
    this.block = new Int32Array(capacity);
    this.work = new Float64Array(capacity);
  }

  /** @returns False where a pivot is below `tiny`: the matrix is singular. */
  factor(n: i32, tiny: f64): boolean {
    const a = this.a;
    const order = this.order;
    const block = this.block;
    // Bunch and Kaufman's bound on the growth of the elements: (1 + √17)/8.
    const alpha: f64 = 0.6403882032022076;
    this.n = n;
    this.negatives = 0;
    for (let i: i32 = 0; i < n; i++) order[i] = i;
    let k: i32 = 0;
    while (k < n) {
      const ck = k * n;
      const diagonal = Math.abs(a[ck + k]);
      let most: f64 = 0;
      let at: i32 = k;
      for (let i: i32 = k + 1; i < n; i++) {
        const size = Math.abs(a[ck + i]);
        if (size > most) {
          most = size;
          at = i;
        }
      }
      if (!(Math.max(diagonal, most) > tiny)) return false;
      let size: i32 = 1;
      let pivot: i32 = k;
      if (diagonal < alpha * most) {
        let other: f64 = 0;
        for (let j: i32 = k; j < at; j++) other = Math.max(other, Math.abs(a[j * n + at]));
        for (let i: i32 = at + 1; i < n; i++) other = Math.max(other, Math.abs(a[at * n + i]));
        if (diagonal * other < alpha * most * most) {
          pivot = at;
          if (Math.abs(a[at * n + at]) < alpha * other) size = 2;
        }
      }
      const target: i32 = k + size - 1;
      if (pivot !== target) this.exchange(target, pivot);
      block[k] = size;
      if (size === 1) {
        if (a[ck + k] < 0) this.negatives++;
        this.eliminateOne(k);
      } else {
        block[k + 1] = 0;
        const d11 = a[ck + k];
        const d22 = a[ck + n + k + 1];
        const d21 = a[ck + k + 1];
        const scaled = (d11 / d21) * (d22 / d21) - 1;
        if (!(Math.abs(scaled) > 1e-16)) return false;
        // The pivot rule leaves only indefinite blocks; the test is for rounding.
        if (scaled < 0) this.negatives++;
        else if (d11 < 0) this.negatives += 2;
        this.eliminateTwo(k);
      }
      k += size;
    }
    return true;
  }

  private exchange(k: i32, p: i32): void {
    const a = this.a;
    const n = this.n;
    const order = this.order;
    const name = order[k];
    order[k] = order[p];
    order[p] = name;
    for (let j: i32 = 0; j < k; j++) {
      const held = a[j * n + k];
      a[j * n + k] = a[j * n + p];
      a[j * n + p] = held;
    }
    const diagonal = a[k * n + k];
    a[k * n + k] = a[p * n + p];
    a[p * n + p] = diagonal;
    for (let i: i32 = k + 1; i < p; i++) {
      const held = a[k * n + i];
      a[k * n + i] = a[i * n + p];
      a[i * n + p] = held;
    }
    for (let i: i32 = p + 1; i < n; i++) {
      const held = a[k * n + i];
      a[k * n + i] = a[p * n + i];
      a[p * n + i] = held;
    }
  }

  private eliminateOne(k: i32): void {
    const a = this.a;
    const n = this.n;
    const ck = k * n;
    const inverse: f64 = 1 / a[ck + k];
    for (let j: i32 = k + 1; j < n; j++) {
      const w = a[ck + j] * inverse;
      if (w === 0) continue;
      subtractOne(a, j * n + j, ck + j, n - j, w);
    }
    for (let i: i32 = k + 1; i < n; i++) a[ck + i] *= inverse;
  }

  private eliminateTwo(k: i32): void {
    const a = this.a;
    const n = this.n;
    const c1 = k * n;
    const c2 = c1 + n;
    const d21 = a[c1 + k + 1];
    const d11 = a[c2 + k + 1] / d21;
    const d22 = a[c1 + k] / d21;
    const t: f64 = 1 / (d11 * d22 - 1) / d21;
    for (let j: i32 = k + 2; j < n; j++) {
      const w1 = t * (d11 * a[c1 + j] - a[c2 + j]);
      const w2 = t * (d22 * a[c2 + j] - a[c1 + j]);
      subtractTwo(a, j * n + j, c1 + j, w1, c2 + j, w2, n - j);
      a[c1 + j] = w1;
      a[c2 + j] = w2;
    }
  }

  /** Solves A·x = b in place, length n. */
  solve(b: Float64Array): void {
    const a = this.a;
    const n = this.n;
    const x = this.work;
    const order = this.order;
    const block = this.block;
    for (let i: i32 = 0; i < n; i++) x[i] = b[order[i]];
    for (let j: i32 = 0; j < n; j++) {
      const first = j + (block[j] === 2 ? 2 : 1);
      const value = x[j];
      if (value === 0) continue;
      subtractFrom(x, first, a, j * n + first, n - first, value);
    }
    let k: i32 = 0;
    while (k < n) {
      const ck = k * n;
      if (block[k] === 1) {
        x[k] /= a[ck + k];
        k++;
      } else {
        const d21 = a[ck + k + 1];
        const d11 = a[ck + n + k + 1] / d21;
        const d22 = a[ck + k] / d21;
        const t: f64 = 1 / (d11 * d22 - 1);
        const b1 = x[k] / d21;
        const b2 = x[k + 1] / d21;
        x[k] = t * (d11 * b1 - b2);
        x[k + 1] = t * (d22 * b2 - b1);
        k += 2;
      }
    }
    for (let j: i32 = n - 1; j >= 0; j--) {
      const first = j + (block[j] === 2 ? 2 : 1);
      x[j] -= dotFrom(a, j * n + first, x, first, n - first);
    }
    for (let i: i32 = 0; i < n; i++) b[order[i]] = x[i];
  }
}
