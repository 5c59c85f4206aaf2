/** Gives up what was not read for the longest time; the order is kept by npm:lru-cache. */
import { LRUCache } from "lru-cache";
import type { EvictionPolicy } from "./eviction.ts";

export function leastRecentlyUsed(): EvictionPolicy {
  // The limit is the cache's, so the order itself has none that could be reached.
  const order = new LRUCache<string, true>({ maxSize: Number.MAX_SAFE_INTEGER });
  return {
    name: "lru",
    added: (key) => void order.set(key, true, { size: 1 }),
    used: (key) => void order.get(key),
    removed: (key) => void order.delete(key),
    victim: () => order.rkeys().find(() => true),
  };
}
