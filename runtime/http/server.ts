import type { Clock } from "../clock.ts";
import { setpointError } from "../errors.ts";

export interface HttpServer {
  readonly port: number;
  /** For a client on this machine, without a slash at the end. */
  readonly url: string;
  /** Takes no new connection, lets what runs finish within `graceMs`, then cuts it off. */
  stop(graceMs: number): Promise<void>;
}

export interface ServeOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly clock: Clock;
}

/** @throws {SetpointError} PORT_IN_USE, CONFIG_INVALID (an address that this machine does not have). */
export function serveHttp({ host, port, fetch, clock }: ServeOptions): HttpServer {
  const pending = new Set<(response: Response) => void>();
  const server = listen(() =>
    Deno.serve({ hostname: host.replace(/^\[|\]$/g, ""), port, onListen: () => {} }, answer)
  );
  const bound = server.addr.port;
  let stopped: Promise<void> | undefined;
  return {
    port: bound,
    url: `http://${localName(host)}:${bound}`,
    stop: (graceMs) => stopped ??= stop(graceMs),
  };

  /** Also resolves when the server cuts it off: shutdown() waits for every handler, also for a hung one. */
  function answer(request: Request): Promise<Response> {
    return new Promise((resolve, reject) => {
      pending.add(resolve);
      Promise.resolve(fetch(request)).then(resolve, reject).finally(() => pending.delete(resolve));
    });
  }

  async function stop(graceMs: number): Promise<void> {
    const finished = server.shutdown();
    if (await within(graceMs, finished)) return;
    for (const resolve of pending) {
      resolve(new Response(null, { status: 503, headers: { connection: "close" } }));
    }
    await within(LAST_ANSWERS_MS, finished);
  }

  /** Whether `work` ended in time. */
  async function within(ms: number, work: Promise<void>): Promise<boolean> {
    const done = new AbortController();
    const late = clock.sleep(ms, done.signal).then(() => false, () => false);
    const inTime = await Promise.race([work.then(() => true), late]);
    done.abort();
    return inTime;
  }

  function listen<T>(open: () => T): T {
    try {
      return open();
    } catch (cause) {
      if (cause instanceof Deno.errors.AddrInUse) {
        const message =
          `Cannot listen on ${host}:${port}: port ${port} is in use; stop what uses it or give another with --port`;
        throw setpointError("PORT_IN_USE", message, { cause });
      }
      throw setpointError("CONFIG_INVALID", `Cannot listen on ${host}:${port}: ${(cause as Error).message}`, {
        cause,
      });
    }
  }
}

/** For clients to take the answers of requests that were cut off. */
const LAST_ANSWERS_MS = 500;

/** A server on all addresses is reached over loopback. */
function localName(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::" || host === "[::]") return "[::1]";
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
