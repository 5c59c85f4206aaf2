import { CODE } from "./opcodes.ts";
import { type Program, WIDTH } from "./program.ts";

/** The outputs of an opaque call. */
export type OpaqueAnswer = (call: number) => Float64Array;

/** Runs the code at the point x up to instruction `to`; gives the arena. */
export type RunTo = (x: Float64Array, to: number, answer: OpaqueAnswer) => Float64Array;

export interface OpaqueBatch {
  readonly skill: number;
  /** count × inputs, row-major. */
  readonly inputs: Float64Array;
  readonly count: number;
}

/**
 * Values of a tape at many points, with opaque calls answered from outside: all points of one call are one batch. Every
 * stage runs the code again from the beginning with the answers so far, which costs less than keeping all arenas.
 */
export class Stages {
  readonly #program: Program;
  readonly #points: Float64Array;
  readonly #count: number;
  readonly #out: Float64Array;
  readonly #run: RunTo;
  /** Answers of the calls so far, each count × outputs. */
  readonly #answers: Float64Array[] = [];
  /** Where the calls are in the code. */
  readonly #calls: number[] = [];
  #finished = false;
  #point = 0;

  /** @param run Used during `next()` only. */
  constructor(
    program: Program,
    points: Float64Array,
    count: number,
    out: Float64Array,
    run: RunTo,
  ) {
    if (points.length < count * program.variables || out.length < count * program.outputSlots.length) {
      throw new RangeError(`Got ${points.length} coordinates and ${out.length} results for ${count} points`);
    }
    this.#program = program;
    this.#points = points;
    this.#count = count;
    this.#out = out;
    this.#run = run;
    for (let at = 0; at < program.code.length; at += WIDTH) {
      if (program.code[at] === CODE.opaque) this.#calls.push(at);
    }
  }

  /** The next batch to answer, undefined when all outputs are there. The same batch again until it is answered. */
  next(): OpaqueBatch | undefined {
    const stage = this.#answers.length;
    if (stage < this.#calls.length) return this.#gather(stage);
    if (!this.#finished) this.#finish();
    return undefined;
  }

  /** @param outputs count × outputs of the call of the last `next()`. @throws {RangeError} If the length differs. */
  supply(outputs: Float64Array): void {
    const call = this.#program.opaques[this.#answers.length];
    if (call === undefined || outputs.length !== this.#count * call.outputs) {
      throw new RangeError(
        `Got ${outputs.length} values from skill ${call?.skill}, expected ${
          this.#count * (call?.outputs ?? 0)
        }`,
      );
    }
    this.#answers.push(outputs);
  }

  #gather(stage: number): OpaqueBatch {
    const { skill, inputs } = this.#program.opaques[stage];
    const at = this.#calls[stage];
    const batch = new Float64Array(this.#count * inputs);
    for (let k = 0; k < this.#count; k++) {
      const values = this.#evaluate(k, at / WIDTH);
      const from = this.#program.code[at + 3];
      batch.set(values.subarray(from, from + inputs), k * inputs);
    }
    return { skill, inputs: batch, count: this.#count };
  }

  #finish(): void {
    const { outputSlots, code } = this.#program;
    for (let k = 0; k < this.#count; k++) {
      const values = this.#evaluate(k, code.length / WIDTH);
      for (let i = 0; i < outputSlots.length; i++) {
        this.#out[k * outputSlots.length + i] = values[outputSlots[i]];
      }
    }
    this.#finished = true;
  }

  #evaluate(point: number, to: number): Float64Array {
    const { variables } = this.#program;
    this.#point = point;
    return this.#run(this.#points.subarray(point * variables, (point + 1) * variables), to, this.#answer);
  }

  readonly #answer: OpaqueAnswer = (call) => {
    const { outputs } = this.#program.opaques[call];
    return this.#answers[call].subarray(this.#point * outputs, (this.#point + 1) * outputs);
  };
}
