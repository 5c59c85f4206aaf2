/// <reference types="../solver/core/portable.d.ts" />
/** The value of each elementwise operation on single numbers, for folding and for the tape. */
import {
  ABS,
  ADD,
  AND,
  CEIL,
  COS,
  DIV,
  EQ,
  ERF,
  EXP,
  FLOOR,
  FLOORDIV,
  GELU,
  LE,
  LOG,
  LOG10,
  LT,
  MAX,
  MIN,
  MOD,
  MUL,
  NEG,
  NOT,
  OR,
  POW,
  ROUND,
  SIGMOID,
  SIN,
  SOFTPLUS,
  SQRT,
  SUB,
  TAN,
  TANH,
} from "./codes.ts";
import { cos, log, log10, pow, sin, tan } from "./functions.ts";
import { erf, exp, gelu, sigmoid, tanh } from "./special.ts";

// Switches and not tables of functions: the tape's inner loop calls these, and a call through a table is not inlined.

export function unaryValue(op: i32, x: f64): f64 {
  switch (op) {
    case NEG:
      return -x;
    case EXP:
      return exp(x);
    case LOG:
      return log(x);
    case LOG10:
      return log10(x);
    case SQRT:
      return Math.sqrt(x);
    case SIN:
      return sin(x);
    case COS:
      return cos(x);
    case TAN:
      return tan(x);
    case TANH:
      return tanh(x);
    case ERF:
      return erf(x);
    case SIGMOID:
      return sigmoid(x);
    case GELU:
      return gelu(x);
    case SOFTPLUS:
      return softplus(x);
    case ABS:
      return Math.abs(x);
    case FLOOR:
      return Math.floor(x);
    case CEIL:
      return Math.ceil(x);
    case ROUND:
      return roundHalfEven(x);
    case NOT:
      return x !== x ? NaN : x === 0 ? 1.0 : 0.0;
    default:
      return NaN;
  }
}

export function binaryValue(op: i32, a: f64, b: f64): f64 {
  switch (op) {
    case ADD:
      return a + b;
    case SUB:
      return a - b;
    case MUL:
      return a * b;
    case DIV:
      return a / b;
    case POW:
      return power(a, b);
    case MOD:
      return floorMod(a, b);
    case FLOORDIV:
      return floorDivide(a, b);
    case MIN:
      return a <= b ? a : b <= a ? b : NaN;
    case MAX:
      return a >= b ? a : b >= a ? b : NaN;
    case LT:
      return lessThan(a, b);
    case LE:
      return lessOrEqual(a, b);
    case EQ:
      return equal(a, b);
    case AND:
      return logicalAnd(a, b);
    case OR:
      return logicalOr(a, b);
    default:
      return NaN;
  }
}

/** log(1 + e^x), to the last digits on either side and without overflow. */
export function softplus(x: f64): f64 {
  const e = exp(-Math.abs(x));
  // log(1 + e) times what the rounding of 1 + e has taken from e
  const sum = 1 + e;
  const rest = sum === 1 ? e : log(sum) * (e / (sum - 1));
  return x > 0 ? x + rest : rest;
}

/** a^b; what formulas mostly say is computed as one would by hand. */
export function power(a: f64, b: f64): f64 {
  if (b === 2) return a * a;
  return b === 1 ? a : pow(a, b);
}

/** `condition ≠ 0 ? a : b`; a condition that could not be computed gives NaN. */
export function selectValue(condition: f64, a: f64, b: f64): f64 {
  return condition !== condition ? NaN : condition !== 0 ? a : b;
}

export function roundHalfEven(x: f64): f64 {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  return rest === 0.5 ? 2 * Math.round(floor / 2) : x;
}

/** The remainder with the divisor's sign, as Python's `%` on floats. */
export function floorMod(a: f64, b: f64): f64 {
  const rest = a % b;
  if (rest === 0) return b < 0 ? -0.0 : 0.0;
  return (rest < 0) !== (b < 0) ? rest + b : rest;
}

/** Python's `//` on floats: exact even where a/b rounds up to the next integer. */
export function floorDivide(a: f64, b: f64): f64 {
  if (b === 0) return a / b;
  const rest = a % b;
  let quotient = (a - rest) / b;
  if (rest !== 0 && (rest < 0) !== (b < 0)) quotient -= 1;
  const floor = Math.floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

// A comparison with NaN is NaN, not false: what could not be computed must not choose a branch in silence.
function lessThan(a: f64, b: f64): f64 {
  return a < b ? 1.0 : a >= b ? 0.0 : NaN;
}

function lessOrEqual(a: f64, b: f64): f64 {
  return a <= b ? 1.0 : a > b ? 0.0 : NaN;
}

function equal(a: f64, b: f64): f64 {
  return a === b ? 1.0 : a !== a || b !== b ? NaN : 0.0;
}

/** Stops at the first false operand as Python does, so `x > 0 and log(x) > 1` is 0 at x = −1. */
function logicalAnd(a: f64, b: f64): f64 {
  if (a === 0) return 0;
  return a !== a || b !== b ? NaN : b === 0 ? 0.0 : 1.0;
}

/** Stops at the first true operand. */
function logicalOr(a: f64, b: f64): f64 {
  if (a !== a) return NaN;
  if (a !== 0) return 1;
  return b !== b ? NaN : b === 0 ? 0.0 : 1.0;
}
