import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ArtifactCache } from "../../runtime/artifacts/cache.ts";
import { parsePointer, readPointer, writePointer } from "../../runtime/artifacts/pointer.ts";
import { SetpointError } from "../../runtime/errors.ts";
import { refused } from "../contract/artifact_store.ts";
import { ManualClock } from "./manual_clock.ts";
import { MemoryStore } from "./memory_store.ts";
import { temporaryFolder } from "./temporary_folder.ts";

Deno.test("parsePointer() reads both keys, quoted or not, with comments and line ends of all kinds", () => {
  const texts = [
    "config.yaml: 1.1.0",
    "config.yaml: '1.1.0'\n",
    'config.yaml: "1.1.0"\r\n',
    "\ufeff# deployed\n---\n\n  config.yaml :  1.1.0   # by hand\n",
    "'config.yaml': 1.1.0",
    "process-optimization-strategy-config.yaml: 1.1.0\n",
  ];
  for (const text of texts) assertEquals(parsePointer(text, "pointer"), "1.1.0", text);
  assertEquals(parsePointer("config.yaml: 2.0.0-rc.1+build.7", "pointer"), "2.0.0-rc.1+build.7");
});

Deno.test("parsePointer() says what was expected where the version is not a semantic one", () => {
  const cases: [string, string][] = [
    ["config.yaml: 1.10", "such as 1.10.0"],
    ["config.yaml: 2", "such as 2.0.0"],
    ["config.yaml: v1.1", "such as 1.1.0"],
    ["config.yaml: 01.1.0", "not a semantic version"],
    ["config.yaml: 1.1.0.0", "not a semantic version"],
    ["config.yaml: ../1.1.0", "not a semantic version"],
    ["config.yaml:", "expected one line such as config.yaml: 1.1.0"],
    ["config.yaml: 1.1.0 1.2.0", "expected one line"],
    ["config.yaml: [1.1.0]", "not a semantic version"],
    ["other.yaml: 1.1.0", 'unknown key "other.yaml"'],
    [
      "config.yaml: 1.1.0\nconfig.yaml: 1.2.0",
      "pointer:2:1: Cannot read the deployed version: it is told twice",
    ],
    ["", "it is empty"],
    ["# nothing", "it is empty"],
  ];
  for (const [text, message] of cases) {
    assertEquals(
      assertThrows(() => parsePointer(text, "pointer"), SetpointError, message).code,
      "POINTER_INVALID",
      text,
    );
  }
});

Deno.test("readPointer() prefers the new local file, then the old one, then the store", async () => {
  await using folder = await temporaryFolder();
  const store = new MemoryStore({ "metadata/deployed_config_version.yaml": "config.yaml: 3.0.0" });
  await using cache = await ArtifactCache.open({ clock: new ManualClock(), store });
  assertEquals(await readPointer(folder.path), undefined);
  assertEquals((await readPointer(folder.path, cache))!.version, "3.0.0");
  await Deno.writeTextFile(
    `${folder.path}/strategy_version.yaml`,
    "process-optimization-strategy-config.yaml: 2.0.0\n",
  );
  assertEquals((await readPointer(folder.path, cache))!.version, "2.0.0");
  await writePointer(folder.path, "1.0.0");
  const pointer = await readPointer(folder.path, cache);
  assertEquals(pointer, { version: "1.0.0", source: `${folder.path}/deployed_config_version.yaml` });
});

Deno.test("readPointer() does not pass over a broken local pointer", async () => {
  await using folder = await temporaryFolder();
  const store = new MemoryStore({ "metadata/deployed_config_version.yaml": "config.yaml: 3.0.0" });
  await using cache = await ArtifactCache.open({ clock: new ManualClock(), store });
  const file = `${folder.path}/deployed_config_version.yaml`;
  await Deno.writeTextFile(file, "config.yaml: 1.10");
  assertStringIncludes(
    (await refused("POINTER_INVALID", () => readPointer(folder.path, cache))).message,
    `${file}:1:1`,
  );
  await Deno.writeTextFile(file, "#".repeat(5000));
  await refused("POINTER_INVALID", () => readPointer(folder.path, cache));
  await refused("POINTER_INVALID", () => writePointer(folder.path, "1.10"));
});

Deno.test("readPointer() keeps the store's last good pointer through an outage and a broken one", async () => {
  await using folder = await temporaryFolder();
  const path = "metadata/deployed_config_version.yaml";
  const store = new MemoryStore({ [path]: "config.yaml: 1.0.0" });
  const options = { clock: new ManualClock(), store, dir: `${folder.path}/cache` };
  await using cache = await ArtifactCache.open(options);
  await readPointer(folder.path, cache);
  store.set(path, "config.yaml: oops");
  await refused("POINTER_INVALID", () => readPointer(folder.path, cache));
  store.away = true;
  await using restarted = await ArtifactCache.open(options);
  assertEquals((await readPointer(folder.path, restarted))!.version, "1.0.0");
  assertEquals(restarted.status().stalePaths, [path]);
});
