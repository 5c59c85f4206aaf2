/** Asks the process that runs on a state folder, over HTTP with its token. */
import type { Clock } from "../clock.ts";
import { setpointError } from "../errors.ts";
import { readRun, readToken } from "../state_folder.ts";

export interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const TIMEOUT_MS = 10_000;

/** @throws {SetpointError} NOT_RUNNING if there is no process, or it does not answer within 10 s. */
export async function ask(
  state: string,
  method: "GET" | "POST",
  path: string,
  clock: Pick<Clock, "after">,
): Promise<Reply> {
  const run = await readRun(state);
  if (run === null) {
    throw setpointError(
      "NOT_RUNNING",
      `Cannot ask for ${path}: no process runs on state folder "${state}"; begin one with deno task start`,
    );
  }
  const token = await readToken(state);
  const late = new AbortController();
  const cancelTimer = clock.after(
    TIMEOUT_MS,
    () => late.abort(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)),
  );
  try {
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(`${run.url}${path}`, {
      method,
      headers,
      signal: late.signal,
      redirect: "error",
    });
    const text = await response.text();
    return { status: response.status, body: parsed(text) };
  } catch (cause) {
    const message =
      `Cannot ask for ${path}: no process runs on state folder "${state}"; the one with pid ${run.pid} ` +
      `that did does not answer on ${run.url}`;
    throw setpointError("NOT_RUNNING", message, { cause });
  } finally {
    cancelTimer();
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
