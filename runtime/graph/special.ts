/**
 * Error function and its relatives to about 1e-15 relative. Method: rational minimax approximations on three intervals
 * (W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23, 1969), in nested form.
 */
const SQRT_HALF = 0.7071067811865476;
const INV_SQRT_PI = 0.5641895835477563;

/** erf(x). */
export function erf(x: number): number {
  const y = Math.abs(x);
  if (y <= 0.46875) return erfNearZero(x);
  if (y > 6) return x > 0 ? 1 : x < 0 ? -1 : NaN;
  const tail = erfcTail(y);
  return x > 0 ? 0.5 - tail + 0.5 : tail - 0.5 - 0.5;
}

/** 1 − erf(x), without the cancellation at large x. */
export function erfc(x: number): number {
  const y = Math.abs(x);
  if (y <= 0.46875) return 1 - erfNearZero(x);
  if (y > 26.6) return x > 0 ? 0 : x < 0 ? 2 : NaN;
  const tail = erfcTail(y);
  return x > 0 ? tail : 2 - tail;
}

/** Φ(x), the standard normal distribution. */
export function normalCdf(x: number): number {
  return 0.5 * erfc(-x * SQRT_HALF);
}

/** x·Φ(x), the exact Gaussian error linear unit; 0 at −∞. */
export function gelu(x: number): number {
  const cdf = normalCdf(x);
  return cdf === 0 ? 0 : x * cdf;
}

/** 1/(1 + e^−x) without overflow on either side. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/** |x| ≤ 0.46875. */
function erfNearZero(x: number): number {
  const z = x * x;
  const p = (((1.85777706184603153e-1 * z + 3.16112374387056560) * z + 1.13864154151050156e2) * z +
        3.77485237685302021e2) * z + 3.20937758913846947e3;
  const q = (((z + 2.36012909523441209e1) * z + 2.44024637934444173e2) * z + 1.28261652607737228e3) * z +
    2.84423683343917062e3;
  return x * p / q;
}

/** erfc(y) for y > 0.46875. */
function erfcTail(y: number): number {
  if (y > 4) {
    const z = 1 / (y * y);
    const p = ((((1.63153871373020978e-2 * z + 3.05326634961232344e-1) * z + 3.60344899949804439e-1) * z +
              1.25781726111229246e-1) * z + 1.60837851487422766e-2) * z + 6.58749161529837803e-4;
    const q = ((((z + 2.56852019228982242) * z + 1.87295284992346047) * z + 5.27905102951428412e-1) * z +
          6.05183413124413191e-2) * z + 2.33520497626869185e-3;
    return expMinusSquare(y) * (INV_SQRT_PI - z * p / q) / y;
  }
  const p = (((((((2.15311535474403846e-8 * y + 5.64188496988670089e-1) * y + 8.88314979438837594) * y +
                        6.61191906371416295e1) * y + 2.98635138197400131e2) * y + 8.81952221241769090e2) * y +
            1.71204761263407058e3) * y + 2.05107837782607147e3) * y + 1.23033935479799725e3;
  const q = (((((((y + 1.57449261107098347e1) * y + 1.17693950891312499e2) * y + 5.37181101862009858e2) * y +
                    1.62138957456669019e3) * y + 3.29079923573345963e3) * y + 4.36261909014324716e3) * y +
        3.43936767414372164e3) * y + 1.23033935480374942e3;
  return expMinusSquare(y) * p / q;
}

/** e^(−y²) with y split in sixteenths, so that the rounding of y² does not grow in the exponent. */
function expMinusSquare(y: number): number {
  const head = Math.trunc(y * 16) / 16;
  return Math.exp(-head * head) * Math.exp(-(y - head) * (y + head));
}
