/** In the kernel: how a cell has behaved over all its lives, and until when it is shut out for that. */
import type { Clock } from "../clock.ts";
import { CallTimes } from "./call_times.ts";
import { type Limits, shownLimits } from "./limits.ts";
import type { Method } from "./protocol.ts";

/** What a plugin is for: one that only starts well, and fails at these, fails. */
const WORK: ReadonlySet<Method> = new Set<Method>([
  "lower",
  "sequence",
  "evaluate",
  "optimize",
  "onnxEvaluate",
]);

const HOUR_MS = 3_600_000;

export class CellRecord {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #times = new CallTimes();
  /** Of the last hour, monotonic ms. */
  #starts: number[] = [];
  #quarantinedUntil = -Infinity;
  #calls = 0;
  #failures = 0;
  #strikes = 0;
  #lastFailure = "";

  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get calls(): number {
    return this.#calls;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Failures since the last success. */
  get strikes(): number {
    return this.#strikes;
  }

  /** "" where there was none. */
  get lastFailure(): string {
    return this.#lastFailure;
  }

  /** It failed so often that it is not to be called again for a while. */
  get exhausted(): boolean {
    return this.#strikes >= this.#limits.quarantineAfter;
  }

  /** How long it is still shut out, ms; 0: not. */
  get quarantineMs(): number {
    return Math.max(0, this.#quarantinedUntil - this.#clock.monotonic());
  }

  /** Before the next start, ms: doubled for each failure in a row after the second. */
  get delayMs(): number {
    const { backoffMs, backoffMaxMs } = this.#limits;
    return this.#strikes < 2 ? 0 : Math.min(backoffMaxMs, backoffMs * 2 ** (this.#strikes - 2));
  }

  /** The number of the call. */
  called(): number {
    return ++this.#calls;
  }

  settled(method: Method, ms: number): void {
    if (WORK.has(method)) this.#times.add(ms);
  }

  succeeded(method: Method): void {
    if (WORK.has(method)) this.#strikes = 0;
  }

  failed(failure: string): void {
    this.#failures++;
    this.#strikes++;
    this.#lastFailure = failure;
  }

  started(): void {
    this.#starts.push(this.#clock.monotonic());
  }

  /** Shuts it out where it failed or started too often. @returns Whether it did. */
  judge(): boolean {
    const starts = this.#startsLately();
    if (this.exhausted) this.#quarantinedUntil = this.#clock.monotonic() + this.#limits.quarantineMs;
    else if (starts.length >= this.#limits.startsPerHour) {
      this.#quarantinedUntil = starts[0] + HOUR_MS;
      this.#lastFailure =
        `started ${starts.length} times within an hour, the last time after: ${this.#lastFailure}`;
    } else return false;
    return true;
  }

  /** Lets it begin anew: whoever says so knows that the cause is gone. */
  release(): void {
    this.#quarantinedUntil = -Infinity;
    this.#strikes = 0;
    this.#starts = [];
  }

  /** What people want to see of it. */
  figures() {
    return {
      limits: shownLimits(this.#limits),
      calls: this.#calls,
      failures: this.#failures,
      p50_ms: this.#times.quantile(0.5),
      p99_ms: this.#times.quantile(0.99),
      last_failure: this.#lastFailure === "" ? null : this.#lastFailure,
      quarantine_ms: this.quarantineMs === 0 ? null : this.quarantineMs,
      starts_last_hour: this.#startsLately().length,
    };
  }

  #startsLately(): number[] {
    const since = this.#clock.monotonic() - HOUR_MS;
    return this.#starts = this.#starts.filter((start) => start > since);
  }
}
