/**
 * Compiles runtime/solver/wasm/entry.ts with everything under it to solver.wasm: `deno task solver:build`. The compiler is
 * needed here only.
 */
// @ts-types="./asc.d.ts"
import asc from "npm:assemblyscript@0.28.20/asc";

const ROOT = new URL("../../runtime/solver/", import.meta.url);

/** Same instructions on every machine: nothing of the place where it is built goes into the module. */
const FLAGS = [
  "-O2",
  "--noAssert",
  "--uncheckedBehavior",
  "always",
  "--enable",
  "simd",
  "--runtime",
  "minimal",
  "--maximumMemory",
  "16384",
  "--use",
  "abort=",
];

/** Files of which the module gets a twin. */
const TWINS: Readonly<Record<string, string>> = {
  "linear_algebra/columns.ts": "linear_algebra/columns_simd.ts",
};

/** @param root The folder runtime/solver. @returns The module's bytes. @throws {Error} With the compiler's complaints. */
export async function buildSolver(root = ROOT): Promise<Uint8Array> {
  let built: Uint8Array | undefined;
  const { error, stderr } = await asc.main(["wasm/entry.ts", "--outFile", "solver.wasm", ...FLAGS], {
    readFile(name) {
      const path = TWINS[name] ?? name;
      try {
        return Deno.readTextFileSync(new URL(path, root));
      } catch {
        return null;
      }
    },
    writeFile(_name, contents) {
      if (typeof contents !== "string") built = contents;
    },
    listFiles: () => [],
  });
  if (error || built === undefined) {
    throw new Error(`Cannot compile the solver: ${error} ${stderr.toString()}`);
  }
  return built;
}

if (import.meta.main) {
  const bytes = await buildSolver();
  Deno.writeFileSync(new URL("solver.wasm", ROOT), bytes);
}
