/** Who asked for a cycle: the schedule, a request over HTTP, or the command line. */
export type CycleOrigin = "schedule" | "api" | "cli";

/** The moment up to which process data has been taken; a historian's row is one. */
export interface LastRun {
  /** Microseconds since 1970-01-01 UTC, whole. */
  readonly micros: number;
  /** The row's own wall time, `2025-08-23T19:52:53.274472`. */
  readonly text: string;
}

/** The strategy that a cycle ran, so that it can be run again bit for bit. */
export interface CycleStrategy {
  readonly name: string;
  readonly version: string;
  /** SHA-256, in hexadecimal digits. */
  readonly digest: string;
}

/**
 * One cycle as it is kept. The fields of type `unknown` hold any JSON value and numbers that JSON has not (NaN, ±∞,
 * −0); typed arrays are kept as arrays, `undefined` as in JSON.
 */
export interface CycleRecord {
  /** UUID of version 7. A second record with the same id changes nothing. */
  readonly id: string;
  readonly origin: CycleOrigin;
  /** ms since 1970-01-01 UTC. */
  readonly startedAt: number;
  /** The text of the row of process data; null where none was read. */
  readonly rowTimestamp: string | null;
  /** solved, acceptable, infeasible, timeout, data_rejected, failed. */
  readonly outcome: string;
  /** Why it is not solved: a code or a sentence; null where it is. */
  readonly reason: string | null;
  /** Null where no strategy was loaded. */
  readonly strategy: CycleStrategy | null;
  /** What was read, as found. */
  readonly inputs: unknown;
  /** What gate and guard said. */
  readonly verdicts: unknown;
  readonly result: unknown;
  /** ms by name. */
  readonly timings: unknown;
  /** Anything else, such as digests of models. */
  readonly details?: unknown;
}
