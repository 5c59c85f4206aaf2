/** In the kernel: one life of a cell with the calls that it works on. Each of them is answered, or ends with the life. */
import type { Clock } from "../clock.ts";
import type { SetpointError } from "../errors.ts";
import type { LogLine } from "../graph/plugin_log.ts";
import { SkillError } from "../graph/skill.ts";
import { answerError, callFailed, type CallLabel } from "./call_errors.ts";
import { type CellEnd, CellProcess } from "./cell_process.ts";
import type { CellRecord } from "./cell_record.ts";
import type { Limits } from "./limits.ts";
import type { CallMessage, FromCell, SpawnMessage } from "./protocol.ts";
import type { SdkExtent } from "./sdk_extent.ts";

/** Evaluates somebody else's code for an optimizer, within the given time. */
export type AnswerAsk = (
  ask: Pick<AskFrame, "opaque" | "batch" | "count" | "jacobians">,
  deadlineMs: number,
) => Promise<Float64Array>;

export interface CallOptions {
  readonly worker: number;
  readonly label: CallLabel;
  /** Monotonic ms at which the cell is killed. */
  readonly deadline: number;
  /** How the deadline is told, ms. */
  readonly deadlineMs: number;
  /** Makes the message for the present life: each life knows only what it was told itself. */
  readonly message: (life: number) => CallMessage;
  /** Only an optimizer's run may ask. */
  readonly answerAsk?: AnswerAsk;
  /** Aborting tells the plugin, which has `graceMs` to come back; then its cell is killed. */
  readonly signal?: AbortSignal;
}

/** A worker that every life has, and what it said of itself when it was spawned last. */
export interface Spawn {
  readonly message: SpawnMessage;
  readonly label: CallLabel;
  described: unknown;
}

export interface LifeOptions {
  /** From 1. */
  readonly number: number;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly denoDir?: string;
  /** As {@linkcode CellProcessOptions.sdk}. */
  readonly sdk?: SdkExtent;
  /** As {@linkcode CellProcessOptions.entry}. */
  readonly entry?: string;
  readonly record: CellRecord;
  /** By number of the worker; undefined: it never came to be. */
  readonly spawns: readonly (Spawn | undefined)[];
  /** Called for every line that a plugin says, with the call that its worker is at. */
  readonly onLine: (line: LogLine, label: CallLabel) => void;
  /** Called before it counts as usable. */
  readonly prepare: () => Promise<unknown>;
  /** Called once; the calls that it worked on are settled by then. */
  readonly onEnd: (end: CellEnd) => void;
}

type AskFrame = Extract<FromCell, { t: "ask" }>;
type LogFrame = Extract<FromCell, { t: "log" }>;
type Frame = Extract<FromCell, { t: "answer" }> | AskFrame | LogFrame;

interface Pending extends CallOptions {
  readonly call: number;
  settle(error: unknown, value?: unknown): void;
  stopTimer: () => void;
  asking: boolean;
}

export class CellLife {
  readonly number: number;
  readonly process: CellProcess;
  /** Resolves when all workers are ready; rejects when it dies before. */
  readonly usable: Promise<void>;
  /** Its end was counted as a failure already. */
  struck = false;
  /** It was ended for want of work. */
  rested = false;
  readonly #options: LifeOptions;
  readonly #pending = new Map<number, Pending>();
  /** By worker. */
  readonly #spawned = new Map<number, Promise<void>>();
  #ready = false;
  #over = false;
  /** Whose fault the end is. */
  #culprit: Pending | undefined;
  #stopIdle = () => {};

  constructor(options: LifeOptions) {
    const { number, clock, limits, denoDir, sdk, entry, spawns, prepare } = options;
    this.#options = options;
    this.number = number;
    const process = this.process = new CellProcess({
      clock,
      limits,
      denoDir,
      sdk,
      entry,
      onFrame: (frame) => this.#receive(frame),
      onEnd: (end) => this.#ended(end),
    });
    const stop = clock.after(limits.startMs, () => process.kill(`not ready within ${limits.startMs} ms`));
    this.usable = process.ready
      .then(() => Promise.all(spawns.map((spawn, worker) => spawn && this.spawn(worker))))
      .then(prepare)
      .then(() => {
        this.#ready = true;
        this.#awaitWork();
      })
      .finally(stop);
    this.usable.catch((error) => process.kill(`not started: ${(error as Error).message}`));
  }

  get ready(): boolean {
    return this.#ready;
  }

  get busy(): boolean {
    return this.#pending.size > 0;
  }

  /** Once a worker. */
  spawn(worker: number): Promise<void> {
    let spawned = this.#spawned.get(worker);
    if (spawned === undefined) this.#spawned.set(worker, spawned = this.#spawn(worker));
    return spawned;
  }

