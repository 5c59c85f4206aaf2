/**
 * Which variables each slot's derivative can reach, as a range of variable numbers, and where its tangents lie. A slot
 * with an empty range is constant for every derivative; most of a network needs only the range of its own inputs.
 */
import { CODE, kindOf, opOf } from "./opcodes.ts";
import { type Program, WIDTH } from "./program.ts";

export interface Directions {
  /** First variable, and one past the last; equal where nothing is reached. By slot. */
  readonly low: Int32Array;
  readonly high: Int32Array;
  /** Where the tangents of a slot begin: high − low numbers. */
  readonly place: Int32Array;
  /** How many tangents there are in all. */
  readonly size: number;
  /** Positions in the code of the instructions that have a derivative, in order. */
  readonly live: Int32Array;
  /** Those of `live` with a second derivative. */
  readonly curved: Int32Array;
  /** By instruction: 1 where all arguments of a `linear` have the same range. */
  readonly uniform: Int32Array;
}

export function findDirections(program: Program): Directions {
  const { code, slots, variables } = program;
  const low = new Int32Array(slots);
  const high = new Int32Array(slots);
  const uniform = new Int32Array(code.length / WIDTH);
  const live: number[] = [];
  const curved: number[] = [];
  for (let i = 0; i < variables; i++) {
    low[i] = i;
    high[i] = i + 1;
  }
  const extend = (out: number, slot: number) => {
    if (low[slot] === high[slot]) return;
    const empty = low[out] === high[out];
    low[out] = empty ? low[slot] : Math.min(low[out], low[slot]);
    high[out] = Math.max(high[out], high[slot]);
  };
  for (let at = program.fixed * WIDTH; at < code.length; at += WIDTH) {
    const [op, out, length] = [code[at], code[at + 1], code[at + 2]];
    const [a, sa, b, sb] = [code[at + 3], code[at + 4], code[at + 5], code[at + 6]];
    const [c, sc] = [code[at + 7], code[at + 8]];
    const kind = kindOf(opOf(op)!);
    let reached = false;
    let bends = kind === "unary" || kind === "quotient";
    for (let i = 0; i < length; i++) {
      const slot = out + i;
      switch (kind) {
        case "leaf":
        case "step":
          break;
        case "linear":
        case "opaque":
        case "sum":
          for (let j = 0; j < b; j++) extend(slot, a + j);
          break;
        case "pick":
          if (op === CODE.select) extend(slot, c + i * sc);
          else extend(slot, a + i * sa);
          extend(slot, b + i * sb);
          break;
        case "add":
        case "sub":
        case "mul":
        case "quotient":
          extend(slot, a + i * sa);
          extend(slot, b + i * sb);
          break;
        case "neg":
        case "unary":
        case "abs":
        case "copy":
          extend(slot, a + i * sa);
          break;
        default:
          kind satisfies never;
      }
      reached ||= low[slot] < high[slot];
      if (kind === "mul") bends ||= low[a + i * sa] < high[a + i * sa] && low[b + i * sb] < high[b + i * sb];
    }
    if (!reached) continue;
    live.push(at);
    if (bends) curved.push(at);
    if (kind === "linear") uniform[at / WIDTH] = sameRange(low, high, a, b) ? 1 : 0;
  }
  const place = new Int32Array(slots);
  let size = 0;
  for (let slot = 0; slot < slots; slot++) {
    place[slot] = size;
    size += high[slot] - low[slot];
  }
  return { low, high, place, size, live: Int32Array.from(live), curved: Int32Array.from(curved), uniform };
}

function sameRange(low: Int32Array, high: Int32Array, from: number, count: number): boolean {
  for (let j = 1; j < count; j++) {
    if (low[from + j] !== low[from] || high[from + j] !== high[from]) return false;
  }
  return true;
}
