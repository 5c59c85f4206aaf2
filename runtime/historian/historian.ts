/**
 * A moment of process data.
 * Micros are whole and exact in a double until the year 2255, so two rows within one millisecond stay apart.
 */
export interface Instant {
  /** Microseconds since 1970-01-01 UTC. */
  readonly micros: number;
  /**
   * The same moment as wall time in the historian's time zone, `2025-08-23T19:52:53.274472`; for a row without a zone
   * that is its own text.
   */
  readonly text: string;
}

/** What a column holds, as found: never coerced. NULL is null, NaN and the infinities stay themselves. */
export type RawValue = number | string | boolean | null;

export interface Row extends Instant {
  /** Milliseconds since 1970-01-01 UTC, rounded down. */
  readonly timestamp: number;
  /** One entry a requested column. */
  readonly values: Readonly<Record<string, RawValue>>;
}

/** A database with process data: one table, a timestamp column, and one column a variable. */
export interface Historian extends AsyncDisposable {
  /** For people: what is read and where, without secrets. */
  readonly label: string;
  /** True where no real plant stands behind the rows. */
  readonly simulated: boolean;
  /**
   * Resolves when the timestamp column and each of `columns` exist exactly once.
   * @throws {SetpointError} HISTORIAN_COLUMNS lists what is missing or ambiguous and near names; IDENTIFIER_INVALID
   * for a name that could not be a column; HISTORIAN_UNREACHABLE.
   */
  check(columns: readonly string[], signal?: AbortSignal): Promise<void>;
  /**
   * The newest row strictly after `after` (null: the newest of all), or null where there is none.
   * @param notAfterMs Rows stamped later (ms since 1970 UTC) are as if they were not there yet, so one row of a wrong
   * clock does not hide the good ones; default: no limit.
   * @throws {SetpointError} As {@linkcode check}; the signal's reason when it aborts.
   */
  newestAfter(
    after: Instant | null,
    columns: readonly string[],
    signal?: AbortSignal,
    notAfterMs?: number,
  ): Promise<Row | null>;
  /** Ends what is open; calls after it are refused. */
  close(): Promise<void>;
}
