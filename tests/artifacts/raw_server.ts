/** A server on loopback that answers each connection with the very bytes that a test gives it. */

export interface RawServer extends AsyncDisposable {
  readonly port: number;
  /** Request heads, in the order of arrival. */
  readonly requests: readonly string[];
}

/** @param answer Gets the connection once its request's head has arrived; the connection is closed when it is done. */
export function rawServer(answer: (connection: Deno.Conn) => Promise<void>): RawServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const requests: string[] = [];
  const connections = new Set<Promise<void>>();
  const open = new Set<Deno.Conn>();
  const serving = (async () => {
    for await (const connection of listener) {
      open.add(connection);
      const one = serve(connection, requests, answer).finally(() => {
        open.delete(connection);
        connections.delete(one);
      });
      connections.add(one);
    }
  })();
  return {
    port: listener.addr.port,
    requests,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of open) connection.close();
      await serving;
      await Promise.all(connections);
    },
  };
}

async function serve(
  connection: Deno.Conn,
  requests: string[],
  answer: (connection: Deno.Conn) => Promise<void>,
) {
  try {
    const head = new Uint8Array(16_384);
    const length = await connection.read(head);
    requests.push(new TextDecoder().decode(head.subarray(0, length ?? 0)));
    await answer(connection);
  } catch {
    // The client went away, which is what some tests want.
  } finally {
    try {
      connection.close();
    } catch {
      // It was closed with the server.
    }
  }
}

/** Writes all of `bytes`. */
export async function send(connection: Deno.Conn, bytes: Uint8Array | string): Promise<void> {
  const all = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
  for (let done = 0; done < all.length;) done += await connection.write(all.subarray(done));
}
