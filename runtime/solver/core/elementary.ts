/// <reference types="./portable.d.ts" />
/**
 * Logarithm and power of our own. Engines differ in the last bit of Math.log and Math.pow; with these every target takes
 * exactly the same steps, because only correctly rounded operations are left.
 */

const LN2_HIGH: f64 = 6.93147180369123816490e-1;
const LN2_LOW: f64 = 1.90821492927058770002e-10;
const SQRT_HALF: f64 = 0.7071067811865476;

/** Natural logarithm by ln x = e·ln 2 + 2·artanh((f − 1)/(f + 1)), f in [√½, √2): error below 2 units in the last place. */
export function ln(x: f64): f64 {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return x;
  let fraction = x;
  let exponent: i32 = 0;
  for (let step: i32 = 512; step >= 1; step >>= 1) {
    const power = powerOfTwo(step);
    if (fraction >= power) {
      fraction /= power;
      exponent += step;
    } else if (fraction * power < 1) {
      fraction *= power;
      exponent -= step;
    }
  }
  while (fraction >= 2) {
    fraction /= 2;
    exponent++;
  }
  while (fraction < 1) {
    fraction *= 2;
    exponent--;
  }
  if (fraction * SQRT_HALF >= 1) {
    fraction /= 2;
    exponent++;
  }
  const r = fraction - 1;
  const s = r / (2 + r);
  const z = s * s;
  let series: f64 = 1.0 / 23.0;
  series = series * z + 1.0 / 21.0;
  series = series * z + 1.0 / 19.0;
  series = series * z + 1.0 / 17.0;
  series = series * z + 1.0 / 15.0;
  series = series * z + 1.0 / 13.0;
  series = series * z + 1.0 / 11.0;
  series = series * z + 1.0 / 9.0;
  series = series * z + 1.0 / 7.0;
  series = series * z + 1.0 / 5.0;
  series = series * z + 1.0 / 3.0;
  const e: f64 = exponent as f64;
  // ln f = r − s·r + 2·s·z·series keeps the leading term exact.
  return e * LN2_HIGH + (r - (s * (r - 2 * z * series) - e * LN2_LOW));
}

function powerOfTwo(exponent: i32): f64 {
  let power: f64 = 1;
  let base: f64 = 2;
  for (let e: i32 = exponent; e > 0; e >>= 1) {
    if ((e & 1) === 1) power *= base;
    if (e > 1) base *= base;
  }
  return power;
}

/** e^x by its series after halving; relative error below 1e-14. */
export function exp(x: f64): f64 {
  if (x > 709) return Infinity;
  if (x < -745) return 0;
  const count: f64 = Math.floor(x / LN2_HIGH + 0.5);
  const r = x - count * LN2_HIGH - count * LN2_LOW;
  let series: f64 = 1;
  for (let k: i32 = 18; k >= 1; k--) series = 1 + series * r / (k as f64);
  const size = Math.abs(count) as i32;
  // In two steps, because 2^−1074 is reached only through a number that is not normal.
  const half = size >> 1;
  const power = powerOfTwo(half);
  const rest = powerOfTwo(size - half);
  return count >= 0 ? series * power * rest : series / power / rest;
}

/** base^exponent for base ≥ 0. */
export function power(base: f64, exponent: f64): f64 {
  if (base === 0) return 0;
  return exp(exponent * ln(base));
}
