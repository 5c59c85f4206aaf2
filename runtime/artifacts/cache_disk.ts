/**
 * The cache's part on disk, which survives restarts and outages of the store: `objects/<path>/.<sha256>`, and beside it
 * `.latest` with the digest that the store had last. No part of an artifact path begins with a dot, so the two never
 * meet. Nothing here is trusted: every read is checked against the digest, and a damaged file is removed.
 */
import type { Clock } from "../clock.ts";
import { isArtifactPath } from "./artifact_path.ts";
import { TEMPORARY, writeAtomic } from "./atomic_file.ts";
import { isSha256, sha256 as digestOf } from "./digest.ts";

interface DiskEntry {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
}

const LATEST = ".latest";

/** A temporary file this old was left by a process that ended while it wrote. */
const ABANDONED_MS = 10 * 60_000;

export class DiskCache {
  /** Damaged files that were found and removed. */
  corrupt = 0;
  evicted = 0;
  /** Why the last write failed; undefined while writing works. The cache then works on without the disk. */
  problem: string | undefined;

  readonly #root: string;
  readonly #clock: Pick<Clock, "now">;
  readonly #maxBytes: number;
  /** Least recently used first. */
  readonly #entries = new Map<string, DiskEntry>();
  readonly #latest = new Map<string, string>();
  #kept: ReadonlySet<string> = new Set();
  #bytes = 0;
  #scanned: Promise<void> | undefined;

  constructor(folder: string, clock: Pick<Clock, "now">, maxBytes: number) {
    this.#root = `${folder}/objects`;
    this.#clock = clock;
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Reads the folder; the other methods do that at their first call. */
  scan(): Promise<void> {
    return this.#scanned ??= this.#scan();
  }

  /** The last good version: eviction and {@linkcode remove} leave it alone. */
  keep(keys: ReadonlySet<string>): void {
    this.#kept = keys;
  }

  async read(path: string, sha256: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    await this.scan();
    const key = cacheKey(path, sha256);
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const bytes = await Deno.readFile(this.#file(entry)).catch(() => undefined);
    if (bytes !== undefined && bytes.length === entry.size && await digestOf(bytes) === sha256) {
      this.#entries.delete(key);
      this.#entries.set(key, entry);
      return bytes;
    }
    this.corrupt++;
    await this.#remove(key, entry);
    return undefined;
  }

  /** Keeps a copy, unless it is larger than the limit or the disk refuses. */
  async write(path: string, sha256: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.scan();
    const key = cacheKey(path, sha256);
    if (this.#entries.has(key) || !(await this.#makeRoom(bytes.length))) return;
    const entry = { path, sha256, size: bytes.length };
    // Counted before it is there, so that writes at the same time do not pass the limit together.
    this.#entries.set(key, entry);
    this.#bytes += entry.size;
    if (!(await this.#attempt(() => writeAtomic(this.#file(entry), bytes)))) await this.#remove(key, entry);
  }

  /** The digest that the store had last for `path`. */
  async latest(path: string): Promise<string | undefined> {
    await this.scan();
    return this.#latest.get(path);
  }

  /** Replaces the copy of what it had before. */
  async setLatest(path: string, sha256: string): Promise<void> {
    await this.scan();
    const before = this.#latest.get(path);
    if (before === sha256) return;
    const written = await this.#attempt(() =>
      writeAtomic(this.#latestFile(path), new TextEncoder().encode(sha256))
    );
    if (!written) return;
    this.#latest.set(path, sha256);
    if (before !== undefined) await this.remove((key) => key === cacheKey(path, before));
  }

  /** Lets go of what {@linkcode setLatest} and {@linkcode keep} hold. */
  async forget(): Promise<void> {
    await this.scan();
    this.#kept = new Set();
    for (const path of this.#latest.keys()) await Deno.remove(this.#latestFile(path)).catch(() => {});
    this.#latest.clear();
  }

  /** Removes what `matches`, but for the last good version and what the store had last; answers how many. */
  async remove(matches: (key: string, path: string) => boolean): Promise<number> {
    await this.scan();
    let count = 0;
    for (const [key, entry] of [...this.#entries]) {
      if (this.#isHeld(key, entry) || !matches(key, entry.path)) continue;
      await this.#remove(key, entry);
      count++;
    }
    return count;
  }

  #file({ path, sha256 }: DiskEntry): string {
    return `${this.#root}/${path}/.${sha256}`;
  }

  #latestFile(path: string): string {
    return `${this.#root}/${path}/${LATEST}`;
  }

  #isHeld(key: string, { path, sha256 }: DiskEntry): boolean {
    return this.#kept.has(key) || this.#latest.get(path) === sha256;
  }

  async #makeRoom(size: number): Promise<boolean> {
    if (size > this.#maxBytes) return false;
    for (const [key, entry] of [...this.#entries]) {
      if (this.#bytes + size <= this.#maxBytes) break;
      if (this.#isHeld(key, entry)) continue;
      await this.#remove(key, entry);
      this.evicted++;
    }
    return this.#bytes + size <= this.#maxBytes;
  }

  async #remove(key: string, entry: DiskEntry): Promise<void> {
    if (this.#entries.get(key) !== entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.size;
    await Deno.remove(this.#file(entry)).catch(() => {});
  }

  /** A full or read-only disk must not stop anything: it is noted, and the caller goes on. */
  async #attempt(write: () => Promise<void>): Promise<boolean> {
    try {
      await write();
      this.problem = undefined;
      return true;
    } catch (error) {
      this.problem = `Cannot write the artifact cache in ${this.#root}: ${(error as Error).message}`;
      return false;
    }
  }

  async #scan(): Promise<void> {
    const found: { entry: DiskEntry; usedAt: number }[] = [];
    await this.#walk("", found);
    found.sort((a, b) => a.usedAt - b.usedAt);
    for (const { entry } of found) {
      this.#entries.set(cacheKey(entry.path, entry.sha256), entry);
      this.#bytes += entry.size;
    }
  }

  async #walk(path: string, found: { entry: DiskEntry; usedAt: number }[]): Promise<void> {
    for (const { name, isDirectory, isFile } of await names(`${this.#root}/${path}`)) {
      const below = path === "" ? name : `${path}/${name}`;
      if (isDirectory) {
        if (isArtifactPath(below)) await this.#walk(below, found);
        continue;
      }
      const file = `${this.#root}/${below}`;
      const stat = isFile ? await Deno.stat(file).catch(() => undefined) : undefined;
      if (stat === undefined) continue;
      const sha256 = name.slice(1);
      const usedAt = stat.mtime?.getTime() ?? 0;
      if (name === LATEST) await this.#readLatest(path, file);
      else if (name.startsWith(".") && isSha256(sha256)) {
        found.push({ entry: { path, sha256, size: stat.size }, usedAt });
      } else if (name.startsWith(TEMPORARY) && this.#clock.now() - usedAt > ABANDONED_MS) {
        await Deno.remove(file).catch(() => {});
      }
    }
  }

  async #readLatest(path: string, file: string): Promise<void> {
    const text = await Deno.readTextFile(file).catch(() => "");
    if (isSha256(text)) this.#latest.set(path, text);
  }
}

/** One content of one logical path. */
export function cacheKey(path: string, sha256: string): string {
  return `${sha256} ${path}`;
}

/** The path of a {@linkcode cacheKey}. */
export function pathOfKey(key: string): string {
  return key.slice(key.indexOf(" ") + 1);
}

async function names(folder: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch {
    return [];
  }
}
