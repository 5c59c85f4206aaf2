import { assert, assertEquals, assertRejects } from "@std/assert";
import { ArtifactCache, type CacheOptions } from "../../runtime/artifacts/cache.ts";
import { artifactKind } from "../../runtime/artifacts/artifact_kind.ts";
import type { CacheStats } from "../../runtime/artifacts/cache_stats.ts";
import { refused, text } from "../contract/artifact_store.ts";
import { eventually } from "../std/eventually.ts";
import { ManualClock, settle } from "./manual_clock.ts";
import { digest, MemoryStore } from "./memory_store.ts";
import { temporaryFolder } from "./temporary_folder.ts";

const FILES = {
  "configs/config-1.0.0.yaml": "strategy one",
  "models/a.onnx": "model a",
  "models/b.onnx": "model b",
  "models/a_scaler.json": "scaler",
};

type Path = keyof typeof FILES;

const request = (path: Path) => ({ path, sha256: digest(FILES[path]) });

async function opened(options: Partial<CacheOptions> = {}) {
  const clock = new ManualClock();
  const store = new MemoryStore(FILES);
  const lines: string[] = [];
  const cache = await ArtifactCache.open({ clock, store, log: (line) => lines.push(line), ...options });
  return { clock, store, cache, lines };
}

/** The identities that the statistics promise. */
function assertAddsUp(stats: CacheStats): void {
  assertEquals(stats.hits + stats.misses, stats.requests);
  assertEquals(stats.memoryHits + stats.diskHits, stats.hits);
  assertEquals(stats.loads + stats.failures, stats.misses);
  assertEquals(stats.stored - stats.evictions - stats.expired - stats.invalidated, stats.entries);
  const kinds = Object.values(stats.perKind);
  assertEquals(kinds.reduce((sum, { total }) => sum + total, 0), stats.entries);
  assertEquals(kinds.reduce((sum, { bytes }) => sum + bytes, 0), stats.bytes);
  for (const { active, expired, total } of kinds) assertEquals(active + expired, total);
}

Deno.test("get() loads once, then answers from memory, with the predecessor's log lines", async () => {
  const { cache, store, lines } = await opened();
  await using _ = cache;
  const first = await cache.get(request("models/a.onnx"));
  const second = await cache.get(request("models/a.onnx"));
  await cache.get(request("models/a_scaler.json"));
  assertEquals([first.from, second.from], ["store", "memory"]);
  assertEquals(second.bytes, text("model a"));
  assertEquals(store.gets, ["models/a.onnx", "models/a_scaler.json"]);
  assertEquals(lines, [
    "Model cached in memory for: models/a.onnx",
    "Using cached model object for: models/a.onnx",
  ]);
  const stats = cache.stats();
  assertEquals([stats.hits, stats.misses, stats.entries, stats.bytes], [1, 2, 2, 13]);
  assertEquals(stats.hitRate, 1 / 3);
  assertAddsUp(stats);
});

Deno.test("get() refuses another content than the digest says, and counts it", async () => {
  const { cache, store } = await opened();
  await using _ = cache;
  store.set("models/a.onnx", "model A");
  await refused("ARTIFACT_CORRUPT", () => cache.get(request("models/a.onnx")));
  store.truncates = true;
  await refused("ARTIFACT_CORRUPT", () => cache.get(request("models/b.onnx")));
  const stats = cache.stats();
  assertEquals([stats.rejected, stats.failures, stats.entries], [2, 2, 0]);
  assertAddsUp(stats);
  assertEquals(cache.status().degraded, false, "a store that answers nonsense is still there");
});

Deno.test("100 get() of one artifact at a time are one load", async () => {
  const { cache, store } = await opened();
  await using _ = cache;
  const { promise, resolve } = Promise.withResolvers<void>();
  store.gate = promise;
  const all = Array.from({ length: 100 }, () => cache.get(request("models/a.onnx")));
  await settle();
  resolve();
  for (const { bytes } of await Promise.all(all)) assertEquals(bytes, text("model a"));
  assertEquals(store.gets.length, 1);
  assertEquals(cache.stats().shared, 99);
  assertAddsUp(cache.stats());
});

