import { SetpointError, setpointError } from "../errors.ts";
import { Database } from "../sqlite.ts";
import { checkColumns } from "./columns.ts";
import type { Historian, Instant, RawValue, Row } from "./historian.ts";
import { checkIdentifier, quoted } from "./identifier.ts";
import { checkTimeZone, formatTimestamp, parseTimestamp } from "./timestamp.ts";

export interface SqliteHistorianOptions {
  /** Default "process_data"; a view will do. */
  readonly table?: string;
  /** Default "timestamp"; ISO 8601 texts. */
  readonly timestampColumn?: string;
  /** IANA time zone of timestamps that name none; default "UTC". */
  readonly timezone?: string;
  readonly label?: string;
}

/** Wall clocks are at most 12 h behind UTC and 14 h ahead of it. */
const BEHIND_MICROS = 12 * 3600e6;
const DAY_MICROS = 24 * 3600e6;
const REACH_MICROS = DAY_MICROS + 14 * 3600e6;

/** A time with its text in the table. */
interface Found extends Instant {
  readonly found: string;
}

/** Opens a file that another program fills, to read only. @throws {SetpointError} HISTORIAN_UNREACHABLE, and as the constructor. */
export function openSqliteHistorian(path: string, options: SqliteHistorianOptions = {}): Historian {
  let database: Database;
  try {
    database = new Database(path, { readOnly: true });
  } catch (cause) {
    throw unreachable(options.label ?? `SQLite file "${path}"`, cause);
  }
  try {
    return new SqliteHistorian(database, options);
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * A table in an SQLite file. SQLite has no NaN (it stores NULL): the text `NaN` in a numeric column is one. A column
 * declared BOOLEAN gives booleans for 0 and 1.
 */
export class SqliteHistorian implements Historian {
  readonly simulated: boolean = false;
  readonly label: string;
  readonly #database: Database;
  readonly #table: string;
  readonly #timestamp: string;
  readonly #zone: string;

  /**
   * @param database Owned from now on: closed with the historian.
   * @throws {SetpointError} IDENTIFIER_INVALID, CONFIG_INVALID (time zone).
   */
  constructor(database: Database, options: SqliteHistorianOptions = {}) {
    const { table = "process_data", timestampColumn = "timestamp", timezone = "UTC" } = options;
    checkIdentifier("table", table);
    checkIdentifier("column", timestampColumn);
    checkTimeZone(timezone);
    this.#database = database;
    this.#table = table;
    this.#timestamp = timestampColumn;
    this.#zone = timezone;
    this.label = options.label ?? `SQLite file "${database.path}" table "${table}"`;
  }

  check(columns: readonly string[], signal?: AbortSignal): Promise<void> {
    return this.#attempt(signal, () => void this.#types(columns));
  }

  newestAfter(
    after: Instant | null,
    columns: readonly string[],
    signal?: AbortSignal,
    notAfterMs = Infinity,
  ): Promise<Row | null> {
    return this.#attempt(signal, () => {
      const types = this.#types(columns);
      const newest = this.#newest(after?.micros ?? -Infinity, notAfterMs * 1000);
      return newest === null ? null : this.#row(newest, types);
    });
  }

  close(): Promise<void> {
    this.#database.close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // deno-lint-ignore require-await -- SQLite answers at once; async turns its throws into rejections
  async #attempt<T>(signal: AbortSignal | undefined, work: () => T): Promise<T> {
    signal?.throwIfAborted();
    try {
      return work();
    } catch (error) {
      throw error instanceof SetpointError ? error : unreachable(this.label, error);
    }
  }

  /** The declared type of each of `columns`, from the catalogue. */
  #types(columns: readonly string[]): Map<string, string> {
    const found = this.#database.prepare("SELECT name, type FROM pragma_table_xinfo(?)").all(this.#table);
    if (found.length === 0) {
      throw setpointError(
        "HISTORIAN_COLUMNS",
        `Cannot read process data from ${this.label}: there is no such table`,
      );
    }
    const types = new Map(found.map(({ name, type }) => [String(name), String(type).toUpperCase()]));
    checkColumns([this.#timestamp, ...columns], [...types.keys()], this.label);
    return new Map(columns.map((name) => [name, types.get(name)!]));
  }

  /**
   * Texts of one form sort as times do, so the first good one is the newest of its form. Those of another form (zone,
   * separator, digits) sort by day at least: they are tried downwards to where none can be a later time.
   */
  #newest(after: number, notAfter: number): Found | null {
    const floor = after === -Infinity ? "0" : formatTimestamp(after - REACH_MICROS).slice(0, 10);
    const good = ({ micros }: Instant) => micros > after && micros <= notAfter;
    let best: Found | null = null;
    for (const row of this.#times(floor, "")) {
      if (!good(row)) continue;
      best = row;
      break;
    }
    if (best === null) return null;
    for (const row of this.#times(floor, formOf(best.found))) {
      if (dayMicros(row.found) + DAY_MICROS + BEHIND_MICROS < best.micros) break;
      if (good(row) && row.micros > best.micros) best = row;
    }
    return best;
  }

  /** The times from the day `floor` on, last text first, without those that match the GLOB pattern `except`. */
  *#times(floor: string, except: string): Generator<Found> {
    const column = quoted(this.#timestamp);
    const texts = this.#database.prepare(
      `SELECT ${column} AS found FROM ${quoted(this.#table)} WHERE typeof(${column}) = 'text' ` +
        `AND ${column} >= ? AND ${column} < ':' AND ${column} NOT GLOB ? ORDER BY ${column} DESC`,
    );
    for (const { found } of texts.iterate(floor, except)) {
      const instant = parseTimestamp(String(found), this.#zone);
      if (instant !== null) yield { ...instant, found: String(found) };
    }
  }

  #row({ micros, text, found }: Found, types: ReadonlyMap<string, string>): Row {
    const names = [...types.keys()];
    const selected = ["1", ...names.map(quoted)].join(", ");
    const statement = this.#database.prepare(
      `SELECT ${selected} FROM ${quoted(this.#table)} WHERE ${quoted(this.#timestamp)} = ?`,
    );
    statement.setReadBigInts(true);
    // Of rows with one and the same time the last one written counts.
    const cells = statement.all(found).at(-1)!;
    const values = Object.fromEntries(names.map((name) => [name, rawValue(cells[name], types.get(name)!)]));
    return { timestamp: Math.floor(micros / 1000), micros, text, values };
  }
}

/** A pattern for all times that are written like `text` and have its zone. */
function formOf(text: string): string {
  const [, wall, zone] = /^(.{10}[^Z+-]*)(.*)$/i.exec(text)!;
  return wall.replaceAll(/\d/g, "[0-9]") + zone;
}

function dayMicros(text: string): number {
  return Date.parse(text.slice(0, 10)) * 1000;
}

const NUMERIC_TYPE = /INT|REAL|FLOA|DOUB|NUM|DEC/;

function rawValue(cell: unknown, type: string): RawValue {
  if (type.startsWith("BOOL") && (cell === 0n || cell === 1n)) return cell === 1n;
  if (typeof cell === "bigint") return Number(cell);
  if (typeof cell === "string") return NUMERIC_TYPE.test(type) && /^nan$/i.test(cell) ? NaN : cell;
  if (cell instanceof Uint8Array) return `\\x${cell.toHex()}`;
  return cell as number | null;
}

function unreachable(label: string, cause: unknown): SetpointError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return setpointError("HISTORIAN_UNREACHABLE", `Cannot read process data from ${label}: ${reason}`, {
    cause,
  });
}
