/** What a running process leaves in its state folder so that others find it and may talk to it. */
import { setpointError } from "./errors.ts";

/** `<state>/run.json`. */
export interface RunningProcess {
  readonly pid: number;
  /** Where it serves HTTP, without a slash at the end. */
  readonly url: string;
}

const RUN = "run.json";
const TOKEN = "token";

/** Replaces what a killed process left behind. */
export async function writeRun(state: string, run: RunningProcess): Promise<void> {
  await Deno.writeTextFile(`${state}/${RUN}`, `${JSON.stringify(run)}\n`);
}

export async function removeRun(state: string): Promise<void> {
  await Deno.remove(`${state}/${RUN}`).catch(ignoreMissing);
}

/** The process that says it runs on this folder; null if none does. A killed one says so until the next start. */
export async function readRun(state: string): Promise<RunningProcess | null> {
  const text = await Deno.readTextFile(`${state}/${RUN}`).catch(ignoreMissing);
  if (text === undefined) return null;
  try {
    const { pid, url } = JSON.parse(text);
    return Number.isInteger(pid) && typeof url === "string" && URL.canParse(url) ? { pid, url } : null;
  } catch {
    return null;
  }
}

/** The token that mutating routes ask for; null before the first start. */
export async function readToken(state: string): Promise<string | null> {
  return (await Deno.readTextFile(`${state}/${TOKEN}`).catch(ignoreMissing))?.trim() || null;
}

/**
 * The token, made at the first start: 256 random bits that only this user may read.
 * @throws {SetpointError} STATE_UNREADABLE.
 */
export async function makeToken(state: string): Promise<string> {
  const path = `${state}/${TOKEN}`;
  try {
    const known = await readToken(state);
    if (known === null) {
      const bytes = crypto.getRandomValues(new Uint8Array(32));
      await Deno.writeTextFile(
        path,
        `${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}\n`,
        { mode: 0o600 },
      );
    }
    await Deno.chmod(path, 0o600);
    return known ?? (await readToken(state))!;
  } catch (cause) {
    throw setpointError(
      "STATE_UNREADABLE",
      `Cannot keep a token in "${path}": ${cause}; expected a file that can be written`,
      { cause },
    );
  }
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
  throw error;
}
