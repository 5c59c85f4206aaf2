/**
 * `deno task bench [NAME …] [--json]`: measures and prints; judges nothing. Seeded, one table in one run, so that ratios
 * hold where absolute times do not.
 */
import { cellsBench } from "./cells_bench.ts";
import { graphBench } from "./graph_bench.ts";
import { kernelBench } from "./kernel_bench.ts";
import { optimizerBench } from "./optimizer_bench.ts";
import type { BenchRow } from "./row.ts";
import { serviceBench } from "./service_bench.ts";
import { solverBench } from "./solver_bench.ts";
import { solverWasmBench } from "./solver_wasm_bench.ts";

const BENCHES: Readonly<Record<string, () => BenchRow[] | Promise<BenchRow[]>>> = {
  graph: graphBench,
  solver: solverBench,
  solver_wasm: solverWasmBench,
  cells: cellsBench,
  kernel: kernelBench,
  optimizer: optimizerBench,
  service: serviceBench,
};

const wanted = Deno.args.filter((argument) => !argument.startsWith("--"));
const unknown = wanted.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  console.error(`Unknown bench ${unknown.join(", ")}, expected ${Object.keys(BENCHES).join(", ")}`);
  Deno.exit(2);
}
const rows: (BenchRow & { readonly bench: string })[] = [];
for (const [bench, run] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(bench)) continue;
  for (const row of await run()) rows.push({ bench, ...row });
}
if (Deno.args.includes("--json")) {
  console.log(JSON.stringify(rows, null, 2));
} else {
  const width = (key: "bench" | "name" | "unit") => Math.max(...rows.map((row) => row[key].length));
  for (const { bench, name, value, unit, note } of rows) {
    const digits = value >= 100 ? 0 : value >= 10 ? 1 : 3;
    console.log(
      [
        bench.padEnd(width("bench")),
        name.padEnd(width("name")),
        value.toFixed(digits).padStart(9),
        unit.padEnd(width("unit")),
        note,
      ].join("  ").trimEnd(),
    );
  }
}
