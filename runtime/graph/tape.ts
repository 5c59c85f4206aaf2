import type { Forest } from "./forest.ts";
import { findInfluence, NONE, RISING } from "./influence.ts";
import { BoxBounds, type Intervals, runIntervals } from "./interval.ts";
import { neededFor } from "./needed.ts";
import {
  type EvaluateOpaque,
  fillDifferences,
  newOpaqueBuffer,
  type OpaqueBuffer,
  readDifferences,
  readJacobian,
} from "./opaque_calls.ts";
import { decodeProgram, type OpaqueCall, type Program, WIDTH } from "./program.ts";
import type { Plan } from "./plan.ts";
import { type OpaqueAnswer, Stages } from "./stages.ts";
import { localMachine, type MachineMaker, type TapeMachine } from "./tape_machine.ts";
import { planOf } from "./tape_plan.ts";

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
  /** Numbers of scalar variables, parameters, outputs. */
  readonly variables: number;
  readonly parameters: number;
  readonly outputs: number;
  /** The calls of foreign code, in the order in which they are evaluated. */
  readonly opaques: readonly OpaqueCall[];

  /** Answers opaque calls in value and derivatives; without it they are NaN. What it throws is kept in `evaluateError`. */
  evaluate: EvaluateOpaque | undefined = undefined;
  /** What `evaluate` threw last. The caller resets it. */
  evaluateError: unknown = undefined;
  /** Asks for derivatives together with every value of foreign code, so that both are one batch. Default false. */
  differencesWithValue = false;

  /** Where it runs. */
  readonly machine: TapeMachine;
  readonly #program: Program;
  readonly #plan: Plan;
  readonly #opaqueBuffers: readonly OpaqueBuffer[];
  /** What intervals of some outputs need, by which these are. */
  readonly #needed = new Map<number, Int32Array>();
  /** Answers opaque calls in the place of `evaluate`. */
  #answering: OpaqueAnswer | undefined;

  private constructor(buffer: ArrayBuffer, program: Program, machineOf: MachineMaker) {
    this.buffer = buffer;
    this.variables = program.variables;
    this.parameters = program.parameters;
    this.outputs = program.outputSlots.length;
    this.opaques = program.opaques;
    this.#program = program;
    this.#opaqueBuffers = program.opaques.map(newOpaqueBuffer);
    this.#plan = planOf(program);
    this.machine = machineOf(this.#plan, {
      call: (call, input, output) => this.#fill(call, input, output),
      difference: (call) => this.#ask(call, this.#plan.code[this.#plan.opaqueAt[call] + 3], true),
    });
    this.machine.begin();
  }

  /**
   * @param machineOf Where it is to run. Default: here.
   * @throws {GraphError} TAPE: another version, or a buffer that is no tape.
   */
  static decode(buffer: ArrayBuffer, machineOf: MachineMaker = localMachine): Tape {
    return new Tape(buffer, decodeProgram(buffer), machineOf);
  }

  /** @param values Length `parameters`; at first all are 0. @throws {RangeError} If the length differs. */
  setParameters(values: ArrayLike<number>): void {
    if (values.length !== this.parameters) {
      throw new RangeError(`Got ${values.length} parameters, expected ${this.parameters}`);
    }
    this.machine.values.set(values, this.variables);
    this.machine.begin();
  }

  /**
   * Scale of each input of call `opaque`: differences are taken at ± 2^-10 of it. Default max(1, |input|).
   * @param scale Length of the call's inputs; where it is not positive the default is used.
   */
  setOpaqueScale(opaque: number, scale: ArrayLike<number>): void {
    this.#opaqueBuffers[opaque].scale.set(scale);
    this.machine.forget();
  }

  /** Says that the code of call `opaque` tells its Jacobian: no differences are taken where all of it is finite. */
  setOpaqueJacobian(opaque: number): void {
    this.#opaqueBuffers[opaque].tellsJacobian = true;
    this.machine.forget();
  }

  /** @param x Length `variables`. @param out Overwritten with outputs 0 … out.length − 1. */
  value(x: Float64Array, out: Float64Array): void {
    this.machine.value(x, out);
  }

  /** Output k where it depends on parameters only, without an evaluation; else NaN. */
  fixedOutput(k: number): number {
    const { code, fixed, slots } = this.#program;
    const slot = this.#program.outputSlots[k];
    const varying = fixed * WIDTH < code.length ? code[fixed * WIDTH + 1] : slots;
    return slot >= this.variables && slot < varying ? this.machine.values[slot] : NaN;
  }

  /** Gradient of Σ w_k·output_k. @param weights One an output. @param g Length `variables`; overwritten. */
  gradient(x: Float64Array, weights: Float64Array, g: Float64Array): void {
    this.machine.gradient(x, weights, g);
  }

  /** Gradients of outputs first … first + count − 1. @param jac count × variables, row-major; overwritten. */
  jacobian(x: Float64Array, first: number, count: number, jac: Float64Array): void {
    this.machine.jacobian(x, first, count, jac);
  }

  /** Hessian of Σ w_k·output_k. @param h variables × variables, row-major, symmetric; overwritten. */
  hessian(x: Float64Array, weights: Float64Array, h: Float64Array): void {
    this.machine.hessian(x, weights, h);
  }

  /**
   * Values at many points, for a caller that answers opaque calls in its own time: `next()` gives a batch, `supply()`
   * takes its answers, until `next()` gives undefined and `out` is filled. One user at a time; `value` in between is allowed.
   * @param X count × variables, row-major. @param out count × outputs, row-major.
   */
  stages(X: Float64Array, count: number, out: Float64Array): Stages {
    return new Stages(this.#program, X, count, out, (x, to, answer) => {
      this.#answering = answer;
      this.machine.values.set(x);
      this.machine.forward(to);
      this.#answering = undefined;
      return this.machine.values;
    });
  }

  /** Bounds of the outputs over many boxes, for the present parameters. @param known See {@linkcode BoxBounds}. */
  boxBounds(known = 0): BoxBounds {
    return new BoxBounds(this.#program, this.machine.values, known);
  }

  /** How output `k` depends on each variable in the box of the last run of `bounds`, which are this tape's. */
  signs(k: number, bounds: BoxBounds): Uint8Array {
    const roots = Array.from({ length: this.outputs }, (_, output) => (output === k ? RISING : NONE));
    return findInfluence(this.#program, roots, bounds.memory).signs.subarray(0, this.variables);
  }

  /** The forests of trees in it, in the order of the code. */
  get forests(): readonly Forest[] {
    return this.#program.forests;
  }

  /** Bounds of outputs first … first + count − 1 (default: all) over the box lo ≤ x ≤ hi, for the present parameters; see interval.ts. */
  intervals(lo: Float64Array, hi: Float64Array, first = 0, count = this.outputs - first): Intervals {
    const key = first * (this.outputs + 1) + count;
    let needed = this.#needed.get(key);
    if (needed === undefined) this.#needed.set(key, needed = neededFor(this.#program, first, count));
    return runIntervals(this.#program, this.machine.values, lo, hi, first, count, needed);
  }

  #fill(call: number, input: number, output: number): void {
    const { outputs } = this.opaques[call];
    const answers = this.#answering?.(call) ?? this.#ask(call, input, this.differencesWithValue);
    const { values } = this.machine;
    for (let i = 0; i < outputs; i++) values[output + i] = answers === undefined ? NaN : answers[i];
  }

  /** Asks for the value at the point; with derivatives the call's Jacobian is up to date afterwards. */
  #ask(call: number, input: number, derivatives: boolean): Float64Array | undefined {
    const buffer = this.#opaqueBuffers[call];
    fillDifferences(buffer, this.machine.values, input);
    if (!derivatives) return this.#answer(buffer, 1);
    const { jacobianAt } = this.#plan;
    const jacobian = this.machine.jacobians.subarray(jacobianAt[call], jacobianAt[call + 1]);
    this.machine.differenced[call] = 1;
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
