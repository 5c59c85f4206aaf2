/**
 * Artifacts near at hand: in memory, on disk, and behind both the store. What is asked for by digest never changes, so
 * memory and disk may always answer; what is asked for by name alone ({@linkcode ArtifactCache.latest}) comes from the
 * store, and from the last good copy while the store is away.
 */
import type { Clock } from "../clock.ts";
import { SetpointError } from "../errors.ts";
import { type ArtifactKind, artifactKind } from "./artifact_kind.ts";
import { artifactPath, artifactPrefix } from "./artifact_path.ts";
import { cacheKey, DiskCache, pathOfKey } from "./cache_disk.ts";
import { MemoryCache } from "./cache_memory.ts";
import { type CacheStats, cacheStats, type CacheStatus, newCounters } from "./cache_stats.ts";
import { sha256 as digestOf } from "./digest.ts";
import { MANIFEST_PATH } from "./manifest.ts";
import type { EvictionPolicy } from "./policy/eviction.ts";
import { leastRecentlyUsed } from "./policy/lru.ts";
import { type ReleaseRecord, ReleaseRecords } from "./release_records.ts";
import { type Flight, SingleFlight } from "./single_flight.ts";
import { type ArtifactStore, DEFAULT_MAX_BYTES, type StoredArtifact } from "./store.ts";
import { StoreHealth } from "./store_health.ts";

export interface CacheOptions {
  readonly clock: Clock;
  /** Closed with the cache. */
  readonly store: ArtifactStore;
  /** Folder for the part on disk; each store has its own below it. Default: nothing on disk. */
  readonly dir?: string;
  /** Limit of the part in memory, in bytes; default 128 MiB. */
  readonly maxBytes?: number;
  /** Limit of the part on disk, in bytes; default 1 GiB. */
  readonly maxDiskBytes?: number;
  /** Largest single artifact, in bytes; default 32 MiB. */
  readonly maxArtifactBytes?: number;
  /** How long an artifact stays in memory; default 2 h for every kind. Its copy on disk stays. */
  readonly ttlMs?: Readonly<Partial<Record<ArtifactKind, number>>>;
  /** Default: least recently used. */
  readonly policy?: EvictionPolicy;
  /** Gets the lines that the predecessor's users search their logs for. */
  readonly log?: (line: string) => void;
}

export interface CachedArtifact {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
  /** Shared with other readers: not to be written to, nor transferred. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where it was found; `stale`: the last good copy of what the store could not tell. */
  readonly from: "memory" | "disk" | "store" | "stale";
  /** The store's, where it comes from there. */
  readonly etag?: string;
}

export interface ArtifactRequest {
  readonly path: string;
  readonly sha256: string;
}

export interface LatestOptions {
  readonly maxBytes?: number;
  /** Throws where the content is of no use: then it is neither kept nor answered. */
  readonly check?: (bytes: Uint8Array) => void;
  /** Whether the last good copy will do while the store is away or answers damaged content; default: true. */
  readonly stale?: boolean;
  readonly signal?: AbortSignal;
}

const TWO_HOURS = 2 * 3_600_000;

export class ArtifactCache implements AsyncDisposable {
  readonly store: ArtifactStore;
  readonly records: ReleaseRecords;
  readonly #options: CacheOptions;
  readonly #maxArtifactBytes: number;
  readonly #memory: MemoryCache;
  readonly #disk: DiskCache | undefined;
  readonly #health: StoreHealth;
  readonly #flights = new SingleFlight<CachedArtifact>();
  readonly #counters = newCounters();
  /** Paths whose last good copy was handed out in this outage. */
  readonly #stale = new Set<string>();

