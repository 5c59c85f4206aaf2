/** Derivatives of a tape against central differences of fourth order. */
import { assert } from "@std/assert";
import type { Tape } from "../../runtime/graph/tape.ts";

/** Of gradient and Hessian, relative to 1 + their size. */
const TOLERANCE = 1e-6;

export interface Compared {
  /** Columns of which gradient and Hessian agree. */
  readonly compared: number;
  /** Columns at which the function has a corner, or is so rough that two step lengths disagree. */
  readonly skipped: number;
}

/**
 * Compares gradient and Hessian of a weighted sum of all outputs at `x`, column by column.
 * @param step Of the differences, relative to `scale`. @param scale Of each variable; default max(1, |x|).
 */
export function compareDerivatives(
  tape: Tape,
  x: Float64Array,
  what: string,
  { step = 1e-3, scale = x.map((value) => Math.max(1, Math.abs(value))) }: {
    readonly step?: number;
    readonly scale?: Float64Array;
  } = {},
): Compared {
  const n = x.length;
  const weights = Float64Array.from({ length: tape.outputs }, (_, k) => [0.7, -0.4, 0.9, -1.1][k % 4]);
  const gradient = (at: Float64Array) => {
    const g = new Float64Array(n);
    tape.gradient(at, weights, g);
    return g.map((slope, i) => slope * scale[i]);
  };
  const value = (at: Float64Array) => {
    const out = new Float64Array(tape.outputs);
    tape.value(at, out);
    return Float64Array.of(out.reduce((sum, y, k) => sum + weights[k] * y, 0));
  };
  const own = gradient(x);
  const hessian = new Float64Array(n * n);
  tape.hessian(x, weights, hessian);
  // What is not chosen, such as a logarithm below 0, must not spoil what is.
  if (Number.isFinite(value(x)[0])) {
    assert([...own, ...hessian].every(Number.isFinite), `${what}: not finite`);
  }
  let [compared, skipped] = [0, 0];
  for (let j = 0; j < n; j++) {
    const [first, second] = [value, gradient].map((f) => quotient(x, j, scale[j], step, f));
    if (first === undefined || second === undefined) {
      skipped++;
      continue;
    }
    near(own[j], first[0], `${what}: gradient ${j}`);
    for (let i = 0; i < n; i++) {
      near(hessian[i * n + j] * scale[i] * scale[j], second[i], `${what}: Hessian ${i}, ${j}`);
    }
    compared++;
  }
  return { compared, skipped };
}

/** Undefined where two steps disagree. */
function quotient(
  x: Float64Array,
  j: number,
  scale: number,
  step: number,
  evaluate: (at: Float64Array) => Float64Array,
): Float64Array | undefined {
  const at = (h: number) => evaluate(x.with(j, x[j] + h * scale));
  const slope = (h: number) => {
    const [a, b, c, d] = [at(h), at(-h), at(2 * h), at(-2 * h)];
    return a.map((_, k) => (8 * (a[k] - b[k]) - (c[k] - d[k])) / (12 * h));
  };
  const [coarse, fine] = [slope(step), slope(step / 2)];
  const agree = coarse.every((value, k) => Math.abs(value - fine[k]) <= 1e-7 * (1 + Math.abs(fine[k])));
  return agree ? fine : undefined;
}

function near(found: number, expected: number, what: string): void {
  const close = Math.abs(found - expected) <= TOLERANCE * (1 + Math.abs(expected));
  assert(close, `${what} is ${found}, differences give ${expected}`);
}
