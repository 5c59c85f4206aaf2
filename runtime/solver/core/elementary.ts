/// <reference types="./portable.d.ts" />
/**
 * Logarithm and power of our own. Engines differ in the last bit of Math.log and Math.pow; with these every target takes
 * exactly the same steps, because only correctly rounded operations are left. The powers of two are written out: they are
 * exact, and half of the time of a small solve went into computing them.
 */

const LN2_HIGH: f64 = 6.93147180369123816490e-1;
const LN2_LOW: f64 = 1.90821492927058770002e-10;
const SQRT_HALF: f64 = 0.7071067811865476;
const SQRT_TWO: f64 = 1.4142135623730951;
/** 2^−1022: below, numbers lose digits. */
const LEAST_NORMAL: f64 = 2.2250738585072014e-308;

/** Natural logarithm by ln x = e·ln 2 + 2·artanh((f − 1)/(f + 1)), f in [√½, √2): error below 2 units in the last place. */
export function ln(x: f64): f64 {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return x;
  let f = x;
  let e: f64 = 0;
  if (f < LEAST_NORMAL) {
    f *= 18014398509481984.0;
    e = -54;
  }
  if (f >= 1) {
    if (f >= 1.3407807929942597e154) {
      f *= 7.458340731200207e-155;
      e += 512;
    }
    if (f >= 1.157920892373162e77) {
      f *= 8.636168555094445e-78;
      e += 256;
    }
    if (f >= 3.402823669209385e38) {
      f *= 2.938735877055719e-39;
      e += 128;
    }
    if (f >= 18446744073709552000.0) {
      f *= 5.421010862427522e-20;
      e += 64;
    }
    if (f >= 4294967296) {
      f *= 2.3283064365386963e-10;
      e += 32;
    }
    if (f >= 65536) {
      f *= 0.0000152587890625;
      e += 16;
    }
    if (f >= 256) {
      f *= 0.00390625;
      e += 8;
    }
    if (f >= 16) {
      f *= 0.0625;
      e += 4;
    }
    if (f >= 4) {
      f *= 0.25;
      e += 2;
    }
    if (f >= 2) {
      f *= 0.5;
      e += 1;
    }
    if (f >= SQRT_TWO) {
      f *= 0.5;
      e += 1;
    }
  } else {
    if (f < 7.458340731200207e-155) {
      f *= 1.3407807929942597e154;
      e -= 512;
    }
    if (f < 8.636168555094445e-78) {
      f *= 1.157920892373162e77;
      e -= 256;
    }
    if (f < 2.938735877055719e-39) {
      f *= 3.402823669209385e38;
      e -= 128;
    }
    if (f < 5.421010862427522e-20) {
      f *= 18446744073709552000.0;
      e -= 64;
    }
    if (f < 2.3283064365386963e-10) {
      f *= 4294967296;
      e -= 32;
    }
    if (f < 0.0000152587890625) {
      f *= 65536;
      e -= 16;
    }
    if (f < 0.00390625) {
      f *= 256;
      e -= 8;
    }
    if (f < 0.0625) {
      f *= 16;
      e -= 4;
    }
    if (f < 0.25) {
      f *= 4;
      e -= 2;
    }
    if (f < 0.5) {
      f *= 2;
      e -= 1;
    }
    if (f < SQRT_HALF) {
      f *= 2;
      e -= 1;
    }
  }
  const r = f - 1;
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
  // ln f = r − s·r + 2·s·z·series keeps the leading term exact.
  return e * LN2_HIGH + (r - (s * (r - 2 * z * series) - e * LN2_LOW));
}

/** e^x by its series on [−½ ln 2, ½ ln 2]; relative error below 1e-15 before x itself was rounded. */
export function exp(x: f64): f64 {
  if (x !== x) return x;
  if (x > 709) return Infinity;
  if (x < -745) return 0;
  const count: f64 = Math.floor(x / LN2_HIGH + 0.5);
  const r = x - count * LN2_HIGH - count * LN2_LOW;
  let series: f64 = 1.0 / 6227020800.0;
  series = series * r + 1.0 / 479001600.0;
  series = series * r + 1.0 / 39916800.0;
  series = series * r + 1.0 / 3628800.0;
  series = series * r + 1.0 / 362880.0;
  series = series * r + 1.0 / 40320.0;
  series = series * r + 1.0 / 5040.0;
  series = series * r + 1.0 / 720.0;
  series = series * r + 1.0 / 120.0;
  series = series * r + 1.0 / 24.0;
  series = series * r + 1.0 / 6.0;
  series = series * r + 1.0 / 2.0;
  let value: f64 = 1 + r * (1 + r * series);
  const grows = count > 0;
  let size: f64 = Math.abs(count);
  if (size >= 512) {
    value *= grows ? 1.3407807929942597e154 : 7.458340731200207e-155;
    size -= 512;
  }
  if (size >= 256) {
    value *= grows ? 1.157920892373162e77 : 8.636168555094445e-78;
    size -= 256;
  }
  if (size >= 128) {
    value *= grows ? 3.402823669209385e38 : 2.938735877055719e-39;
    size -= 128;
  }
  if (size >= 64) {
    value *= grows ? 18446744073709552000.0 : 5.421010862427522e-20;
    size -= 64;
  }
  if (size >= 32) {
    value *= grows ? 4294967296 : 2.3283064365386963e-10;
    size -= 32;
  }
  if (size >= 16) {
    value *= grows ? 65536 : 0.0000152587890625;
    size -= 16;
  }
  if (size >= 8) {
    value *= grows ? 256 : 0.00390625;
    size -= 8;
  }
  if (size >= 4) {
    value *= grows ? 16 : 0.0625;
    size -= 4;
  }
  if (size >= 2) {
    value *= grows ? 4 : 0.25;
    size -= 2;
  }
  if (size >= 1) {
    value *= grows ? 2 : 0.5;
    size -= 1;
  }
  // Only beyond 2^±1023, where numbers end.
  while (size >= 1) {
    value *= grows ? 2.0 : 0.5;
    size -= 1;
  }
  return value;
}

/** base^exponent for base ≥ 0. */
export function power(base: f64, exponent: f64): f64 {
  if (base === 0) return 0;
  return exp(exponent * ln(base));
}
