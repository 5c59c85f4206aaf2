/** `deno task start` as a gateway has it: for hours, through Ctrl-C and power cuts. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { systemClock } from "../../runtime/clock.ts";
import { ROOT } from "../../runtime/config.ts";
import { openJournal } from "../../runtime/journal/journal.ts";
import type { CycleRow } from "../../runtime/kernel/types.ts";
import { faultyStrategy, GUESS, SIMULATOR } from "../faults/faulty_plant.ts";
import { seeded } from "../graph/random_graph.ts";
import { readMirror } from "./mirror.ts";
import { alive, Files, Folders, kill, Service, tree } from "./service.ts";
import { eventually } from "../std/eventually.ts";

async function cycles(service: Service): Promise<readonly CycleRow[]> {
  return (await service.json("/cycles") as unknown as { cycles: CycleRow[] }).cycles;
}

function rising(values: readonly (string | null)[]): boolean {
  return values.every((value, k) => k === 0 || value! > values[k - 1]!);
}

Deno.test("deno task start --interval 1 goes on by itself, each cycle on a newer row", async () => {
  await using folders = await Folders.make();
  await using service = await Service.start(folders, ["--mode", "hybrid", "--interval", "1"]);
  await eventually("four cycles have run", async () => (await cycles(service)).length >= 4);
  const health = await service.json("/health") as {
    historian: { simulated: boolean };
    schedule: { period: string; source: string };
  };
  assertEquals(health.historian.simulated, true);
  assertEquals([health.schedule.period, health.schedule.source], ["every 1 s", "flag"]);
  const rows = (await cycles(service)).toReversed();
  assertEquals(rows[0].outcome, "solved", "the simulator's first row is good");
  assert(rows.every(({ origin }) => origin === "schedule"));
  assert(rising(rows.map(({ cycle_id }) => cycle_id)) && rising(rows.map(({ started_at }) => started_at)));
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  const age = Number(/^setpoint_input_age_seconds (\S+)$/m.exec(metrics)?.[1]);
  assert(age > -5 && age < 60, `the newest row was ${age} s old`);
  const worked = rows.filter(({ row_timestamp }) => row_timestamp !== null);
  assert(rising(worked.map(({ row_timestamp }) => row_timestamp)));
  // a request beside the schedule is journalled and leaves the last run where it is
  const state = JSON.parse(await Deno.readTextFile(`${ROOT}/strategies/kiln/inputs/nominal.json`));
  assertEquals((await service.json("/optimize", { input_data: state })).outcome, "solved");
  const asked = (await cycles(service)).filter(({ origin }) => origin === "api");
  assertEquals(asked.map(({ row_timestamp }) => row_timestamp), [null]);
});

Deno.test("mode continuous has the schedule, and of HTTP only health, metrics and cache", async () => {
  await using folders = await Folders.make();
  await using service = await Service.start(folders, ["--mode", "continuous", "--interval", "1"]);
  const status = async (path: string, init?: RequestInit) => {
    const response = await fetch(`${service.url}${path}`, init);
    await response.body?.cancel();
    return response.status;
  };
  await eventually("a cycle has run", async () => (await service.json("/health")).last_cycle !== null);
  for (const path of ["/health", "/health/live", "/health/ready", "/metrics", "/cache/stats"]) {
    assertEquals(await status(path), 200, path);
  }
  assertEquals(await status("/cycles"), 404);
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
  assertEquals(await status("/optimize", init), 404);
});

/** Takes its time, and finds that x + 0.5 is good. */
const SLOW = `
import { definePlugin, type OptimizationProblem } from "setpoint";
export default definePlugin({
  name: "test/slow",
  version: "1.0.0",
  kind: "optimizer",
  optimize({ x0, now }: OptimizationProblem) {
    for (const end = now() + 1500; now() < end;);
    return { status: "solved" as const, x: Float64Array.of(x0[0] + 0.5, x0[1]), iterations: 1, evaluations: 1 };
  },
});
`;

