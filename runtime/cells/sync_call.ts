/**
 * In an optimizer's worker: somebody else's code, called as if it were a function. The worker posts its batch and sleeps
 * on shared memory until its cell has the answer from the kernel; a cancel wakes it too.
 */
import { CONTROL, STATE, type WorkerAsk } from "./protocol.ts";

/** Failures of one run after which it is over, whatever they were. */
const MOST_FAILURES = 3;

/** Taken before the plugin's world is, where it does not stay. */
const SharedMemory = SharedArrayBuffer;

/** Foreign code gave no answer. */
export class EvaluationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "EvaluationError";
  }
}

export interface SyncCallOptions {
  readonly control: Int32Array;
  readonly post: (ask: WorkerAsk) => void;
}

export class SyncCall {
  readonly #control: Int32Array;
  readonly #post: (ask: WorkerAsk) => void;
  #data = new SharedMemory(64 * 1024);
  #ask = 0;
  #call = 0;
  #succeeded = 0;
  #failures = 0;
  #fatal: EvaluationError | undefined;

  constructor({ control, post }: SyncCallOptions) {
    this.#control = control;
    this.#post = post;
  }

  /** @param call The number of the run that the following evaluations belong to. */
  begin(call: number): void {
    this.#call = call;
    this.#succeeded = this.#failures = 0;
    this.#fatal = undefined;
  }

  /** Why the run cannot go on: its first evaluation failed, or a third one. */
  get fatal(): EvaluationError | undefined {
    return this.#fatal;
  }

  cancelled(): boolean {
    return this.#fatal !== undefined || Atomics.load(this.#control, CONTROL.cancelled) === this.#call;
  }

  /** @param outputs Numbers of the answer. @throws {EvaluationError} */
  evaluate(
    opaque: number,
    batch: Float64Array,
    count: number,
    outputs: number,
    jacobians: boolean,
  ): Float64Array {
    if (this.#fatal !== undefined) throw this.#fatal;
    if (this.cancelled()) throw new EvaluationError("the run was cancelled");
    try {
      const answer = this.#wait(opaque, batch, count, outputs, jacobians);
      this.#succeeded++;
      return answer;
    } catch (error) {
      const failure = error as EvaluationError;
      this.#failures++;
      if (this.#succeeded === 0 || this.#failures >= MOST_FAILURES) this.#fatal = failure;
      throw failure;
    }
  }

  #wait(
    opaque: number,
    batch: Float64Array,
    count: number,
    expected: number,
    jacobians: boolean,
  ): Float64Array {
    const floats = Math.max(batch.length, expected);
    if (this.#data.byteLength < floats * 8) this.#data = new SharedMemory(floats * 8);
    const shared = new Float64Array(this.#data);
    shared.set(batch);
    const ask = ++this.#ask;
    Atomics.store(this.#control, CONTROL.ask, ask);
    Atomics.store(this.#control, CONTROL.state, STATE.waiting);
    // a plugin gives these: whatever they are, they leave as numbers
    const numbers = { opaque: +opaque, count: +count, inputs: +batch.length, outputs: +expected };
    this.#post({ call: this.#call, ask, ...numbers, jacobians: jacobians === true, data: this.#data });
    while (Atomics.load(this.#control, CONTROL.state) === STATE.waiting) {
      if (this.cancelled()) throw new EvaluationError("the run was cancelled");
      Atomics.wait(this.#control, CONTROL.state, STATE.waiting, 1_000);
    }
    if (Atomics.load(this.#control, CONTROL.state) === STATE.failed) {
      const bytes = new Uint8Array(this.#data).slice(0, Atomics.load(this.#control, CONTROL.errorBytes));
      throw new EvaluationError(new TextDecoder().decode(bytes));
    }
    return shared.slice(0, expected);
  }
}
