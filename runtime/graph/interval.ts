/**
 * Bounds of a tape's values over a box. They hold for the float64 values that the tape computes: rounding is monotone, so
 * arithmetic needs no widening; functions of the library are widened by a few units in the last place. Where a value
 * cannot be computed everywhere in the box, the bounds hold where it can.
 */
import { type IntervalMemory, intervalRule } from "./interval_rules.ts";
import { opOf } from "./opcodes.ts";
import { type Program, WIDTH } from "./program.ts";

export type { IntervalMemory };

export interface Intervals {
  /** Length outputs. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/** @param values The arena, with constants, parameters and what depends on them only. */
export function runIntervals(
  program: Program,
  values: Float64Array,
  lo: Float64Array,
  hi: Float64Array,
): Intervals {
  const memory = { lower: Float64Array.from(values), upper: Float64Array.from(values) };
  for (let i = 0; i < program.variables; i++) {
    memory.lower[i] = lo[i];
    memory.upper[i] = hi[i];
  }
  sweepIntervals(program, memory, program.fixed);
  return {
    lower: Float64Array.from(program.outputSlots, (slot) => memory.lower[slot]),
    upper: Float64Array.from(program.outputSlots, (slot) => memory.upper[slot]),
  };
}

/** Bounds of every slot for any variables and parameters at all: what the shape of the graph alone says. */
export function intervalsAnywhere(program: Program): IntervalMemory {
  const inputs = program.variables + program.parameters;
  const memory = { lower: new Float64Array(program.slots), upper: new Float64Array(program.slots) };
  memory.lower.fill(-Infinity, 0, inputs);
  memory.upper.fill(Infinity, 0, inputs);
  memory.lower.set(program.constants, inputs);
  memory.upper.set(program.constants, inputs);
  sweepIntervals(program, memory, 0);
  return memory;
}

function sweepIntervals(program: Program, memory: IntervalMemory, from: number): void {
  const { code } = program;
  for (let at = from * WIDTH; at < code.length; at += WIDTH) {
    intervalRule[opOf(code[at])!](memory, code, at, program);
    for (let slot = code[at + 1]; slot < code[at + 1] + code[at + 2]; slot++) {
      if (!(memory.lower[slot] >= -Infinity)) memory.lower[slot] = -Infinity;
      if (!(memory.upper[slot] <= Infinity)) memory.upper[slot] = Infinity;
    }
  }
}
