/** The WebAssembly form beside the TypeScript form: HS071 warm, and the first solve of a cold worker. */
import { createSolver, createWasmSolver } from "../../runtime/solver/mod.ts";
import { hs071 } from "../solver/hs071.ts";
import type { BenchRow } from "./row.ts";

const WASM = new URL("../../runtime/solver/solver.wasm", import.meta.url);

export async function solverWasmBench(): Promise<BenchRow[]> {
  const module = new WebAssembly.Module(await Deno.readFile(WASM));
  const forms = { "WebAssembly": createWasmSolver(module, 4, 2), "TypeScript": createSolver(4, 2) };
  const rows: BenchRow[] = Object.entries(forms).map(([name, solver]) => ({
    name: `solver: HS071 warm, ${name}`,
    value: micros(() => solver.solve(hs071)),
    unit: "µs",
    note: name === "WebAssembly" ? "goal ≤ 60" : "",
  }));
  for (const [name, posted] of [["WebAssembly", module], ["TypeScript", undefined]] as const) {
    const times: number[] = [];
    for (let k = 0; k < 5; k++) times.push(await coldSolve(posted));
    rows.push({
      name: `solver: first solve of a cold worker, ${name}`,
      value: times.sort((a, b) => a - b)[2],
      unit: "ms",
      note: "no permissions; goal ≤ 5",
    });
  }
  return rows;
}

/** Median of 15 rounds of 500 solves. */
function micros(run: () => void): number {
  const times: number[] = [];
  for (let round = 0; round < 15; round++) {
    const start = performance.now();
    for (let k = 0; k < 500; k++) run();
    times.push((performance.now() - start) * 2);
  }
  return times.sort((a, b) => a - b)[7];
}

async function coldSolve(module: WebAssembly.Module | undefined): Promise<number> {
  const worker = new Worker(new URL("solver_worker.ts", import.meta.url), {
    type: "module",
    deno: { permissions: "none" },
  });
  try {
    const answer = new Promise<{ status: number; ms: number }>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = reject;
    });
    worker.postMessage({ module });
    const { status, ms } = await answer;
    if (status !== 0) throw new Error(`Cannot solve HS071 in a worker: status ${status}`);
    return ms;
  } finally {
    worker.terminate();
  }
}
