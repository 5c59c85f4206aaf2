import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ArtifactCache } from "../../runtime/artifacts/cache.ts";
import { buildManifest, writeManifest } from "../../runtime/artifacts/manifest.ts";
import { openLastGood, openRelease, openResolver } from "../../runtime/artifacts/release.ts";
import { refused, text } from "../contract/artifact_store.ts";
import { ManualClock } from "./manual_clock.ts";
import { digest, MemoryStore } from "./memory_store.ts";
import { temporaryFolder } from "./temporary_folder.ts";

const FILES = {
  "configs/config-1.0.0.yaml": "strategy 1.0.0",
  "configs/config-1.1.0.yaml": "strategy 1.1.0",
  "models/co.onnx": "model",
  "models/co_scaler.json": "scaler",
};

async function opened(dir?: string, store = new MemoryStore(FILES)) {
  return { store, cache: await ArtifactCache.open({ clock: new ManualClock(), store, dir }) };
}

async function withManifest(store: MemoryStore, mapping: Record<string, string> = {}) {
  await writeManifest(store, await buildManifest(store, mapping));
}

Deno.test("openRelease() loads strategy and models by the manifest's digests", async () => {
  const { cache, store } = await opened();
  await using _ = cache;
  await withManifest(store, { "models/saved_models/co.pth": "models/co.onnx" });
  store.set("models/co.onnx", "model");
  const release = await openRelease(cache, "1.1.0");
  assertEquals([release.version, release.text, release.sha256], [
    "1.1.0",
    "strategy 1.1.0",
    digest("strategy 1.1.0"),
  ]);
  const model = await release.resolve("../saved_models/co.pth");
  assertEquals(model, {
    bytes: text("model"),
    sha256: digest("model"),
    logicalPath: "models/saved_models/co.pth",
    file: "models/co.onnx",
    from: "store",
  });
  assertEquals([...release.files().keys()], ["configs/config-1.1.0.yaml", "models/saved_models/co.pth"]);
});

Deno.test("openRelease() refuses a file that is not what the manifest says: model and scaler are of one version", async () => {
  const { cache, store } = await opened();
  await using _ = cache;
  await withManifest(store);
  const release = await openRelease(cache, "1.1.0");
  await release.resolve("co.onnx");
  store.set("models/co_scaler.json", "scaler of another version");
  await refused("ARTIFACT_CORRUPT", () => release.resolve("co_scaler.json"));
  store.set("models/co_scaler.json", "scaler");
  assertEquals((await release.resolve("co_scaler.json")).bytes, text("scaler"));
});

Deno.test("openRelease() goes by one snapshot: a manifest written during the load does not mix in", async () => {
  const { cache, store } = await opened();
  await using _ = cache;
  await withManifest(store);
  const release = await openRelease(cache, "1.1.0");
  store.set("models/co_scaler.json", "scaler two");
  await withManifest(store);
  await refused("ARTIFACT_CORRUPT", () => release.resolve("co_scaler.json"));
  const next = await openRelease(cache, "1.1.0");
  assertEquals((await next.resolve("co_scaler.json")).bytes, text("scaler two"));
});

Deno.test("openRelease() of a version that is not there leaves the active one and names what is missing", async () => {
  const { cache, store } = await opened();
  await using _ = cache;
  await withManifest(store);
  await (await openRelease(cache, "1.0.0")).activate();
  const error = await refused("ARTIFACT_MISSING", () => openRelease(cache, "2.0.0"));
  assertStringIncludes(error.message, "configs/config-2.0.0.yaml");
  await refused("POINTER_INVALID", () => openRelease(cache, "../1.0.0"));
  assertEquals(cache.records.active()!.version, "1.0.0");
});

Deno.test("a listed object that the store has not is an error, not a file that does not exist", async () => {
  const { cache, store } = await opened();
  await using _ = cache;
  await withManifest(store);
  store.remove("models/co.onnx");
  const release = await openRelease(cache, "1.1.0");
  await refused("ARTIFACT_MISSING", () => release.resolve("co.onnx"));
});

