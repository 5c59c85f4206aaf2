import { assertEquals, assertStringIncludes } from "@std/assert";
import { PointerWatch } from "../../runtime/artifacts/pointer_watch.ts";
import { ManualClock, settle } from "./manual_clock.ts";

/** A watch whose pointer and whose loads the test has in its hand. */
function watched(current?: string) {
  const clock = new ManualClock();
  const loads: { version: string; signal: AbortSignal; done: () => void; fail: (reason: string) => void }[] =
    [];
  const active: string[] = [];
  const lines: string[] = [];
  const state = { pointer: current as string | undefined, broken: "" };
  const watch = new PointerWatch({
    clock,
    current,
    intervalMs: 1000,
    longestRetryMs: 8000,
    log: (line) => lines.push(line),
    read() {
      if (state.broken) return Promise.reject(new Error(state.broken));
      return Promise.resolve(state.pointer === undefined ? undefined : { version: state.pointer });
    },
    onChange(version, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const done = () => {
        active.push(version);
        resolve();
      };
      loads.push({ version, signal, done, fail: (reason) => reject(new Error(reason)) });
      return promise;
    },
  });
  return { clock, watch, loads, active, lines, state };
}

Deno.test("PointerWatch loads what the pointer names, once", async () => {
  const { clock, watch, loads, active, state } = watched();
  state.pointer = "1.0.0";
  watch.start();
  await settle();
  await clock.advance(3000);
  assertEquals(loads.length, 1);
  assertEquals(watch.status(), { wanted: "1.0.0", loading: "1.0.0" });
  loads[0].done();
  await clock.advance(5000);
  assertEquals(active, ["1.0.0"]);
  assertEquals(watch.status(), { current: "1.0.0", wanted: "1.0.0" });
  await watch.close();
  assertEquals(clock.pending, 0);
});

for (const ending of ["done", "fail"] as const) {
  Deno.test(`PointerWatch ends on A when the pointer goes A, B, A during the load of B that then is ${ending}`, async () => {
    const { clock, watch, loads, active, state } = watched("A");
    watch.start();
    await settle();
    state.pointer = "B";
    await clock.advance(1000);
    state.pointer = "A";
    await clock.advance(1000);
    assertEquals(loads.map(({ version, signal }) => [version, signal.aborted]), [["B", true]]);
    loads[0][ending]("aborted");
    await settle();
    if (ending === "done") {
      assertEquals(loads.length, 2, "one load at a time, the next is A");
      loads[1].done();
      await settle();
    }
    assertEquals(active.at(-1) ?? "A", "A");
    assertEquals(watch.status(), { current: "A", wanted: "A" });
    await watch.close();
  });
}

Deno.test("PointerWatch ends on the newest of many versions and never loads two at once", async () => {
  const { clock, watch, loads, active, state } = watched("A");
  watch.start();
  await settle();
  for (const version of ["B", "C", "D", "C", "E"]) {
    state.pointer = version;
    await clock.advance(1000);
  }
  assertEquals(loads.length, 1);
  loads[0].done();
  await settle();
  loads[1].done();
  await settle();
  assertEquals(active, ["B", "E"]);
  assertEquals(watch.status(), { current: "E", wanted: "E" });
  await watch.close();
});

Deno.test("PointerWatch keeps the old version while the new one is refused, and takes it when it can be loaded", async () => {
  const { clock, watch, loads, active, lines, state } = watched("1.0.0");
  watch.start();
  await settle();
  state.pointer = "1.1.0";
  const triedAt: number[] = [];
  for (let step = 0; step < 30; step++) {
    await clock.advance(1000);
    if (loads.length === triedAt.length) continue;
    triedAt.push(clock.monotonic() / 1000);
    loads.at(-1)!.fail("the object is missing");
    await settle();
    assertEquals(watch.status(), { current: "1.0.0", wanted: "1.1.0", problem: "the object is missing" });
  }
  assertEquals(triedAt, [1, 2, 4, 8, 16, 24]);
  assertEquals(lines.length, 1, "one line a reason");
  assertStringIncludes(lines[0], "1.1.0 refused, 1.0.0 stays");
  await clock.advance(2000);
  loads.at(-1)!.done();
  await settle();
  assertEquals(active, ["1.1.0"]);
  assertEquals(watch.status(), { current: "1.1.0", wanted: "1.1.0" });
  await watch.close();
});

Deno.test("PointerWatch keeps the version when the pointer is broken or gone, and says so once", async () => {
  const { clock, watch, loads, lines, state } = watched("1.0.0");
  watch.start();
  await settle();
  state.broken = "Cannot read the deployed version";
  await clock.advance(5000);
  assertEquals(watch.status().problem, "Cannot read the deployed version");
  assertEquals(lines.length, 1);
  state.broken = "";
  state.pointer = undefined;
  await clock.advance(1000);
  assertEquals(watch.status(), { current: "1.0.0", wanted: "1.0.0" });
  assertEquals(loads.length, 0);
  await watch.close();
});

Deno.test("PointerWatch.close() aborts and awaits the load under way", async () => {
  const { watch, loads, state } = watched("A");
  state.pointer = "B";
  await watch.poll();
  await settle();
  const closing = watch.close();
  assertEquals(loads[0].signal.aborted, true);
  loads[0].fail("aborted");
  await closing;
  assertEquals(watch.status().problem, undefined);
});
