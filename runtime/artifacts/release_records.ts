/**
 * What each activated version was made of, on disk: the last good version can be loaded without pointer and manifest,
 * and a bucket without a manifest cannot change a version that was once loaded (its digests are pinned here).
 */
import { isArtifactPath } from "./artifact_path.ts";
import { writeAtomic } from "./atomic_file.ts";
import { isSha256 } from "./digest.ts";
import type { ManifestEntry } from "./manifest.ts";
import { isVersion } from "../version.ts";

export interface RecordedFile extends ManifestEntry {
  /** The store's etag when the digest was taken; only in a bucket without a manifest. */
  readonly etag?: string;
}

export interface ReleaseRecord {
  readonly version: string;
  /** By logical path. */
  readonly files: ReadonlyMap<string, RecordedFile>;
}

const FORMAT = "setpoint/releases/v1";

/** Older versions are forgotten, and would be pinned anew. */
const MAX_RECORDS = 50;

export class ReleaseRecords {
  /** Why the records could not be read or written; they are kept in memory all the same. */
  problem: string | undefined;
  readonly #file: string | undefined;
  /** Oldest activation first; the last is active. */
  readonly #records: Map<string, ReleaseRecord>;

  private constructor(file: string | undefined, records: Map<string, ReleaseRecord>) {
    this.#file = file;
    this.#records = records;
  }

  /** @param folder undefined: in memory only. */
  static async open(folder: string | undefined): Promise<ReleaseRecords> {
    if (folder === undefined) return new ReleaseRecords(undefined, new Map());
    const file = `${folder}/releases.json`;
    try {
      return new ReleaseRecords(file, parse(await Deno.readTextFile(file)));
    } catch (error) {
      const records = new ReleaseRecords(file, new Map());
      if (!(error instanceof Deno.errors.NotFound)) {
        records.problem = `Cannot read ${file}: ${(error as Error).message}`;
      }
      return records;
    }
  }

  get(version: string): ReleaseRecord | undefined {
    return this.#records.get(version);
  }

  /** The version that was activated last. @param but Not this one: the last one before it. */
  active(but?: string): ReleaseRecord | undefined {
    return [...this.#records.values()].findLast(({ version }) => version !== but);
  }

  async activate(record: ReleaseRecord): Promise<void> {
    this.#records.delete(record.version);
    this.#records.set(record.version, record);
    for (const oldest of this.#records.keys()) {
      if (this.#records.size <= MAX_RECORDS) break;
      this.#records.delete(oldest);
    }
    await this.#save();
  }

  /** Forgets every version, and with them the pins. */
  async clear(): Promise<void> {
    this.#records.clear();
    await this.#save();
  }

  async #save(): Promise<void> {
    if (this.#file === undefined) return;
    try {
      await writeAtomic(this.#file, new TextEncoder().encode(print(this.#records)));
      this.problem = undefined;
    } catch (error) {
      this.problem = `Cannot write ${this.#file}: ${(error as Error).message}`;
    }
  }
}

function print(records: ReadonlyMap<string, ReleaseRecord>): string {
  const versions = [...records.values()].map(({ version, files }) => ({
    version,
    files: Object.fromEntries(files),
  }));
  return `${JSON.stringify({ format: FORMAT, versions }, null, 1)}\n`;
}

function parse(text: string): Map<string, ReleaseRecord> {
  const { format, versions } = JSON.parse(text) as {
    format: unknown;
    versions: { version: string; files: object }[];
  };
  if (format !== FORMAT) throw new Error(`its format is ${JSON.stringify(format)}, expected "${FORMAT}"`);
  return new Map(versions.map(({ version, files }) => {
    const entries = Object.entries(files) as [string, RecordedFile][];
    const sound = isVersion(version) &&
      entries.every(([path, { sha256, size, file = path }]) =>
        isArtifactPath(path) && isArtifactPath(file) && isSha256(sha256) && Number.isSafeInteger(size)
      );
    if (!sound) throw new Error(`version ${JSON.stringify(version)} is damaged`);
    return [version, { version, files: new Map(entries) }];
  }));
}
