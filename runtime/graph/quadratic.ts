/** Problems of which one local solve is the answer: a convex quadratic cost over limits that are affine. */
import type { OptimizationProblem } from "./optimization.ts";

/** Differences of derivatives that count as rounding, relative to the largest of their kind. */
const ROUNDING = 1e-9;

/**
 * Whether the derivatives say so: those of the limits, and the second ones of the cost, are the same at all points, and
 * the cost bends nowhere downwards. Never of a problem with corners, steps or foreign code.
 * @param points Some three or more, anywhere in the box; of fewer nothing is said.
 */
export function isConvexQuadratic(
  { exact, lifted, limits, x0: { length: n }, scale }: OptimizationProblem,
  points: readonly Float64Array[],
): boolean {
  const smooth = lifted.branches.length === 0 && lifted.auxiliaries.length === 0 && lifted.inexact === 0 &&
    lifted.steps === undefined && exact.opaques.length === 0;
  if (!smooth || points.length < 3) return false;
  const [first, ...others] = points.map((x) => {
    const [jacobian, hessian] = [new Float64Array(limits.length * n), new Float64Array(n * n)];
    exact.jacobian(x, 1, limits.length, jacobian);
    exact.hessian(x, ONE, hessian);
    for (let k = 0; k < jacobian.length; k++) jacobian[k] *= scale[k % n];
    for (let k = 0; k < hessian.length; k++) hessian[k] *= scale[k % n] * scale[Math.floor(k / n)];
    return { jacobian, hessian };
  });
  return others.every(({ jacobian, hessian }) =>
    same(jacobian, first.jacobian) && same(hessian, first.hessian)
  ) && hasNoNegativeEigenvalue(first.hessian, n);
}

const ONE = Float64Array.of(1);

function same(a: Float64Array, b: Float64Array): boolean {
  const most = ROUNDING * largest(b);
  return a.every((value, k) => Math.abs(value - b[k]) <= most);
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** Of a symmetric matrix, to rounding: by Cholesky. @param a Overwritten. */
function hasNoNegativeEigenvalue(a: Float64Array, n: number): boolean {
  const rounding = n * ROUNDING * largest(a);
  for (let k = 0; k < n; k++) {
    const pivot = a[k * n + k] + rounding;
    if (!(pivot >= 0)) return false;
    if (pivot === 0) continue;
    for (let i = k + 1; i < n; i++) {
      const factor = a[i * n + k] / pivot;
      for (let j = k + 1; j <= i; j++) a[i * n + j] -= factor * a[j * n + k];
    }
  }
  return true;
}
