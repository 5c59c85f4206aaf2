import { type SetpointError, setpointError } from "../errors.ts";
import type { Database } from "../sqlite.ts";

/** "SETP": tells a journal from any other SQLite file. */
const APPLICATION_ID = 0x53455450;
const FORMAT = 1;

/** A check of the whole file takes about 10 ms at this size; a larger one is found out when its bad page is read. */
const CHECKED_BYTES = 16 * 2 ** 20;

const TABLES = `
  CREATE TABLE cycles (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    origin TEXT NOT NULL,
    started_at REAL NOT NULL,
    row_timestamp TEXT,
    outcome TEXT NOT NULL,
    reason TEXT,
    strategy_name TEXT,
    strategy_version TEXT,
    strategy_digest TEXT,
    inputs TEXT NOT NULL,
    verdicts TEXT NOT NULL,
    result TEXT NOT NULL,
    timings TEXT NOT NULL,
    details TEXT NOT NULL
  ) STRICT;
  CREATE INDEX cycles_by_origin ON cycles (origin, seq);
  CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT};
`;

/**
 * Makes the tables in an empty file, or checks that the file is a journal that this version reads.
 * @throws {Error} With the reason alone; SQLite's own errors pass through.
 */
export function prepareSchema(database: Database): void {
  const number = (sql: string) => Number(Object.values(database.prepare(sql).get()!)[0]);
  const id = number("PRAGMA application_id");
  const isEmpty = number("SELECT count(*) FROM sqlite_schema") === 0;
  if (!isEmpty && id !== APPLICATION_ID) throw new Error("it is a database of another program");
  const format = number("PRAGMA user_version");
  if (format > FORMAT) {
    throw new Error(`it is of format ${format}, this version of Setpoint knows up to ${FORMAT}`);
  }
  if (number("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size") <= CHECKED_BYTES) {
    const verdict = String(database.prepare("PRAGMA quick_check(1)").get()!.quick_check);
    if (verdict !== "ok") throw new Error(`it is damaged (${verdict})`);
  }
  // FULL, because WAL's default lets the last transactions go in a power cut.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  if (isEmpty) database.transaction(() => database.exec(TABLES));
}

/** An error of SQLite in words that say what to do. */
export function journalError(what: string, path: string, cause: unknown): SetpointError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return setpointError("JOURNAL_UNUSABLE", `Cannot ${what} the journal "${path}": ${reasonOf(message)}`, {
    cause,
  });
}

function reasonOf(message: string): string {
  if (/not a database|malformed/.test(message)) {
    return `it is damaged or no journal (${message}); move it away to begin a new one`;
  }
  if (/locked|busy/.test(message)) return "another program holds it locked";
  if (/is full/.test(message)) return "the disk is full";
  if (/readonly/.test(message)) return "it or its folder is read-only";
  if (/unable to open/.test(message)) {
    return "it cannot be opened; expected a file in a folder that can be written";
  }
  return message;
}