  private constructor(options: CacheOptions, folder: string | undefined, records: ReleaseRecords) {
    const { clock, store, maxBytes = 128 * 2 ** 20, maxDiskBytes = 2 ** 30, ttlMs = {} } = options;
    this.#options = options;
    this.store = store;
    this.records = records;
    this.#maxArtifactBytes = options.maxArtifactBytes ?? DEFAULT_MAX_BYTES;
    this.#memory = new MemoryCache({
      clock,
      maxBytes,
      ttlMs: (kind) => ttlMs[kind] ?? TWO_HOURS,
      policy: options.policy ?? leastRecentlyUsed(),
    });
    this.#disk = folder === undefined ? undefined : new DiskCache(folder, clock, maxDiskBytes);
    this.#health = new StoreHealth(clock, (signal) => store.head(MANIFEST_PATH, { signal }));
    this.#keepLastGood();
  }

  /** Reads what an earlier process left in `options.dir`; does not talk to the store. */
  static async open(options: CacheOptions): Promise<ArtifactCache> {
    const { dir, store } = options;
    const own = new TextEncoder().encode(store.label);
    const folder = dir === undefined ? undefined : `${dir}/${(await digestOf(own)).slice(0, 16)}`;
    return new ArtifactCache(options, folder, await ReleaseRecords.open(folder));
  }

  /**
   * The artifact of that path with that digest, and no other.
   * @throws {SetpointError} ARTIFACT_CORRUPT where the store has another content, and what the store throws.
   */
  async get({ path, sha256 }: ArtifactRequest, signal?: AbortSignal): Promise<CachedArtifact> {
    artifactPath(path);
    signal?.throwIfAborted();
    const key = cacheKey(path, sha256);
    const held = this.#memory.get(key);
    if (held !== undefined) {
      this.#counters.memoryHits++;
      this.#logUse(path);
      return { path, sha256, size: held.size, bytes: held.bytes, from: "memory" };
    }
    try {
      const { value, joined } = await this.#flights.run(
        key,
        signal,
        (flight) => this.#load(path, sha256, flight),
      );
      this.#counters[value.from === "disk" ? "diskHits" : "loads"]++;
      if (joined) this.#counters.shared++;
      return value;
    } catch (error) {
      this.#counters.failures++;
      throw error;
    }
  }

  /**
   * What the store has under `path` now. Not counted as a hit or a miss, since no cache could have answered.
   * @throws {SetpointError} What the store throws; while it is away only where there is no last good copy.
   */
  async latest(path: string, options: LatestOptions = {}): Promise<CachedArtifact> {
    artifactPath(path);
    const { stale = true, signal } = options;
    this.#counters.latest++;
    const key = cacheKey(path, `latest-${stale}`);
    const { value } = await this.#flights.run(
      key,
      signal,
      (flight) => this.#loadLatest(path, options, stale, flight),
    );
    return value;
  }

  /**
   * Makes `record` the version in use: drops from memory what the version before had and this one has not or has
   * otherwise, and keeps this one's copies on disk through every eviction. What both share stays where it is.
   * @returns How many entries were dropped.
   */
  async activate(record: ReleaseRecord): Promise<number> {
    const before = this.records.active();
    await this.records.activate(record);
    const now = this.#keepLastGood();
    if (before === undefined) return 0;
    const changed = before.version !== record.version;
    if (changed) {
      this.#options.log?.(`Version changed from ${before.version} to ${record.version}, invalidating cache`);
    }
    const old = keysOf(before);
    const dropped = this.#memory.invalidate((key) => old.has(key) && !now.has(key));
    if (changed) this.#options.log?.(`Cache invalidated due to version change. Cleared ${dropped} items`);
    return dropped;
  }

  /** Loads all of them; answers those that could not be, with their errors. */
  async preload(
    wanted: readonly ArtifactRequest[],
    signal?: AbortSignal,
  ): Promise<{ path: string; error: unknown }[]> {
    const failed: { path: string; error: unknown }[] = [];
    await Promise.all(
      wanted.map((each) => this.get(each, signal).catch((error) => failed.push({ path: each.path, error }))),
    );
    signal?.throwIfAborted();
    return failed;
  }

  /**
   * Drops everything whose path begins with `prefix`, loads under way included. The active version's copies on disk
   * stay: they are what an outage is survived with.
   * @returns How many artifacts were dropped.
   */
  async invalidate(prefix: string): Promise<number> {
    artifactPrefix(prefix);
    this.#flights.overtake((key) => pathOfKey(key).startsWith(prefix));
    const dropped = new Set<string>();
    const matches = (key: string, path: string) => path.startsWith(prefix) && dropped.add(key) !== undefined;
    this.#memory.invalidate((key, { path }) => matches(key, path));
    await this.#disk?.remove(matches);
    return dropped.size;
  }

  /** {@linkcode invalidate} of everything. */
  clear(): Promise<number> {
    return this.invalidate("");
  }

  /** {@linkcode clear}, and gives up the last good version and the pinned digests with it. */
  async forget(): Promise<number> {
    await this.records.clear();
    await this.#disk?.forget();
    return await this.clear();
  }

  /** Drops from memory what is past its TTL; answers how many. */
  sweep(): number {
    return this.#memory.sweep();
  }

  stats(): CacheStats {
    return cacheStats(this.#options.clock, this.#counters, this.#memory, this.#disk);
  }

  /** Flags for /health. */
  status(): CacheStatus {
    const store = this.#health.status();
    if (!this.#health.away) this.#stale.clear();
    const reasons = [store.problem, this.#disk?.problem, this.records.problem].filter((each) =>
      each !== undefined
    );
    return {
      store: { label: this.store.label, ...store },
      degraded: reasons.length > 0,
      stale: this.#stale.size > 0,
      stalePaths: [...this.#stale].sort(),
      reasons,
    };
  }

  async close(): Promise<void> {
    await this.#health.close();
    await this.store.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #load(path: string, sha256: string, flight: Flight): Promise<CachedArtifact> {
    const copy = await this.#disk?.read(path, sha256);
    if (copy !== undefined) {
      this.#logUse(path);
      this.#remember(path, sha256, copy, flight);
      return { path, sha256, size: copy.length, bytes: copy, from: "disk" };
    }
    const found = await this.#fetch(path, {
      maxBytes: this.#maxArtifactBytes,
      sha256,
      signal: flight.signal,
    });
    await this.#keep(found, flight, true);
    return { ...found, from: "store" };
  }

  async #loadLatest(
    path: string,
    options: LatestOptions,
    stale: boolean,
    flight: Flight,
  ): Promise<CachedArtifact> {
    const copy = stale && this.#health.away ? await this.#lastGood(path) : undefined;
    if (copy !== undefined) return copy;
    try {
      const maxBytes = options.maxBytes ?? this.#maxArtifactBytes;
      const found = await this.#fetch(path, { maxBytes, signal: flight.signal });
      options.check?.(found.bytes);
      this.#stale.delete(path);
      const byName = BY_NAME.has(artifactKind(path));
      await this.#keep(found, flight, !byName);
      if (byName && !flight.overtaken) await this.#disk?.setLatest(path, found.sha256);
      return { ...found, from: "store" };
    } catch (error) {
      flight.signal.throwIfAborted();
      const passing = error instanceof SetpointError && PASSING.has(error.code);
      const last = passing && stale ? await this.#lastGood(path) : undefined;
      if (last === undefined) throw error;
      return last;
    }
  }

  async #fetch(
    path: string,
    options: { maxBytes: number; sha256?: string; signal: AbortSignal },
  ): Promise<StoredArtifact> {
    try {
      return await this.#health.watch(this.store.get(path, options), options.signal);
    } catch (error) {
      if (error instanceof SetpointError && REJECTED.has(error.code)) this.#counters.rejected++;
      throw error;
    }
  }

  async #keep({ path, sha256, bytes }: StoredArtifact, flight: Flight, inMemory: boolean): Promise<void> {
    if (!flight.overtaken) await this.#disk?.write(path, sha256, bytes);
    if (flight.overtaken) {
      this.#counters.overtaken++;
      await this.#disk?.remove((key) => key === cacheKey(path, sha256));
    } else if (inMemory) this.#remember(path, sha256, bytes, flight);
  }

  #remember(path: string, sha256: string, bytes: Uint8Array<ArrayBuffer>, flight: Flight): void {
    if (flight.overtaken) return;
    const held = this.#memory.set(cacheKey(path, sha256), path, sha256, bytes);
    if (held && artifactKind(path) === "model") this.#options.log?.(`Model cached in memory for: ${path}`);
  }

  async #lastGood(path: string): Promise<CachedArtifact | undefined> {
    const sha256 = await this.#disk?.latest(path);
    const bytes = sha256 === undefined ? undefined : await this.#disk!.read(path, sha256);
    if (bytes === undefined) return undefined;
    this.#counters.stale++;
    this.#stale.add(path);
    return { path, sha256: sha256!, size: bytes.length, bytes, from: "stale" };
  }

  #keepLastGood(): ReadonlySet<string> {
    const active = this.records.active();
    const keys = active === undefined ? new Set<string>() : keysOf(active);
    this.#disk?.keep(keys);
    return keys;
  }

  #logUse(path: string): void {
    if (artifactKind(path) === "model") this.#options.log?.(`Using cached model object for: ${path}`);
  }
}

/** Asked for by name only: no use in memory, and their last good copy is kept on disk. */
const BY_NAME: ReadonlySet<ArtifactKind> = new Set(["manifest", "pointer"]);

/** What the store may well have right the next time. */
const PASSING: ReadonlySet<string> = new Set(["STORE_UNREACHABLE", "ARTIFACT_CORRUPT"]);

/** What arrived and was refused. */
const REJECTED: ReadonlySet<string> = new Set(["ARTIFACT_CORRUPT", "ARTIFACT_TOO_LARGE"]);

function keysOf({ files }: ReleaseRecord): Set<string> {
  return new Set([...files].map(([path, { file = path, sha256 }]) => cacheKey(file, sha256)));
}
