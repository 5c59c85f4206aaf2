/** A pivot below this share of the largest entry: the variables cannot move freely; active bounds show as about µ. */
const LEAST_PIVOT = 1e-7;

/** Solves the optimality system at the answer: right-hand sides of lengths n and m, then what they become. */
export type SolveLinear = (
  dual: Float64Array,
  rows: Float64Array,
  dx: Float64Array,
  dy: Float64Array,
) => boolean;

/**
 * The inverse of the rows and columns `variables` of the inverse of the optimality system (Pirnay, López-Negrete and
 * Biegler, Math. Program. Comput. 4, 2012, section 2.4).
 */
export function reducedHessian(
  n: number,
  m: number,
  variables: readonly number[],
  solve: SolveLinear,
): Float64Array | undefined {
  const wrong = variables.find((j) => !Number.isInteger(j) || j < 0 || j >= n);
  if (wrong !== undefined) {
    throw new RangeError(`Cannot reduce the Hessian to variable ${wrong}: expected 0 to ${n - 1}`);
  }
  const k = variables.length;
  const block = new Float64Array(k * k);
  const [dx, dy, unit, zero] = [n, m, n, m].map((length) => new Float64Array(length));
  for (let column = 0; column < k; column++) {
    unit.fill(0);
    unit[variables[column]] = -1;
    if (!solve(unit, zero, dx, dy)) return undefined;
    for (let row = 0; row < k; row++) block[row * k + column] = dx[variables[row]];
  }
  return inverse(block, k);
}

/** By Gauss and Jordan with row pivots. */
function inverse(a: Float64Array, k: number): Float64Array | undefined {
  const least = LEAST_PIVOT * a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const b = new Float64Array(k * k);
  for (let i = 0; i < k; i++) b[i * k + i] = 1;
  for (let p = 0; p < k; p++) {
    let at = p;
    for (let i = p + 1; i < k; i++) if (Math.abs(a[i * k + p]) > Math.abs(a[at * k + p])) at = i;
    const pivot = a[at * k + p];
    if (!(Math.abs(pivot) > least)) return undefined;
    for (const matrix of [a, b]) {
      for (let j = 0; j < k; j++) {
        const held = matrix[p * k + j];
        matrix[p * k + j] = matrix[at * k + j] / pivot;
        if (at !== p) matrix[at * k + j] = held;
      }
    }
    for (let i = 0; i < k; i++) {
      const factor = a[i * k + p];
      if (i === p || factor === 0) continue;
      for (let j = 0; j < k; j++) {
        a[i * k + j] -= factor * a[p * k + j];
        b[i * k + j] -= factor * b[p * k + j];
      }
    }
  }
  return b;
}
