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
  /** One an output that was asked for. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

/**
 * Bounds of outputs first … first + count − 1.
 * @param values The arena, with constants, parameters and what depends on them only.
 * @param needed What these outputs need, see needed.ts.
 */
export function runIntervals(
  program: Program,
  values: Float64Array,
  lo: Float64Array,
  hi: Float64Array,
  first: number,
  count: number,
  needed: Int32Array,
): Intervals {
  const memory = { lower: values.slice(), upper: values.slice() };
  for (let i = 0; i < program.variables; i++) {
    memory.lower[i] = lo[i];
    memory.upper[i] = hi[i];
  }
  for (const at of needed) boundsOf(program, memory, at);
  const slots = program.outputSlots.subarray(first, first + count);
  return {
    lower: Float64Array.from(slots, (slot) => memory.lower[slot]),
    upper: Float64Array.from(slots, (slot) => memory.upper[slot]),
  };
}

/** Bounds over one box after the other, in the same memory. */
export class BoxBounds implements Intervals {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly #program: Program;
  /** Of every slot. */
  readonly memory: IntervalMemory;
  /** By instruction: outputs that may be known to lie closer, and their slots. */
  readonly #known = new Map<number, { readonly output: number; readonly slot: number }[]>();

  /** @param known Outputs, from 0 on, that {@linkcode run} gets ranges for. Default none. */
  constructor(program: Program, values: Float64Array, known = 0) {
    const { code, outputSlots, fixed } = this.#program = program;
    this.memory = { lower: values.slice(), upper: values.slice() };
    this.lower = new Float64Array(outputSlots.length);
    this.upper = new Float64Array(outputSlots.length);
    for (let at = fixed * WIDTH; at < code.length; at += WIDTH) {
      const written = Array.from({ length: known }, (_, output) => ({ output, slot: outputSlots[output] }))
        .filter(({ slot }) => slot >= code[at + 1] && slot < code[at + 1] + code[at + 2]);
      if (written.length > 0) this.#known.set(at, written);
    }
  }

  /** @param lower Of the outputs that are known to lie closer; what no box allows is told by lower > upper. */
  run(lo: Float64Array, hi: Float64Array, lower?: Float64Array, upper?: Float64Array): void {
    const { variables, fixed, outputSlots } = this.#program;
    for (let i = 0; i < variables; i++) {
      this.memory.lower[i] = lo[i];
      this.memory.upper[i] = hi[i];
    }
    sweepIntervals(this.#program, this.memory, fixed, (at) => {
      for (const { output, slot } of this.#known.get(at) ?? []) {
        this.memory.lower[slot] = Math.max(this.memory.lower[slot], lower![output]);
        this.memory.upper[slot] = Math.min(this.memory.upper[slot], upper![output]);
      }
    });
    for (let k = 0; k < outputSlots.length; k++) {
      this.lower[k] = this.memory.lower[outputSlots[k]];
      this.upper[k] = this.memory.upper[outputSlots[k]];
    }
  }
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

function sweepIntervals(
  program: Program,
  memory: IntervalMemory,
  from: number,
  done?: (at: number) => void,
): void {
  const { code } = program;
  for (let at = from * WIDTH; at < code.length; at += WIDTH) {
    boundsOf(program, memory, at);
    done?.(at);
  }
}

function boundsOf(program: Program, memory: IntervalMemory, at: number): void {
  const { code } = program;
  intervalRule[opOf(code[at])!](memory, code, at, program);
  for (let slot = code[at + 1]; slot < code[at + 1] + code[at + 2]; slot++) {
    if (!(memory.lower[slot] >= -Infinity)) memory.lower[slot] = -Infinity;
    if (!(memory.upper[slot] <= Infinity)) memory.upper[slot] = Infinity;
  }
}