  async #spawn(worker: number): Promise<void> {
    const { clock, limits, spawns } = this.#options;
    const spawn = spawns[worker]!;
    spawn.described = await this.send({
      worker,
      label: spawn.label,
      deadline: clock.monotonic() + limits.startMs,
      deadlineMs: limits.startMs,
      message: () => ({ method: "spawn", spawn: spawn.message }),
    });
  }

  /** Ends it until there is work again. */
  rest(): void {
    this.rested = true;
    this.process.kill("there is nothing to do");
  }

  /** @throws {SetpointError} PLUGIN_* and FRAME_* @throws {SkillError} What the plugin says of its skill. */
  send(options: CallOptions): Promise<unknown> {
    const { clock, limits, record } = this.#options;
    const { label, worker, signal, deadlineMs } = options;
    if (this.#over) {
      return Promise.reject(callFailed("PLUGIN_DIED", label, `its cell died: ${record.lastFailure}`));
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    const call = record.called();
    const began = clock.monotonic();
    this.#stopIdle();
    return new Promise((resolve, reject) => {
      const abort = () => {
        this.process.send({ t: "cancel", worker, call });
        pending.stopTimer();
        pending.stopTimer = clock.after(
          limits.graceMs,
          () => late(`${limits.graceMs} ms after its cancellation`),
        );
      };
      const late = (limit: string) => {
        this.#culprit = pending;
        this.process.kill(`exceeded ${limit} in ${label.method} of "${label.plugin}"`);
      };
      const pending: Pending = {
        ...options,
        call,
        asking: false,
        stopTimer: clock.after(
          Math.max(0, options.deadline - clock.monotonic()),
          () => late(`${Math.round(deadlineMs)} ms`),
        ),
        settle: (error, value) => {
          pending.stopTimer();
          signal?.removeEventListener("abort", abort);
          this.#pending.delete(call);
          record.settled(label.method, clock.monotonic() - began);
          this.#awaitWork();
          if (error === undefined) resolve(value);
          else reject(error);
        },
      };
      this.#pending.set(call, pending);
      signal?.addEventListener("abort", abort, { once: true });
      try {
        this.process.send({ t: "call", worker, call, message: options.message(this.number) });
      } catch (error) {
        pending.settle(callFailed("FRAME_TOO_LARGE", label, (error as Error).message));
      }
    });
  }

  #awaitWork(): void {
    const { clock, limits } = this.#options;
    if (limits.idleMs === Infinity || this.#over || !this.#ready || this.busy) return;
    this.#stopIdle();
    this.#stopIdle = clock.after(limits.idleMs, () => this.rest());
  }

  #receive(frame: Frame): void {
    if (frame.t === "log") return this.#say(frame);
    const { record } = this.#options;
    const pending = this.#pending.get(frame.call);
    if (pending === undefined || pending.worker !== frame.worker) {
      return this.process.kill("sent an answer to nothing that was asked", "FRAME_INVALID");
    }
    if (frame.t === "ask") return this.#answerAsk(pending, frame);
    if (frame.ok) {
      record.succeeded(pending.label.method);
      return pending.settle(undefined, frame.value);
    }
    const error = answerError(frame.error, pending.label);
    pending.settle(error);
    if (!(error instanceof SkillError) && error.code !== "EVALUATION_FAILED") record.failed(error.message);
    if (!record.exhausted) return;
    this.struck = true;
    this.process.kill(record.lastFailure);
  }

  #say(frame: LogFrame): void {
    const at = [...this.#pending.values()].find(({ worker }) => worker === frame.worker);
    const label = at?.label ?? this.#options.spawns[frame.worker]?.label;
    if (label === undefined) return this.process.kill("spoke for nobody", "FRAME_INVALID");
    this.#options.onLine(frame, label);
  }

  #answerAsk(pending: Pending, frame: AskFrame): void {
    const { clock } = this.#options;
    if (pending.answerAsk === undefined || pending.asking) {
      this.#culprit = pending;
      return this.process.kill("called out, which it may not", "FRAME_INVALID");
    }
    const { worker, ask } = frame;
    pending.asking = true;
    const supply = (values: Float64Array | null, error: string) => {
      pending.asking = false;
      if (!this.#over) this.process.send({ t: "supply", worker, ask, values, error });
    };
    pending.answerAsk(frame, pending.deadline - clock.monotonic()).then(
      (values) => supply(values, ""),
      (error) => supply(null, (error as Error).message.slice(0, 1_000)),
    );
  }

  #ended(end: CellEnd): void {
    this.#over = true;
    this.#stopIdle();
    for (const pending of [...this.#pending.values()]) pending.settle(this.#endError(pending, end));
    this.#options.onEnd(end);
  }

  #endError(pending: Pending, end: CellEnd): SetpointError {
    const { label } = pending;
    if (pending !== this.#culprit) return callFailed(end.code, label, `its cell died: ${end.reason}`);
    if (end.code !== "PLUGIN_DIED") return callFailed(end.code, label, end.reason);
    return callFailed("PLUGIN_TIMEOUT", label, `exceeded ${Math.round(pending.deadlineMs)} ms`);
  }
}
