/**
 * A port of 127.0.0.1 that nobody listens on. It is below those that the system gives to outgoing connections, so that
 * it is free still when the server starts, and when it starts again.
 */
export function freePort(): number {
  for (;;) {
    const port = 10_000 + Math.floor(20_000 * Math.random());
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
