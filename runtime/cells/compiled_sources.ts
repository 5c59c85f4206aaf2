/**
 * The folder in which Deno keeps what it compiled for the cells (their DENO_DIR). Deno also keeps every plugin's text,
 * under a new name each time that a cell starts: left alone, the folder grows without end. So a file stands in the place
 * of the folder for these, and Deno goes on without; what grows all the same, a kilobyte a start, goes at the next start of
 * the kernel once it is too much.
 */
const MOST_BYTES = 64 << 20;

/** Makes it, or empties it. @throws {Deno.errors} What the disk says; cells start without such a folder too, only slower. */
export async function openCompiledSources(dir: string, mostBytes: number = MOST_BYTES): Promise<void> {
  if (await bytesIn(dir) > mostBytes) await Deno.remove(dir, { recursive: true });
  await Deno.mkdir(`${dir}/gen`, { recursive: true });
  await Deno.writeTextFile(`${dir}/gen/blob`, "");
}

/** Deno puts a link to itself there, which is not counted as what it leads to. */
async function bytesIn(dir: string): Promise<number> {
  let bytes = 0;
  try {
    for await (const { name, isDirectory } of Deno.readDir(dir)) {
      const path = `${dir}/${name}`;
      bytes += isDirectory ? await bytesIn(path) : (await Deno.lstat(path)).size;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return bytes;
}
