/**
 * Compiles runtime/engine/wasm/entry.ts, with the solver and the machine of the graph, to engine.wasm, and solver.wasm beside
 * it: `deno task wasm:build`.
 */
import { buildSolver, compile } from "../solver/build.ts";

const ROOT = new URL("../../runtime/", import.meta.url);

/** Files of which the module gets a twin. */
const TWINS: Readonly<Record<string, string>> = {
  "graph/dense.ts": "graph/dense_simd.ts",
  "graph/curves.ts": "graph/curves_simd.ts",
  "graph/functions.ts": "graph/functions_wasm.ts",
  "solver/linear_algebra/columns.ts": "solver/linear_algebra/columns_simd.ts",
};

/** All memory is taken once: nothing is ever collected. */
const STATIC = ["-O3", "--runtime", "stub"];

/** @param root The folder runtime. @returns The module's bytes. @throws {Error} With the compiler's complaints. */
export function buildEngine(root = ROOT): Promise<Uint8Array> {
  return compile(root, "engine/wasm/entry.ts", TWINS, STATIC);
}

if (import.meta.main) {
  Deno.writeFileSync(new URL("solver/solver.wasm", ROOT), await buildSolver());
  Deno.writeFileSync(new URL("engine/engine.wasm", ROOT), await buildEngine());
}
