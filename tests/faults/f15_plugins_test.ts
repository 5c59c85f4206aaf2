/** F15 to F17 through the kernel: the cycle fails within its deadline by name, the next works, nothing goes on. */
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ManualClock } from "../artifacts/manual_clock.ts";
import { systemClock } from "../../runtime/clock.ts";
import { SetpointError } from "../../runtime/errors.ts";
import type { OpenKernel } from "../kernel/open_kernel.ts";
import { alive, tree } from "../launch/process.ts";
import { eventually } from "../std/eventually.ts";
import { cpuTicks, lives } from "../cells/start.ts";
import { EAT, GUESS, LOOP, measure, openFaulty, STATE } from "./faulty_plant.ts";

const DEADLINE_MS = 2_500;
/** Three calls of a model that loop end a solve long before its deadline. */
const LOOPING = { deadlineMs: 20_000, wallMs: 500 };

/** Goes wrong as `fault` says, else moves x to 3. */
const OPTIMIZER = `
import { definePlugin, type OptimizationProblem } from "setpoint";
export default definePlugin({
  name: "test/own",
  version: "1.0.0",
  kind: "optimizer",
  optimize(problem: OptimizationProblem) {
    const fault = problem.parameters[2];
    if (fault === 11) { ${LOOP} }
    if (fault === 12) { ${EAT} }
    if (fault === 13) throw new RangeError("no idea");
    if (fault === 14) while (!problem.cancelled() || true) problem.exact.value(problem.x0, new Float64Array(2));
    const x = problem.x0.slice();
    x[0] = Math.min(problem.hi[0], Math.max(problem.lo[0], 3));
    return { status: "solved" as const, x, iterations: 1, evaluations: 1 };
  },
});
`;

function cellOf({ kernel }: OpenKernel, name: string) {
  return kernel.plugins().find(({ id, plugins }) =>
    id.includes(name) || plugins.some((plugin) => plugin.name.includes(name))
  )!;
}

/** The answer of a cycle that fails, and that no trace of it is left. */
async function fails(opened: OpenKernel, fault: number, plugin: string, pid: number) {
  const answer = await opened.answer({ ...STATE, fault });
  assert(answer.actuators.every(({ delta }) => delta === 0));
  assertStringIncludes(answer.reason!.message, plugin);
  await eventually(`process ${pid} of ${plugin} is gone`, () => alive([pid]).length === 0);
  return answer;
}

async function works(opened: OpenKernel): Promise<void> {
  // the start of a process may take longer than a deadline
  await eventually(
    "every process is there",
    () => opened.kernel.plugins().every(({ state }) => state === "ready"),
  );
  const answer = await opened.answer(STATE);
  assertEquals(answer.outcome, "solved", JSON.stringify(answer.reason));
  assertAlmostEquals(answer.optimized_variables.x.optimizer_suggested_value!, 3, 1e-3);
}

/** No process below this one uses the processor by itself. */
async function idle(): Promise<void> {
  const below = tree(Deno.pid).slice(1);
  await eventually("no process spins", async () => {
    const before = below.filter(lives).map((pid) => [pid, cpuTicks(pid)]);
    await systemClock.sleep(300);
    return before.every(([pid, ticks]) => !lives(pid) || cpuTicks(pid) - ticks <= 10);
  });
}

Deno.test("a user's plugins by path run in cells of their own", async () => {
  await using opened = await openFaulty({ optimizer: OPTIMIZER, deadlineMs: DEADLINE_MS });
  await works(opened);
  const cells = opened.kernel.plugins();
  assertEquals(new Set(cells.map(({ pid }) => pid)).size, cells.length);
  for (const name of ["test/guess", "test/own"]) {
    const cell = cellOf(opened, name);
    assertEquals(cell.plugins.map((plugin) => plugin.name), [name]);
    assert(cell.id.includes(opened.folder));
  }
});

Deno.test("F15 F16 F17: optimize() that loops, eats memory or throws fails its cycle in time, by name", async (t) => {
  await using opened = await openFaulty({ optimizer: OPTIMIZER, deadlineMs: DEADLINE_MS });
  await works(opened);
  for (
    const [fault, what, outcomes] of [
      [11, "while (true) {}", ["timeout"]],
      [14, "a loop of evaluations", ["timeout"]],
      [12, "memory", ["failed", "timeout"]],
    ] as const
  ) {
    await t.step(what, async () => {
      const { outcome, reason } = await fails(opened, fault, "test/own", cellOf(opened, "test/own").pid!);
      assert((outcomes as readonly string[]).includes(outcome), `${outcome}: ${reason!.message}`);
      await works(opened);
      await idle();
    });
  }
  await t.step("throw", async () => {
    const answer = await opened.answer({ ...STATE, fault: 13 });
    assertEquals([answer.outcome, answer.reason!.code], ["failed", "PLUGIN_FAILED"]);
    assertStringIncludes(answer.reason!.message, "no idea");
    await works(opened);
  });
});

