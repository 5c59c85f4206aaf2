/** The value of each elementwise operation on single numbers: the reference for folding and for every other rule. */
import type { BinaryOp, UnaryOp } from "./ops.ts";
import { erf, gelu, sigmoid } from "./special.ts";

export const unaryValue: Record<UnaryOp, (x: number) => number> = {
  neg: (x) => -x,
  exp: Math.exp,
  log: Math.log,
  log10: Math.log10,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  tanh: Math.tanh,
  erf,
  sigmoid,
  gelu,
  abs: Math.abs,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfEven,
  not: (x) => x !== x ? NaN : x === 0 ? 1 : 0,
};

export const binaryValue: Record<BinaryOp, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: Math.pow,
  mod: floorMod,
  floordiv: floorDivide,
  min: Math.min,
  max: Math.max,
  lt: lessThan,
  le: lessOrEqual,
  eq: equal,
  and: logicalAnd,
  or: logicalOr,
};

/** `condition ≠ 0 ? a : b`; a condition that could not be computed gives NaN. */
export function selectValue(condition: number, a: number, b: number): number {
  return condition !== condition ? NaN : condition !== 0 ? a : b;
}

export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return rest === 0.5 ? 2 * Math.round(floor / 2) : x;
}

/** The remainder with the divisor's sign, as Python's `%` on floats. */
export function floorMod(a: number, b: number): number {
  const rest = a % b;
  if (rest === 0) return b < 0 ? -0 : 0;
  return (rest < 0) !== (b < 0) ? rest + b : rest;
}

/** Python's `//` on floats: exact even where a/b rounds up to the next integer. */
export function floorDivide(a: number, b: number): number {
  if (b === 0) return a / b;
  const rest = a % b;
  let quotient = (a - rest) / b;
  if (rest !== 0 && (rest < 0) !== (b < 0)) quotient -= 1;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

// A comparison with NaN is NaN, not false: what could not be computed must not choose a branch in silence.
export function lessThan(a: number, b: number): number {
  return a < b ? 1 : a >= b ? 0 : NaN;
}

export function lessOrEqual(a: number, b: number): number {
  return a <= b ? 1 : a > b ? 0 : NaN;
}

export function equal(a: number, b: number): number {
  return a === b ? 1 : a !== a || b !== b ? NaN : 0;
}

/** Stops at the first false operand as Python does, so `x > 0 and log(x) > 1` is 0 at x = −1. */
export function logicalAnd(a: number, b: number): number {
  if (a === 0) return 0;
  return a !== a || b !== b ? NaN : b === 0 ? 0 : 1;
}

/** Stops at the first true operand. */
export function logicalOr(a: number, b: number): number {
  if (a !== a) return NaN;
  if (a !== 0) return 1;
  return b !== b ? NaN : b === 0 ? 0 : 1;
}
