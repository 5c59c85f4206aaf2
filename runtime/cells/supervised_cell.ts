/**
 * In the kernel: a cell over all its lives. It is started, restarted with back-off when it dies, and shut out for a while
 * when nothing but failures comes of it. Who waits for an answer always gets one, or an error that says why not.
 */
import type { Clock } from "../clock.ts";
import { SetpointError } from "../errors.ts";
import { SkillError } from "../graph/skill.ts";
import { answerError, callFailed, type CallLabel } from "./call_errors.ts";
import { type CellEnd, CellProcess } from "./cell_process.ts";
import { CallTimes } from "./call_times.ts";
import { type Limits, shownLimits } from "./limits.ts";
import type { CallMessage, FromCell, Method, SpawnMessage } from "./protocol.ts";

export type LogLevel = "debug" | "info" | "warning" | "error";
export type CellLog = (level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>) => void;
export type CellState = "starting" | "ready" | "busy" | "quarantined" | "dead";

export interface CellOptions {
  /** Unique among the cells of a host. */
  readonly id: string;
  readonly clock: Clock;
  readonly log: CellLog;
  readonly limits: Limits;
  /** Where Deno keeps compiled sources. */
  readonly denoDir?: string;
}

/** Evaluates somebody else's code for an optimizer, within the given time. */
export type AnswerAsk = (
  opaque: number,
  batch: Float64Array,
  count: number,
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

/** What a plugin is for: one that only starts well, and fails at these, fails. */
const WORK: ReadonlySet<Method> = new Set<Method>([
  "lower",
  "sequence",
  "evaluate",
  "optimize",
  "onnxEvaluate",
]);

const HOUR_MS = 3_600_000;

type Wait = Pick<CallOptions, "label" | "deadline" | "deadlineMs" | "signal">;
interface Pending extends CallOptions {
  readonly call: number;
  settle(error: unknown, value?: unknown): void;
  stopTimer: () => void;
  asking: boolean;
}

interface Life {
  readonly number: number;
  readonly process: CellProcess;
  readonly pending: Map<number, Pending>;
  /** Resolves when all workers are ready; rejects when it dies before. */
  readonly usable: Promise<void>;
  /** By worker. */
  readonly spawned: Map<number, Promise<void>>;
  ready: boolean;
  over: boolean;
  /** Its end was counted as a failure already. */
  struck: boolean;
  /** It was ended for want of work. */
  rested: boolean;
  /** Whose fault the end is. */
  culprit: Pending | undefined;
}

interface Spawn {
  readonly message: SpawnMessage;
  readonly label: CallLabel;
  described: unknown;
}

export class SupervisedCell {
  readonly id: string;
  readonly #options: CellOptions;
  /** By number of the worker; undefined: it never came to be. */
  readonly #spawns: (Spawn | undefined)[] = [];
  /** Called in each new life before it counts as usable, to tell it again what it must know. */
  prepare: (life: number) => Promise<unknown> = () => Promise.resolve();
  #life: Life | undefined;
  #lives = 0;
  #calls = 0;
  #failures = 0;
  /** Failures since the last success. */
  #strikes = 0;
  #lastFailure = "";
  #quarantinedUntil = 0;
  readonly #times = new CallTimes();
  /** Of the last hour, monotonic ms; rests do not count. */
  #starts: number[] = [];
  #wakeUp: (() => void) | undefined;
  #sleeping: Promise<void> | undefined;
  #closed = false;
  /** No process, because there was nothing to do: the next call starts one. */
  #resting = false;
  #rests = 0;
  #stopIdle = () => {};
  readonly #ending = new Set<Promise<void>>();

  constructor(options: CellOptions) {
    this.id = options.id;
    this.#options = options;
  }

  get state(): CellState {
    if (this.#quarantined()) return "quarantined";
    const life = this.#life;
    if (life === undefined) {
      return this.#resting ? "ready" : this.#sleeping === undefined ? "dead" : "starting";
    }
    if (!life.ready) return "starting";
    return life.pending.size > 0 ? "busy" : "ready";
  }

  get pid(): number | null {
    return this.#life?.process.pid ?? null;
  }

  get rss(): number | null {
    return this.#life?.process.rss ?? null;
  }

  /** The number of the life that takes calls; undefined while there is none. */
  get usableLife(): number | undefined {
    return this.#life?.ready ? this.#life.number : undefined;
  }

  /** Lives after the first, but for those after a rest. */
  get restarts(): number {
    return Math.max(0, this.#lives - 1 - this.#rests);
  }

  get calls(): number {
    return this.#calls;
  }

  get failures(): number {
    return this.#failures;
  }

  /** What people want to see of it. */
  figures() {
    return {
      limits: shownLimits(this.#options.limits),
      p50_ms: this.#times.quantile(0.5),
      p99_ms: this.#times.quantile(0.99),
      last_failure: this.#lastFailure === "" ? null : this.#lastFailure,
      starts_last_hour: this.#startsLately().length,
      heartbeat_age_ms: this.#life?.process.heartbeatAge ?? null,
    };
  }

  #startsLately(): number[] {
    const since = this.#options.clock.monotonic() - HOUR_MS;
    return this.#starts = this.#starts.filter((start) => start > since);
  }

  /** Adds a worker to this life and all later ones; gives its number and what it says of itself. */
  async addWorker(message: SpawnMessage, label: CallLabel): Promise<{ worker: number; described: unknown }> {
    const spawn: Spawn = { message, label, described: undefined };
    const worker = this.#spawns.push(spawn) - 1;
    try {
      const life = this.#life ?? this.#begin();
      await life.process.ready;
      await this.#spawn(life, worker);
      await life.usable;
    } catch (error) {
      this.#spawns[worker] = undefined;
      if (error instanceof SetpointError) throw error;
      throw callFailed("PLUGIN_DIED", label, (error as Error).message);
    }
    return { worker, described: spawn.described };
  }

  /** @throws {SetpointError} PLUGIN_* and FRAME_* @throws {SkillError} What the plugin says of its skill. */
  async call(options: CallOptions): Promise<unknown> {
    const life = await this.#usable(options);
    return await this.#send(life, options);
  }

  /** Ends the process for good. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopIdle();
    this.#wakeUp?.();
    const process = this.#life?.process;
    if (process !== undefined) await process.close();
    await Promise.all(this.#ending);
  }

  /** Ends the present process: the next one starts with clean memory. */
  recycle(reason: string): void {
    this.#life?.process.kill(reason);
  }

  /** Ends the present process until there is a call again. */
  rest(): void {
    const life = this.#life;
    if (life === undefined || life.pending.size > 0) return;
    life.rested = true;
    life.process.kill("there is nothing to do");
  }

  #quarantined(): boolean {
    return this.#options.clock.monotonic() < this.#quarantinedUntil;
  }

  /** Waits until it takes calls, but not past the deadline. @throws As `call`. */
  awake = (wait: Wait): Promise<unknown> => this.#usable(wait);

  async #usable(options: Wait): Promise<Life> {
    const { clock } = this.#options;
    for (;;) {
      if (this.#closed) throw callFailed("PLUGIN_DIED", options.label, "its cell is closed");
      if (this.#quarantined()) {
        const seconds = Math.ceil((this.#quarantinedUntil - clock.monotonic()) / 1000);
        const why =
          `in quarantine for ${seconds} s more after ${this.#strikes} failures in a row, the last: ${this.#lastFailure}`;
        throw callFailed("PLUGIN_QUARANTINED", options.label, why);
      }
      if (this.#life?.ready) return this.#life;
      const ready = this.#life?.usable ?? this.#sleeping ?? this.#begin().usable;
      await this.#before(options, ready.catch(() => {}));
    }
  }

  /** Waits, but not past the deadline. */
  #before({ deadline, deadlineMs, label, signal }: Wait, wait: Promise<unknown>): Promise<void> {
    const { clock } = this.#options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const stop = clock.after(Math.max(0, deadline - clock.monotonic()), () => {
        const last = this.#lastFailure === "" ? "" : `; its last failure: ${this.#lastFailure}`;
        reject(
          callFailed("PLUGIN_TIMEOUT", label, `exceeded ${deadlineMs} ms while its cell was starting${last}`),
        );
      });
      wait.then(() => {
        stop();
        resolve();
      });
    });
  }

  #begin(): Life {
    const { clock, limits, denoDir } = this.#options;
    const pending = new Map<number, Pending>();
    const process = new CellProcess({
      clock,
      limits,
      denoDir,
      onFrame: (frame) => this.#receive(life, frame),
      onEnd: (end) => this.#ended(life, end),
    });
    const number = ++this.#lives;
    if (this.#resting) this.#rests++;
    else this.#starts.push(clock.monotonic());
    this.#resting = false;
    const stop = clock.after(limits.startMs, () => process.kill(`not ready within ${limits.startMs} ms`));
    const usable = process.ready
      .then(() => Promise.all(this.#spawns.map((spawn, worker) => spawn && this.#spawn(life, worker))))
      .then(() => this.prepare(number))
      .then(() => {
        life.ready = true;
        this.#awaitWork(life);
      })
      .finally(stop);
    usable.catch((error) => process.kill(`not started: ${(error as Error).message}`));
    const life: Life = {
      number,
      process,
      pending,
      usable,
      spawned: new Map(),
      ready: false,
      over: false,
      struck: false,
      rested: false,
      culprit: undefined,
    };
    this.#life = life;
    return life;
  }

  /** Once a life and worker. */
  #spawn(life: Life, worker: number): Promise<void> {
    let spawned = life.spawned.get(worker);
    if (spawned === undefined) {
      life.spawned.set(worker, spawned = this.#sendSpawn(life, worker, this.#spawns[worker]!));
    }
    return spawned;
  }

  async #sendSpawn(life: Life, worker: number, spawn: Spawn): Promise<void> {
    const { clock, limits } = this.#options;
    spawn.described = await this.#send(life, {
      worker,
      label: spawn.label,
      deadline: clock.monotonic() + limits.startMs,
      deadlineMs: limits.startMs,
      message: () => ({ method: "spawn", spawn: spawn.message }),
    });
  }

  /** A call in a life that may not be usable by others yet. */
  callIn(life: number, options: CallOptions): Promise<unknown> {
    if (this.#life?.number !== life) {
      return Promise.reject(callFailed("PLUGIN_DIED", options.label, "its cell died"));
    }
    return this.#send(this.#life, options);
  }

  #send(life: Life, options: CallOptions): Promise<unknown> {
    const { clock, limits } = this.#options;
    const { label, worker, signal, deadlineMs } = options;
    if (life.over) {
      return Promise.reject(callFailed("PLUGIN_DIED", label, `its cell died: ${this.#lastFailure}`));
    }
    if (signal?.aborted) return Promise.reject(signal.reason);
    const call = ++this.#calls;
    const began = clock.monotonic();
    this.#stopIdle();
    return new Promise((resolve, reject) => {
      const abort = () => {
        life.process.send({ t: "cancel", worker, call });
        pending.stopTimer();
        pending.stopTimer = clock.after(
          limits.graceMs,
          () => late(`${limits.graceMs} ms after its cancellation`),
        );
      };
      const late = (limit: string) => {
        life.culprit = pending;
        life.process.kill(`exceeded ${limit} in ${label.method} of "${label.plugin}"`);
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
          life.pending.delete(call);
          if (WORK.has(label.method)) this.#times.add(clock.monotonic() - began);
          this.#awaitWork(life);
          if (error === undefined) resolve(value);
          else reject(error);
        },
      };
      life.pending.set(call, pending);
      signal?.addEventListener("abort", abort, { once: true });
      try {
        life.process.send({ t: "call", worker, call, message: options.message(life.number) });
      } catch (error) {
        pending.settle(callFailed("FRAME_TOO_LARGE", label, (error as Error).message));
      }
    });
  }

  #awaitWork(life: Life): void {
    const { clock, limits } = this.#options;
    if (limits.idleMs === Infinity || life.over || !life.ready || life.pending.size > 0) return;
    this.#stopIdle();
    this.#stopIdle = clock.after(limits.idleMs, () => {
      life.rested = true;
      life.process.kill("nothing to do");
    });
  }

  #receive(life: Life, frame: Exclude<FromCell, { t: "ready" | "beat" | "end" }>): void {
    const pending = life.pending.get(frame.call);
    if (pending === undefined || pending.worker !== frame.worker) {
      return life.process.kill("sent an answer to nothing that was asked", "FRAME_INVALID");
    }
    if (frame.t === "ask") return this.#answerAsk(life, pending, frame);
    if (frame.ok) {
      if (WORK.has(pending.label.method)) this.#strikes = 0;
      return pending.settle(undefined, frame.value);
    }
    const error = answerError(frame.error, pending.label);
    pending.settle(error);
    if (!(error instanceof SkillError) && error.code !== "EVALUATION_FAILED") this.#strike(error.message);
    if (this.#strikes < this.#options.limits.quarantineAfter) return;
    life.struck = true;
    life.process.kill(this.#lastFailure);
  }

  #answerAsk(life: Life, pending: Pending, frame: Extract<FromCell, { t: "ask" }>): void {
    const { clock } = this.#options;
    if (pending.answerAsk === undefined || pending.asking) {
      life.culprit = pending;
      return life.process.kill("called out, which it may not", "FRAME_INVALID");
    }
    const { worker, ask } = frame;
    pending.asking = true;
    const supply = (values: Float64Array | null, error: string) => {
      pending.asking = false;
      if (!life.over) life.process.send({ t: "supply", worker, ask, values, error });
    };
    pending.answerAsk(frame.opaque, frame.batch, frame.count, pending.deadline - clock.monotonic()).then(
      (values) => supply(values, ""),
      (error) => supply(null, (error as Error).message.slice(0, 1_000)),
    );
  }

  #strike(failure: string): void {
    this.#failures++;
    this.#strikes++;
    this.#lastFailure = failure;
  }

  #ended(life: Life, end: CellEnd): void {
    life.over = true;
    this.#stopIdle();
    if (this.#life === life) this.#life = undefined;
    const reaped = life.process.close().finally(() => this.#ending.delete(reaped));
    this.#ending.add(reaped);
    if (!this.#closed && !life.struck && !life.rested) this.#strike(end.reason);
    for (const pending of [...life.pending.values()]) pending.settle(this.#endError(life, pending, end));
    if (this.#closed) return;
    this.#resting = life.rested;
    if (life.rested) return this.#options.log("debug", "A cell rests", { cell: this.id });
    const fields = {
      cell: this.id,
      pid: life.process.pid,
      reason: end.reason,
      failures_in_a_row: this.#strikes,
    };
    this.#options.log("warning", "A cell died", fields);
    this.#next(life);
  }

  #endError(life: Life, pending: Pending, end: CellEnd): SetpointError {
    const { label } = pending;
    if (pending !== life.culprit) return callFailed(end.code, label, `its cell died: ${end.reason}`);
    if (end.code !== "PLUGIN_DIED") return callFailed(end.code, label, end.reason);
    return callFailed("PLUGIN_TIMEOUT", label, `exceeded ${Math.round(pending.deadlineMs)} ms`);
  }

  /** After a death: quarantine, or another life after a delay. */
  #next(life: Life): void {
    const { clock, limits, log } = this.#options;
    if (this.#strikes >= limits.quarantineAfter) {
      this.#quarantinedUntil = clock.monotonic() + limits.quarantineMs;
      log("error", "A plugin is in quarantine", { cell: this.id, reason: this.#lastFailure });
      return;
    }
    const starts = this.#startsLately();
    if (starts.length >= limits.startsPerHour) {
      this.#quarantinedUntil = starts[0] + HOUR_MS;
      const reason =
        `started ${starts.length} times within an hour, the last time after: ${this.#lastFailure}`;
      log("error", "A plugin is in quarantine", { cell: this.id, reason });
      this.#lastFailure = reason;
      return;
    }
    // A first life that never was usable belongs to whoever tried to add the plugin: it is told, and may try again.
    if (!life.ready && life.number === 1) return;
    const delay = this.#strikes < 2
      ? 0
      : Math.min(limits.backoffMaxMs, limits.backoffMs * 2 ** (this.#strikes - 2));
    this.#sleeping = new Promise((resolve) => {
      const wake = () => {
        stop();
        this.#sleeping = this.#wakeUp = undefined;
        if (!this.#closed && this.#life === undefined) this.#begin();
        resolve();
      };
      const stop = clock.after(delay, wake);
      this.#wakeUp = wake;
    });
  }
}
