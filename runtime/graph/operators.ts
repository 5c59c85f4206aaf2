/**
 * What terms are made with, as `op` of the SDK. Every operator takes terms and numbers; all are scalars. Units are the
 * caller's: nothing is checked or converted. Where a value cannot be computed (log of a negative number, a division by 0)
 * it is not finite, and the optimizer keeps away.
 *
 * ```ts
 * import { describe, op, type SkillSpec } from "setpoint";
 *
 * const { add, clip, interpolate, mul, polynomial, where, lt } = op;
 *
 * // fuel of a boiler, t/h: its efficiency from a table of loads in %, nothing below its least load
 * const lower = (skill: SkillSpec) =>
 *   describe(skill, ([load]) => {
 *     const efficiency = interpolate(load, [20, 50, 80, 100], [0.71, 0.84, 0.88, 0.86]);
 *     const steam = mul(0.4, clip(load, 0, 100));
 *     return where(lt(load, 20), 0, add(op.div(steam, mul(14, efficiency)), polynomial(load, [0.01, 1e-4])));
 *   });
 * ```
 */
import { binary, combined, type Operand, source, type Term, unary } from "./term.ts";

/** The value that a variable had when the run began, `V_current` of a formula. It must be an input of the skill. */
export function measured(variable: string): Term {
  return source(variable, "measured");
}

/** The declared threshold of an input, `V_threshold` of a formula. */
export function threshold(variable: string): Term {
  return source(variable, "threshold");
}

export const sub: (a: Operand, b: Operand) => Term = binary("sub");
export const div: (a: Operand, b: Operand) => Term = binary("div");
/** a to the power of b; a must be positive where b is no whole number. */
export const pow: (a: Operand, b: Operand) => Term = binary("pow");
/** Remainder with the sign of b, as Python's. */
export const mod: (a: Operand, b: Operand) => Term = binary("mod");
export const neg: (x: Operand) => Term = unary("neg");
export const sqrt: (x: Operand) => Term = unary("sqrt");
export const exp: (x: Operand) => Term = unary("exp");
/** Natural logarithm. */
export const log: (x: Operand) => Term = unary("log");
export const log10: (x: Operand) => Term = unary("log10");
/** Angles in radians. */
export const sin: (x: Operand) => Term = unary("sin");
export const cos: (x: Operand) => Term = unary("cos");
export const tan: (x: Operand) => Term = unary("tan");
export const tanh: (x: Operand) => Term = unary("tanh");
export const erf: (x: Operand) => Term = unary("erf");
/** 1 / (1 + e^−x): from 0 to 1, smoothly. */
export const sigmoid: (x: Operand) => Term = unary("sigmoid");
export const abs: (x: Operand) => Term = unary("abs");
/** Steps have derivative 0: an optimizer does not see where they go. */
export const floor: (x: Operand) => Term = unary("floor");
export const ceil: (x: Operand) => Term = unary("ceil");
/** Halves go to the even number, as Python's. */
export const round: (x: Operand) => Term = unary("round");

/** Conditions are 1 or 0. */
export const lt: (a: Operand, b: Operand) => Term = binary("lt");
export const le: (a: Operand, b: Operand) => Term = binary("le");
export const gt = (a: Operand, b: Operand): Term => lt(b, a);
export const ge = (a: Operand, b: Operand): Term => le(b, a);
export const eq: (a: Operand, b: Operand) => Term = binary("eq");
export const and: (a: Operand, b: Operand) => Term = binary("and");
export const or: (a: Operand, b: Operand) => Term = binary("or");
export const not: (x: Operand) => Term = unary("not");

/** Whether lower ≤ x ≤ upper: 1 or 0. */
export function between(x: Operand, lower: Operand, upper: Operand): Term {
  return and(le(lower, x), le(x, upper));
}

/** `yes` where the condition is not 0, else `no`; what is not chosen has no influence, not even as NaN. */
export function where(condition: Operand, yes: Operand, no: Operand): Term {
  return combined("where", [condition, yes, no], (graph, [test, a, b]) => graph.select(test, a, b));
}

/** The sum of all; 0 of none. */
export function add(...terms: readonly Operand[]): Term {
  return combined(
    "add",
    terms.length === 0 ? [0] : terms,
    (graph, nodes) => nodes.reduce((a, b) => graph.binary("add", a, b)),
  );
}

/** The product of all; 1 of none. */
export function mul(...terms: readonly Operand[]): Term {
  return combined(
    "mul",
    terms.length === 0 ? [1] : terms,
    (graph, nodes) => nodes.reduce((a, b) => graph.binary("mul", a, b)),
  );
}

