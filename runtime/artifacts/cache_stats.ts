/** What the cache tells of itself. */
import type { Clock } from "../clock.ts";
import type { ArtifactKind } from "./artifact_kind.ts";
import type { DiskCache } from "./cache_disk.ts";
import type { KindCount, MemoryCache } from "./cache_memory.ts";
import type { StoreStatus } from "./store_health.ts";

export interface CacheCounters {
  memoryHits: number;
  diskHits: number;
  /** Answers from the store. */
  loads: number;
  failures: number;
  shared: number;
  latest: number;
  stale: number;
  rejected: number;
  overtaken: number;
}

/**
 * `hits + misses = requests`, `memoryHits + diskHits = hits`, `loads + failures = misses`, and
 * `stored − evictions − expired − invalidated = entries`.
 */
export interface CacheStats extends Readonly<CacheCounters> {
  /** Requests by digest. */
  readonly requests: number;
  readonly hits: number;
  readonly misses: number;
  /** hits / requests, 0 to 1; 0 before the first request. */
  readonly hitRate: number;
  /** In memory. */
  readonly entries: number;
  readonly bytes: number;
  readonly stored: number;
  readonly evictions: number;
  readonly expired: number;
  readonly invalidated: number;
  /** Since the oldest entry in memory was loaded; 0 without entries. */
  readonly oldestAgeMs: number;
  readonly perKind: Readonly<Record<ArtifactKind, Readonly<KindCount>>>;
  readonly disk?: {
    readonly entries: number;
    readonly bytes: number;
    readonly evictions: number;
    readonly corrupt: number;
  };
}

export interface CacheStatus {
  readonly store: StoreStatus & { readonly label: string };
  /** Something does not work as it should: the store, the disk, the records. */
  readonly degraded: boolean;
  /** A last good copy stands for what the store cannot tell. */
  readonly stale: boolean;
  readonly stalePaths: readonly string[];
  readonly reasons: readonly string[];
}

export function newCounters(): CacheCounters {
  return {
    memoryHits: 0,
    diskHits: 0,
    loads: 0,
    failures: 0,
    shared: 0,
    latest: 0,
    stale: 0,
    rejected: 0,
    overtaken: 0,
  };
}

export function cacheStats(
  clock: Pick<Clock, "monotonic">,
  counters: CacheCounters,
  memory: MemoryCache,
  disk: DiskCache | undefined,
): CacheStats {
  const hits = counters.memoryHits + counters.diskHits;
  const misses = counters.loads + counters.failures;
  const now = clock.monotonic();
  const { stored, evicted, expired, invalidated } = memory.counts;
  return {
    ...counters,
    requests: hits + misses,
    hits,
    misses,
    hitRate: hits + misses === 0 ? 0 : hits / (hits + misses),
    entries: memory.size,
    bytes: memory.bytes,
    stored,
    evictions: evicted,
    expired,
    invalidated,
    oldestAgeMs: Math.max(0, ...[...memory.entries()].map(({ loadedAt }) => now - loadedAt)),
    perKind: memory.perKind(),
    ...(disk &&
      { disk: { entries: disk.size, bytes: disk.bytes, evictions: disk.evicted, corrupt: disk.corrupt } }),
  };
}
