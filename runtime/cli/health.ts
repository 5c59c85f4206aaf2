import type { CacheOptions } from "./cache.ts";
import { printJson, printText } from "./print.ts";
import { ask } from "./running.ts";

interface Readiness {
  readonly status?: string;
  readonly reasons?: readonly { readonly code: string; readonly message: string }[];
}

/** Prints whether the running process is ready, and why not. @returns 0, or 1 if it is not. */
export async function health({ state, json, clock }: CacheOptions): Promise<number> {
  const { status, body } = await ask(state, "GET", "/health/ready", clock);
  const { status: word, reasons = [] } = body as Readiness;
  if (json) printJson(body);
  else {printText([
      word ?? `answered ${status}`,
      ...reasons.map(({ code, message }) => `${message} (${code})`),
    ].join("\n"));}
  return status === 200 ? 0 : 1;
}
