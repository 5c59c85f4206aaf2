/**
 * Makes the import maps under which cells run: "setpoint" is the SDK or its core, and each of Node's modules, which need
 * no permission to be imported, is nothing. Run this file after a change of the pinned Deno; a test compares.
 */
import { builtinModules } from "node:module";

/** Modules that Deno or Node has, but does not list. */
const UNLISTED = [
  "_tls_common",
  "_tls_wrap",
  "constants",
  "ffi",
  "inspector",
  "inspector/promises",
  "path/posix",
  "path/win32",
  "process",
  "quic",
  "sea",
  "sqlite",
  "test",
  "test/mock",
  "test/mock_loader",
  "test/reporters",
  "trace_events",
  "util/types",
  "wasi",
  "webstorage",
];

/** File of each map, beside this one, and what "setpoint" is in it. */
export const IMPORT_MAPS = {
  "import_map.json": "../../plugins/sdk.ts",
  "import_map_core.json": "../../plugins/sdk_core.ts",
} as const;

/** The text of an import map. */
export function makeImportMap(setpoint: string): string {
  const names = [...builtinModules, ...UNLISTED].map((name) =>
    name.startsWith("node:") ? name : `node:${name}`
  );
  const closed = [...new Set(names)].sort().map((name) => [name, null] as const);
  return `${JSON.stringify({ imports: { setpoint, ...Object.fromEntries(closed) } }, null, 2)}\n`;
}

if (import.meta.main) {
  for (const [file, setpoint] of Object.entries(IMPORT_MAPS)) {
    await Deno.writeTextFile(new URL(file, import.meta.url), makeImportMap(setpoint));
  }
}
