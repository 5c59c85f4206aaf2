/// <reference types="../solver/core/portable.d.ts" />
/**
 * Local derivatives of the curved instructions (unary and quotient kinds) at the values of the arena, by result slot:
 * first and second derivative to the first argument (`first`, `second`), for a quotient also to the second argument
 * (`firstB`, `secondB`) and the mixed one (`mixed`).
 *
 * They are made once from what the forward pass left; a second time only after the next forward pass.
 */
import {
  ADD,
  COS,
  DIV,
  ERF,
  EXP,
  GELU,
  LOG,
  LOG10,
  MOD,
  MUL,
  POW,
  SIGMOID,
  SIN,
  SOFTPLUS,
  SQRT,
  TAN,
  TANH,
} from "./codes.ts";
import { cos, log, sin } from "./functions.ts";
import { floorDivide, power } from "./scalar.ts";
import { exp, sigmoid } from "./special.ts";
import { Workspace } from "./workspace.ts";

const TWO_OVER_SQRT_PI: f64 = 1.1283791670955126;
const INV_SQRT_TWO_PI: f64 = 0.3989422804014327;
const LOG10_E: f64 = 0.4342944819032518;

/** Partials of y = op(x) into slot `at`. */
function unaryPartials(work: Workspace, op: i32, x: f64, y: f64, at: i32): void {
  let first: f64 = 0;
  let second: f64 = 0;
  switch (op) {
    case EXP:
      first = second = y;
      break;
    case LOG:
      first = x < 0 ? NaN : 1.0 / x;
      second = -first * first;
      break;
    case LOG10:
      first = x < 0 ? NaN : LOG10_E / x;
      second = -first / x;
      break;
    case SQRT:
      first = 0.5 / y;
      second = -0.5 * first / x;
      break;
    case SIN:
      first = cos(x);
      second = -y;
      break;
    case COS:
      first = -sin(x);
      second = -y;
      break;
    case TAN:
      first = 1 + y * y;
      second = 2 * y * first;
      break;
    case TANH:
      first = 1 - y * y;
      second = -2 * y * first;
      break;
    case ERF:
      first = TWO_OVER_SQRT_PI * exp(-x * x);
      second = first === 0 ? 0.0 : -2 * x * first;
      break;
    case SIGMOID:
      first = y * (1 - y);
      second = first * (1 - 2 * y);
      break;
    case SOFTPLUS:
      first = sigmoid(x);
      second = first * sigmoid(-x);
      break;
    case GELU:
      geluPartials(work, x, at);
      return;
    default:
      break; // rules of their own, or no slope at all
  }
  work.first[at] = first;
  work.second[at] = second;
}

/** The forward pass has left Φ(x) and e^(−x²/2) in the place of the work. */
function geluPartials(work: Workspace, x: f64, at: i32): void {
  const density = INV_SQRT_TWO_PI * work.second[at];
  work.first[at] += density === 0 ? 0.0 : x * density;
  work.second[at] = density === 0 ? 0.0 : density * (2 - x * x);
}

/** Partials of y = op(a, b) into slot `at`. `varyingB` is false where b is fixed: then its partials are 0, not ln of a negative base. */
function quotientPartials(
  work: Workspace,
  op: i32,
  a: f64,
  b: f64,
  y: f64,
  varyingB: boolean,
  at: i32,
): void {
  let first: f64 = 0;
  let second: f64 = 0;
  let firstB: f64 = 0;
  let secondB: f64 = 0;
  let mixed: f64 = 0;
  switch (op) {
    case DIV:
      first = 1 / b;
      if (!varyingB) break;
      firstB = -y / b;
      mixed = -1 / (b * b);
      secondB = -2 * firstB / b;
      break;
    case POW:
      first = b === 0 ? 0.0 : b * power(a, b - 1);
      second = b === 0 || b === 1 ? 0.0 : b * (b - 1) * power(a, b - 2);
      if (!varyingB) break;
      if (a === 0 && b > 0) {
        mixed = b > 1 ? 0.0 : b === 1 ? -Infinity : NaN;
        break;
      }
      firstB = y * log(a);
      secondB = firstB * log(a);
      mixed = power(a, b - 1) * (1 + b * log(a));
      break;
    case MOD:
      first = 1;
      firstB = varyingB ? -floorDivide(a, b) : 0.0;
      break;
    default:
      break; // rules of their own, or no slope at all
  }
  work.first[at] = first;
  work.second[at] = second;
  work.firstB[at] = firstB;
  work.secondB[at] = secondB;
  work.mixed[at] = mixed;
}

/** Runs `curved[from]` … `curved[to − 1]`. */
export function runPartials(work: Workspace, from: i32, to: i32): void {
  const plan = work.plan;
  const code = plan.code;
  const values = work.values;
  for (let k: i32 = from; k < to; k++) {
    const at = plan.curved[k];
    const op = code[at];
    if (op === MUL) continue; // its partials are its arguments
    const out = code[at + 1];
    const end = out + code[at + 2];
    const strideA = code[at + 4];
    const strideB = code[at + 6];
    let a = code[at + 3];
    let b = code[at + 5];
    for (let slot = out; slot < end; slot++) {
      if (op === GELU) geluPartials(work, values[a], slot);
      else if (op < ADD) unaryPartials(work, op, values[a], values[slot], slot);
      else quotientPartials(work, op, values[a], values[b], values[slot], plan.low[b] < plan.high[b], slot);
      a += strideA;
      b += strideB;
    }
  }
}
