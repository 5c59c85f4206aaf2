import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  buildManifest,
  MANIFEST_FORMAT,
  MANIFEST_PATH,
  parseManifest,
  printManifest,
  readManifest,
  writeManifest,
} from "../../runtime/artifacts/manifest.ts";
import { publish } from "../../runtime/artifacts/publish.ts";
import { SetpointError } from "../../runtime/errors.ts";
import { refused, text } from "../contract/artifact_store.ts";
import { digest, MemoryStore } from "./memory_store.ts";

const SHA = "a".repeat(64);

function manifestOf(files: unknown, format: unknown = MANIFEST_FORMAT): Uint8Array {
  return text(JSON.stringify({ format, files }));
}

Deno.test("parseManifest() reads what printManifest() writes, sorted by path", () => {
  const manifest = new Map([
    ["models/b.pth", { sha256: SHA, size: 2, file: "models/b.onnx" }],
    ["models/__proto__", { sha256: SHA, size: 0 }],
    ["configs/config-1.1.0.yaml", { sha256: SHA, size: 1 }],
  ]);
  const read = parseManifest(text(printManifest(manifest)));
  assertEquals([...read.keys()], [...manifest.keys()].sort());
  for (const [path, entry] of manifest) assertEquals({ ...read.get(path)! }, entry);
});

Deno.test("parseManifest() names every entry that is wrong, at once", () => {
  const error = assertThrows(
    () =>
      parseManifest(
        manifestOf({
          "../up": { sha256: SHA, size: 1 },
          "models/a": { sha256: "A".repeat(64), size: 1 },
          "models/b": { sha256: SHA, size: -1 },
          "models/c": { sha256: SHA, size: 1, file: "/etc/passwd" },
          "models/d": { sha256: SHA, size: 1, url: "http://127.0.0.1" },
          "models/e": null,
          "models/f": { sha256: SHA, size: 1.5 },
        }),
        "of the test",
      ),
    SetpointError,
  );
  assertEquals(error.problems.length, 7);
  for (
    const part of [
      "of the test",
      "../up",
      "models/a",
      "models/b",
      "/etc/passwd",
      '"url"',
      "models/e",
      "models/f",
    ]
  ) {
    assertStringIncludes(error.message, part);
  }
});

Deno.test("parseManifest() refuses other formats, other JSON and other bytes", () => {
  const cases: [Uint8Array, string][] = [
    [manifestOf({}, "setpoint/manifest/v2"), '"setpoint/manifest/v1"'],
    [manifestOf(undefined), '"files" is missing'],
    [text("[]"), "expected a JSON object"],
    [text('{"format": '), "it is not JSON"],
    [new Uint8Array([0xff, 0xfe]), "it is not JSON"],
    [text(JSON.stringify({ format: MANIFEST_FORMAT, files: {}, version: 1 })), 'unknown key "version"'],
  ];
  for (const [bytes, message] of cases) assertThrows(() => parseManifest(bytes), SetpointError, message);
});

Deno.test("parseManifest() refuses two digests for one object", () => {
  const files = {
    "models/a.pth": { sha256: SHA, size: 1, file: "models/a.onnx" },
    "models/a.onnx": { sha256: "b".repeat(64), size: 1 },
  };
  assertThrows(() => parseManifest(manifestOf(files)), SetpointError, 'both the object "models/a.onnx"');
});

Deno.test("buildManifest() lists mapped objects under their logical paths and the rest under their own", async () => {
  await using store = new MemoryStore({
    "strategy.yaml": "s",
    "models/a.onnx": "aa",
    "notes.txt": "n",
    "manifest.json": "old",
  });
  const mapping = {
    "configs/config-1.1.0.yaml": "strategy.yaml",
    "models/x.pth": "models/a.onnx",
    "models/y.pth": "models/a.onnx",
  };
  const manifest = await buildManifest(store, mapping, (path) => path !== "notes.txt");
  assertEquals(Object.fromEntries(manifest), {
    "configs/config-1.1.0.yaml": { sha256: digest("s"), size: 1, file: "strategy.yaml" },
    "models/x.pth": { sha256: digest("aa"), size: 2, file: "models/a.onnx" },
    "models/y.pth": { sha256: digest("aa"), size: 2, file: "models/a.onnx" },
  });
  await writeManifest(store, manifest);
  assertEquals(printManifest((await readManifest(store))!), printManifest(manifest));
  await refused("ARTIFACT_MISSING", () => buildManifest(store, { "models/x.pth": "models/none.onnx" }));
});

Deno.test("publish() writes the manifest last, keeps what it had, and can be repeated", async () => {
  await using store = new MemoryStore();
  const order: string[] = [];
  const put = store.put.bind(store);
  store.put = (path, bytes, options) => {
    order.push(path);
    return put(path, bytes, options);
  };
  const first = new Map([["configs/config-1.0.0.yaml", text("one")], ["models/a.onnx", text("a")]]);
  await publish(store, first, { mapping: { "models/a.pth": "models/a.onnx" } });
  assertEquals(order, ["configs/config-1.0.0.yaml", "models/a.onnx", MANIFEST_PATH]);
  await publish(store, first);
  const manifest = await publish(store, new Map([["configs/config-1.1.0.yaml", text("two")]]));
  assertEquals([...manifest.keys()].sort(), [
    "configs/config-1.0.0.yaml",
    "configs/config-1.1.0.yaml",
    "models/a.onnx",
    "models/a.pth",
  ]);
  assertEquals(manifest.get("models/a.pth")!.file, "models/a.onnx");
});

Deno.test("publish() refuses new content under an old path, and the manifest stays", async () => {
  await using store = new MemoryStore();
  await publish(store, new Map([["models/a.onnx", text("a")]]));
  const changed = new Map([["models/a.onnx", text("b")]]);
  await refused("ARTIFACT_EXISTS", () => publish(store, changed));
  assertEquals((await readManifest(store))!.get("models/a.onnx")!.sha256, digest("a"));
  const manifest = await publish(store, changed, { overwrite: true });
  assertEquals(manifest.get("models/a.onnx")!.sha256, digest("b"));
  assert((await store.get("models/a.onnx")).sha256 === digest("b"));
});
