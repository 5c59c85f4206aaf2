import { setpointError, whyUnreadable } from "../errors.ts";

/** Holds a state folder for one process; dispose to let it go. The system lets go of a killed process's. */
export interface StateLock extends Disposable {
  readonly folder: string;
}

const FILE = "lock";

/**
 * Makes the state folder if need be and locks it.
 * @throws {SetpointError} STATE_LOCKED names the folder and the pid of the process that holds it; STATE_UNREADABLE if
 * the folder cannot be made or written.
 */
export async function lockState(folder: string): Promise<StateLock> {
  let file: Deno.FsFile;
  try {
    await Deno.mkdir(folder, { recursive: true });
    file = await Deno.open(`${folder}/${FILE}`, { read: true, write: true, create: true });
  } catch (cause) {
    throw setpointError(
      "STATE_UNREADABLE",
      `Cannot use the state folder "${folder}": ${
        whyUnreadable(cause)
      }; expected a folder that can be written`,
      { cause },
    );
  }
  try {
    if (!await file.tryLock(true)) {
      throw setpointError("STATE_LOCKED", lockedMessage(folder, await holder(file)));
    }
    await file.truncate();
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  } catch (error) {
    file.close();
    throw error;
  }
  return {
    folder,
    // The file stays: to remove it would let a third process lock a new one beside a second's.
    [Symbol.dispose]: () => file.close(),
  };
}

/** The pid in the file; a process that has just locked it may not have written it yet. */
async function holder(file: Deno.FsFile): Promise<string | null> {
  const bytes = new Uint8Array(20);
  const length = await file.read(bytes);
  const text = new TextDecoder().decode(bytes.subarray(0, length ?? 0));
  return /^(\d+)\n/.exec(text)?.[1] ?? null;
}

function lockedMessage(folder: string, pid: string | null): string {
  const who = pid === null ? "another process" : `the process with pid ${pid}`;
  return `Cannot use the state folder "${folder}": ${who} is using it; stop that one or give another folder with --state`;
}
