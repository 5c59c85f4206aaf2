/** The value of each elementwise operation on single numbers, for folding and for the tape. */
import { type BinaryCode, CODE, type UnaryCode } from "./opcodes.ts";
import { erf, exp, gelu, sigmoid, tanh } from "./special.ts";

// Switches and not tables of functions: the tape's inner loop calls these, and a call through a table is not inlined.

export function unaryValue(op: UnaryCode, x: number): number {
  switch (op) {
    case CODE.neg:
      return -x;
    case CODE.exp:
      return exp(x);
    case CODE.log:
      return Math.log(x);
    case CODE.log10:
      return Math.log10(x);
    case CODE.sqrt:
      return Math.sqrt(x);
    case CODE.sin:
      return Math.sin(x);
    case CODE.cos:
      return Math.cos(x);
    case CODE.tan:
      return Math.tan(x);
    case CODE.tanh:
      return tanh(x);
    case CODE.erf:
      return erf(x);
    case CODE.sigmoid:
      return sigmoid(x);
    case CODE.gelu:
      return gelu(x);
    case CODE.abs:
      return Math.abs(x);
    case CODE.floor:
      return Math.floor(x);
    case CODE.ceil:
      return Math.ceil(x);
    case CODE.round:
      return roundHalfEven(x);
    case CODE.not:
      return x !== x ? NaN : x === 0 ? 1 : 0;
    default:
      return op satisfies never;
  }
}

export function binaryValue(op: BinaryCode, a: number, b: number): number {
  switch (op) {
    case CODE.add:
      return a + b;
    case CODE.sub:
      return a - b;
    case CODE.mul:
      return a * b;
    case CODE.div:
      return a / b;
    case CODE.pow:
      return Math.pow(a, b);
    case CODE.mod:
      return floorMod(a, b);
    case CODE.floordiv:
      return floorDivide(a, b);
    case CODE.min:
      return a <= b ? a : b <= a ? b : NaN;
    case CODE.max:
      return a >= b ? a : b >= a ? b : NaN;
    case CODE.lt:
      return lessThan(a, b);
    case CODE.le:
      return lessOrEqual(a, b);
    case CODE.eq:
      return equal(a, b);
    case CODE.and:
      return logicalAnd(a, b);
    case CODE.or:
      return logicalOr(a, b);
    default:
      return op satisfies never;
  }
}

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
