/** Files that a reader, and a restart after a power cut, sees whole or not at all. */
import { dirname } from "node:path";

/** Begins the name of a file that is being written; no artifact path has such a part. */
export const TEMPORARY = ".tmp-";

/**
 * Writes beside `file` and renames over it, durably. The folder is made where it is missing.
 * @throws {Deno.errors.AlreadyExists} Where it exists and `overwrite` is false; its default is true.
 */
export async function writeAtomic(file: string, bytes: Uint8Array, { overwrite = true } = {}): Promise<void> {
  const folder = dirname(file);
  await Deno.mkdir(folder, { recursive: true });
  const temporary = `${folder}/${TEMPORARY}${crypto.randomUUID()}`;
  try {
    await writeNew(temporary, bytes);
    if (overwrite) return await Deno.rename(temporary, file);
    // A rename would replace; a hard link fails when the name is taken, and does both in one step.
    await Deno.link(temporary, file);
  } finally {
    await Deno.remove(temporary).catch(() => {});
  }
}

async function writeNew(file: string, bytes: Uint8Array): Promise<void> {
  using handle = await Deno.open(file, { write: true, createNew: true });
  for (let done = 0; done < bytes.length;) done += await handle.write(bytes.subarray(done));
  await handle.sync();
}