Deno.test("get() that is aborted leaves the others their load, and the last one ends it", async () => {
  const { cache, store } = await opened();
  await using _ = cache;
  const { promise, resolve } = Promise.withResolvers<void>();
  store.gate = promise;
  const reason = new Error("enough");
  const [one, two] = [new AbortController(), new AbortController()];
  const calls = [one, two].map(({ signal }) => cache.get(request("models/a.onnx"), signal));
  await settle();
  one.abort(reason);
  assertEquals(await assertRejects(() => calls[0]), reason);
  two.abort(reason);
  assertEquals(await assertRejects(() => calls[1]), reason);
  resolve();
  await settle();
  assertEquals(cache.stats().entries, 0);
  assertEquals((await cache.get(request("models/a.onnx"))).from, "store");
  assertAddsUp(cache.stats());
});

Deno.test("a load that an invalidation overtook is answered but kept nowhere", async () => {
  await using folder = await temporaryFolder();
  const { cache, store } = await opened({ dir: folder.path });
  await using _ = cache;
  const { promise, resolve } = Promise.withResolvers<void>();
  store.gate = promise;
  const early = cache.get(request("models/a.onnx"));
  const other = cache.get(request("configs/config-1.0.0.yaml"));
  await eventually("both are asked for", () => store.gets.length === 2);
  await cache.invalidate("models/");
  const late = cache.get(request("models/a.onnx"));
  // who asks after the invalidation gets a load that began after it
  await eventually("one is asked for again", () => store.gets.length === 3);
  resolve();
  assertEquals((await early).bytes, text("model a"));
  await Promise.all([late, other]);
  const stats = cache.stats();
  assertEquals([stats.overtaken, stats.entries], [1, 2]);
  assertAddsUp(stats);
});

Deno.test("the limit is never exceeded, and what was not used for the longest time goes first", async () => {
  const { cache } = await opened({ maxBytes: 20 });
  await using _ = cache;
  await cache.get(request("models/a.onnx"));
  await cache.get(request("models/b.onnx"));
  await cache.get(request("models/a.onnx"));
  await cache.get(request("configs/config-1.0.0.yaml"));
  const stats = cache.stats();
  assertEquals([stats.evictions, stats.bytes], [1, 19]);
  assertEquals((await cache.get(request("models/a.onnx"))).from, "memory");
  assertEquals((await cache.get(request("models/b.onnx"))).from, "store");
  assertAddsUp(cache.stats());
});

Deno.test("an artifact above the limit is answered and not kept", async () => {
  const { cache } = await opened({ maxBytes: 10 });
  await using _ = cache;
  await cache.get(request("models/a.onnx"));
  assertEquals((await cache.get(request("configs/config-1.0.0.yaml"))).size, 12);
  assertEquals((await cache.get(request("configs/config-1.0.0.yaml"))).from, "store");
  assertEquals((await cache.get(request("models/a.onnx"))).from, "memory", "and drives nothing out");
  assertAddsUp(cache.stats());
});

Deno.test("the TTL goes by kind, on the monotonic clock", async () => {
  const { cache, clock } = await opened({ ttlMs: { model: 1000, scaler: 5000 } });
  await using _ = cache;
  await cache.get(request("models/a.onnx"));
  await cache.get(request("models/a_scaler.json"));
  await clock.advance(1000);
  const { perKind, oldestAgeMs } = cache.stats();
  assertEquals(perKind.model, { active: 0, expired: 1, total: 1, bytes: 7 });
  assertEquals(perKind.scaler, { active: 1, expired: 0, total: 1, bytes: 6 });
  assertEquals(oldestAgeMs, 1000);
  assertEquals((await cache.get(request("models/a.onnx"))).from, "store");
  assertEquals((await cache.get(request("models/a_scaler.json"))).from, "memory");
  await clock.advance(5000);
  assertEquals(cache.sweep(), 2);
  assertAddsUp(cache.stats());
});

