/**
 * Local derivatives of the curved instructions (unary and quotient kinds) at the values of the arena, by result slot:
 * first and second derivative to the first argument (`first`, `second`), for a quotient also to the second argument
 * (`firstB`, `secondB`) and the mixed one (`mixed`).
 *
 * They are made once from what the forward pass left; a second time only after the next forward pass.
 */
import { type BinaryCode, CODE, type OpCode, type UnaryCode } from "./opcodes.ts";
import { floorDivide } from "./scalar.ts";
import { exp } from "./special.ts";
import type { Workspace } from "./workspace.ts";

export interface Partials {
  readonly first: Float64Array;
  readonly second: Float64Array;
  readonly firstB: Float64Array;
  readonly secondB: Float64Array;
  readonly mixed: Float64Array;
}

const TWO_OVER_SQRT_PI = 1.1283791670955126;
const INV_SQRT_TWO_PI = 0.3989422804014327;

export function newPartials(slots: number): Partials {
  const array = () => new Float64Array(slots);
  return { first: array(), second: array(), firstB: array(), secondB: array(), mixed: array() };
}

/** Partials of y = op(x) into slot `at`. */
export function unaryPartials(op: UnaryCode, x: number, y: number, partials: Partials, at: number): void {
  let first = 0;
  let second = 0;
  switch (op) {
    case CODE.exp:
      first = second = y;
      break;
    case CODE.log:
      first = x < 0 ? NaN : 1 / x;
      second = -first * first;
      break;
    case CODE.log10:
      first = x < 0 ? NaN : Math.LOG10E / x;
      second = -first / x;
      break;
    case CODE.sqrt:
      first = 0.5 / y;
      second = -0.5 * first / x;
      break;
    case CODE.sin:
      first = Math.cos(x);
      second = -y;
      break;
    case CODE.cos:
      first = -Math.sin(x);
      second = -y;
      break;
    case CODE.tan:
      first = 1 + y * y;
      second = 2 * y * first;
      break;
    case CODE.tanh:
      first = 1 - y * y;
      second = -2 * y * first;
      break;
    case CODE.erf:
      first = TWO_OVER_SQRT_PI * exp(-x * x);
      second = first === 0 ? 0 : -2 * x * first;
      break;
    case CODE.sigmoid:
      first = y * (1 - y);
      second = first * (1 - 2 * y);
      break;
    case CODE.gelu:
      geluPartials(x, partials, at);
      return;
    case CODE.neg:
    case CODE.abs:
    case CODE.floor:
    case CODE.ceil:
    case CODE.round:
    case CODE.not:
      break; // rules of their own, or no slope at all
    default:
      op satisfies never;
  }
  partials.first[at] = first;
  partials.second[at] = second;
}

/** The forward pass has left Φ(x) and e^(−x²/2) in the place of the partials. */
function geluPartials(x: number, partials: Partials, at: number): void {
  const density = INV_SQRT_TWO_PI * partials.second[at];
  partials.first[at] += density === 0 ? 0 : x * density;
  partials.second[at] = density === 0 ? 0 : density * (2 - x * x);
}

/** Partials of y = op(a, b) into slot `at`. `varyingB` is false where b is fixed: then its partials are 0, not ln of a negative base. */
export function quotientPartials(
  op: BinaryCode,
  a: number,
  b: number,
  y: number,
  varyingB: boolean,
  partials: Partials,
  at: number,
): void {
  let first = 0, second = 0, firstB = 0, secondB = 0, mixed = 0;
  switch (op) {
    case CODE.div:
      first = 1 / b;
      if (!varyingB) break;
      firstB = -y / b;
      mixed = -1 / (b * b);
      secondB = -2 * firstB / b;
      break;
    case CODE.pow:
      first = b === 0 ? 0 : b * Math.pow(a, b - 1);
      second = b === 0 || b === 1 ? 0 : b * (b - 1) * Math.pow(a, b - 2);
      if (!varyingB) break;
      if (a === 0 && b > 0) {
        mixed = b > 1 ? 0 : b === 1 ? -Infinity : NaN;
        break;
      }
      firstB = y * Math.log(a);
      secondB = firstB * Math.log(a);
      mixed = Math.pow(a, b - 1) * (1 + b * Math.log(a));
      break;
    case CODE.mod:
      first = 1;
      firstB = varyingB ? -floorDivide(a, b) : 0;
      break;
    case CODE.add:
    case CODE.sub:
    case CODE.mul:
    case CODE.floordiv:
    case CODE.min:
    case CODE.max:
    case CODE.lt:
    case CODE.le:
    case CODE.eq:
    case CODE.and:
    case CODE.or:
      break; // rules of their own, or no slope at all
    default:
      op satisfies never;
  }
  partials.first[at] = first;
  partials.second[at] = second;
  partials.firstB[at] = firstB;
  partials.secondB[at] = secondB;
  partials.mixed[at] = mixed;
}

/** Runs `curved[from]` … `curved[to − 1]`. */
export function runPartials(work: Workspace, from: number, to: number): void {
  const { program: { code }, values, partials, directions: { curved, low, high } } = work;
  for (let k = from; k < to; k++) {
    const at = curved[k];
    const op = code[at] as OpCode;
    if (op === CODE.mul) continue; // its partials are its arguments
    const out = code[at + 1];
    const end = out + code[at + 2];
    let a = code[at + 3];
    let b = code[at + 5];
    if (op === CODE.gelu) {
      for (let i = 0; i < code[at + 2]; i++) geluPartials(values[a + i * code[at + 4]], partials, out + i);
      continue;
    }
    for (let slot = out; slot < end; slot++, a += code[at + 4], b += code[at + 6]) {
      if (op < CODE.add) unaryPartials(op as UnaryCode, values[a], values[slot], partials, slot);
      else {quotientPartials(
          op as BinaryCode,
          values[a],
          values[b],
          values[slot],
          low[b] < high[b],
          partials,
          slot,
        );}
    }
  }
}
