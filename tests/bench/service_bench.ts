/** The running service from outside: start, HTTP, memory. */
import { ROOT } from "../../runtime/config.ts";
import { familyOf, pssOf } from "./memory.ts";
import { type BenchRow, percentiles } from "./row.ts";
import { stressedStates } from "./states.ts";

const RUNS = 300;

export async function serviceBench(): Promise<BenchRow[]> {
  const state = await Deno.makeTempDir({ prefix: "setpoint-bench-" });
  const rows: BenchRow[] = [];
  try {
    await start(state); // compiles and downloads what a first start must
    const { process, url, ready } = await start(state);
    try {
      rows.push({
        name: "start to first recommendation",
        value: ready / 1000,
        unit: "s",
        note: "goal ≤ 1.5, mode hybrid",
      });
      rows.push(...await http(url));
      rows.push({
        name: "memory of launcher, kernel and cells",
        value: familyOf(process.pid).reduce((sum, pid) => sum + pssOf(pid), 0),
        unit: "MB",
        note: "PSS, goal ≤ 250; the predecessor 330",
      });
    } finally {
      process.kill("SIGTERM");
      await process.status;
    }
  } finally {
    await Deno.remove(state, { recursive: true });
  }
  return rows;
}

interface Service {
  readonly process: Deno.ChildProcess;
  readonly url: string;
  /** ms from the spawn to the first journalled recommendation. */
  readonly ready: number;
}

async function start(state: string): Promise<Service> {
  const { port } = freePort();
  const url = `http://127.0.0.1:${port}`;
  const began = performance.now();
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      "task",
      "-q",
      "start",
      "--mode",
      "hybrid",
      "--port",
      String(port),
      "--state",
      `${state}/${port}`,
      "--metadata",
      await ownMetadata(state),
    ],
    cwd: ROOT,
    stdout: "null",
    stderr: "null",
  }).spawn();
  for (;;) {
    const cycles = await fetch(`${url}/cycles`).then((answer) => answer.json(), () => undefined);
    if (cycles !== undefined && JSON.stringify(cycles).includes("cycle_id")) break;
    if (performance.now() - began > 30_000) throw new Error("No recommendation in 30 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return { process, url, ready: performance.now() - began };
}

/** The mirror of the last run is written there; the checkout's own stays as it is. */
async function ownMetadata(state: string): Promise<string> {
  const folder = `${state}/metadata`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.copyFile(
    `${ROOT}/metadata/deployed_config_version.yaml`,
    `${folder}/deployed_config_version.yaml`,
  );
  return folder;
}

async function http(url: string): Promise<BenchRow[]> {
  const post = async (input_data: Record<string, number>) => {
    const answer = await fetch(`${url}/optimize`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ input_data }),
    });
    const { outcome } = await answer.json();
    if (outcome !== "solved") throw new Error(`POST /optimize answered ${answer.status} "${outcome}"`);
  };
  for (const state of stressedStates(100, 3)) await post(state);
  const times: number[] = [];
  for (const state of stressedStates(RUNS, 4)) {
    const began = performance.now();
    await post(state);
    times.push(performance.now() - began);
  }
  const many = stressedStates(800, 5);
  const began = performance.now();
  await Promise.all(Array.from({ length: 8 }, async (_, client) => {
    for (let k = client; k < many.length; k += 8) await post(many[k]);
  }));
  const rate = many.length / ((performance.now() - began) / 1000);
  const { p50, p99 } = percentiles(times);
  return [
    {
      name: "POST /optimize, 1 client",
      value: p50,
      unit: "ms",
      note: `goal ≤ 6; ${(579 / p50).toFixed(0)} times the predecessor's 579`,
    },
    { name: "the same, 99th percentile", value: p99, unit: "ms", note: "" },
    {
      name: "POST /optimize, 8 clients",
      value: rate,
      unit: "1/s",
      note: `${(rate / 1.6).toFixed(0)} times the predecessor's 1.6`,
    },
  ];
}

function freePort(): { port: number } {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return { port: (listener.addr as Deno.NetAddr).port };
}
