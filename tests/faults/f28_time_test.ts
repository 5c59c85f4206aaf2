/** F28 and F29: clocks that jump, and cycles that are longer than their period. */
import { assert, assertEquals } from "@std/assert";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import { readMirror } from "../e2e/mirror.ts";
import { openKernel } from "../kernel/open_kernel.ts";
import { eventually } from "../std/eventually.ts";
import { faultyStrategy, GUESS, openFaulty, SIMULATOR, STATE } from "./faulty_plant.ts";

const HOUR_MS = 3_600_000;

Deno.test("F28: a clock that jumps by an hour gives no cycle twice, and none is worked on from the past", async () => {
  let offset = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + offset };
  await using opened = await openKernel({
    strategy: faultyStrategy(false),
    files: { "guess.ts": GUESS, "simulator.json": SIMULATOR },
    serving: true,
    clock,
  });
  const { kernel, folder } = opened;
  const first = await kernel.cycle();
  assertEquals(first.outcome, "solved");
  offset = -HOUR_MS;
  for (let k = 0; k < 3; k++) {
    const cycle = await kernel.cycle();
    assertEquals([cycle.outcome, cycle.reason!.code], ["data_rejected", "NO_NEW_ROW"]);
    assertEquals((await opened.answer(STATE)).outcome, "solved");
  }
  assertEquals(await readMirror(`${folder}/metadata`), first.row_timestamp);
  offset = HOUR_MS;
  const ahead = await kernel.cycle();
  assertEquals(ahead.outcome, "solved");
  assert(ahead.row_timestamp! > first.row_timestamp!);
  offset = 0;
  assertEquals((await kernel.cycle()).reason!.code, "NO_NEW_ROW");
  assertEquals(await readMirror(`${folder}/metadata`), ahead.row_timestamp);
  const worked = (await kernel.cycles({ limit: 50, origin: "schedule" }))
    .filter(({ outcome }) => outcome === "solved").map(({ row_timestamp }) => row_timestamp);
  assertEquals(worked, [ahead.row_timestamp, first.row_timestamp]);
});

/** Takes half a second for each point. */
const SLOW = `
import { definePlugin, type OptimizationProblem } from "setpoint";
export default definePlugin({
  name: "test/slow",
  version: "1.0.0",
  kind: "optimizer",
  optimize({ x0, now }: OptimizationProblem) {
    for (const end = now() + 500; now() < end;);
    return { status: "solved" as const, x: x0.slice(), iterations: 1, evaluations: 1 };
  },
});
`;

Deno.test("F29: cycles longer than their period do not overlap, and what is skipped is counted", async () => {
  await using opened = await openFaulty({ optimizer: SLOW, deadlineMs: 60_000, serving: true });
  const { kernel } = opened;
  kernel.startSchedule({ flagSeconds: 0.1 });
  await eventually("three cycles have run", async () => (await kernel.cycles({ limit: 10 })).length >= 3);
  await eventually("the periods between are counted", () => kernel.status().schedule!.skipped >= 4);
  const rows = (await kernel.cycles({ limit: 10 })).toReversed();
  rows.slice(1).forEach(({ started_at }, k) => {
    const { started_at: before, timing_ms } = rows[k];
    assert(Date.parse(started_at) >= Date.parse(before) + timing_ms.total - 5, `${before} ${started_at}`);
  });
  assertEquals(new Set(rows.map(({ cycle_id }) => cycle_id)).size, rows.length);
});

Deno.test("cycle() that is asked for while one runs is that one", async () => {
  await using opened = await openFaulty({ optimizer: SLOW, deadlineMs: 60_000, serving: true });
  const [a, b] = await Promise.all([opened.kernel.cycle(), opened.kernel.cycle()]);
  assertEquals(a.cycle_id, b.cycle_id);
  assertEquals((await opened.kernel.cycles({ limit: 10 })).length, 1);
});
