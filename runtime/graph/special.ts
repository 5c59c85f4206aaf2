/// <reference types="../solver/core/portable.d.ts" />
/**
 * Error function and its relatives to about 1e-15 relative. Method: rational minimax approximations on three intervals
 * (W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23, 1969), in nested form.
 */
const SQRT_HALF: f64 = 0.7071067811865476;
const INV_SQRT_PI: f64 = 0.5641895835477563;

/** ln 2/32 in two parts; k·STEP_HIGH is exact for every k that occurs. */
const STEP_HIGH: f64 = 0.021660849392446835;
const STEP_LOW: f64 = 5.145609244655338e-14;
const INV_STEP: f64 = 46.16624130844683;
/** 2^(j/32), rounded to nearest. */
// deno-fmt-ignore
export const FRACTIONS: Float64Array = floats([
  1.0, 1.0218971486541166, 1.0442737824274138, 1.0671404006768237, 1.0905077326652577,
  1.1143867425958924, 1.1387886347566916, 1.1637248587775775, 1.189207115002721, 1.215247359980469,
  1.241857812073484, 1.2690509571917332, 1.2968395546510096, 1.3252366431597413, 1.3542555469368927,
  1.383909881963832, 1.4142135623730951, 1.4451808069770467, 1.4768261459394993, 1.5091644275934228,
  1.5422108254079407, 1.5759808451078865, 1.6104903319492543, 1.645755478153965, 1.681792830507429,
  1.718619298122478, 1.7562521603732995, 1.7947090750031072, 1.8340080864093424, 1.8741676341103,
  1.9152065613971474, 1.9571441241754002,
]);
/** 2^(m − 1) for m from −1022 to 1024. */
const POWERS = powersOfTwo();

function floats(values: f64[]): Float64Array {
  const all = new Float64Array(values.length);
  for (let i: i32 = 0; i < values.length; i++) all[i] = values[i];
  return all;
}

function powersOfTwo(): Float64Array {
  const powers = new Float64Array(2047);
  powers[1023] = 1;
  for (let i: i32 = 1024; i < 2047; i++) powers[i] = 2 * powers[i - 1];
  for (let i: i32 = 1022; i >= 0; i--) powers[i] = 0.5 * powers[i + 1];
  return powers;
}

/** erf(x). */
export function erf(x: f64): f64 {
  const y = Math.abs(x);
  if (y <= 0.46875) return erfNearZero(x);
  if (y > 6) return x > 0 ? 1.0 : x < 0 ? -1.0 : NaN;
  const tail = erfcTail(y);
  return x > 0 ? 0.5 - tail + 0.5 : tail - 0.5 - 0.5;
}

/** 1 − erf(x), without the cancellation at large x. */
export function erfc(x: f64): f64 {
  const y = Math.abs(x);
  if (y <= 0.46875) return 1 - erfNearZero(x);
  if (y > 26.6) return x > 0 ? 0.0 : x < 0 ? 2.0 : NaN;
  const tail = erfcTail(y);
  return x > 0 ? tail : 2 - tail;
}

/** Φ(x), the standard normal distribution. */
export function normalCdf(x: f64): f64 {
  return normalCdfWith(x, exp(-0.5 * x * x));
}

/** Φ(x) for a caller that has `e` = e^(−x²/2) already. */
export function normalCdfWith(x: f64, e: f64): f64 {
  const y = Math.abs(x) * SQRT_HALF;
  if (y <= 0.46875) return 0.5 + 0.5 * erfNearZero(x * SQRT_HALF);
  if (y > 26.6) return x > 0 ? 1.0 : x < 0 ? 0.0 : NaN;
  const tail = 0.5 * scaledTail(y) * e;
  return x > 0 ? 1 - tail : tail;
}

/** x·Φ(x), the exact Gaussian error linear unit; 0 at −∞. */
export function gelu(x: f64): f64 {
  const cdf = normalCdf(x);
  return cdf === 0 ? 0.0 : x * cdf;
}

/** 1/(1 + e^−x) without overflow on either side. */
export function sigmoid(x: f64): f64 {
  const e = exp(-Math.abs(x));
  return (x >= 0 ? 1.0 : e) / (1 + e);
}

