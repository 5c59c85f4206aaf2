import { openDirectory } from "../artifacts/directory.ts";
import { sha256 } from "../artifacts/digest.ts";
import { buildManifest, type ManifestEntry, readManifest, writeManifest } from "../artifacts/manifest.ts";
import { importModel } from "../kernel/model_import.ts";
import { atFile, baseName, readModelFile, type TorchFlags, torchOptionsOf } from "./model_files.ts";
import { printJson, printLine, printText } from "./print.ts";

export interface ImportOptions extends TorchFlags {
  /** Absolute. */
  readonly file: string;
  /** Absolute: the folder of a store. */
  readonly store: string;
  readonly json: boolean;
}

/**
 * Writes the file's ONNX or JSON form into the store, and lists it in the manifest under the path that strategies know;
 * a model's golden vectors under a path of their own. A store without a manifest gets one of everything in it.
 * @throws {SetpointError}
 */
export async function modelImport(options: ImportOptions): Promise<number> {
  const { file, store, json } = options;
  const bytes = await readModelFile(file);
  const [model, ...beside] = atFile(file, () => importModel(bytes, baseName(file), torchOptionsOf(options)));
  const path = file.startsWith(`${store}/`) ? file.slice(store.length + 1) : `models/${baseName(file)}`;
  const stem = path.replace(/\.[^./]*$/, "");
  const directory = openDirectory(store);
  const manifest = new Map(await readManifest(directory) ?? await buildManifest(directory));
  const entries: Record<string, ManifestEntry> = {};
  for (const [i, { ending, bytes }] of [model, ...beside].entries()) {
    const written = `${stem}.${ending}`;
    await directory.put(written, bytes, { overwrite: true });
    const entry = { sha256: await sha256(bytes), size: bytes.length };
    entries[i === 0 ? path : written] = i === 0 ? { ...entry, file: written } : entry;
  }
  for (const [path, entry] of Object.entries(entries)) manifest.set(path, entry);
  await writeManifest(directory, manifest);
  if (json) printJson(entries);
  else {
    printText(Object.entries(entries).map((entry) => imported(...entry)).join("\n"));
    if (model.assumed !== undefined) {
      printLine(
        `Warning: ${
          baseName(file)
        } does not tell its activation, ${model.assumed} is assumed here and in the golden ` +
          "vectors: --activation names another",
      );
    }
  }
  return 0;
}

function imported(path: string, { file = path, size, sha256 }: ManifestEntry): string {
  const told = file === path
    ? "Golden vectors: name it as metadata_path to have the model checked whenever it is loaded"
    : `The manifest gives it to who asks for ${path}`;
  return `${file}: ${size} bytes, SHA-256 ${sha256}\n${told}`;
}
