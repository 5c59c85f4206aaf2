/** What the sandbox costs, and how little the kernel notices of a plugin that runs away. */
import { PluginHandle, PluginHost } from "../../runtime/cells/host.ts";
import { systemClock } from "../../runtime/clock.ts";
import { skillOf, SQUARES } from "../cells/plugins.ts";
import { bowl, foreignProblem, runOf, startHost } from "../cells/start.ts";
import { type BenchRow, percentiles } from "./row.ts";

const CALLS = 500;

/** Evaluates opaque node 0 as often as `parameters[0]` says, in batches of 64, and tells the median in µs. */
const CALLER = `
import { definePlugin, type OptimizationProblem } from "setpoint";
export default definePlugin({
  name: "bench/caller",
  version: "1.0.0",
  kind: "optimizer",
  optimize(problem: OptimizationProblem) {
    const times: number[] = [];
    const batch = new Float64Array(128);
    for (let k = 0; k < problem.parameters[0]; k++) {
      const start = problem.now();
      problem.exact.evaluate!(0, batch, 64);
      times.push((problem.now() - start) * 1000);
    }
    return { status: "solved" as const, x: problem.x0, iterations: 0, evaluations: 0, message: times.join(" ") };
  },
});`;

const ATTACKS = [
  { name: "while (true)", body: "while (true);" },
  { name: "eating the heap", body: "for (;;) kept.push(new Array(1000).fill({}));" },
  { name: "eating array buffers", body: "for (;;) kept.push(new Uint8Array(8 << 20).fill(1));" },
  { name: "answers of 32 MB", body: "return new Float64Array(4 << 20);" },
] as const;

export async function cellsBench(): Promise<BenchRow[]> {
  return [...await starts(), ...await trips(), ...await faults()];
}

async function starts(): Promise<BenchRow[]> {
  const times: number[] = [];
  for (let k = 0; k < 7; k++) {
    await using started = startHost();
    const start = performance.now();
    await started.host.open({ id: "squares", text: SQUARES });
    times.push(performance.now() - start);
  }
  await using host = new PluginHost({ clock: systemClock, log: () => {} });
  const start = performance.now();
  await host.start();
  const all = performance.now() - start;
  await new Promise((done) => setTimeout(done, 1_000));
  const memory = host.status().map(({ pid }) => pssOf(pid!)).reduce((sum, pss) => sum + pss, 0);
  return [
    {
      name: "open a plugin of a user",
      value: percentiles(times).p50,
      unit: "ms",
      note: "process, worker, text; goal ≤ 80",
    },
    { name: "start the built-in plugins", value: all, unit: "ms", note: "two processes, once" },
    { name: "memory of the built-in cells", value: memory, unit: "MB", note: "PSS, two processes" },
  ];
}

async function trips(): Promise<BenchRow[]> {
  await using started = startHost({ optimizerWorkers: 1, limits: { wallMs: 10_000 } });
  const { host } = started;
  const [squares, caller] = await Promise.all([
    host.open({ id: "squares", text: SQUARES }),
    host.open({ id: "caller", text: CALLER }),
  ]);
  const skill = skillOf("s");
  await squares.lower(skill);
  await caller.load("bowl", bowl(1));
  await caller.load("foreign", foreignProblem({ engine: "self", handle: squares, skill, opaque: 0 }));
  const evaluate = await timed(() => squares.evaluate(skill, 0, new Float64Array(128), 64));
  const empty = await timed(() => caller.optimize("bowl", runOf(0)));
  await caller.optimize("foreign", runOf(100));
  const { message } = await caller.optimize("foreign", runOf(CALLS));
  return [
    row("evaluate a batch of 64 in another process", evaluate, "goal ≤ 1000"),
    row("an optimizer that answers at once", empty, "the trip alone"),
    row(
      "the same batch from inside a solve",
      message!.split(" ").map(Number),
      "synchronous, across two processes",
    ),
  ];
}

async function faults(): Promise<BenchRow[]> {
  const rows: BenchRow[] = [];
  for (const { name, body } of ATTACKS) {
    await using started = startHost({ limits: { rssMb: 300, heapMb: 96 } });
    const text = SQUARES.replace(
      "calls++;",
      `calls++; const kept: unknown[] = []; if (fault === "attack") { ${body} }`,
    );
    const plugin = await started.host.open({ id: "attack", text });
    const { lag, back } = await attack(plugin);
    rows.push({
      name: `kernel lag under ${name}`,
      value: lag,
      unit: "ms",
      note: "worst of 2 ms ticks; goal ≤ 50",
    });
    rows.push({
      name: `back at work after ${name}`,
      value: back,
      unit: "ms",
      note: "from the failure to the next answer",
    });
  }
  return rows;
}

async function attack(plugin: PluginHandle): Promise<{ lag: number; back: number }> {
  let lag = 0;
  let last = performance.now();
  const stop = systemClock.every(2, () => {
    const now = performance.now();
    lag = Math.max(lag, now - last - 2);
    last = now;
  });
  const bad = skillOf("bad", { config: { fault: "attack" } });
  await plugin.evaluate(bad, 0, new Float64Array(2), 1, 400).catch(() => {});
  const failed = performance.now();
  await plugin.evaluate(skillOf("good"), 0, new Float64Array(2), 1, 20_000);
  const back = performance.now() - failed;
  stop();
  return { lag, back };
}

/** µs of each call, after some that are not counted. */
async function timed(run: () => Promise<unknown>): Promise<number[]> {
  for (let k = 0; k < 100; k++) await run();
  const times: number[] = [];
  for (let k = 0; k < CALLS; k++) {
    const start = performance.now();
    await run();
    times.push((performance.now() - start) * 1000);
  }
  return times;
}

function row(name: string, times: readonly number[], note: string): BenchRow {
  const { p50, p99 } = percentiles(times);
  return { name, value: p50, unit: "µs", note: `p99 ${p99.toFixed(0)} µs; ${note}` };
}

function pssOf(pid: number): number {
  const { stdout } = new Deno.Command("cat", { args: [`/proc/${pid}/smaps_rollup`] }).outputSync();
  return Number(/^Pss:\s+(\d+)/m.exec(new TextDecoder().decode(stdout))?.[1]) / 1024;
}
