/// <reference types="./portable.d.ts" />
/** Small loops over the first `n` entries of dense vectors. */

export function copy(n: i32, from: Float64Array, to: Float64Array): void {
  for (let i = 0; i < n; i++) to[i] = from[i];
}

export function fill(n: i32, value: f64, to: Float64Array): void {
  for (let i = 0; i < n; i++) to[i] = value;
}

export function largest(n: i32, a: Float64Array): f64 {
  let most: f64 = 0;
  for (let i = 0; i < n; i++) {
    const size = Math.abs(a[i]);
    // Written so that a NaN is kept: it must never look small.
    if (!(size <= most)) most = size;
  }
  return most;
}

export function sumOfSizes(n: i32, a: Float64Array): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) sum += Math.abs(a[i]);
  return sum;
}

export function dot(n: i32, a: Float64Array, b: Float64Array): f64 {
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

export function allFinite(n: i32, a: Float64Array): boolean {
  let sum: f64 = 0;
  for (let i = 0; i < n; i++) sum += a[i] - a[i];
  return sum === 0;
}
