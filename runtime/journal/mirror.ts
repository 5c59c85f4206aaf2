import { SetpointError, setpointError } from "../errors.ts";
import type { LastRun } from "./cycle.ts";
import type { Journal } from "./journal.ts";

/** The predecessor's file name; other programs at the plant read it. */
export const MIRROR_FILE = "last_run_timestamp.yaml";

const LINE = /^last_run_timestamp\s*:\s*(?:'([^']*)'|"([^"]*)"|([^#]*?))\s*(?:#.*)?$/m;

/** Where the last run timestamp came from at start, and what was wrong with the mirror, if anything was. */
export interface Restored {
  readonly lastRun: LastRun | null;
  readonly source: "journal" | "mirror" | "none";
  readonly problem?: string;
}

/**
 * Makes mirror and journal agree at start. The journal is the truth and the mirror is rewritten from it; only a journal
 * without a timestamp takes the mirror's, which is how a plant moves over from the predecessor.
 * @param folder The metadata folder.
 * @param parse Reads the file's text in the historian's time zone; null if it is no time.
 * @returns A mirror that cannot be read or written is a `problem`, not an error: cycles do not need it.
 * @throws {SetpointError} JOURNAL_UNUSABLE
 */
export async function restoreMirror(
  journal: Journal,
  folder: string,
  parse: (text: string) => LastRun | null,
): Promise<Restored> {
  const known = journal.lastRun();
  try {
    if (known !== null) {
      await writeMirror(folder, known);
      return { lastRun: known, source: "journal" };
    }
    const text = await readMirror(folder);
    if (text === null) return { lastRun: null, source: "none" };
    const lastRun = parse(text);
    if (lastRun === null) {
      const problem = `Cannot take over "${text}" from "${
        mirrorPath(folder)
      }": expected a time such as 2025-08-23T19:52:53.274472`;
      return { lastRun: null, source: "none", problem };
    }
    journal.startFrom(lastRun);
    return { lastRun, source: "mirror" };
  } catch (error) {
    if (!isMirrorError(error)) throw error;
    return { lastRun: known, source: known === null ? "none" : "journal", problem: error.message };
  }
}

/**
 * Writes the mirror as a whole or not at all. One at a time.
 * @throws {SetpointError} STATE_UNREADABLE
 */
export async function writeMirror(folder: string, { text }: LastRun): Promise<void> {
  const path = mirrorPath(folder);
  const temporary = `${path}.new`;
  try {
    await Deno.mkdir(folder, { recursive: true });
    {
      using file = await Deno.open(temporary, { write: true, create: true, truncate: true });
      await file.write(new TextEncoder().encode(`last_run_timestamp: '${text}'\n`));
      // Without it a power cut can leave the new name on an empty file.
      await file.syncData();
    }
    await Deno.rename(temporary, path);
  } catch (cause) {
    throw mirrorError("write", path, cause);
  }
}

/** The time in the file as text; null where there is no file, no such key, or no value. @throws {SetpointError} STATE_UNREADABLE */
export async function readMirror(folder: string): Promise<string | null> {
  const path = mirrorPath(folder);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return null;
    throw mirrorError("read", path, cause);
  }
  const match = LINE.exec(text);
  const value = (match?.[1] ?? match?.[2] ?? match?.[3] ?? "").trim();
  return ["", "null", "~"].includes(value) ? null : value;
}

function mirrorPath(folder: string): string {
  return `${folder}/${MIRROR_FILE}`;
}

function mirrorError(what: string, path: string, cause: unknown): SetpointError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return setpointError("STATE_UNREADABLE", `Cannot ${what} the timestamp file "${path}": ${reason}`, {
    cause,
  });
}

function isMirrorError(error: unknown): error is SetpointError {
  return error instanceof SetpointError && error.code === "STATE_UNREADABLE";
}
