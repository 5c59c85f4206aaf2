/// <reference types="./portable.d.ts" />
/** a ≤ b up to ten units in the last place of `base`: differences of large numbers are no decision. */
export function leq(a: f64, b: f64, base: f64): boolean {
  return a - b <= 2.220446049250313e-15 * Math.abs(base);
}