Deno.test("activate() drops only what the new version has not or has otherwise", async () => {
  const { cache, lines } = await opened();
  await using _ = cache;
  const entry = (path: Path) => ({ sha256: digest(FILES[path]), size: FILES[path].length });
  for (const path of Object.keys(FILES) as Path[]) await cache.get(request(path));
  lines.length = 0;
  const shared: [string, ReturnType<typeof entry>][] = [["models/a.onnx", entry("models/a.onnx")]];
  const old = new Map([...shared, ["configs/config-1.0.0.yaml", entry("configs/config-1.0.0.yaml")], [
    "models/b.onnx",
    entry("models/b.onnx"),
  ]] as [string, ReturnType<typeof entry>][]);
  assertEquals(await cache.activate({ version: "1.0.0", files: old }), 0);
  const changed = new Map(
    [...shared, ["models/b.onnx", { sha256: digest("new b"), size: 5 }]] as typeof shared,
  );
  assertEquals(await cache.activate({ version: "1.1.0", files: changed }), 2);
  assertEquals(lines, [
    "Version changed from 1.0.0 to 1.1.0, invalidating cache",
    "Cache invalidated due to version change. Cleared 2 items",
  ]);
  assertEquals((await cache.get(request("models/a.onnx"))).from, "memory");
  assertEquals((await cache.get(request("models/a_scaler.json"))).from, "memory", "no version's business");
  assertEquals((await cache.get(request("models/b.onnx"))).from, "store");
  assertAddsUp(cache.stats());
});

Deno.test("invalidate() drops by prefix, clear() everything, preload() fills and names what failed", async () => {
  const { cache } = await opened();
  await using _ = cache;
  const wanted = (Object.keys(FILES) as Path[]).map(request);
  const failed = await cache.preload([...wanted, { path: "models/none.onnx", sha256: digest("") }]);
  assertEquals(failed.map(({ path }) => path), ["models/none.onnx"]);
  assertEquals(await cache.invalidate("models/a"), 2);
  assertEquals(cache.stats().entries, 2);
  assertEquals(await cache.clear(), 2);
  assertEquals([cache.stats().entries, cache.stats().bytes], [0, 0]);
  assertAddsUp(cache.stats());
  await refused("ARTIFACT_NAME", () => cache.invalidate("../"));
});

Deno.test("a buffer that a reader transferred away is loaded again", async () => {
  const { cache } = await opened();
  await using _ = cache;
  structuredClone((await cache.get(request("models/a.onnx"))).bytes, {
    transfer: [(await cache.get(request("models/a.onnx"))).bytes.buffer],
  });
  assertEquals((await cache.get(request("models/a.onnx"))).bytes, text("model a"));
  assertAddsUp(cache.stats());
});

Deno.test("the statistics add up and the limit holds after 3000 random operations", async () => {
  await using folder = await temporaryFolder();
  const names = Array.from({ length: 30 }, (_, index) => `models/${index % 3}/${index}.onnx`);
  const contents = Object.fromEntries(names.map((name, index) => [name, "x".repeat(1 + (index * 37) % 200)]));
  const clock = new ManualClock();
  const store = new MemoryStore(contents);
  const options = { clock, store, dir: folder.path, maxBytes: 600, maxDiskBytes: 900, ttlMs: { model: 500 } };
  await using cache = await ArtifactCache.open(options);
  let seed = 1;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor(seed / 2 ** 32 * below);
  };
  for (let step = 0; step < 3000; step++) {
    const path = names[random(names.length)];
    const kind = random(100);
    if (kind < 90) await cache.get({ path, sha256: digest(contents[path]) }).catch(() => {});
    else if (kind < 94) await cache.invalidate(`models/${random(3)}/`);
    else if (kind < 96) store.away = !store.away;
    else if (kind < 97) cache.sweep();
    else await clock.advance(random(300));
    const stats = cache.stats();
    assert(
      stats.bytes <= 600 && stats.disk!.bytes <= 900,
      `step ${step}: ${stats.bytes}, ${stats.disk!.bytes}`,
    );
  }
  assertAddsUp(cache.stats());
  const onDisk = await folderBytes(folder.path);
  assertEquals(onDisk, cache.stats().disk!.bytes);
});

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    bytes += isDirectory ? await folderBytes(path) : (await Deno.stat(path)).size;
  }
  return bytes;
}

Deno.test("artifactKind() tells a plugin from a strategy, a model and what goes with it", () => {
  const kinds = {
    "plugins/acme/pump@1.0.0.ts": "plugin",
    "configs/config-1.0.0.yaml": "strategy",
    "models/a.onnx": "model",
    "models/a_scaler.json": "scaler",
    "models/a_metadata.json": "metadata",
    "strategy.yaml": "strategy",
    "saved_models/heat.pth": "model",
    "saved_models/heat_scaler.pkl": "scaler",
    "metadata/deployed_config_version.yaml": "pointer",
    "notes.txt": "other",
  };
  for (const [path, kind] of Object.entries(kinds)) assertEquals(artifactKind(path), kind);
});
