/** How the kernel learns that it is to end: a signal, or the launcher's end. */

/**
 * Aborts at the first SIGTERM or SIGINT, or when standard input ends, which the launcher keeps open as long as it
 * lives.
 * @param launched Whether there is a launcher; else standard input means nothing.
 */
export function stopSignal(launched: boolean): AbortSignal {
  const stop = new AbortController();
  const end = () => stop.abort();
  for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, end);
  if (launched) untilInputEnds().then(end);
  return stop.signal;
}

/** Resolves when whoever holds the other end of standard input is gone. */
export async function untilInputEnds(): Promise<void> {
  const buffer = new Uint8Array(64);
  while (await Deno.stdin.read(buffer).catch(() => null) !== null);
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
