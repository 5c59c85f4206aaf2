/** One optimize over the cell, with gate, guard and journal: what a caller inside the kernel's process waits for. */
import { systemClock } from "../../runtime/clock.ts";
import { readConfig } from "../../runtime/config.ts";
import { composeKernel } from "../../runtime/kernel/compose.ts";
import { type BenchRow, percentiles } from "./row.ts";
import { stressedStates } from "./states.ts";

const RUNS = 300;

export async function kernelBench(): Promise<BenchRow[]> {
  const state = await Deno.makeTempDir({ prefix: "setpoint-bench-" });
  const config = await readConfig({ flags: { mode: "api", state }, env: () => undefined });
  const times: number[] = [];
  let rows = 0;
  try {
    await using composed = await composeKernel(config, { clock: systemClock, log: () => {}, serving: true });
    const { kernel } = composed;
    await kernel.load();
    const [warm, states] = [stressedStates(100, 1), stressedStates(RUNS, 2)];
    for (const input of warm) await kernel.optimize({ input, origin: "api" });
    for (const input of states) {
      const began = performance.now();
      const { outcome } = await kernel.optimize({ input, origin: "api" });
      times.push(performance.now() - began);
      if (outcome !== "solved") throw new Error(`The kiln is "${outcome}" at ${JSON.stringify(input)}`);
    }
    rows = (await kernel.cycles({ limit: 1000 })).length;
  } finally {
    await Deno.remove(state, { recursive: true });
  }
  if (rows !== RUNS + 100) throw new Error(`${rows} cycles in the journal, expected ${RUNS + 100}`);
  const { p50, p99 } = percentiles(times);
  return [
    {
      name: "kiln optimize, warm, over the cell",
      value: p50,
      unit: "ms",
      note: `goal ≤ 3; ${(518 / p50).toFixed(0)} times the predecessor's 518`,
    },
    {
      name: "the same, 99th percentile",
      value: p99,
      unit: "ms",
      note: `${RUNS} random states, one journal row each`,
    },
  ];
}
