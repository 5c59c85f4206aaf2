/**
 * Makes import_map.json, under which every cell runs: "setpoint" is the SDK, and each of Node's modules, which need no
 * permission to be imported, is nothing. Run this file after a change of the pinned Deno; a test compares.
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

/** The text of the import map. */
export function makeImportMap(): string {
  const names = [...builtinModules, ...UNLISTED].map((name) =>
    name.startsWith("node:") ? name : `node:${name}`
  );
  const closed = [...new Set(names)].sort().map((name) => [name, null] as const);
  return `${
    JSON.stringify({ imports: { setpoint: "../../plugins/sdk.ts", ...Object.fromEntries(closed) } }, null, 2)
  }\n`;
}

if (import.meta.main) {
  await Deno.writeTextFile(new URL("./import_map.json", import.meta.url), makeImportMap());
}
