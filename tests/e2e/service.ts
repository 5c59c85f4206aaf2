/** Processes of `deno task` for the tests of the whole: those of tests/launch, and files for them. */
export { alive, type Ended, Folders, kill, Service, task, tree } from "../launch/process.ts";

/** A temporary folder with files in it. */
export class Files implements AsyncDisposable {
  private constructor(readonly root: string) {}

  /** @param texts By name. */
  static async make(texts: Readonly<Record<string, string>>): Promise<Files> {
    const files = new Files(await Deno.makeTempDir({ prefix: "setpoint-files-" }));
    for (const [name, text] of Object.entries(texts)) await files.write(name, text);
    return files;
  }

  async write(name: string, text: string): Promise<void> {
    await Deno.writeTextFile(`${this.root}/${name}`, text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

/** Copies a folder with all that is in it. */
export async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const [source, target] = [`${from}/${name}`, `${to}/${name}`];
    if (isDirectory) await copyFolder(source, target);
    else await Deno.copyFile(source, target);
  }
}
