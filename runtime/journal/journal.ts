import type { SQLInputValue, StatementSync } from "node:sqlite";
import { SetpointError } from "../errors.ts";
import { Database } from "../sqlite.ts";
import type { CycleOrigin, CycleRecord, LastRun } from "./cycle.ts";
import { decodeJson, encodeJson } from "./json.ts";
import { journalError, prepareSchema } from "./schema.ts";

export type { CycleOrigin, CycleRecord, CycleStrategy, LastRun } from "./cycle.ts";

export interface JournalOptions {
  /** Cycles kept, at least 10; default 100,000. */
  readonly maxRows?: number;
  /** For tests: called with the transaction still open, and after it is durable. */
  readonly onStep?: (step: "written" | "committed") => void;
}

export interface CyclesQuery {
  /** Default 50, at most 1000. */
  readonly limit?: number;
  /** Only cycles recorded before the one of this id; of an unknown id: none. */
  readonly before?: string;
  readonly origin?: CycleOrigin;
}

/** A cycle in the form of the table: what the caller changes later is not seen. */
export type EncodedCycle = Readonly<Record<(typeof COLUMNS)[number], SQLInputValue>>;

const COLUMNS = [
  "id",
  "origin",
  "started_at",
  "row_timestamp",
  "outcome",
  "reason",
  "strategy_name",
  "strategy_version",
  "strategy_digest",
  "inputs",
  "verdicts",
  "result",
  "timings",
  "details",
] as const;

const INSERT = `INSERT INTO cycles (${COLUMNS.join(", ")}) VALUES (${
  COLUMNS.map((name) => `:${name}`).join(", ")
})
  ON CONFLICT (id) DO NOTHING`;
const PRUNE =
  "DELETE FROM cycles WHERE seq IN (SELECT seq FROM cycles WHERE origin = ? ORDER BY seq LIMIT ?)";
const LAST_RUN = "last_run_timestamp";
/** After `maxRows` has been lowered, no single record waits for all that is too much. */
const PRUNED_AT_ONCE = 1000;

/**
 * Opens or makes a journal.
 * @param path A file, or `:memory:`.
 * @throws {SetpointError} JOURNAL_UNUSABLE If it is damaged, locked, unreadable, another program's or a later version's.
 */
export function openJournal(path: string, options: JournalOptions = {}): Journal {
  let database: Database | undefined;
  try {
    database = new Database(path);
    prepareSchema(database);
    return new Journal(database, options);
  } catch (error) {
    database?.close();
    throw journalError("open", path, error);
  }
}

/** What must survive a power cut: cycles and the last run timestamp, in one SQLite file. Closes with `using`. */
export class Journal implements Disposable {
  readonly #database: Database;
  readonly #insert: StatementSync;
  readonly #maxRows: number;
  readonly #onStep: (step: "written" | "committed") => void;
  /** Rows by origin, so that no record has to count. */
  #counts: ReadonlyMap<string, number>;
  #lastRun: LastRun | null;

  /** @param database Prepared by {@linkcode openJournal}; owned from now on. */
  constructor(database: Database, { maxRows = 100_000, onStep = () => {} }: JournalOptions) {
    this.#database = database;
    this.#insert = database.prepare(INSERT);
    this.#maxRows = Math.max(10, maxRows);
    this.#onStep = onStep;
    const counts = database.prepare("SELECT origin, count(*) AS count FROM cycles GROUP BY origin").all();
    this.#counts = new Map(counts.map(({ origin, count }) => [String(origin), Number(count)]));
    const state = database.prepare("SELECT value FROM state WHERE key = ?").get(LAST_RUN);
    this.#lastRun = state === undefined ? null : decodeJson(String(state.value)) as LastRun;
  }

  get path(): string {
    return this.#database.path;
  }

