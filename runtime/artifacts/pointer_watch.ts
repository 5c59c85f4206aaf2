/** Follows the pointer: polls it, and loads what it names, one version at a time, until the newest is active. */
import type { Clock } from "../clock.ts";

export interface PointerWatchOptions {
  readonly clock: Clock;
  /** Reads the pointer (pointer.ts); undefined: there is none, which changes nothing. */
  readonly read: (signal: AbortSignal) => Promise<{ readonly version: string } | undefined>;
  /**
   * Loads and activates a version; rejects where it is refused, and the old one stays. The signal aborts when the
   * pointer has moved on meanwhile: the load may stop, and need not.
   */
  readonly onChange: (version: string, signal: AbortSignal) => Promise<void>;
  /** The version that is active at the start. */
  readonly current?: string;
  /** Default: 5000. */
  readonly intervalMs?: number;
  /** A refused version is tried again after one interval, then after twice as long, up to this; default: 60000. */
  readonly longestRetryMs?: number;
  readonly log?: (line: string) => void;
}

export interface PointerStatus {
  /** What is active. */
  readonly current?: string;
  /** What the pointer said last. */
  readonly wanted?: string;
  readonly loading?: string;
  /** Why the pointer cannot be read, or why `wanted` is not active. */
  readonly problem?: string;
}

export class PointerWatch implements AsyncDisposable {
  readonly #options: PointerWatchOptions;
  readonly #closed = new AbortController();
  #current: string | undefined;
  #wanted: string | undefined;
  #loading: { version: string; abort: AbortController } | undefined;
  #refused: { version: string; reason: string; tries: number; retryAt: number } | undefined;
  #unreadable: string | undefined;
  #polling: Promise<void> | undefined;
  #settling: Promise<void> | undefined;
  #stopTimer: (() => void) | undefined;

  constructor(options: PointerWatchOptions) {
    this.#options = options;
    this.#current = options.current;
  }

  /** Polls now and every interval. */
  start(): void {
    if (this.#stopTimer !== undefined || this.#closed.signal.aborted) return;
    const { clock, intervalMs = 5000 } = this.#options;
    this.#stopTimer = clock.every(intervalMs, () => void this.poll());
    void this.poll();
  }

  /** Reads the pointer once; resolves when it has been read. A load goes on behind it: see {@linkcode settled}. */
  poll(): Promise<void> {
    if (this.#closed.signal.aborted) return Promise.resolve();
    this.#polling ??= this.#poll().finally(() => this.#polling = undefined);
    return this.#polling;
  }

  /** Resolves when nothing is being loaded. */
  async settled(): Promise<void> {
    await this.#settling;
  }

  status(): PointerStatus {
    const refused = this.#refused?.version === this.#wanted ? this.#refused?.reason : undefined;
    const problem = this.#unreadable ?? refused;
    return {
      ...(this.#current !== undefined && { current: this.#current }),
      ...(this.#wanted !== undefined && { wanted: this.#wanted }),
      ...(this.#loading && { loading: this.#loading.version }),
      ...(problem !== undefined && { problem }),
    };
  }

  /** Ends the polling and waits for a running load, which it aborts. */
  async close(): Promise<void> {
    this.#stopTimer?.();
    this.#closed.abort();
    this.#loading?.abort.abort();
    await this.#polling;
    await this.#settling;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #poll(): Promise<void> {
    try {
      const pointer = await this.#options.read(this.#closed.signal);
      this.#unreadable = undefined;
      if (pointer !== undefined) this.#wanted = pointer.version;
    } catch (error) {
      this.#note((error as Error).message);
      return;
    }
    if (this.#loading !== undefined) {
      if (this.#loading.version !== this.#wanted) this.#loading.abort.abort();
      return;
    }
    this.#settling ??= this.#settle().finally(() => this.#settling = undefined);
  }

  /** Loads until what is wanted is active, refused, or not yet due again. */
  async #settle(): Promise<void> {
    for (;;) {
      const version = this.#wanted;
      if (
        version === undefined || version === this.#current || this.#closed.signal.aborted ||
        this.#waits(version)
      ) return;
      const abort = new AbortController();
      this.#loading = { version, abort };
      try {
        await this.#options.onChange(version, abort.signal);
        this.#current = version;
        this.#refused = undefined;
      } catch (error) {
        // Aborted because the pointer had moved on: not a fault of the version, even if the pointer is back by now.
        if (!abort.signal.aborted) this.#refuse(version, (error as Error).message);
      } finally {
        this.#loading = undefined;
      }
    }
  }

  #waits(version: string): boolean {
    return this.#refused?.version === version && this.#options.clock.monotonic() < this.#refused.retryAt;
  }

  #refuse(version: string, reason: string): void {
    const { clock, intervalMs = 5000, longestRetryMs = 60_000, log } = this.#options;
    const same = this.#refused?.version === version ? this.#refused : undefined;
    const tries = (same?.tries ?? 0) + 1;
    const wait = Math.min(longestRetryMs, intervalMs * 2 ** Math.min(tries - 1, 20));
    // Half an interval less: a poll comes at about the time, not exactly at it.
    this.#refused = { version, reason, tries, retryAt: clock.monotonic() + wait - intervalMs / 2 };
    if (same?.reason !== reason) {
      log?.(`Version ${version} refused, ${this.#current ?? "none"} stays: ${reason}`);
    }
  }

  #note(reason: string): void {
    if (this.#closed.signal.aborted) return;
    if (this.#unreadable !== reason) this.#options.log?.(reason);
    this.#unreadable = reason;
  }
}