Deno.test("F15: a looping solve is over 100 ms after its deadline, whatever the machine does meanwhile", async () => {
  const clock = Object.assign(new ManualClock(), { uuid: systemClock.uuid });
  let [passes, over] = [true, false];
  const passing = (async () => {
    for (; passes; await systemClock.sleep(15)) await clock.advance(20);
  })();
  await using opened = await openFaulty({ optimizer: OPTIMIZER, deadlineMs: 400, clock });
  await works(opened);
  passes = false;
  await passing;
  const answer = opened.answer({ ...STATE, fault: 11 }).finally(() => over = true);
  await eventually("it loops", () => cellOf(opened, "test/own").state === "busy");
  await clock.advance(399);
  assert(!over);
  await clock.advance(101);
  const { outcome, timing_ms } = await answer;
  assertEquals(outcome, "timeout");
  assert(timing_ms.total >= 400 && timing_ms.total <= 500, `${timing_ms.total} ms`);
});

Deno.test("SIGKILL of the optimizer's cell in mid-solve fails that cycle at once, and the next works", async () => {
  await using opened = await openFaulty({ optimizer: OPTIMIZER, deadlineMs: 60_000 });
  await works(opened);
  const { pid } = cellOf(opened, "test/own");
  const running = opened.answer({ ...STATE, fault: 11 });
  await eventually("the solve runs", () => cellOf(opened, "test/own").state === "busy");
  await systemClock.sleep(50);
  Deno.kill(pid!, "SIGKILL");
  const { outcome, reason, timing_ms } = await running;
  assertEquals([outcome, reason!.code], ["failed", "PLUGIN_DIED"]);
  assertStringIncludes(reason!.message, "test/own");
  assert(timing_ms.total < 60_000, `it took ${timing_ms.total} ms`);
  await works(opened);
});

Deno.test("SIGKILL of the built-in optimizer's cell under load costs the answers that it had, no others", async () => {
  await using opened = await openFaulty({ deadlineMs: 60_000 });
  await works(opened);
  const { pid } = opened.kernel.plugins().find(({ id }) => id === "builtin:optimizer")!;
  const running = Array.from({ length: 4 }, () => opened.answer(STATE));
  await eventually(
    "a solve runs",
    () => opened.kernel.plugins().some(({ id, state }) => id === "builtin:optimizer" && state === "busy"),
  );
  Deno.kill(pid!, "SIGKILL");
  const outcomes = (await Promise.all(running)).map(({ outcome, reason }) => reason?.code ?? outcome);
  assert(outcomes.includes("PLUGIN_DIED"), String(outcomes));
  assert(outcomes.every((outcome) => outcome === "PLUGIN_DIED" || outcome === "solved"), String(outcomes));
  await works(opened);
});

Deno.test("F15 F17: evaluate() that loops, eats memory, throws or answers NaN fails its cycle by name", async (t) => {
  await using opened = await openFaulty(LOOPING);
  await works(opened);
  for (
    const [fault, what] of [[1, "while (true) {}"], [2, "memory"], [
      4,
      "a loop beyond the present point",
    ]] as const
  ) {
    await t.step(what, async () => {
      const { outcome } = await fails(opened, fault, "test/guess", cellOf(opened, "test/guess").pid!);
      assert(["failed", "timeout"].includes(outcome), outcome);
      await works(opened);
      await idle();
    });
  }
  for (const [fault, says] of [[3, "no guess today"], [5, '"guess" is NaN']] as const) {
    await t.step(says, async () => {
      const answer = await opened.answer({ ...STATE, fault });
      assertEquals(answer.outcome, "failed");
      assertStringIncludes(answer.reason!.message, says);
      await works(opened);
    });
  }
});

Deno.test("F15: lower() that loops is a strategy that does not load, named by file and skill, and no process stays", async () => {
  const before = tree(Deno.pid);
  const guess = GUESS.replace(
    "evaluate(",
    `lower(_: SkillSpec) { ${LOOP} return undefined as never; },\n  evaluate(`,
  );
  const error = await assertRejects(() => openFaulty({ guess, deadlineMs: DEADLINE_MS }), SetpointError);
  assertEquals(error.code, "PLUGIN_TIMEOUT");
  assertStringIncludes(error.message, "test/guess");
  assertStringIncludes(error.message, '"ask"');
  const left = tree(Deno.pid).filter((pid) => !before.includes(pid));
  await eventually("no process is left", () => alive(left).length === 0);
});

Deno.test("F15: scheduled cycles whose model loops are journalled as failed, and the next one works", async () => {
  await using opened = await openFaulty({ ...LOOPING, serving: true });
  const { kernel } = opened;
  assertEquals((await kernel.cycle()).outcome, "solved");
  for (const [k, fault] of [1, 4, 3].entries()) {
    measure(opened, { ...STATE, fault }, 1 + 2 * k);
    const row = await kernel.cycle();
    assert(["failed", "timeout"].includes(row.outcome), `fault ${fault}: ${row.outcome}`);
    assertStringIncludes(row.reason!.message, "test/guess");
    assert(row.actuators.every(({ delta }) => delta === 0));
    measure(opened, STATE, 2 + 2 * k);
    const next = await kernel.cycle();
    assertEquals(next.outcome, "solved", JSON.stringify(next.reason));
  }
  const outcomes = (await kernel.cycles({ limit: 10 })).map(({ outcome }) => outcome === "solved");
  assertEquals(outcomes, [true, false, true, false, true, false, true]);
});
