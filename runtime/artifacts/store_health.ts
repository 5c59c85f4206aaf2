/** Whether the store can be reached. While it cannot, it is asked again after 1 s, 2 s, 4 s … 30 s until it answers. */
import type { Clock } from "../clock.ts";
import { SetpointError } from "../errors.ts";

const FIRST_MS = 1000;
const LONGEST_MS = 30_000;

export interface StoreStatus {
  /** undefined: it was not needed yet. */
  readonly reachable?: boolean;
  readonly problem?: string;
  /** Wall time of the first failure of this outage, in ms since 1970. */
  readonly since?: number;
  /** Failed attempts of this outage. */
  readonly attempts: number;
  readonly nextTryInMs?: number;
}

export class StoreHealth {
  readonly #clock: Clock;
  readonly #probe: (signal: AbortSignal) => Promise<unknown>;
  readonly #closed = new AbortController();
  #reachable: boolean | undefined;
  #problem: string | undefined;
  #since: number | undefined;
  #attempts = 0;
  #nextTryAt = 0;
  #cancel: (() => void) | undefined;
  #probing: Promise<void> | undefined;

  /** @param probe A cheap call to the store. */
  constructor(clock: Clock, probe: (signal: AbortSignal) => Promise<unknown>) {
    this.#clock = clock;
    this.#probe = probe;
  }

  /** Known to be away: the next attempt is the health's own. */
  get away(): boolean {
    return this.#reachable === false;
  }

  /** Runs a call to the store and learns from its end. */
  async watch<T>(call: Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      const value = await call;
      this.#answered();
      return value;
    } catch (error) {
      if (error instanceof SetpointError && error.code === "STORE_UNREACHABLE") this.#failed(error.message);
      else if (!signal?.aborted) this.#answered();
      throw error;
    }
  }

  status(): StoreStatus {
    return {
      ...(this.#reachable !== undefined && { reachable: this.#reachable }),
      ...(this.#problem !== undefined && { problem: this.#problem }),
      ...(this.#since !== undefined && { since: this.#since }),
      attempts: this.#attempts,
      ...(this.away && { nextTryInMs: Math.max(0, this.#nextTryAt - this.#clock.monotonic()) }),
    };
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#cancel?.();
    await this.#probing;
  }

  #answered(): void {
    this.#reachable = true;
    this.#problem = this.#since = undefined;
    this.#attempts = 0;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #failed(problem: string): void {
    if (this.#closed.signal.aborted) return;
    this.#reachable = false;
    this.#problem = problem;
    this.#since ??= this.#clock.now();
    this.#attempts++;
    // One timer an outage: calls that fail meanwhile do not push the next attempt away.
    if (this.#cancel !== undefined) return;
    const backOff = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(this.#attempts - 1, 10));
    // Gateways that lost their store together should not come back together.
    const delay = backOff * (0.8 + 0.2 * this.#clock.random());
    this.#nextTryAt = this.#clock.monotonic() + delay;
    this.#cancel = this.#clock.after(delay, () => {
      this.#cancel = undefined;
      this.#probing = this.#try().finally(() => this.#probing = undefined);
    });
  }

  async #try(): Promise<void> {
    const { signal } = this.#closed;
    await this.watch(this.#probe(signal), signal).catch(() => {});
  }
}
