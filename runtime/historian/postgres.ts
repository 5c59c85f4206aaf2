import { type Clock, systemClock } from "../clock.ts";
import { SetpointError, setpointError } from "../errors.ts";
import { checkColumns } from "./columns.ts";
import type { Historian, Instant, RawValue, Row } from "./historian.ts";
import { checkIdentifier, checkTable, quoted } from "./identifier.ts";
import {
  type Cell,
  DeadlineError,
  type PostgresAddress,
  PostgresSession,
  type PostgresTimeouts,
} from "./postgres_session.ts";
import { checkTimeZone, formatTimestamp, parseTimestamp } from "./timestamp.ts";

export interface PostgresHistorianOptions extends PostgresAddress, PostgresTimeouts {
  /** Default "process_data"; may name its schema, `plant.process_data`; a view will do. */
  readonly table?: string;
  /** Default "timestamp"; of type timestamp, timestamptz or date. */
  readonly timestampColumn?: string;
  /** IANA time zone of a timestamp column without one; default "UTC". */
  readonly timezone?: string;
}

/** `infinity` and years that an {@linkcode Instant} cannot hold are nobody's newest row. */
const LAST_MICROS = Date.UTC(2254, 0) * 1000;
const NUMERIC_TYPES = ["int2", "int4", "int8", "float4", "float8", "numeric"];
const TIMESTAMP_TYPES = ["timestamp", "timestamptz", "date"];

/**
 * Opens nothing yet: the first call connects.
 * @throws {SetpointError} IDENTIFIER_INVALID (table), CONFIG_INVALID (time zone).
 */
export function openPostgresHistorian(
  options: PostgresHistorianOptions,
  clock: Clock = systemClock,
): Historian {
  return new PostgresHistorian(options, clock);
}

/** A table in PostgreSQL, read over one connection in read-only transactions; columns by the server's catalogue. */
class PostgresHistorian implements Historian {
  readonly simulated = false;
  readonly label: string;
  readonly #session: PostgresSession;
  readonly #table: string;
  readonly #timestamp: string;
  readonly #zone: string;

  constructor(options: PostgresHistorianOptions, clock: Clock) {
    const { table = "process_data", timestampColumn = "timestamp", timezone = "UTC" } = options;
    this.#table = checkTable(table).map(quoted).join(".");
    checkIdentifier("column", timestampColumn);
    checkTimeZone(timezone);
    this.#timestamp = timestampColumn;
    this.#zone = timezone;
    this.#session = new PostgresSession(options, options, clock);
    this.label = `PostgreSQL ${options.host}:${options.port ?? 5432}/${options.dbname} table "${table}"`;
  }

  async check(columns: readonly string[], signal?: AbortSignal): Promise<void> {
    await this.#types(columns, signal);
  }

  async newestAfter(
    after: Instant | null,
    columns: readonly string[],
    signal?: AbortSignal,
    notAfterMs = Infinity,
  ): Promise<Row | null> {
    const types = await this.#types(columns, signal);
    const zoned = types.get(this.#timestamp) === "timestamptz";
    const time = quoted(this.#timestamp);
    const names = [...new Set(columns)];
    // Every cell comes as the server's own text: the driver would turn times to milliseconds and numerics to strings.
    const cells = names.map((name) => `${quoted(name)}::text`);
    const wall = zoned ? `${time} AT TIME ZONE 'UTC'` : `${time}::timestamp`;
    const bound = (micros: number) =>
      zoned
        ? `timestamptz '${formatTimestamp(micros)}Z'`
        : `timestamp '${formatTimestamp(micros, this.#zone)}'`;
    const from = after === null ? "'-infinity'" : bound(after.micros);
    const to = bound(Math.min(LAST_MICROS, notAfterMs * 1000));
    const rows = await this.#read(
      `SELECT ${
        [`to_char(${wall}, 'YYYY-MM-DD"T"HH24:MI:SS.US')`, ...cells].join(", ")
      } FROM ${this.#table} ` +
        `WHERE ${time} > ${from} AND ${time} <= ${to} ORDER BY ${time} DESC LIMIT 1`,
      signal,
    );
    if (rows.length === 0) return null;
    const [text, ...found] = rows[0];
    const instant = parseTimestamp(text! + (zoned ? "Z" : ""), this.#zone);
    if (instant === null) throw this.#failure(`its newest time "${text}" is no time`);
    const values = Object.fromEntries(names.map((name, i) => [name, rawValue(found[i], types.get(name)!)]));
    return { timestamp: Math.floor(instant.micros / 1000), ...instant, values };
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The type of each of `columns` and of the timestamp; a domain counts as the type it is over. */
  async #types(columns: readonly string[], signal?: AbortSignal): Promise<Map<string, string>> {
    const catalogue = await this.#read(
      "SELECT a.attname::text, coalesce(b.typname, t.typname)::text FROM pg_catalog.pg_attribute a " +
        "JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype " +
        `WHERE a.attrelid = to_regclass('${this.#table}') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
      signal,
    );
    if (catalogue.length === 0) {
      throw setpointError(
        "HISTORIAN_COLUMNS",
        `Cannot read process data from ${this.label}: there is no such table`,
      );
    }
    const types = new Map(catalogue.map(([name, type]) => [name!, type!]));
    checkColumns([this.#timestamp, ...columns], [...types.keys()], this.label);
    const type = types.get(this.#timestamp)!;
    if (TIMESTAMP_TYPES.includes(type)) return types;
    throw setpointError(
      "HISTORIAN_COLUMNS",
      `Cannot read process data from ${this.label}: column "${this.#timestamp}" is of type ${type}, expected ${
        TIMESTAMP_TYPES.join(" or ")
      }`,
    );
  }

  async #read(statement: string, signal?: AbortSignal): Promise<readonly Cell[][]> {
    try {
      return await this.#session.read(statement, signal);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw this.#failure(this.#reason(error), error);
    }
  }

  #failure(reason: string, cause?: unknown): SetpointError {
    return setpointError("HISTORIAN_UNREACHABLE", `Cannot read process data from ${this.label}: ${reason}`, {
      cause,
    });
  }

  #reason(error: unknown): string {
    if (error instanceof DeadlineError) return `it did not answer within ${error.limitMs} ms`;
    const { code, message } = error as { code?: string; message?: string };
    switch (code) {
      case "57014":
        return `the query took longer than the statement timeout of ${this.#session.statementTimeoutMs} ms`;
      case "ECONNREFUSED":
        return "connection refused, is the server running?";
      case "CONNECTION_CLOSED":
      case "ECONNRESET":
      case "EPIPE":
        return "the connection was lost";
      default:
        return message ?? String(error);
    }
  }
}

function rawValue(cell: Cell, type: string): RawValue {
  if (cell === null) return null;
  if (type === "bool") return cell === "true";
  // Number reads "NaN", "Infinity" and "-Infinity" as PostgreSQL writes them.
  return NUMERIC_TYPES.includes(type) ? Number(cell) : cell;
}
