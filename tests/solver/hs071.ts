import type { DenseProblem } from "../../runtime/solver/mod.ts";

/** Hock and Schittkowski's problem 71: min x1·x4·(x1 + x2 + x3) + x3, Π x ≥ 25, Σ x² = 40, 1 ≤ x ≤ 5. */
export const hs071: DenseProblem = {
  n: 4,
  m: 2,
  x0: Float64Array.of(1, 5, 5, 1),
  xl: new Float64Array(4).fill(1),
  xu: new Float64Array(4).fill(5),
  gl: Float64Array.of(25, 40),
  gu: Float64Array.of(1e19, 40),
  objective: ([a, b, c, d]) => a * d * (a + b + c) + c,
  gradient([a, b, c, d], g) {
    g.set([d * (2 * a + b + c), a * d, a * d + 1, a * (a + b + c)]);
    return true;
  },
  constraints([a, b, c, d], values) {
    values.set([a * b * c * d, a * a + b * b + c * c + d * d]);
    return true;
  },
  jacobian([a, b, c, d], values) {
    values.set([b * c * d, a * c * d, a * b * d, a * b * c, 2 * a, 2 * b, 2 * c, 2 * d]);
    return true;
  },
  hessian([a, b, c, d], sigma, [p, s], values) {
    values.fill(0);
    for (let i = 0; i < 4; i++) values[i * 5] = 2 * s;
    values[0] += sigma * 2 * d;
    values[4] = sigma * d + p * c * d;
    values[8] = sigma * d + p * b * d;
    values[9] = p * a * d;
    values[12] = sigma * (2 * a + b + c) + p * b * c;
    values[13] = sigma * a + p * a * c;
    values[14] = sigma * a + p * a * b;
    return true;
  },
};

/** From the book. */
export const hs071Optimum = { objective: 17.0140173, x: [1, 4.7429994, 3.8211503, 1.3794082] };
