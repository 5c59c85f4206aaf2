/** The bounds of each operation's result from the bounds of its arguments. A bound of NaN means: none. */
import type { Op } from "./ops.ts";
import type { Program } from "./program.ts";
import { floorDivide, floorMod, roundHalfEven, softplus } from "./scalar.ts";
import { erf, exp, gelu, sigmoid, tanh } from "./special.ts";

export interface IntervalMemory {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

type Bounds = readonly [lower: number, upper: number];
type IntervalRule = (memory: IntervalMemory, code: Int32Array, at: number, program: Program) => void;

const ANYTHING: Bounds = [-Infinity, Infinity];
const UNDECIDED: Bounds = [0, 1];
const TRUE: Bounds = [1, 1];
const FALSE: Bounds = [0, 0];
/** Where x·Φ(x) is least, and its value there. */
const GELU_VALLEY = -0.7517915246935645;
const GELU_LEAST = -0.16997120747990369;

export const intervalRule: Record<Op, IntervalRule> = {
  constant: nothing,
  parameter: nothing,
  variable: nothing,
  slice: nothing,
  opaque: (memory, code, at) => {
    memory.lower.fill(-Infinity, code[at + 1], code[at + 1] + code[at + 2]);
    memory.upper.fill(Infinity, code[at + 1], code[at + 1] + code[at + 2]);
  },
  concat: ofOne((lower, upper) => [lower, upper]),
  neg: ofOne((lower, upper) => [-upper, -lower]),
  exp: ofOne((lower, upper) => [Math.max(0, below(exp(lower))), above(exp(upper))]),
  log: ofOne((lower, upper) =>
    upper < 0 ? ANYTHING : [below(Math.log(Math.max(0, lower))), above(Math.log(upper))]
  ),
  log10: ofOne((lower, upper) =>
    upper < 0 ? ANYTHING : [below(Math.log10(Math.max(0, lower))), above(Math.log10(upper))]
  ),
  sqrt: ofOne((lower, upper) => upper < 0 ? ANYTHING : [Math.sqrt(Math.max(0, lower)), Math.sqrt(upper)]),
  sin: ofOne((lower, upper) => wave(lower, upper, Math.sin, Math.PI / 2)),
  cos: ofOne((lower, upper) => wave(lower, upper, Math.cos, 0)),
  tan: ofOne((lower, upper) => {
    // within less than π the value falls from one end to the other only across a pole
    const [low, high] = [Math.tan(lower), Math.tan(upper)];
    return upper - lower < 3 && low <= high ? [below(low), above(high)] : ANYTHING;
  }),
  tanh: ofOne((
    lower,
    upper,
  ) => [Math.max(-1, below(tanh(lower))), Math.min(1, above(tanh(upper)))]),
  erf: ofOne((lower, upper) => [Math.max(-1, below(erf(lower))), Math.min(1, above(erf(upper)))]),
  sigmoid: ofOne((lower, upper) => [Math.max(0, below(sigmoid(lower))), Math.min(1, above(sigmoid(upper)))]),
  softplus: ofOne((lower, upper) => [Math.max(0, below(softplus(lower))), above(softplus(upper))]),
  gelu: ofOne((lower, upper) => {
    const ends = [gelu(lower), gelu(upper)];
    const least = lower <= GELU_VALLEY && upper >= GELU_VALLEY ? GELU_LEAST : Math.min(...ends);
    return [
      below(least),
      lower >= 0 || upper > 0 ? above(Math.max(...ends)) : Math.min(0, above(Math.max(...ends))),
    ];
  }),
  abs: ofOne((lower, upper) => {
    const most = Math.max(Math.abs(lower), Math.abs(upper));
    return [lower <= 0 && upper >= 0 ? 0 : Math.min(Math.abs(lower), Math.abs(upper)), most];
  }),
  floor: ofOne((lower, upper) => [Math.floor(lower), Math.floor(upper)]),
  ceil: ofOne((lower, upper) => [Math.ceil(lower), Math.ceil(upper)]),
  round: ofOne((lower, upper) => [roundHalfEven(lower), roundHalfEven(upper)]),
  not: ofOne((lower, upper) => {
    const [no, yes] = truth(lower, upper);
    return [1 - yes, 1 - no];
  }),
  add: ofTwo((al, au, bl, bu) => [al + bl, au + bu]),
  sub: ofTwo((al, au, bl, bu, same) => same ? FALSE : [al - bu, au - bl]),
  mul: ofTwo((al, au, bl, bu, same) => {
    if (same) return power(al, au, 2);
    return hull([product(al, bl), product(al, bu), product(au, bl), product(au, bu)]);
  }),
  div: ofTwo((al, au, bl, bu) => {
    if (bl < 0 && bu > 0) return ANYTHING;
    const zero = bu <= 0 ? -0 : 0;
    const by = [bl === 0 ? zero : bl, bu === 0 ? zero : bu];
    return hull(by.flatMap((b) => [quotient(al, b), quotient(au, b)]));
  }),
  pow: ofTwo((al, au, bl, bu) => {
    if (bl === bu && Number.isInteger(bl)) return power(al, au, bl);
    if (al < 0 && bl !== bu || au < 0) return ANYTHING;
    const base = Math.max(0, al);
    const corners = [base ** bl, base ** bu, au ** bl, au ** bu];
    if (base <= 1 && au >= 1) corners.push(1);
    return [Math.max(0, below(Math.min(...corners))), above(Math.max(...corners))];
  }),
  mod: ofTwo((al, au, bl, bu) => {
    if (bl === bu && bl !== 0 && floorDivide(al, bl) === floorDivide(au, bl)) {
      return [floorMod(al, bl), floorMod(au, bl)];
    }
    return bl > 0 ? [0, bu] : bu < 0 ? [bl, 0] : ANYTHING;
  }),
  floordiv: ofTwo((al, au, bl, bu) => {
    if (bl <= 0 && bu >= 0) return ANYTHING;
    return hull([floorDivide(al, bl), floorDivide(al, bu), floorDivide(au, bl), floorDivide(au, bu)]);
  }),
  min: ofTwo((al, au, bl, bu) => [Math.min(al, bl), Math.min(au, bu)]),
  max: ofTwo((al, au, bl, bu) => [Math.max(al, bl), Math.max(au, bu)]),
  lt: ofTwo((al, au, bl, bu) => au < bl ? TRUE : al >= bu ? FALSE : UNDECIDED),
  le: ofTwo((al, au, bl, bu) => au <= bl ? TRUE : al > bu ? FALSE : UNDECIDED),
  eq: ofTwo((al, au, bl, bu) => au < bl || bu < al ? FALSE : al === au && bl === bu ? TRUE : UNDECIDED),
  and: ofTwo((al, au, bl, bu) => {
    const [a, b] = [truth(al, au), truth(bl, bu)];
    return [a[0] * b[0], a[1] * b[1]];
  }),
  or: ofTwo((al, au, bl, bu) => {
    const [a, b] = [truth(al, au), truth(bl, bu)];
    return [Math.max(a[0], b[0]), Math.max(a[1], b[1])];
  }),
  select: ({ lower, upper }, code, at) => {
    for (let i = 0; i < code[at + 2]; i++) {
      const condition = code[at + 3] + i * code[at + 4];
      const [a, b] = [code[at + 5] + i * code[at + 6], code[at + 7] + i * code[at + 8]];
      const [no, yes] = truth(lower[condition], upper[condition]);
      lower[code[at + 1] + i] = no === 1 ? lower[a] : yes === 0 ? lower[b] : Math.min(lower[a], lower[b]);
      upper[code[at + 1] + i] = no === 1 ? upper[a] : yes === 0 ? upper[b] : Math.max(upper[a], upper[b]);
    }
  },
  sum: ({ lower, upper }, code, at) => {
    let [low, high] = [0, 0];
    for (let j = 0; j < code[at + 5]; j++) {
      low += lower[code[at + 3] + j];
      high += upper[code[at + 3] + j];
    }
    lower[code[at + 1]] = low;
    upper[code[at + 1]] = high;
  },
  trees: ({ lower, upper }, code, at, { forests }) =>
    forests[code[at + 7]].bound(lower, upper, code[at + 3], code[at + 1]),
  linear: ({ lower, upper }, code, at, { data }) => {
    const [rows, x, columns, weight] = [code[at + 2], code[at + 3], code[at + 5], code[at + 7]];
    for (let i = 0; i < rows; i++) {
      let low = data[weight + rows * columns + i];
      let high = low;
      for (let j = 0; j < columns; j++) {
        const w = data[weight + i * columns + j];
        low += product(w, w >= 0 ? lower[x + j] : upper[x + j]);
        high += product(w, w >= 0 ? upper[x + j] : lower[x + j]);
      }
      lower[code[at + 1] + i] = low;
      upper[code[at + 1] + i] = high;
    }
  },
};

function nothing(): void {
  // leaves have their bounds from outside
}

function ofOne(rule: (lower: number, upper: number) => Bounds): IntervalRule {
  return ({ lower, upper }, code, at) => {
    for (let i = 0; i < code[at + 2]; i++) {
      const a = code[at + 3] + i * code[at + 4];
      [lower[code[at + 1] + i], upper[code[at + 1] + i]] = rule(lower[a], upper[a]);
    }
  };
}

function ofTwo(
  rule: (al: number, au: number, bl: number, bu: number, same: boolean) => Bounds,
): IntervalRule {
  return ({ lower, upper }, code, at) => {
    for (let i = 0; i < code[at + 2]; i++) {
      const a = code[at + 3] + i * code[at + 4];
      const b = code[at + 5] + i * code[at + 6];
      [lower[code[at + 1] + i], upper[code[at + 1] + i]] = rule(
        lower[a],
        upper[a],
        lower[b],
        upper[b],
        a === b,
      );
    }
  };
}

/** Bounds of "is not 0" as 0 or 1. */
function truth(lower: number, upper: number): Bounds {
  if (lower > 0 || upper < 0) return TRUE;
  return lower === 0 && upper === 0 ? FALSE : UNDECIDED;
}

function hull(values: readonly number[]): Bounds {
  return [Math.min(...values), Math.max(...values)];
}

/** 0·∞ is 0 here: the infinite end of a box is never reached. */
function product(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b;
}

function quotient(a: number, b: number): number {
  return a === 0 || Math.abs(b) === Infinity ? 0 : a / b;
}

/** Integer powers. */
function power(lower: number, upper: number, exponent: number): Bounds {
  if (exponent === 0) return TRUE;
  const even = exponent % 2 === 0;
  const least = even ? 0 : -Infinity;
  const ends = [lower ** exponent, upper ** exponent];
  if (lower <= 0 && upper >= 0) {
    if (exponent > 0) ends.push(0);
    else if (even) ends.push(Infinity);
    else return ANYTHING;
  }
  return [Math.max(least, below(Math.min(...ends))), above(Math.max(...ends))];
}

/** Bounds of a sine wave whose maxima lie at `crest` + 2πk. */
function wave(lower: number, upper: number, of: (x: number) => number, crest: number): Bounds {
  if (!(upper - lower < 2 * Math.PI) || Math.abs(lower) > 1e8 || Math.abs(upper) > 1e8) return [-1, 1];
  // a slack of 1e-6 counts a crest just outside as inside, which only widens
  const holds = (at: number) =>
    Math.ceil((lower - 1e-6 - at) / (2 * Math.PI)) <= Math.floor((upper + 1e-6 - at) / (2 * Math.PI));
  const ends = [of(lower), of(upper)];
  return [
    holds(crest + Math.PI) ? -1 : Math.max(-1, below(Math.min(...ends))),
    holds(crest) ? 1 : Math.min(1, above(Math.max(...ends))),
  ];
}

function below(x: number): number {
  return x - Math.abs(x) * 4 * Number.EPSILON - Number.MIN_VALUE;
}

function above(x: number): number {
  return x + Math.abs(x) * 4 * Number.EPSILON + Number.MIN_VALUE;
}
