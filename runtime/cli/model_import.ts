import { openDirectory } from "../artifacts/directory.ts";
import { sha256 } from "../artifacts/digest.ts";
import { buildManifest, type ManifestEntry, readManifest, writeManifest } from "../artifacts/manifest.ts";
import { importModel } from "../kernel/model_import.ts";
import { activationOf, atFile, baseName, readModelFile } from "./model_files.ts";
import { printJson, printText } from "./print.ts";

export interface ImportOptions {
  /** Absolute. */
  readonly file: string;
  /** Absolute: the folder of a store. */
  readonly store: string;
  readonly activation?: string;
  readonly json: boolean;
}

/**
 * Writes the file's ONNX or JSON form into the store, and lists it in the manifest under the path that strategies know.
 * A store without a manifest gets one of everything in it. @throws {SetpointError}
 */
export async function modelImport({ file, store, activation, json }: ImportOptions): Promise<number> {
  const bytes = await readModelFile(file);
  const imported = atFile(file, () => importModel(bytes, baseName(file), activationOf(activation)));
  const path = file.startsWith(`${store}/`) ? file.slice(store.length + 1) : `models/${baseName(file)}`;
  const written = `${path.replace(/\.[^./]*$/, "")}.${imported.ending}`;
  const directory = openDirectory(store);
  const known = await readManifest(directory);
  await directory.put(written, imported.bytes, { overwrite: true });
  const entry: ManifestEntry = {
    sha256: await sha256(imported.bytes),
    size: imported.bytes.length,
    file: written,
  };
  const manifest = new Map(known ?? await buildManifest(directory));
  manifest.set(path, entry);
  await writeManifest(directory, manifest);
  if (json) printJson({ [path]: entry });
  else {printText(
      `${written}: ${entry.size} bytes, SHA-256 ${entry.sha256}\nThe manifest gives it to who asks for ${path}`,
    );}
  return 0;
}
