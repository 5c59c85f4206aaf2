/// <reference types="../core/portable.d.ts" />
/**
 * The inner loops of the dense factorisation, on parts of one array. `columns_simd.ts` is their twin for WebAssembly: it
 * does the same operations on the same numbers, two at a time.
 */

/** a[to + i] −= w·a[from + i] for i < count. */
export function subtractOne(a: Float64Array, to: i32, from: i32, count: i32, w: f64): void {
  for (let i: i32 = 0; i < count; i++) a[to + i] -= w * a[from + i];
}

/** a[to + i] −= w1·a[from1 + i] + w2·a[from2 + i] for i < count. */
export function subtractTwo(
  a: Float64Array,
  to: i32,
  from1: i32,
  w1: f64,
  from2: i32,
  w2: f64,
  count: i32,
): void {
  for (let i: i32 = 0; i < count; i++) a[to + i] -= w1 * a[from1 + i] + w2 * a[from2 + i];
}

/** x[to + i] −= w·a[from + i] for i < count. */
export function subtractFrom(x: Float64Array, to: i32, a: Float64Array, from: i32, count: i32, w: f64): void {
  for (let i: i32 = 0; i < count; i++) x[to + i] -= w * a[from + i];
}

/** Σ a[from + i]·x[at + i] for i < count: the even and the odd terms by themselves, then both. */
export function dotFrom(a: Float64Array, from: i32, x: Float64Array, at: i32, count: i32): f64 {
  let even: f64 = 0;
  let odd: f64 = 0;
  let i: i32 = 0;
  for (; i + 1 < count; i += 2) {
    even += a[from + i] * x[at + i];
    odd += a[from + i + 1] * x[at + i + 1];
  }
  if (i < count) even += a[from + i] * x[at + i];
  return even + odd;
}
