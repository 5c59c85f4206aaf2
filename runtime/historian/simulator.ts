import type { SQLInputValue } from "node:sqlite";
import { setpointError } from "../errors.ts";
import { Database } from "../sqlite.ts";
import type { Historian, RawValue } from "./historian.ts";
import { checkIdentifier, quoted } from "./identifier.ts";
import type { PlantDescription } from "./plant.ts";
import { plantRow } from "./plant_signal.ts";
import { SqliteHistorian } from "./sqlite.ts";
import { formatTimestamp, parseTimestamp } from "./timestamp.ts";

export { loadPlant, parsePlant, type PlantDescription } from "./plant.ts";

/** A historian of a plant that is not there. */
export interface SimulatedHistorian extends Historian {
  /**
   * Lets the plant run up to `nowMs` (ms since 1970 UTC): appends the rows of the periods since the last one and one
   * for this moment, so that each call with a later time gives a new row, stale ones apart.
   * @throws {SetpointError} HISTORIAN_UNREACHABLE, for example on a full disk.
   */
  advance(nowMs: number): void;
}

export interface SimulatorOptions {
  /** Default "process_data". */
  readonly table?: string;
  /** Rows kept; default 50,000. */
  readonly maxRows?: number;
}

/** After a long pause the rows before these are not made up. */
const CATCH_UP_ROWS = 1000;

/**
 * Opens (or makes) an SQLite file and fills it as `plant` would. The first row of a new file has no fault; later ones
 * have those of {@linkcode PlantDescription}'s `faults`. A plant that has gained columns goes on in the same file.
 * @param path A file, or `:memory:`.
 * @throws {SetpointError} HISTORIAN_UNREACHABLE If the file cannot be used.
 */
export function openSimulator(
  path: string,
  plant: PlantDescription,
  options: SimulatorOptions = {},
): SimulatedHistorian {
  const { table = "process_data", maxRows = 50_000 } = options;
  checkIdentifier("table", table);
  for (const { name } of plant.columns) checkIdentifier("column", name);
  const database = attempt(path, () => new Database(path));
  try {
    attempt(path, () => prepareTable(database, table, plant));
    return new Simulator(database, plant, table, maxRows);
  } catch (error) {
    database.close();
    throw error;
  }
}

class Simulator extends SqliteHistorian implements SimulatedHistorian {
  override readonly simulated = true;
  readonly #database: Database;
  readonly #plant: PlantDescription;
  readonly #table: string;
  readonly #maxRows: number;

  constructor(database: Database, plant: PlantDescription, table: string, maxRows: number) {
    super(database, { table, label: `simulated plant "${database.path}"` });
    this.#database = database;
    this.#plant = plant;
    this.#table = table;
    this.#maxRows = maxRows;
  }

  advance(nowMs: number): void {
    attempt(this.label, () => this.#database.transaction(() => this.#append(nowMs)));
  }

  #append(nowMs: number): void {
    const { columns, periodMs } = this.#plant;
    const newest =
      this.#database.prepare(`SELECT max("timestamp") AS newest FROM ${quoted(this.#table)}`).get()!.newest;
    const lastMs = newest === null ? null : parseTimestamp(String(newest))!.micros / 1000;
    if (lastMs !== null && nowMs <= lastMs) return;
    const names = ["timestamp", ...columns.map((column) => column.name)];
    const insert = this.#database.prepare(
      `INSERT INTO ${quoted(this.#table)} (${names.map(quoted).join(", ")}) VALUES (${
        names.map(() => "?").join(", ")
      })`,
    );
    const write = (ms: number) => {
      const { timestampMs, values } = plantRow(this.#plant, ms, lastMs !== null);
      insert.run(formatTimestamp(timestampMs * 1000), ...columns.map(({ name }) => stored(values[name])));
    };
    if (lastMs !== null) {
      const firstMs = Math.max(lastMs + periodMs, nowMs - CATCH_UP_ROWS * periodMs);
      for (let ms = firstMs; ms < nowMs; ms += periodMs) write(Math.floor(ms));
    }
    write(Math.floor(nowMs));
    this.#database.prepare(
      `DELETE FROM ${quoted(this.#table)} WHERE rowid <= (SELECT max(rowid) FROM ${quoted(this.#table)}) - ?`,
    )
      .run(this.#maxRows);
  }
}

/** SQLite would store NaN as NULL; the text is what {@linkcode SqliteHistorian} reads back as NaN. */
function stored(value: RawValue): SQLInputValue {
  return Number.isNaN(value) ? "NaN" : value as number | null;
}

function prepareTable(database: Database, table: string, plant: PlantDescription): void {
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  database.transaction(() => {
    database.exec(`CREATE TABLE IF NOT EXISTS ${quoted(table)} ("timestamp" TEXT NOT NULL)`);
    database.exec(
      `CREATE INDEX IF NOT EXISTS ${quoted(`${table}_timestamp`)} ON ${quoted(table)} ("timestamp")`,
    );
    const found = database.prepare("SELECT name FROM pragma_table_xinfo(?)").all(table).map(({ name }) =>
      name
    );
    for (const { name } of plant.columns) {
      if (!found.includes(name)) {
        database.exec(`ALTER TABLE ${quoted(table)} ADD COLUMN ${quoted(name)} REAL`);
      }
    }
  });
}

function attempt<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw setpointError(
      "HISTORIAN_UNREACHABLE",
      `Cannot write simulated process data to ${what}: ${reason}`,
      { cause },
    );
  }
}
