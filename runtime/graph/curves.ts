/// <reference types="../solver/core/portable.d.ts" />
/** What networks bend with, on vectors. `curves_simd.ts` is the twin for WebAssembly: the same operations on two numbers at a time. */
import { exp, normalCdfWith, sigmoid, tanh } from "./special.ts";

/**
 * v[out + i] = gelu(v[a + i]), as special.ts has it. Leaves Φ(x) and e^(−x²/2) in `first` and `second` for the derivatives,
 * which need the same exponential.
 */
export function applyGelu(
  v: Float64Array,
  first: Float64Array,
  second: Float64Array,
  a: i32,
  out: i32,
  length: i32,
): void {
  for (let i: i32 = 0; i < length; i++) {
    const x = v[a + i];
    const e = exp(-0.5 * x * x);
    const cdf = normalCdfWith(x, e);
    v[out + i] = cdf === 0 ? 0.0 : x * cdf;
    first[out + i] = cdf;
    second[out + i] = e;
  }
}

/** v[out + i] = tanh(v[a + i]). */
export function applyTanh(v: Float64Array, a: i32, out: i32, length: i32): void {
  for (let i: i32 = 0; i < length; i++) v[out + i] = tanh(v[a + i]);
}

/** v[out + i] = 1/(1 + e^(−v[a + i])). */
export function applySigmoid(v: Float64Array, a: i32, out: i32, length: i32): void {
  for (let i: i32 = 0; i < length; i++) v[out + i] = sigmoid(v[a + i]);
}
