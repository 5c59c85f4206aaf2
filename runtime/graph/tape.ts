import { runAdjoints } from "./adjoints.ts";
import { addCurvature } from "./curvature.ts";
import { runForward } from "./forward.ts";
import { type Intervals, runIntervals } from "./interval.ts";
import { CODE, type OpCode } from "./opcodes.ts";
import {
  type EvaluateOpaque,
  fillDifferences,
  newOpaqueBuffer,
  type OpaqueBuffer,
  readDifferences,
  readJacobian,
} from "./opaque_calls.ts";
import { runPartials } from "./partials.ts";
import { decodeProgram, type OpaqueCall, type Program, WIDTH } from "./program.ts";
import { Stages } from "./stages.ts";
import { runTangents } from "./tangents.ts";
import { newWorkspace, type Workspace } from "./workspace.ts";

export type { EvaluateOpaque, OpaqueCall };
export { compileTape, type TapeSpec } from "./tape_compile.ts";

/**
 * A compiled graph with exact derivatives. Everything is allocated when it is decoded; a tape is not shared between
 * threads, its {@linkcode Tape.buffer} is. Where a value cannot be computed it is NaN; no evaluation throws.
 *
 * At a corner the derivative is that of one side, always the same: of the first argument where `min` or `max` meet, of
 * +x where `abs` is at 0. Steps (floor, comparisons …) have derivative 0. What `select` did not choose has no influence.
 *
 * A shorter `out` or `weights` than `outputs` means the first outputs only, and only what these need is computed.
 */
export class Tape {
  /** One versioned flat buffer, to be posted, stored and compared. */
  readonly buffer: ArrayBuffer;
  readonly variables: number;
  readonly parameters: number;
  /** Number of scalar outputs. */
  readonly outputs: number;
  /** The calls of foreign code, in the order in which they are evaluated. */
  readonly opaques: readonly OpaqueCall[];

  /** Answers opaque calls in value and derivatives; without it they are NaN. What it throws is kept in `evaluateError`. */
  evaluate: EvaluateOpaque | undefined = undefined;
  /** What `evaluate` threw last. The caller resets it. */
  evaluateError: unknown = undefined;
  /** Asks for derivatives together with every value of foreign code, so that both are one batch. Default false. */
  differencesWithValue = false;

  readonly #program: Program;
  readonly #work: Workspace;
  readonly #opaqueBuffers: readonly OpaqueBuffer[];
  readonly #opaqueAt: Int32Array;
  readonly #differenced: Uint8Array;
  /** By output: how many of `live` and of `curved` outputs 0 … k need. */
  readonly #liveEnds: Int32Array;
  readonly #curvedEnds: Int32Array;
  /** Whether a Hessian was asked for: then tangents are needed anyway, and rows come from them. */
  #secondOrder = false;
  /** How much is up to date for the variables in the arena: instructions, curved, live. */
  #valued = 0;
  #bent = 0;
  #tangent = 0;

  private constructor(buffer: ArrayBuffer, program: Program) {
    this.buffer = buffer;
    this.variables = program.variables;
    this.parameters = program.parameters;
    this.outputs = program.outputSlots.length;
    this.opaques = program.opaques;
    this.#program = program;
    this.#work = newWorkspace(program);
    this.#opaqueBuffers = program.opaques.map(newOpaqueBuffer);
    this.#opaqueAt = opaquePositions(program);
    this.#differenced = new Uint8Array(program.opaques.length);
    this.#liveEnds = countBefore(this.#work.directions.live, program.outputEnds);
    this.#curvedEnds = countBefore(this.#work.directions.curved, program.outputEnds);
    this.setParameters(new Float64Array(program.parameters));
  }

  /** @throws {GraphError} TAPE: another version, or a buffer that is no tape. */
  static decode(buffer: ArrayBuffer): Tape {
    return new Tape(buffer, decodeProgram(buffer));
  }

