import { makeImportMap } from "../../runtime/cells/import_map.ts";
import { assert, assertEquals } from "../std/assert.ts";

const committed = await Deno.readTextFile(new URL("../../runtime/cells/import_map.json", import.meta.url));

Deno.test("import_map.json is what the running Deno needs", () => {
  assertEquals(committed, makeImportMap());
});

Deno.test("import_map.json closes every module of Node", () => {
  const { imports } = JSON.parse(committed) as { imports: Record<string, string | null> };
  assertEquals(imports.setpoint, "../../plugins/sdk.ts");
  const open = Object.entries(imports).filter(([name, target]) => name !== "setpoint" && target !== null);
  assertEquals(open, []);
  for (const name of ["fs", "fs/promises", "child_process", "worker_threads", "vm", "v8", "sqlite", "test"]) {
    assert(`node:${name}` in imports, name);
  }
});
