import { IMPORT_MAPS, makeImportMap } from "../../runtime/cells/import_map.ts";
import { assert, assertEquals } from "../std/assert.ts";

for (const [file, setpoint] of Object.entries(IMPORT_MAPS)) {
  const committed = await Deno.readTextFile(new URL(`../../runtime/cells/${file}`, import.meta.url));

  Deno.test(`${file} is what the running Deno needs`, () => {
    assertEquals(committed, makeImportMap(setpoint));
  });

  Deno.test(`${file} closes every module of Node`, () => {
    const { imports } = JSON.parse(committed) as { imports: Record<string, string | null> };
    assertEquals(imports.setpoint, setpoint);
    const open = Object.entries(imports).filter(([name, target]) => name !== "setpoint" && target !== null);
    assertEquals(open, []);
    for (
      const name of ["fs", "fs/promises", "child_process", "worker_threads", "vm", "v8", "sqlite", "test"]
    ) {
      assert(`node:${name}` in imports, name);
    }
  });
}