  /** @param values Length `parameters`; at first all are 0. @throws {RangeError} If the length differs. */
  setParameters(values: ArrayLike<number>): void {
    if (values.length !== this.parameters) {
      throw new RangeError(`Got ${values.length} parameters, expected ${this.parameters}`);
    }
    this.#work.values.set(values, this.variables);
    runForward(this.#work, 0, this.#program.fixed, noCalls);
    this.#forget();
  }

  /**
   * Scale of each input of call `opaque`: differences are taken at ± 2^-10 of it. Default max(1, |input|).
   * @param scale Length of the call's inputs; where it is not positive the default is used.
   */
  setOpaqueScale(opaque: number, scale: ArrayLike<number>): void {
    this.#opaqueBuffers[opaque].scale.set(scale);
    this.#forget();
  }

  /** Says that the code of call `opaque` tells its Jacobian: no differences are taken where all of it is finite. */
  setOpaqueJacobian(opaque: number): void {
    this.#opaqueBuffers[opaque].tellsJacobian = true;
    this.#forget();
  }

  /** @param x Length `variables`. @param out Overwritten with outputs 0 … out.length − 1. */
  value(x: Float64Array, out: Float64Array): void {
    this.#run(x, out.length);
    for (let k = 0; k < out.length; k++) out[k] = this.#work.values[this.#program.outputSlots[k]];
  }

  /** Output k where it depends on parameters only, without an evaluation; else NaN. */
  fixedOutput(k: number): number {
    const { code, fixed, slots } = this.#program;
    const slot = this.#program.outputSlots[k];
    const varying = fixed * WIDTH < code.length ? code[fixed * WIDTH + 1] : slots;
    return slot >= this.variables && slot < varying ? this.#work.values[slot] : NaN;
  }

  /** Gradient of Σ w_k·output_k. @param weights One an output. @param g Length `variables`; overwritten. */
  gradient(x: Float64Array, weights: Float64Array, g: Float64Array): void {
    const count = weighted(weights);
    this.#run(x, count);
    this.#bend(count);
    this.#reverse(weights, count);
    for (let i = 0; i < this.variables; i++) g[i] = this.#work.adjoints[i];
  }

  /** Gradients of outputs first … first + count − 1. @param jac count × variables, row-major; overwritten. */
  jacobian(x: Float64Array, first: number, count: number, jac: Float64Array): void {
    const needed = first + count;
    this.#run(x, needed);
    this.#bend(needed);
    const n = this.variables;
    const { adjoints, tangents, directions: { low, high, place } } = this.#work;
    const { outputSlots } = this.#program;
    if (!this.#secondOrder && count * 3 < n && this.#tangent < this.#end(this.#liveEnds, needed)) {
      for (let k = 0; k < count; k++) {
        adjoints.fill(0);
        adjoints[outputSlots[first + k]] = 1;
        runAdjoints(this.#work, this.#end(this.#liveEnds, first + k + 1));
        for (let i = 0; i < n; i++) jac[k * n + i] = adjoints[i];
      }
      return;
    }
    this.#advanceTangents(needed);
    jac.fill(0, 0, count * n);
    for (let k = 0; k < count; k++) {
      const slot = outputSlots[first + k];
      for (let i = low[slot], t = place[slot]; i < high[slot]; i++, t++) jac[k * n + i] = tangents[t];
    }
  }

  /** Hessian of Σ w_k·output_k. @param h variables × variables, row-major, symmetric; overwritten. */
  hessian(x: Float64Array, weights: Float64Array, h: Float64Array): void {
    const count = weighted(weights);
    const n = this.variables;
    this.#secondOrder = true;
    this.#run(x, count);
    this.#bend(count);
    this.#advanceTangents(count);
    this.#reverse(weights, count);
    h.fill(0, 0, n * n);
    addCurvature(this.#work, this.#end(this.#curvedEnds, count), h);
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) h[j * n + i] = h[i * n + j];
  }

  /**
   * Values at many points, for a caller that answers opaque calls in its own time: `next()` gives a batch, `supply()`
   * takes its answers, until `next()` gives undefined and `out` is filled. One user at a time; `value` in between is allowed.
   * @param X count × variables, row-major. @param out count × outputs, row-major.
   */
  stages(X: Float64Array, count: number, out: Float64Array): Stages {
    this.#forget();
    return new Stages(this.#work, X, count, out, () => this.#forget());
  }

  /** Bounds of every output over the box lo ≤ x ≤ hi, for the present parameters; see interval.ts. */
  intervals(lo: Float64Array, hi: Float64Array): Intervals {
    return runIntervals(this.#program, this.#work.values, lo, hi);
  }

  #forget(): void {
    this.#valued = this.#program.fixed;
    this.#bent = this.#tangent = 0;
    this.#differenced.fill(0);
  }

  #run(x: Float64Array, outputs: number): void {
    const { values } = this.#work;
    let same = true;
    for (let i = 0; i < this.variables; i++) {
      if (values[i] === x[i]) continue;
      values[i] = x[i];
      same = false;
    }
    if (!same) this.#forget();
    const end = this.#end(this.#program.outputEnds, outputs);
    if (this.#valued >= end) return;
    runForward(this.#work, this.#valued, end, this.#fill);
    this.#valued = end;
  }

  #bend(outputs: number): void {
    const end = this.#end(this.#curvedEnds, outputs);
    if (this.#bent < end) {
      runPartials(this.#work, this.#bent, end);
      this.#bent = end;
    }
    const done = this.#end(this.#program.outputEnds, outputs) * WIDTH;
    for (let k = 0; k < this.#opaqueAt.length && this.#opaqueAt[k] < done; k++) {
      if (this.#differenced[k] === 0) this.#difference(k);
    }
  }

  #advanceTangents(outputs: number): void {
    const end = this.#end(this.#liveEnds, outputs);
    if (this.#tangent >= end) return;
    runTangents(this.#work, this.#tangent, end);
    this.#tangent = end;
  }

  #reverse(weights: Float64Array, count: number): void {
    const { adjoints } = this.#work;
    adjoints.fill(0);
    for (let k = 0; k < count; k++) adjoints[this.#program.outputSlots[k]] += weights[k];
    runAdjoints(this.#work, this.#end(this.#liveEnds, count));
  }

  #end(ends: Int32Array, outputs: number): number {
    return outputs === 0 ? 0 : ends[outputs - 1];
  }

  readonly #fill = (call: number, inputSlot: number, outputSlot: number): void => {
    const { values } = this.#work;
    const { outputs } = this.opaques[call];
    const answers = this.#ask(call, inputSlot, this.differencesWithValue);
    for (let i = 0; i < outputs; i++) values[outputSlot + i] = answers === undefined ? NaN : answers[i];
  };

  #difference(call: number): void {
    this.#ask(call, this.#program.code[this.#opaqueAt[call] + 3], true);
  }

  /** Asks for the value at the point; with derivatives the call's Jacobian is up to date afterwards. */
  #ask(call: number, inputSlot: number, derivatives: boolean): Float64Array | undefined {
    const buffer = this.#opaqueBuffers[call];
    const jacobian = this.#work.jacobians[call];
    fillDifferences(buffer, this.#work.values, inputSlot);
    if (!derivatives) return this.#answer(buffer, 1);
    this.#differenced[call] = 1;
    if (buffer.tellsJacobian) {
      const told = this.#answer(buffer, 1, true);
      if (told === undefined) jacobian.fill(NaN);
      if (told === undefined || readJacobian(buffer.call, told, jacobian)) return told;
    }
    const answers = this.#answer(buffer, 1 + 2 * buffer.call.inputs);
    if (answers === undefined) jacobian.fill(NaN);
    else readDifferences(buffer, answers, jacobian);
    return answers;
  }

  /** The first `count` points of the call's batch. */
  #answer(buffer: OpaqueBuffer, count: number, jacobians = false): Float64Array | undefined {
    const { skill, inputs, outputs } = buffer.call;
    if (this.evaluate === undefined) return undefined;
    try {
      const answers = this.evaluate(skill, buffer.batch.subarray(0, count * inputs), count, jacobians);
      return answers.length === count * outputs * (jacobians ? 1 + inputs : 1) ? answers : undefined;
    } catch (error) {
      this.evaluateError = error;
      return undefined;
    }
  }
}

/** How many outputs have to be computed: up to the last weight that is not 0. */
function weighted(weights: Float64Array): number {
  let count = weights.length;
  while (count > 0 && weights[count - 1] === 0) count--;
  return count;
}

function countBefore(positions: Int32Array, ends: Int32Array): Int32Array {
  return ends.map((end) => {
    let count = 0;
    while (count < positions.length && positions[count] < end * WIDTH) count++;
    return count;
  });
}

function opaquePositions(program: Program): Int32Array {
  const positions: number[] = [];
  for (let at = 0; at < program.code.length; at += WIDTH) {
    if (program.code[at] as OpCode === CODE.opaque) positions.push(at);
  }
  return Int32Array.from(positions);
}

function noCalls(): void {
  // nothing that depends on parameters only is an opaque call
}