Deno.test("resolve() gives torch files and pickles as they are, and names what is nowhere", async () => {
  const { cache, store } = await opened();
  await using _ = cache;
  store.set("models/saved_models/co.pth", "torch");
  await withManifest(store);
  const release = await openRelease(cache, "1.1.0");
  const { bytes, file } = await release.resolve("../saved_models/co.pth");
  assertEquals([bytes, file], [text("torch"), "models/saved_models/co.pth"]);
  for (const path of ["saved_scalers/co.pkl", "none.onnx"]) {
    assertStringIncludes(
      (await refused("FILE_MISSING", () => release.resolve(`../${path}`))).message,
      `it does not exist; looked as models/${path} in test store`,
    );
  }
});

Deno.test("resolve() looks beside the strategy first, then in the store by its manifest", async () => {
  await using folder = await temporaryFolder();
  const { cache, store } = await opened();
  await using _ = cache;
  await withManifest(store, { "models/saved_models/co.pth": "models/co.onnx" });
  await Deno.mkdir(`${folder.path}/saved_models`);
  await Deno.writeTextFile(`${folder.path}/co.onnx`, "beside");
  await Deno.writeTextFile(`${folder.path}/saved_models/other.pth`, "torch");
  const resolver = openResolver(cache, { base: folder.path });
  store.gets.length = 0;
  const beside = await resolver.resolve("../co.onnx");
  assertEquals([beside.bytes, beside.from, beside.file], [
    text("beside"),
    "folder",
    `${folder.path}/co.onnx`,
  ]);
  assertEquals(store.gets, [], "the store is not asked for what lies beside");
  assertEquals((await resolver.resolve("saved_models/co.pth")).file, "models/co.onnx");
  assertEquals((await resolver.resolve("co_scaler.json")).from, "store");
  assertEquals((await resolver.resolve("saved_models/other.pth")).bytes, text("torch"));
});

Deno.test("resolve() works without a store, and without any place to look says so", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/a.onnx`, "beside");
  assertEquals(
    (await openResolver(undefined, { base: folder.path }).resolve("a.onnx")).bytes,
    text("beside"),
  );
  await refused("FILE_MISSING", () => openResolver(undefined, { base: folder.path }).resolve("b.onnx"));
  await refused("FILE_MISSING", () => openResolver(undefined).resolve("a.onnx"));
});

Deno.test("resolve() and beside() refuse paths that lead elsewhere", async () => {
  const { cache, store } = await opened();
  await using _ = cache;
  await withManifest(store);
  const release = await openRelease(cache, "1.1.0");
  for (const path of ["/etc/passwd", "a/../../b", "http://127.0.0.1/x", "a\0", "", "../"]) {
    await refused("ARTIFACT_NAME", () => release.resolve(path));
  }
  for (const name of ["..", "a/b", "", ".hidden"]) {
    await refused("ARTIFACT_NAME", () => release.beside("co.onnx", name));
  }
  assertEquals((await release.beside("../co.onnx", "co_scaler.json")).logicalPath, "models/co_scaler.json");
});

Deno.test("resolve() takes a path that already begins with models/ as it is, too", async () => {
  const { cache, store } = await opened();
  await using _ = cache;
  await withManifest(store);
  assertEquals(
    (await (await openRelease(cache, "1.1.0")).resolve("models/co.onnx")).logicalPath,
    "models/co.onnx",
  );
});

Deno.test("resolve() gives the same bytes for the same path, whatever happens to the file meanwhile", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/a.onnx`, "one");
  const resolver = openResolver(undefined, { base: folder.path });
  await resolver.resolve("a.onnx");
  await Deno.writeTextFile(`${folder.path}/a.onnx`, "two");
  assertEquals((await resolver.resolve("../a.onnx")).bytes, text("one"));
});

