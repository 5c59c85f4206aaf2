import { eventually } from "../std/eventually.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ArtifactCache } from "../../runtime/artifacts/cache.ts";
import { refused, text } from "../contract/artifact_store.ts";
import { ManualClock } from "./manual_clock.ts";
import { digest, MemoryStore } from "./memory_store.ts";
import { temporaryFolder } from "./temporary_folder.ts";

const MODEL = { path: "models/a.onnx", sha256: digest("model a") };

async function opened(
  dir: string,
  store = new MemoryStore({ "models/a.onnx": "model a" }),
  maxDiskBytes?: number,
) {
  const clock = new ManualClock();
  return { clock, store, cache: await ArtifactCache.open({ clock, store, dir, maxDiskBytes }) };
}

/** Every file below the cache's objects folder that is a copy of an artifact. */
async function copies(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) found.push(...await copies(`${folder}/${name}`));
    else if (/^\.[0-9a-f]{64}$/.test(name)) found.push(`${folder}/${name}`);
  }
  return found;
}

Deno.test("a restarted cache answers from disk while the store is away", async () => {
  await using folder = await temporaryFolder();
  const first = await opened(folder.path);
  await first.cache.get(MODEL);
  await first.cache.close();
  const { cache, store } = await opened(folder.path);
  await using _ = cache;
  store.away = true;
  const { bytes, from } = await cache.get(MODEL);
  assertEquals([from, bytes], ["disk", text("model a")]);
  assertEquals(store.gets, []);
  assertEquals(cache.stats().diskHits, 1);
});

for (
  const [damage, spoil] of [
    ["has a flipped bit", (file: string) => Deno.writeTextFile(file, "mndel a")],
    ["is cut off", (file: string) => Deno.truncate(file, 3)],
    ["is gone", (file: string) => Deno.remove(file)],
  ] as const
) {
  Deno.test(`a copy on disk that ${damage} is dropped and loaded again`, async () => {
    await using folder = await temporaryFolder();
    const first = await opened(folder.path);
    await first.cache.get(MODEL);
    await spoil((await copies(folder.path))[0]);
    const { cache, store } = await opened(folder.path);
    await using _ = cache;
    const { bytes, from } = await cache.get(MODEL);
    assertEquals([from, bytes, store.gets.length], ["store", text("model a"), 1]);
    assertEquals(await Deno.readTextFile((await copies(folder.path))[0]), "model a");
  });
}

Deno.test("a damaged copy is never served, not even when the store is away", async () => {
  await using folder = await temporaryFolder();
  const first = await opened(folder.path);
  await first.cache.get(MODEL);
  await Deno.writeTextFile((await copies(folder.path))[0], "mndel a");
  const { cache, store } = await opened(folder.path);
  await using _ = cache;
  store.away = true;
  await refused("STORE_UNREACHABLE", () => cache.get(MODEL));
  assertEquals(cache.stats().disk!.corrupt, 1);
});

Deno.test("the active version's copies survive the disk limit, an invalidation and clear(), but not forget()", async () => {
  await using folder = await temporaryFolder();
  const store = new MemoryStore({
    "models/a.onnx": "model a",
    "models/b.onnx": "model b",
    "models/c.onnx": "model c",
  });
  const { cache } = await opened(folder.path, store, 15);
  await using _ = cache;
  await cache.get(MODEL);
  await cache.activate({
    version: "1.0.0",
    files: new Map([[MODEL.path, { sha256: MODEL.sha256, size: 7 }]]),
  });
  await cache.get({ path: "models/b.onnx", sha256: digest("model b") });
  await cache.get({ path: "models/c.onnx", sha256: digest("model c") });
  assertEquals(cache.stats().disk, { entries: 2, bytes: 14, evictions: 1, corrupt: 0 });
  await cache.invalidate("models/");
  await cache.clear();
  assertEquals(cache.stats().disk!.entries, 1);
  assertEquals(cache.stats().entries, 0);
  store.away = true;
  assertEquals((await cache.get(MODEL)).from, "disk");
  await cache.forget();
  assertEquals((await copies(folder.path)).length, 0);
  await refused("STORE_UNREACHABLE", () => cache.get(MODEL));
});

Deno.test("a disk that refuses is noted, and the cache works on", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/file`, "in the way");
  const { cache } = await opened(`${folder.path}/file`);
  await using _ = cache;
  assertEquals((await cache.get(MODEL)).from, "store");
  assertEquals((await cache.get(MODEL)).from, "memory");
  await cache.activate({ version: "1.0.0", files: new Map() });
  const { degraded, reasons } = cache.status();
  assert(degraded);
  assertEquals(reasons.length, 2);
  for (const reason of reasons) assertStringIncludes(reason, "Cannot write");
});

Deno.test("stores do not see each other's copies of what is asked for by name", async () => {
  await using folder = await temporaryFolder();
  const clock = new ManualClock();
  const one = new MemoryStore({ "manifest.json": "one" }, "store one");
  const two = new MemoryStore({ "manifest.json": "two" }, "store two");
  await using first = await ArtifactCache.open({ clock, store: one, dir: folder.path });
  await first.latest("manifest.json");
  two.away = true;
  await using second = await ArtifactCache.open({ clock, store: two, dir: folder.path });
  await refused("STORE_UNREACHABLE", () => second.latest("manifest.json"));
});

Deno.test("latest() answers the last good copy in an outage, flagged, and recovers within one back-off", async () => {
  await using folder = await temporaryFolder();
  const { cache, store, clock } = await opened(folder.path, new MemoryStore({ "manifest.json": "one" }));
  await using _ = cache;
  assertEquals((await cache.latest("manifest.json")).from, "store");
  assertEquals(cache.status().degraded, false);
  store.away = true;
  for (let turn = 0; turn < 3; turn++) assertEquals((await cache.latest("manifest.json")).from, "stale");
  assertEquals(store.gets.length, 2, "the store is not asked again before its time");
  const { degraded, stale, stalePaths, store: told } = cache.status();
  assertEquals([degraded, stale, stalePaths, told.reachable], [true, true, ["manifest.json"], false]);
  assertEquals(told.since, clock.now());
  await clock.advance(60_000);
  const tries = store.heads.length;
  assert(tries >= 5 && tries <= 8, `${tries} probes in a minute of outage`);
  store.away = false;
  store.set("manifest.json", "two");
  await clock.advance(30_000);
  await eventually("it has met the store again", () => !cache.status().degraded && !cache.status().stale);
  assertEquals((await cache.latest("manifest.json")).bytes, text("two"));
});

Deno.test("latest() keeps the last good copy when the new one is cut off or of no use", async () => {
  await using folder = await temporaryFolder();
  const { cache, store } = await opened(folder.path, new MemoryStore({ "manifest.json": "good" }));
  await using _ = cache;
  const check = (bytes: Uint8Array) => {
    if (bytes[0] === 0x62) throw new RangeError("it is bad");
  };
  await cache.latest("manifest.json", { check });
  store.set("manifest.json", "bad");
  let message = "";
  await cache.latest("manifest.json", { check }).catch((error) => message = error.message);
  assertEquals(message, "it is bad");
  store.truncates = true;
  assertEquals((await cache.latest("manifest.json", { check })).bytes, text("good"));
  await refused("ARTIFACT_CORRUPT", () => cache.latest("manifest.json", { check, stale: false }));
  assertEquals(cache.stats().rejected, 2);
});
