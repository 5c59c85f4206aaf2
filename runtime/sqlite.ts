import { DatabaseSync, type StatementSync } from "node:sqlite";

export interface DatabaseOptions {
  /** Default false. A read-only database must exist. */
  readonly readOnly?: boolean;
  /** Longest wait for another process's lock in ms, blocking; default 250. */
  readonly busyMs?: number;
}

let open = 0;

/** How many {@linkcode Database}s of this process are open; the test sanitizers do not see them. */
export function openDatabases(): number {
  return open;
}

/** An open SQLite file (or `:memory:`) that is counted and closes with `using`. Errors of SQLite pass through. */
export class Database implements Disposable {
  readonly #database: DatabaseSync;
  #open = true;

  constructor(readonly path: string, { readOnly = false, busyMs = 250 }: DatabaseOptions = {}) {
    this.#database = new DatabaseSync(path, { readOnly, timeout: busyMs });
    open++;
  }

  get closed(): boolean {
    return !this.#open;
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  prepare(sql: string): StatementSync {
    return this.#database.prepare(sql);
  }

  /** Runs `work` in one transaction that takes the write lock at once; a throw rolls back and passes on. */
  transaction<T>(work: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      // A full disk rolls back by itself: a second ROLLBACK would hide the first error.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    open--;
    this.#database.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
