import { connect, type Socket } from "node:net";
import type { Sql } from "postgres";
import type { Clock } from "../clock.ts";

export interface PostgresAddress {
  readonly host: string;
  /** Default 5432. */
  readonly port?: number;
  readonly dbname: string;
  readonly user: string;
  readonly password?: string;
  /** Default "disable". "require" encrypts and trusts any certificate, "verify-full" checks it. */
  readonly ssl?: "disable" | "require" | "verify-full";
}

export interface PostgresTimeouts {
  /** Until the server has accepted and logged in; default 5000. */
  readonly connectTimeoutMs?: number;
  /** The server's own limit on each statement; default 10,000. */
  readonly statementTimeoutMs?: number;
}

/** The network's share of a statement, beyond what the server may take. */
const MARGIN_MS = 1000;
const SSL = {
  disable: false,
  require: "require",
  "verify-full": { rejectUnauthorized: true },
} as const;

/** Shorter than what firewalls forget, so a cycle never meets a connection that died in silence. */
const IDLE_SECONDS = 60;

/** A cell of an answer: the server's own text, or null. */
export type Cell = string | null;

interface Session {
  sql: Sql;
  socket: Socket | null;
}

/**
 * At most one connection, made when first needed and thrown away after any failure that is not the server's plain
 * answer: a server that hangs costs one call its deadline and leaves nothing behind.
 */
export class PostgresSession {
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly #address: PostgresAddress;
  readonly #clock: Clock;
  #current: Session | null = null;
  #closed = false;

  constructor(address: PostgresAddress, timeouts: PostgresTimeouts, clock: Clock) {
    this.#address = address;
    this.#clock = clock;
    this.connectTimeoutMs = timeouts.connectTimeoutMs ?? 5000;
    this.statementTimeoutMs = timeouts.statementTimeoutMs ?? 10_000;
  }

  /**
   * Runs one statement, which must not change anything: the server refuses that.
   * @param statement One SELECT whose cells are all text.
   * @returns Rows of cells in the order of the select list.
   * @throws The driver's error, {@linkcode DeadlineError}, or the signal's reason.
   */
  async read(statement: string, signal?: AbortSignal): Promise<readonly Cell[][]> {
    signal?.throwIfAborted();
    if (this.#closed) throw new Error("the historian is closed");
    // Deno loads the driver here, so a gateway on SQLite never pays for it.
    const { default: postgres } = await import("postgres");
    const fresh = this.#current === null;
    const session = this.#current ??= this.#open(postgres);
    try {
      if (fresh) await this.#within(this.connectTimeoutMs, session.sql.unsafe("SELECT 1"), signal);
      // One message, so one round trip and one transaction of the server's own. Not the driver's `begin`: it writes a
      // ROLLBACK to a connection that is gone, which ends the process. Not connection parameters: PgBouncer refuses them.
      const answer = session.sql.unsafe(
        `SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = ${this.statementTimeoutMs}; ${statement}`,
      ).simple().values() as unknown as PromiseLike<Cell[][][]>;
      const results = await this.#within(this.statementTimeoutMs + MARGIN_MS, answer, signal);
      return results[results.length - 1];
    } catch (error) {
      if (!isServerAnswer(error)) await this.#drop(session);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#current !== null) await this.#drop(this.#current);
  }

  async #drop(session: Session): Promise<void> {
    if (this.#current === session) this.#current = null;
    await session.sql.end({ timeout: 0 });
    // The driver has only said goodbye, which a hanging server never answers.
    session.socket?.destroy();
  }

  #open(postgres: typeof import("postgres")): Session {
    const { host, port = 5432, dbname, user, password = "", ssl = "disable" } = this.#address;
    // Every option that the driver would otherwise take from the environment is here.
    const options = {
      host,
      port,
      database: dbname,
      user,
      password,
      ssl: SSL[ssl],
      sslnegotiation: null,
      max: 1,
      prepare: false,
      fetch_types: false,
      connect_timeout: 0,
      idle_timeout: IDLE_SECONDS,
      max_lifetime: null,
      max_pipeline: 100,
      backoff: () => 0,
      keep_alive: 60,
      debug: false,
      publications: "alltables",
      target_session_attrs: undefined,
      connection: { application_name: "setpoint" },
      onnotice: () => {},
      onclose: () => {
        if (this.#current === session) this.#current = null;
      },
      socket: async () => {
        // The driver would connect again without end, and without a pause, to a server that hangs up at login.
        if (session.socket !== null) throw new Error("the connection was lost");
        session.socket = connect({ host, port });
        return await connected(session.socket, host, port);
      },
    };
    const session: Session = { sql: postgres(options), socket: null };
    return session;
  }

  /** The server's own limits help only while it answers; this one holds whatever the other side does. */
  #within<T>(limitMs: number, answer: PromiseLike<T>, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const abort = () => settle(() => reject(signal!.reason));
      const cancel = this.#clock.after(limitMs, () => settle(() => reject(new DeadlineError(limitMs))));
      const settle = (how: () => void) => {
        cancel();
        signal?.removeEventListener("abort", abort);
        how();
      };
      // The driver sends nothing before `then`.
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", abort, { once: true });
      answer.then((value) => settle(() => resolve(value)), (error) => settle(() => reject(error)));
    });
  }
}

/** The other side did not answer at all, not even that it takes too long. */
export class DeadlineError extends Error {
  constructor(readonly limitMs: number) {
    super(`no answer within ${limitMs} ms`);
    this.name = "DeadlineError";
  }
}

/** The server refused one statement and goes on with the connection, as opposed to ending it. */
function isServerAnswer(error: unknown): boolean {
  return error instanceof Error && (error as { severity?: string }).severity === "ERROR";
}

function connected(socket: Socket, host: string, port: number): Promise<Socket> {
  // The driver asks its socket for these two when it goes on to TLS.
  Object.assign(socket, { host, port });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.removeListener("error", reject);
      resolve(socket);
    });
  });
}
