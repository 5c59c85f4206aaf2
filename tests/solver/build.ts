/**
 * Compiles runtime/solver/wasm/entry.ts with everything under it to solver.wasm, see tests/engine/build.ts. The compiler is needed
 * here only.
 */
// @ts-types="./asc.d.ts"
import asc from "npm:assemblyscript@0.28.20/asc";

const ROOT = new URL("../../runtime/solver/", import.meta.url);

/** Same instructions on every machine: nothing of the place where it is built goes into the module. */
const FLAGS = [
  "--noAssert",
  "--uncheckedBehavior",
  "always",
  "--enable",
  "simd",
  "--maximumMemory",
  "16384",
  "--use",
  "abort=",
];

/** What sparse factors leave behind is collected. */
const COLLECTING = ["-O2", "--runtime", "minimal"];

/** Files of which the module gets a twin. */
const TWINS: Readonly<Record<string, string>> = {
  "linear_algebra/columns.ts": "linear_algebra/columns_simd.ts",
};

/** @param root The folder runtime/solver. @returns The module's bytes. @throws {Error} With the compiler's complaints. */
export function buildSolver(root = ROOT): Promise<Uint8Array> {
  return compile(root, "wasm/entry.ts", TWINS, COLLECTING);
}

/**
 * @param root A folder. @param entry A file in it. @param twins By the names of files, those that are compiled instead.
 * @param more Flags of this module.
 */
export async function compile(
  root: URL,
  entry: string,
  twins: Readonly<Record<string, string>>,
  more: readonly string[],
): Promise<Uint8Array> {
  let built: Uint8Array | undefined;
  const { error, stderr } = await asc.main([entry, "--outFile", "module.wasm", ...FLAGS, ...more], {
    readFile(name) {
      const path = twins[name] ?? name;
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
  if (error || built === undefined) throw new Error(`Cannot compile ${entry}: ${error} ${stderr.toString()}`);
  return built;
}
