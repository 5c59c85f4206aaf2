/** The cache's part in memory: never above its limit, and its counters always add up to what it holds. */
import type { Clock } from "../clock.ts";
import { ARTIFACT_KINDS, type ArtifactKind, artifactKind } from "./artifact_kind.ts";
import type { EvictionPolicy } from "./policy/eviction.ts";

export interface MemoryEntry {
  readonly path: string;
  readonly sha256: string;
  readonly kind: ArtifactKind;
  /** Shared by all readers: never to be written to. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly size: number;
  /** Monotonic, in ms. */
  readonly loadedAt: number;
  readonly expiresAt: number;
  uses: number;
}

export interface KindCount {
  active: number;
  expired: number;
  total: number;
  /** Of all of them. */
  bytes: number;
}

export interface MemoryOptions {
  readonly clock: Pick<Clock, "monotonic">;
  readonly maxBytes: number;
  readonly ttlMs: (kind: ArtifactKind) => number;
  readonly policy: EvictionPolicy;
}

/** Holds `stored − evicted − expired − invalidated` entries. */
export interface MemoryCounts {
  stored: number;
  evicted: number;
  expired: number;
  invalidated: number;
}

export class MemoryCache {
  readonly counts: MemoryCounts = { stored: 0, evicted: 0, expired: 0, invalidated: 0 };
  readonly #options: MemoryOptions;
  readonly #entries = new Map<string, MemoryEntry>();
  #bytes = 0;

  constructor(options: MemoryOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): MemoryEntry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    // A reader that transferred the buffer to a worker has emptied it for everyone.
    const detached = entry.bytes.length !== entry.size;
    if (detached || this.#options.clock.monotonic() >= entry.expiresAt) {
      this.#drop(key, entry, "expired");
      return undefined;
    }
    entry.uses++;
    this.#options.policy.used(key);
    return entry;
  }

  /** @returns Whether it is held now; an entry above the whole limit is not. */
  set(key: string, path: string, sha256: string, bytes: Uint8Array<ArrayBuffer>): boolean {
    const { clock, maxBytes, ttlMs, policy } = this.#options;
    if (this.#entries.has(key)) return true;
    if (bytes.length > maxBytes) return false;
    if (this.#bytes + bytes.length > maxBytes) this.sweep();
    while (this.#bytes + bytes.length > maxBytes) {
      const victim = policy.victim()!;
      this.#drop(victim, this.#entries.get(victim)!, "evicted");
    }
    const kind = artifactKind(path);
    const loadedAt = clock.monotonic();
    const expiresAt = loadedAt + ttlMs(kind);
    this.#entries.set(key, { path, sha256, kind, bytes, size: bytes.length, loadedAt, expiresAt, uses: 0 });
    this.#bytes += bytes.length;
    this.counts.stored++;
    policy.added(key, bytes.length);
    return true;
  }

  /** Drops what `matches`; answers how many. */
  invalidate(matches: (key: string, entry: MemoryEntry) => boolean): number {
    return this.#dropAll(matches, "invalidated");
  }

  /** Drops what is past its TTL; answers how many. */
  sweep(): number {
    const now = this.#options.clock.monotonic();
    return this.#dropAll((_, { expiresAt }) => now >= expiresAt, "expired");
  }

  entries(): IterableIterator<MemoryEntry> {
    return this.#entries.values();
  }

  perKind(): Record<ArtifactKind, KindCount> {
    const counts = Object.fromEntries(
      ARTIFACT_KINDS.map((kind) => [kind, { active: 0, expired: 0, total: 0, bytes: 0 }]),
    ) as Record<ArtifactKind, KindCount>;
    const now = this.#options.clock.monotonic();
    for (const { kind, expiresAt, size } of this.#entries.values()) {
      counts[kind][now >= expiresAt ? "expired" : "active"]++;
      counts[kind].total++;
      counts[kind].bytes += size;
    }
    return counts;
  }

  #dropAll(matches: (key: string, entry: MemoryEntry) => boolean, why: "expired" | "invalidated"): number {
    const before = this.#entries.size;
    for (const [key, entry] of this.#entries) if (matches(key, entry)) this.#drop(key, entry, why);
    return before - this.#entries.size;
  }

  #drop(key: string, entry: MemoryEntry, why: "evicted" | "expired" | "invalidated"): void {
    this.#entries.delete(key);
    this.#bytes -= entry.size;
    this.counts[why]++;
    this.#options.policy.removed(key);
  }
}
