/**
 * In the kernel: a cell over all its lives. It is started, restarted with back-off when it dies, and shut out for a while
 * when nothing but failures comes of it. Who waits for an answer always gets one, or an error that says why not.
 */
import type { Clock } from "../clock.ts";
import { SetpointError } from "../errors.ts";
import { callFailed, type CallLabel } from "./call_errors.ts";
import { type CallOptions, CellLife, type Spawn } from "./cell_life.ts";
import type { CellEnd } from "./cell_process.ts";
import { CellRecord } from "./cell_record.ts";
import { PluginWords } from "./plugin_words.ts";
import type { Limits } from "./limits.ts";
import type { SpawnMessage } from "./protocol.ts";
import type { SdkExtent } from "./sdk_extent.ts";

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
  /** As {@linkcode CellProcessOptions.sdk}. */
  readonly sdk?: SdkExtent;
  /** As {@linkcode CellProcessOptions.entry}. */
  readonly entry?: string;
}

type Wait = Pick<CallOptions, "label" | "deadline" | "deadlineMs" | "signal">;

export class SupervisedCell {
  readonly id: string;
  readonly #options: CellOptions;
  readonly #record: CellRecord;
  readonly #words: PluginWords;
  /** By number of the worker; undefined: it never came to be. */
  readonly #spawns: (Spawn | undefined)[] = [];
  /** Called in each new life before it counts as usable, to tell it again what it must know. */
  prepare: (life: number) => Promise<unknown> = () => Promise.resolve();
  #life: CellLife | undefined;
  #lives = 0;
  #wakeUp: (() => void) | undefined;
  #sleeping: Promise<void> | undefined;
  #closed = false;
  /** No process, because there was nothing to do: the next call starts one. */
  #resting = false;
  #rests = 0;
  readonly #ending = new Set<Promise<void>>();

  constructor(options: CellOptions) {
    this.id = options.id;
    this.#options = options;
    this.#record = new CellRecord(options.clock, options.limits);
    this.#words = new PluginWords(options.clock, options.log);
  }

  get state(): CellState {
    if (this.#record.quarantineMs > 0) return "quarantined";
    const life = this.#life;
    if (life === undefined) {
      return this.#resting ? "ready" : this.#sleeping === undefined ? "dead" : "starting";
    }
    if (!life.ready) return "starting";
    return life.busy ? "busy" : "ready";
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

  /** What people want to see of it; `restarts` are lives after the first, but for those after a rest. */
  figures() {
    return {
      ...this.#record.figures(),
      restarts: Math.max(0, this.#lives - 1 - this.#rests),
      heap_bytes: this.#life?.process.heap ?? null,
      heartbeat_age_ms: this.#life?.process.heartbeatAge ?? null,
    };
  }

  /** Adds a worker to this life and all later ones; gives its number and what it says of itself. */
  async addWorker(message: SpawnMessage, label: CallLabel): Promise<{ worker: number; described: unknown }> {
    const spawn: Spawn = { message, label, described: undefined };
    const worker = this.#spawns.push(spawn) - 1;
    try {
      const life = this.#life ?? this.#begin();
      await life.process.ready;
      await life.spawn(worker);
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
    return await life.send(options);
  }

  /** A call in a life that may not be usable by others yet. */
  callIn(life: number, options: CallOptions): Promise<unknown> {
    if (this.#life?.number !== life) {
      return Promise.reject(callFailed("PLUGIN_DIED", options.label, "its cell died"));
    }
    return this.#life.send(options);
  }

  /** Ends the process for good. */
  async close(): Promise<void> {
    this.#closed = true;
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
    if (this.#life?.busy === false) this.#life.rest();
  }

  /** Ends its quarantine; the next call starts it. @returns Whether it was in one. */
  release(): boolean {
    const quarantined = this.#record.quarantineMs > 0;
    if (quarantined) this.#record.release();
    return quarantined;
  }

  /** Waits until it takes calls, but not past the deadline. @throws As `call`. */
  awake = (wait: Wait): Promise<unknown> => this.#usable(wait);

  async #usable(options: Wait): Promise<CellLife> {
    const record = this.#record;
    for (;;) {
      if (this.#closed) throw callFailed("PLUGIN_DIED", options.label, "its cell is closed");
      if (record.quarantineMs > 0) {
        const seconds = Math.ceil(record.quarantineMs / 1000);
        const why =
          `in quarantine for ${seconds} s more after ${record.strikes} failures in a row, the last: ${record.lastFailure}`;
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
        const { lastFailure } = this.#record;
        const last = lastFailure === "" ? "" : `; its last failure: ${lastFailure}`;
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

  #begin(): CellLife {
    const { clock, limits, denoDir, sdk, entry } = this.#options;
    const number = ++this.#lives;
    if (this.#resting) this.#rests++;
    else this.#record.started();
    this.#resting = false;
    const life: CellLife = new CellLife({
      ...{ number, clock, limits, denoDir, sdk, entry, record: this.#record, spawns: this.#spawns },
      onLine: (line, label) => this.#words.say(line, label),
      prepare: () => this.prepare(number),
      onEnd: (end) => this.#ended(life, end),
    });
    return this.#life = life;
  }

  #ended(life: CellLife, end: CellEnd): void {
    const record = this.#record;
    if (this.#life === life) this.#life = undefined;
    const reaped = life.process.close().finally(() => this.#ending.delete(reaped));
    this.#ending.add(reaped);
    if (this.#closed) return;
    if (!life.struck && !life.rested) record.failed(end.reason);
    this.#resting = life.rested;
    if (life.rested) return this.#options.log("debug", "A cell rests", { cell: this.id });
    const fields = {
      cell: this.id,
      pid: life.process.pid,
      reason: end.reason,
      failures_in_a_row: record.strikes,
    };
    this.#options.log("warning", "A cell died", fields);
    this.#next(life);
  }

  /** After a death: quarantine, or another life after a delay. */
  #next(life: CellLife): void {
    const { clock, log } = this.#options;
    const record = this.#record;
    if (record.judge()) {
      return log("error", "A plugin is in quarantine", { cell: this.id, reason: record.lastFailure });
    }
    // A first life that never was usable belongs to whoever tried to add the plugin: it is told, and may try again.
    if (!life.ready && life.number === 1) return;
    this.#sleeping = new Promise((resolve) => {
      const wake = () => {
        stop();
        this.#sleeping = this.#wakeUp = undefined;
        if (!this.#closed && this.#life === undefined) this.#begin();
        resolve();
      };
      const stop = clock.after(record.delayMs, wake);
      this.#wakeUp = wake;
    });
  }
}
