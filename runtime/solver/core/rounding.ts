/// <reference types="./portable.d.ts" />
/**
 * a ≤ b up to ten units in the last place of `base`: differences of large numbers are no decision.
 * @param noise Relative noise of the functions; 0: rounding of 64-bit numbers alone.
 */
export function leq(a: f64, b: f64, base: f64, noise: f64 = 0): boolean {
  return a - b <= Math.max(2.220446049250313e-15 * Math.abs(base), noise * Math.max(1, Math.abs(base)));
}
