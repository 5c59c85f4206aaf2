/**
 * How the objective depends on each value: never falling as the value grows, never rising, or neither known. A `max` that
 * the objective never falls with may be replaced by any value above all its arguments: the minimum makes it tight. That
 * holds without convexity.
 */
import { type IntervalMemory, intervalsAnywhere } from "./interval.ts";
import { CODE, opOf } from "./opcodes.ts";
import type { Op } from "./ops.ts";
import { type Program, WIDTH } from "./program.ts";

/** Bit 1: the objective may rise with the value. Bit 2: it may fall. 3: both or unknown. 0: no influence. */
export type Sign = number;
export const NONE: Sign = 0;
export const RISING: Sign = 1;
export const FALLING: Sign = 2;
export const UNKNOWN: Sign = 3;

export interface Influence {
  /** By slot. */
  readonly signs: Uint8Array;
  /** Bounds of every slot that hold for all variables and parameters. */
  readonly bounds: IntervalMemory;
}

/**
 * @param roots One sign an output of the program: how the objective, or a limit, depends on it.
 * @param bounds Of every slot, for which it is to hold. Default: for all variables and parameters.
 */
export function findInfluence(
  program: Program,
  roots: readonly Sign[],
  bounds: IntervalMemory = intervalsAnywhere(program),
): Influence {
  const signs = new Uint8Array(program.slots);
  roots.forEach((sign, k) => signs[program.outputSlots[k]] |= sign);
  for (let at = program.code.length - WIDTH; at >= 0; at -= WIDTH) passOn(program, { signs, bounds }, at);
  return { signs, bounds };
}

/** Passes what is known of the results of the instruction at `at` on to what it reads. */
export function passOn(program: Program, { signs, bounds }: Influence, at: number): void {
  const { code } = program;
  const rule = influenceRule[opOf(code[at])!];
  for (let i = 0; i < code[at + 2]; i++) {
    const sign = signs[code[at + 1] + i];
    if (sign !== NONE) rule({ program, bounds, signs, at, i }, sign);
  }
}

/** Element `i` of the instruction at `at`. */
interface Element extends Influence {
  readonly program: Program;
  readonly at: number;
  readonly i: number;
}

type InfluenceRule = (element: Element, sign: Sign) => void;

const influenceRule: Record<Op, InfluenceRule> = {
  constant: nothing,
  parameter: nothing,
  variable: nothing,
  slice: nothing,
  opaque: (e) => {
    for (let j = 0; j < e.program.code[e.at + 5]; j++) pass(e, argument(e, 0) + j, UNKNOWN);
  },
  trees: nothing,
  neg: (e, sign) => pass(e, argument(e, 0), flip(sign)),
  exp: rising,
  log: rising,
  log10: rising,
  sqrt: rising,
  sin: unknown,
  cos: unknown,
  tan: unknown,
  tanh: rising,
  erf: rising,
  sigmoid: rising,
  softplus: rising,
  gelu: (e, sign) => pass(e, argument(e, 0), lower(e, 0) >= -0.75 ? sign : UNKNOWN),
  abs: (e, sign) => {
    // under +, both x and −x will stand below the new variable
    const known = signedBy(e, 0, sign);
    pass(e, argument(e, 0), known);
  },
  floor: nothing,
  ceil: nothing,
  round: nothing,
  not: unknown,
  add: both,
  sub: (e, sign) => {
    pass(e, argument(e, 0), sign);
    pass(e, argument(e, 1), flip(sign));
  },
  mul: (e, sign) => {
    if (argument(e, 0) === argument(e, 1)) {
      pass(e, argument(e, 0), signedBy(e, 0, sign));
      return;
    }
    pass(e, argument(e, 0), signedBy(e, 1, sign));
    pass(e, argument(e, 1), signedBy(e, 0, sign));
  },
  div: (e, sign) => {
    pass(e, argument(e, 0), signedBy(e, 1, sign));
    const bounded = lower(e, 1) > 0 || upper(e, 1) < 0;
    pass(e, argument(e, 1), bounded ? flip(signedBy(e, 0, sign)) : UNKNOWN);
  },
  pow: (e, sign) => {
    pass(e, argument(e, 0), powerBase(e, sign));
    pass(
      e,
      argument(e, 1),
      lower(e, 0) >= 1 ? sign : lower(e, 0) >= 0 && upper(e, 0) <= 1 ? flip(sign) : UNKNOWN,
    );
  },
  mod: (e, sign) => {
    pass(e, argument(e, 0), sign);
    pass(e, argument(e, 1), UNKNOWN);
  },
  floordiv: nothing,
  min: both,
  max: both,
  lt: unknown,
  le: unknown,
  eq: unknown,
  and: unknown,
  or: unknown,
  select: (e, sign) => {
    pass(e, argument(e, 0), UNKNOWN);
    pass(e, argument(e, 1), sign);
    pass(e, argument(e, 2), sign);
  },
  linear: (e, sign) => {
    const { code, data } = e.program;
    const columns = code[e.at + 5];
    for (let j = 0; j < columns; j++) {
      const weight = data[code[e.at + 7] + e.i * columns + j];
      if (weight !== 0) pass(e, code[e.at + 3] + j, weight > 0 ? sign : flip(sign));
    }
  },
  concat: rising,
  sum: (e, sign) => {
    for (let j = 0; j < e.program.code[e.at + 5]; j++) pass(e, argument(e, 0) + j, sign);
  },
};

/** Leaves have no arguments, and what a step is made of has no influence where the step stays as it is. */
function nothing(): void {}

function rising(e: Element, sign: Sign): void {
  pass(e, argument(e, 0), sign);
}

function both(e: Element, sign: Sign): void {
  pass(e, argument(e, 0), sign);
  pass(e, argument(e, 1), sign);
}

function unknown(e: Element): void {
  const op = e.program.code[e.at];
  pass(e, argument(e, 0), UNKNOWN);
  if (op >= CODE.add) pass(e, argument(e, 1), UNKNOWN);
}

function powerBase(e: Element, sign: Sign): Sign {
  const exponent = lower(e, 1);
  const constant = exponent === upper(e, 1);
  if (constant && exponent === 0) return NONE;
  if (constant && exponent > 0 && exponent % 2 === 1) return sign;
  if (lower(e, 0) >= 0) return exponent >= 0 ? sign : upper(e, 1) <= 0 ? flip(sign) : UNKNOWN;
  if (upper(e, 0) <= 0 && constant && exponent % 2 === 0) return exponent > 0 ? flip(sign) : sign;
  return UNKNOWN;
}

function argument(e: Element, k: number): number {
  const { code } = e.program;
  return code[e.at + 3 + 2 * k] + e.i * code[e.at + 4 + 2 * k];
}

function lower(e: Element, k: number): number {
  return e.bounds.lower[argument(e, k)];
}

function upper(e: Element, k: number): number {
  return e.bounds.upper[argument(e, k)];
}

/** The sign of influence through a factor that is argument `k`. */
function signedBy(e: Element, k: number, sign: Sign): Sign {
  return lower(e, k) >= 0 ? sign : upper(e, k) <= 0 ? flip(sign) : UNKNOWN;
}

function pass(e: Element, slot: number, sign: Sign): void {
  e.signs[slot] |= sign;
}

function flip(sign: Sign): Sign {
  return (sign & 1) << 1 | sign >> 1;
}