Deno.test("Ctrl-C in a terminal in mid-cycle finishes the cycle, exits 0 and leaves no process", async () => {
  await using folders = await Folders.make();
  await using files = await Files.make({
    "strategy.yaml": faultyStrategy(true),
    "guess.ts": GUESS,
    "mine.ts": SLOW,
    "simulator.json": SIMULATOR,
  });
  const flags = [...folders.flags, "--interval", "0.1", "--strategy", `${files.root}/strategy.yaml`];
  const terminal = new Deno.Command("script", {
    args: ["-qefc", `exec "${Deno.execPath()}" task --quiet start --port 0 ${flags.join(" ")}`, "/dev/null"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  });
  await using service = await Service.start(folders, [], terminal);
  const mine = tree(service.process.pid);
  const done = () => cycles(service).then((rows) => rows.length);
  await eventually("a cycle is over", async () => await done() >= 1);
  const before = await done();
  await eventually("the next one is under way", async () => {
    const { plugins } = await service.json("/health") as { plugins: { id: string; state: string }[] };
    return plugins.some(({ id, state }) => id.includes("mine.ts") && state === "busy");
  });
  const keyboard = service.process.stdin.getWriter();
  await keyboard.write(new Uint8Array([3]));
  assertEquals((await service.process.status).code, 0);
  await keyboard.close().catch(() => {});
  await eventually("no process is left", () => alive(mine).length === 0);
  using journal = openJournal(`${folders.state}/journal.sqlite`);
  const rows = journal.cycles({ limit: 100 });
  assert(rows.length > before, `${rows.length} cycles, ${before} before Ctrl-C`);
  assertEquals(rows.map(({ outcome }) => outcome), rows.map(() => "solved"));
});

Deno.test("F26: a kernel killed at any moment leaves whole cycles, and the mirror agrees after the next start", async () => {
  await using folders = await Folders.make();
  const random = seeded(6);
  const metadata = `${folders.root}/metadata`;
  let known: readonly string[] = [];
  let last: string | undefined;
  for (let round = 0; round < 6; round++) {
    {
      await using service = await Service.start(folders, ["--interval", "0.02", "--no-supervise"]);
      const rows = await cycles(service);
      const ids = rows.map(({ cycle_id }) => cycle_id);
      // all that was there is there still, and its time is not worked on again
      assert(known.slice(0, 40).every((id) => ids.includes(id) || ids.length >= 50), `round ${round}`);
      if (last !== undefined) {
        const again = rows.filter(({ cycle_id, row_timestamp }) =>
          row_timestamp !== null && !known.includes(cycle_id) && row_timestamp <= last!
        );
        assertEquals(again, []);
      }
      await eventually("a new cycle has run", async () => {
        const rows = await cycles(service);
        return rows.some(({ cycle_id, row_timestamp }) =>
          row_timestamp !== null && !known.includes(cycle_id)
        );
      });
      await systemClock.sleep(450 * random());
      kill(service.kernelPid, "SIGKILL");
      await service.process.status;
    }
    using journal = openJournal(`${folders.state}/journal.sqlite`);
    const rows = journal.cycles({ limit: 1000, origin: "schedule" });
    assert(rows.length > known.length);
    for (const { inputs, result, timings, outcome, rowTimestamp } of rows) {
      assert(typeof result === "object" && typeof timings === "object" && outcome.length > 0);
      assert(rowTimestamp === null || Object.keys(inputs as object).length === 20);
    }
    const newest = rows.find(({ rowTimestamp }) => rowTimestamp !== null)!;
    assertEquals(journal.lastRun()!.text, newest.rowTimestamp);
    [known, last] = [rows.map(({ id }) => id), newest.rowTimestamp!];
    // the mirror may be one cycle behind until the next start
    const mirrored = await readMirror(metadata);
    assert(mirrored !== undefined && mirrored <= last, `${mirrored} after ${last}`);
  }
  // whatever became of the mirror: the journal is the truth
  await Deno.writeTextFile(
    `${metadata}/last_run_timestamp.yaml`,
    "last_run_timestamp: '2001-01-01T00:00:00'\n",
  );
  await using service = await Service.start(folders, ["--mode", "continuous", "--interval", "600"]);
  await eventually("the mirror agrees with the journal", async () => {
    const { cache_stats } = await service.json("/health") as { cache_stats: { cached_timestamp: string } };
    return cache_stats.cached_timestamp >= last! &&
      await readMirror(metadata) === cache_stats.cached_timestamp;
  });
});

Deno.test("a kernel that is killed is started again with its journal, its time and its health", async () => {
  await using folders = await Folders.make();
  await using service = await Service.start(folders, ["--interval", "0.2"]);
  await eventually("three cycles have run", async () => (await cycles(service)).length >= 3);
  const before = (await cycles(service)).map(({ cycle_id }) => cycle_id);
  const first = service.kernelPid;
  kill(first, "SIGKILL");
  await service.ready(first);
  const after = (await cycles(service)).map(({ cycle_id }) => cycle_id);
  assert(before.every((id) => after.includes(id)));
  await eventually("it goes on", async () => (await cycles(service)).length > after.length);
  assertEquals((await service.json("/health")).status, "healthy");
  assertStringIncludes(await Deno.readTextFile(`${folders.state}/logs/app.log`), "Serving");
});