/** tanh(x) = 1 − 2/(e^2x + 1); near 0, where that cancels, x + x³·P(x²)/Q(x²) (Cody and Waite, 1980, chapter 13). */
export function tanh(x: f64): f64 {
  const y = Math.abs(x);
  if (y < 0.5493061443340549) {
    const z = x * x;
    const p = (-9.6437492777225469787e-1 * z - 9.9225929672236083313e1) * z - 1.6134119023996228053e3;
    const q = ((z + 1.1274474380534949335e2) * z + 2.2337720718962312926e3) * z + 4.8402357071988688686e3;
    return x + x * z * p / q;
  }
  if (y > 20) return x > 0 ? 1.0 : -1.0;
  const t = 1 - 2 / (exp(2 * y) + 1);
  return x > 0 ? t : x < 0 ? -t : NaN;
}

/**
 * e^x within 1.5 units in the last place, the same on every engine, and without a call out of compiled code.
 * x = (32 m + j)·ln 2/32 + r; e^x = 2^m · 2^(j/32) · e^r, and |r| ≤ 0.011 needs six terms (after P. T. P. Tang, ACM TOMS 15, 1989).
 */
export function exp(x: f64): f64 {
  if (!(x > -745.2)) return x !== x ? NaN : 0.0;
  if (x > 709.79) return Infinity;
  const count: f64 = Math.floor(x * INV_STEP + 0.5);
  const k = count as i32;
  const r = x - count * STEP_HIGH - count * STEP_LOW;
  const z = r * r;
  const tail = z * (0.5 + r * (1.0 / 6.0) + z * (1.0 / 24.0 + r * (1.0 / 120.0) + z * (1.0 / 720.0)));
  const fraction = FRACTIONS[k & 31];
  const power = fraction + fraction * (r + tail);
  const m = k >> 5;
  // near the end of the normal range in two steps, so that only the last product rounds
  return m >= -1000
    ? power * POWERS[m + 1022] * 2
    : power * POWERS[m + 1022 + 60] * 2 * 8.673617379884035e-19;
}

/** |x| ≤ 0.46875. */
function erfNearZero(x: f64): f64 {
  const z = x * x;
  const p = (((1.85777706184603153e-1 * z + 3.16112374387056560) * z + 1.13864154151050156e2) * z +
        3.77485237685302021e2) * z + 3.20937758913846947e3;
  const q = (((z + 2.36012909523441209e1) * z + 2.44024637934444173e2) * z + 1.28261652607737228e3) * z +
    2.84423683343917062e3;
  return x * p / q;
}

/** erfc(y) for y > 0.46875. */
function erfcTail(y: f64): f64 {
  return scaledTail(y) * expMinusSquare(y);
}

/** erfc(y)·e^(y²) for y > 0.46875. */
function scaledTail(y: f64): f64 {
  if (y > 4) {
    const z = 1 / (y * y);
    const p = ((((1.63153871373020978e-2 * z + 3.05326634961232344e-1) * z + 3.60344899949804439e-1) * z +
              1.25781726111229246e-1) * z + 1.60837851487422766e-2) * z + 6.58749161529837803e-4;
    const q = ((((z + 2.56852019228982242) * z + 1.87295284992346047) * z + 5.27905102951428412e-1) * z +
          6.05183413124413191e-2) * z + 2.33520497626869185e-3;
    return (INV_SQRT_PI - z * p / q) / y;
  }
  const p = (((((((2.15311535474403846e-8 * y + 5.64188496988670089e-1) * y + 8.88314979438837594) * y +
                        6.61191906371416295e1) * y + 2.98635138197400131e2) * y + 8.81952221241769090e2) * y +
            1.71204761263407058e3) * y + 2.05107837782607147e3) * y + 1.23033935479799725e3;
  const q = (((((((y + 1.57449261107098347e1) * y + 1.17693950891312499e2) * y + 5.37181101862009858e2) * y +
                    1.62138957456669019e3) * y + 3.29079923573345963e3) * y + 4.36261909014324716e3) * y +
        3.43936767414372164e3) * y + 1.23033935480374942e3;
  return p / q;
}

/** e^(−y²) with y split in sixteenths, so that the rounding of y² does not grow in the exponent. */
function expMinusSquare(y: f64): f64 {
  const head = Math.trunc(y * 16) / 16;
  return exp(-head * head) * exp(-(y - head) * (y + head));
}
