/** Brings a version into a store: its files first, the manifest last, so that no reader sees half of it. */
import { SetpointError } from "../errors.ts";
import { artifactPath } from "./artifact_path.ts";
import { sha256 } from "./digest.ts";
import { type Manifest, type ManifestEntry, readManifest, writeManifest } from "./manifest.ts";
import type { ArtifactStore } from "./store.ts";

export interface PublishOptions {
  /** Replaces files that are there with other content; default: ARTIFACT_EXISTS, and the manifest stays as it was. */
  readonly overwrite?: boolean;
  /** Further logical paths for files of this call: logical path → path in `files`. */
  readonly mapping?: Readonly<Record<string, string>>;
}

/**
 * Writes `files` (path → bytes) and adds them to the manifest, which is made where there is none. What is there with the
 * same content counts as written, so an upload that broke off can be repeated. Two uploads at the same time may lose
 * each other's manifest entries: repeat the one that is missing.
 * @returns The new manifest.
 */
export async function publish(
  store: ArtifactStore,
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  { overwrite = false, mapping = {} }: PublishOptions = {},
): Promise<Manifest> {
  const manifest = new Map(await readManifest(store));
  const written = new Map<string, ManifestEntry>();
  for (const [path, bytes] of files) {
    const digest = await sha256(bytes);
    await putOnce(store, path, bytes, digest, overwrite);
    written.set(path, { sha256: digest, size: bytes.length });
  }
  for (const [path, entry] of written) manifest.set(path, entry);
  for (const [path, file] of Object.entries(mapping)) {
    const entry = written.get(file);
    if (entry === undefined) {
      throw new RangeError(`Cannot map "${path}" to "${file}": it is not among the files`);
    }
    manifest.set(artifactPath(path), path === file ? entry : { ...entry, file });
  }
  await writeManifest(store, manifest);
  return manifest;
}

async function putOnce(
  store: ArtifactStore,
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
  digest: string,
  overwrite: boolean,
): Promise<void> {
  try {
    await store.put(path, bytes, { overwrite });
  } catch (error) {
    if (!(error instanceof SetpointError && error.code === "ARTIFACT_EXISTS")) throw error;
    const present = await store.get(path, { maxBytes: Number.MAX_SAFE_INTEGER });
    if (present.sha256 !== digest) throw error;
  }
}