  /** How many cycles are kept. */
  get size(): number {
    return total(this.#counts);
  }

  /** The row up to which process data has been taken; null before the first. */
  lastRun(): LastRun | null {
    return this.#lastRun;
  }

  /**
   * Records a cycle and, in the same transaction, moves the last run timestamp to `lastRun`; it only ever moves ahead.
   * Durable on return.
   * @returns False if a cycle of this id was there: then nothing has changed, the timestamp neither.
   * @throws {SetpointError} JOURNAL_UNUSABLE If it could not be written; the journal is as before and may be used again.
   */
  record(cycle: CycleRecord, { lastRun }: { readonly lastRun?: LastRun } = {}): boolean {
    return this.insert([encodeCycle(cycle)], lastRun) === 1;
  }

  /** Records several cycles in one transaction. @returns How many of them were new. @throws As {@linkcode record}. */
  insert(cycles: readonly EncodedCycle[], lastRun?: LastRun): number {
    const counts = new Map(this.#counts);
    const before = total(counts);
    let moved: LastRun | null = this.#lastRun;
    this.#attempt("write to", () => {
      this.#database.transaction(() => {
        for (const cycle of cycles) {
          const { changes } = this.#insert.run(cycle);
          const origin = String(cycle.origin);
          counts.set(origin, (counts.get(origin) ?? 0) + Number(changes));
        }
        if (lastRun !== undefined && total(counts) > before) moved = this.#move(lastRun);
        this.#prune(counts, total(counts) - this.#maxRows);
        this.#onStep("written");
      });
    });
    const inserted = total(counts) - before;
    this.#counts = counts;
    this.#lastRun = moved;
    this.#onStep("committed");
    return inserted;
  }

  /** Takes over the timestamp of a predecessor. @returns False if there is one already. @throws As {@linkcode record}. */
  startFrom(lastRun: LastRun): boolean {
    if (this.#lastRun !== null) return false;
    this.#lastRun = this.#attempt("write to", () => this.#database.transaction(() => this.#move(lastRun)));
    return true;
  }

  /** Newest first, in the order of recording, whatever the clock said. @throws {SetpointError} JOURNAL_UNUSABLE */
  cycles({ limit = 50, before, origin }: CyclesQuery = {}): CycleRecord[] {
    const conditions = [
      ...(before === undefined ? [] : ["seq < (SELECT seq FROM cycles WHERE id = :before)"]),
      ...(origin === undefined ? [] : ["origin = :origin"]),
    ];
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    return this.#attempt(
      "read",
      () =>
        this.#database.prepare(`SELECT * FROM cycles ${where} ORDER BY seq DESC LIMIT :limit`).all({
          limit: Math.max(0, Math.min(1000, Math.floor(limit))),
          ...(before !== undefined && { before }),
          ...(origin !== undefined && { origin }),
        }).map(decodeCycle),
    );
  }

  /** @returns Null if there is none, or no longer. @throws {SetpointError} JOURNAL_UNUSABLE */
  cycle(id: string): CycleRecord | null {
    const row = this.#attempt(
      "read",
      () => this.#database.prepare("SELECT * FROM cycles WHERE id = ?").get(id),
    );
    return row === undefined ? null : decodeCycle(row);
  }

  close(): void {
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #move(to: LastRun): LastRun {
    const { micros, text } = to;
    if (this.#lastRun !== null && micros <= this.#lastRun.micros) return this.#lastRun;
    this.#database.prepare("INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)")
      .run(LAST_RUN, encodeJson({ micros, text }));
    return { micros, text };
  }

  /** The origin with most cycles gives its oldest, so a flood of requests never drives the schedule's history out. */
  #prune(counts: Map<string, number>, excess: number): void {
    if (excess <= 0) return;
    const [origin, count] = [...counts].reduce((most, entry) => entry[1] > most[1] ? entry : most);
    const { changes } = this.#database.prepare(PRUNE).run(origin, Math.min(excess, PRUNED_AT_ONCE));
    counts.set(origin, count - Number(changes));
  }

  #attempt<T>(what: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw error instanceof SetpointError ? error : journalError(what, this.path, error);
    }
  }
}

/** @throws {TypeError} If a field holds what JSON cannot. */
export function encodeCycle(cycle: CycleRecord): EncodedCycle {
  return {
    id: cycle.id,
    origin: cycle.origin,
    started_at: cycle.startedAt,
    row_timestamp: cycle.rowTimestamp,
    outcome: cycle.outcome,
    reason: cycle.reason,
    strategy_name: cycle.strategy?.name ?? null,
    strategy_version: cycle.strategy?.version ?? null,
    strategy_digest: cycle.strategy?.digest ?? null,
    inputs: encodeJson(cycle.inputs),
    verdicts: encodeJson(cycle.verdicts),
    result: encodeJson(cycle.result),
    timings: encodeJson(cycle.timings),
    details: encodeJson(cycle.details),
  };
}

function decodeCycle(row: Record<string, unknown>): CycleRecord {
  const text = (value: unknown) => value as string | null;
  const json = (value: unknown) => decodeJson(String(value));
  return {
    id: String(row.id),
    origin: row.origin as CycleOrigin,
    startedAt: Number(row.started_at),
    rowTimestamp: text(row.row_timestamp),
    outcome: String(row.outcome),
    reason: text(row.reason),
    strategy: row.strategy_name === null ? null : {
      name: String(row.strategy_name),
      version: String(row.strategy_version),
      digest: String(row.strategy_digest),
    },
    inputs: json(row.inputs),
    verdicts: json(row.verdicts),
    result: json(row.result),
    timings: json(row.timings),
    details: json(row.details),
  };
}

function total(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
