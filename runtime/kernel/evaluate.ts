import type { Intervals } from "../graph/interval.ts";
import { Tape } from "../graph/tape.ts";

/** Answers one call of foreign code: `count` × inputs values in, count × outputs out. */
export type ForeignCall = (skill: number, inputs: Float64Array, count: number) => Promise<Float64Array>;

/**
 * The kernel's own values of a tape. Without foreign code in it an evaluation is synchronous and the one decoded tape
 * serves all; with foreign code the kernel waits in between, so every evaluation has a tape of its own.
 */
export class Evaluator {
  readonly #tape: Tape;
  readonly #call: ForeignCall;

  /** @param buffer A tape, as `Tape.buffer` has it. */
  constructor(buffer: ArrayBuffer, call: ForeignCall) {
    this.#tape = Tape.decode(buffer);
    this.#call = call;
  }

  get outputs(): number {
    return this.#tape.outputs;
  }

  /** Bounds of outputs first … first + count − 1 in a box; ∓Infinity where none are known, as of foreign code. */
  ranges(
    parameters: ArrayLike<number>,
    lo: Float64Array,
    hi: Float64Array,
    first: number,
    count: number,
  ): Intervals {
    this.#tape.setParameters(parameters);
    return this.#tape.intervals(lo, hi, first, count);
  }

  /**
   * @param parameters Length of the tape's parameters.
   * @param x Length of its variables.
   * @returns All outputs; NaN where one cannot be computed.
   */
  async outputsAt(parameters: ArrayLike<number>, x: Float64Array): Promise<Float64Array> {
    const out = new Float64Array(this.#tape.outputs);
    if (this.#tape.opaques.length === 0) {
      this.#tape.setParameters(parameters);
      this.#tape.value(x, out);
      return out;
    }
    const tape = Tape.decode(this.#tape.buffer);
    tape.setParameters(parameters);
    const stages = tape.stages(x, 1, out);
    for (let batch = stages.next(); batch !== undefined; batch = stages.next()) {
      stages.supply(await this.#call(batch.skill, batch.inputs, batch.count));
    }
    return out;
  }
}
