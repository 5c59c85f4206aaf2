/** What belongs to one strategy version: a snapshot of digests, so that all files of a release are of one version. */
import { SetpointError } from "../errors.ts";
import type { ArtifactCache, CachedArtifact } from "./cache.ts";
import { shortDigest } from "./digest.ts";
import { type Manifest, MANIFEST_PATH, MAX_MANIFEST_BYTES, parseManifest } from "./manifest.ts";
import type { RecordedFile, ReleaseRecord } from "./release_records.ts";
import { corrupt } from "./store_error.ts";

export interface CatalogedArtifact extends CachedArtifact {
  /** Path of the object that stands for the logical path. */
  readonly file: string;
}

export interface Catalog {
  /** `record`: what the version was when it was active last, since the store cannot tell what it is now. */
  readonly source: "manifest" | "pins" | "record";
  /** The store was away, so this is the last good knowledge. */
  readonly stale: boolean;
  /** What an operator should know, in full sentences. */
  readonly warnings: readonly string[];
  /** Path of the object for `path`, where that is known without asking the store. */
  fileOf(path: string): string | undefined;
  /** undefined: the version has no such file. */
  read(path: string, signal?: AbortSignal): Promise<CatalogedArtifact | undefined>;
  /** Throws where the store changed during the load. */
  verify(signal?: AbortSignal): Promise<void>;
  /** What is to be recorded of these files when the version becomes active. */
  recorded(files: Manifest): ReadonlyMap<string, RecordedFile>;
}

/**
 * Takes the snapshot. With a manifest it is the manifest. A bucket without one (the predecessor's) has its digests taken
 * at the first load; they are pinned when the version is activated, and from then on another content under the same
 * version is refused: the pinned one stays in use, with a warning, or the load fails where it is not at hand.
 * @param version undefined: no version, so nothing is pinned.
 */
export async function openCatalog(
  cache: ArtifactCache,
  version?: string,
  signal?: AbortSignal,
): Promise<Catalog> {
  const record = version === undefined ? undefined : cache.records.get(version);
  try {
    return await manifestOf(cache, signal) ?? await PinCatalog.open(cache, record, signal);
  } catch (error) {
    if (record === undefined || !(error instanceof SetpointError && error.code === "STORE_UNREACHABLE")) {
      throw error;
    }
    return recordedCatalog(cache, record);
  }
}

async function manifestOf(cache: ArtifactCache, signal?: AbortSignal): Promise<Catalog | undefined> {
  const label = `${MANIFEST_PATH} of ${cache.store.label}`;
  const check = (bytes: Uint8Array) => void parseManifest(bytes, label);
  try {
    const { bytes, from } = await cache.latest(MANIFEST_PATH, {
      maxBytes: MAX_MANIFEST_BYTES,
      check,
      signal,
    });
    return manifestCatalog(cache, parseManifest(bytes, label), "manifest", from === "stale");
  } catch (error) {
    if (error instanceof SetpointError && error.code === "ARTIFACT_MISSING") return undefined;
    throw error;
  }
}

/** The catalog of a version as it was when it was active. */
export function recordedCatalog(cache: ArtifactCache, { files }: ReleaseRecord): Catalog {
  return manifestCatalog(cache, files, "record", true);
}

function manifestCatalog(
  cache: ArtifactCache,
  manifest: Manifest,
  source: "manifest" | "record",
  stale: boolean,
): Catalog {
  return {
    source,
    stale,
    warnings: [],
    fileOf(path) {
      const entry = manifest.get(path);
      return entry && (entry.file ?? path);
    },
    async read(path, signal) {
      const entry = manifest.get(path);
      if (entry === undefined) return undefined;
      const { file = path, sha256 } = entry;
      return { ...await cache.get({ path: file, sha256 }, signal), file };
    },
    verify: () => Promise.resolve(),
    recorded: (files) => files,
  };
}

class PinCatalog implements Catalog {
  readonly source = "pins";
  readonly stale = false;
  readonly warnings: string[] = [];
  readonly #cache: ArtifactCache;
  readonly #pins: ReadonlyMap<string, RecordedFile>;
  readonly #taken = new Map<string, RecordedFile>();

  private constructor(cache: ArtifactCache, pins: ReadonlyMap<string, RecordedFile>) {
    this.#cache = cache;
    this.#pins = pins;
  }

  static async open(
    cache: ArtifactCache,
    record: ReleaseRecord | undefined,
    signal?: AbortSignal,
  ): Promise<PinCatalog> {
    const catalog = new PinCatalog(cache, record?.files ?? new Map());
    if (record !== undefined) await catalog.#compare(record, signal);
    return catalog;
  }

  fileOf(): undefined {}

  async read(path: string, signal?: AbortSignal): Promise<CatalogedArtifact | undefined> {
    const known = this.#pins.get(path) ?? this.#taken.get(path);
    if (known !== undefined) {
      const { file = path, sha256 } = known;
      return { ...await this.#cache.get({ path: file, sha256 }, signal), file };
    }
    try {
      const found = await this.#cache.latest(path, { stale: false, signal });
      this.#taken.set(path, { sha256: found.sha256, size: found.size, etag: found.etag });
      return { ...found, file: path };
    } catch (error) {
      if (error instanceof SetpointError && error.code === "ARTIFACT_MISSING") return undefined;
      throw error;
    }
  }

  /** Files that were read one after the other are of one version if none has changed since. */
  async verify(signal?: AbortSignal): Promise<void> {
    const { store } = this.#cache;
    await Promise.all([...this.#taken].map(async ([path, { etag }]) => {
      const head = await store.head(path, { signal });
      if (head?.etag !== etag) {
        throw corrupt(path, store.label, "it was changed while its version was loaded");
      }
    }));
  }

  /** With the etags, which tell without reading that nothing has changed; what was pinned stays pinned. */
  recorded(files: Manifest): ReadonlyMap<string, RecordedFile> {
    const now = [...files].map((
      [path, entry],
    ): [string, RecordedFile] => [path, this.#taken.get(path) ?? entry]);
    return new Map([...now, ...this.#pins]);
  }

  async #compare({ version, files }: ReleaseRecord, signal?: AbortSignal): Promise<void> {
    const { store } = this.#cache;
    await Promise.all([...files].map(async ([path, { file = path, sha256, etag }]) => {
      const head = await store.head(file, { signal });
      if (head !== undefined && head.etag === etag) return;
      const has = head === undefined ? undefined : (await store.get(file, { signal })).sha256;
      if (has === sha256) return;
      const change = has === undefined ? "was removed" : `was changed to SHA-256 ${shortDigest(has)}…`;
      const refusal = `it ${change} under version ${version}, which is pinned to ${shortDigest(sha256)}…; ` +
        "expected a new version for a new content";
      await this.#cache.get({ path: file, sha256 }, signal).catch((cause) => {
        throw corrupt(path, store.label, refusal, cause);
      });
      this.warnings.push(`Cannot take the new content of artifact "${path}" from ${store.label}: ${refusal}`);
    }));
  }
}