Deno.test("a bucket without a manifest is pinned at its first activation, and a change under the version is refused", async () => {
  await using folder = await temporaryFolder();
  const { cache, store } = await opened(folder.path);
  await using _ = cache;
  const first = await openRelease(cache, "1.0.0");
  await first.resolve("co.onnx");
  await first.activate();
  store.set("models/co.onnx", "changed");

  const { cache: restarted } = await opened(folder.path, store);
  await using __ = restarted;
  const second = await openRelease(restarted, "1.0.0");
  assertEquals((await second.resolve("co.onnx")).bytes, text("model"), "the pinned content stays in use");
  assertEquals(second.warnings.length, 1);
  assertStringIncludes(second.warnings[0], '"models/co.onnx"');
  assertStringIncludes(second.warnings[0], "under version 1.0.0, which is pinned");

  const other = await openRelease(restarted, "1.1.0");
  assertEquals(
    (await other.resolve("co.onnx")).bytes,
    text("changed"),
    "another version may have another content",
  );
  assertEquals(other.warnings, []);
});

Deno.test("a change under a pinned version is an error where the pinned content is not at hand", async () => {
  const { cache, store } = await opened();
  await using _ = cache;
  const first = await openRelease(cache, "1.0.0");
  await first.resolve("co.onnx");
  await first.activate();
  await cache.clear();
  store.set("models/co.onnx", "changed");
  const error = await refused("ARTIFACT_CORRUPT", () => openRelease(cache, "1.0.0"));
  assertStringIncludes(error.message, "expected a new version for a new content");
  store.set("models/co.onnx", "model");
  assertEquals((await openRelease(cache, "1.0.0")).warnings, []);
});

Deno.test("nothing is pinned by a load that was not activated", async () => {
  const { cache, store } = await opened();
  await using _ = cache;
  await (await openRelease(cache, "1.0.0")).resolve("co.onnx");
  store.set("models/co.onnx", "repaired");
  const release = await openRelease(cache, "1.0.0");
  assertEquals((await release.resolve("co.onnx")).bytes, text("repaired"));
  assertEquals(release.warnings, []);
});

Deno.test("activate() refuses a bucket without a manifest that changed during the load", async () => {
  const { cache, store } = await opened();
  await using _ = cache;
  const release = await openRelease(cache, "1.0.0");
  await release.resolve("co.onnx");
  store.set("models/co.onnx", "other version");
  await release.resolve("co_scaler.json");
  await refused("ARTIFACT_CORRUPT", () => release.activate());
  assertEquals(cache.records.active(), undefined);
});

for (const manifest of [true, false]) {
  Deno.test(`a restart during an outage loads the last good version ${manifest ? "with" : "without"} a manifest`, async () => {
    await using folder = await temporaryFolder();
    const { cache, store } = await opened(folder.path);
    await using _ = cache;
    if (manifest) await withManifest(store, { "models/co.pth": "models/co.onnx" });
    const model = manifest ? "co.pth" : "co.onnx";
    const first = await openRelease(cache, "1.1.0");
    await first.resolve(model);
    await first.activate();
    await cache.clear();
    store.away = true;

    const { cache: restarted } = await opened(folder.path, store);
    await using __ = restarted;
    for (const release of [await openRelease(restarted, "1.1.0"), (await openLastGood(restarted))!]) {
      assertEquals([release.version, release.text, release.stale], ["1.1.0", "strategy 1.1.0", true]);
      assertEquals((await release.resolve(model)).bytes, text("model"));
    }
    assert(restarted.status().degraded);
    await refused("STORE_UNREACHABLE", () => restarted.get({ path: "models/x.onnx", sha256: digest("x") }));
    await assertRejects(() => openRelease(restarted, "1.0.0"));
  });
}

Deno.test("openLastGood() answers undefined before any version was active, and damaged records are told", async () => {
  await using folder = await temporaryFolder();
  const { cache } = await opened(folder.path);
  await using _ = cache;
  assertEquals(await openLastGood(cache), undefined);
  await (await openRelease(cache, "1.0.0")).activate();
  const [name] = [...Deno.readDirSync(folder.path)].map(({ name }) => name);
  await Deno.writeTextFile(
    `${folder.path}/${name}/releases.json`,
    '{"format":"setpoint/releases/v1","versions":[{}]}',
  );
  const { cache: restarted } = await opened(folder.path);
  await using __ = restarted;
  assertEquals(await openLastGood(restarted), undefined);
  assertStringIncludes(restarted.status().reasons[0], "Cannot read");
});