/** The smallest of all. @throws {RangeError} Of none. */
export function min(...terms: readonly Operand[]): Term {
  return combined(
    "min",
    some("min", terms),
    (graph, nodes) => nodes.reduce((a, b) => graph.binary("min", a, b)),
  );
}

/** The largest of all. @throws {RangeError} Of none. */
export function max(...terms: readonly Operand[]): Term {
  return combined(
    "max",
    some("max", terms),
    (graph, nodes) => nodes.reduce((a, b) => graph.binary("max", a, b)),
  );
}

/** The mean of all. @throws {RangeError} Of none. */
export function mean(...terms: readonly Operand[]): Term {
  return div(add(...some("mean", terms)), terms.length);
}

/** Σ weights[k] · terms[k] + bias: one operation, however long. @throws {RangeError} If the lengths differ. */
export function dot(weights: readonly number[], terms: readonly Operand[], bias = 0): Term {
  if (weights.length !== some("dot", terms).length) {
    throw new RangeError(`Cannot weigh ${terms.length} terms with ${weights.length} weights`);
  }
  return combined("dot", terms, (graph, nodes) => graph.linear(weights, graph.concat(nodes), [bias]));
}

/** x². */
export function square(x: Operand): Term {
  return mul(x, x);
}

/** x, but at least `lower` and at most `upper`. */
export function clip(x: Operand, lower: Operand, upper: Operand): Term {
  return min(max(x, lower), upper);
}

/** 0 up to `from`, 1 beyond `to`, on a line between; with `from` above `to` it falls. */
export function ramp(x: Operand, from: Operand, to: Operand): Term {
  return clip(div(sub(x, from), sub(to, from)), 0, 1);
}

/** log(1 + e^(sharpness·x)) / sharpness: max(x, 0) without its corner. @param sharpness Above 0. Default 1. */
export function softplus(x: Operand, sharpness = 1): Term {
  if (!(sharpness > 0)) {
    throw new RangeError(`Cannot round a corner with sharpness ${sharpness}, expected above 0`);
  }
  return div(unary("softplus")(mul(sharpness, x)), sharpness);
}

/** c[0] + c[1]·x + c[2]·x² + … */
export function polynomial(x: Operand, coefficients: readonly Operand[]): Term {
  return coefficients.reduceRight<Term>((sum, coefficient) => add(coefficient, mul(x, sum)), add());
}

/**
 * On the lines between the points (xs[k], ys[k]). Its corners stay exact for the optimizer; a table of more than some
 * twenty rows is better code with a Jacobian.
 * @param xs Rising. @param ys As many, at least 2.
 * @param outside hold: the value of the end. extend: the line of the end goes on. Default hold.
 * @throws {RangeError} If the table cannot be used.
 */
export function interpolate(
  x: Operand,
  xs: readonly number[],
  ys: readonly number[],
  outside: "hold" | "extend" = "hold",
): Term {
  const last = xs.length - 1;
  if (last < 1 || ys.length !== xs.length) {
    throw new RangeError(
      `Cannot interpolate ${ys.length} values at ${xs.length} places, expected as many, at least 2`,
    );
  }
  const odd = xs.findIndex((place, k) =>
    !Number.isFinite(place) || !Number.isFinite(ys[k]) || place <= xs[k - 1]
  );
  if (odd >= 0) {
    throw new RangeError(
      `Cannot interpolate at row ${odd}, [${xs[odd]}, ${ys[odd]}]: expected numbers, and rising places`,
    );
  }
  const slopes = xs.slice(1).map((place, k) => (ys[k + 1] - ys[k]) / (place - xs[k]));
  const hold = outside === "hold";
  // one corner a row, none inside another: those where the line bends with the cost cost no branch
  const bends = xs.slice(hold ? 0 : 1, hold ? undefined : -1).map((place) => max(sub(x, place), 0));
  const ends = hold ? [0, ...slopes, 0] : slopes;
  const changes = ends.slice(1).map((slope, k) => slope - ends[k]);
  const first = hold ? [] : [mul(slopes[0], sub(x, xs[0]))];
  return add(ys[0], ...first, ...changes.map((change, k) => mul(change, bends[k])));
}

function some<T>(name: string, terms: readonly T[]): readonly T[] {
  if (terms.length > 0) return terms;
  throw new RangeError(`Cannot apply "${name}" to nothing, expected at least one term`);
}
