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
  const cut = new AbortController();
  const server = listen(() =>
    Deno.serve(
      { hostname: host.replace(/^\[|\]$/g, ""), port, signal: cut.signal, onListen: () => {} },
      fetch,
    )
  );
  const bound = server.addr.port;
  return {
    port: bound,
    url: `http://${localName(host)}:${bound}`,
    async stop(graceMs) {
      const done = new AbortController();
      // a hung handler would keep shutdown() waiting for ever
      const late = clock.sleep(graceMs, done.signal).catch(() => {});
      await Promise.race([server.shutdown(), late]);
      done.abort();
      cut.abort();
      await server.finished;
    },
  };

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

/** A server on all addresses is reached over loopback. */
function localName(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::" || host === "[::]") return "[::1]";
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
