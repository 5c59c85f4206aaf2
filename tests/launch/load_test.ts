import { assertEquals, assertRejects } from "@std/assert";
import { systemClock } from "../../runtime/clock.ts";
import { SetpointError, setpointError } from "../../runtime/errors.ts";
import { loadPatiently } from "../../runtime/launch/load.ts";

/** A clock on which every pause is over at once. */
function quick(pauses: number[]) {
  return { ...systemClock, sleep: (ms: number) => (pauses.push(ms), Promise.resolve()) };
}

Deno.test("loadPatiently() tries again while the store cannot be reached, with growing pauses", async () => {
  const pauses: number[] = [];
  const lines: string[] = [];
  let tries = 0;
  const load = () =>
    ++tries < 8 ? Promise.reject(setpointError("STORE_UNREACHABLE", "Cannot reach it")) : Promise.resolve();
  await loadPatiently(load, quick(pauses), new AbortController().signal, (_, line) => lines.push(line));
  assertEquals(pauses, [1000, 2000, 4000, 8000, 16000, 30000, 30000]);
  assertEquals(lines[0], "Cannot load the strategy yet, next try in 1 s: Cannot reach it");
});

Deno.test("loadPatiently() gives up at once for what somebody must mend", async () => {
  const load = () => Promise.reject(setpointError("STRATEGY_INVALID", "Cannot read it"));
  await assertRejects(
    () => loadPatiently(load, quick([]), new AbortController().signal, () => {}),
    SetpointError,
    "Cannot read it",
  );
});

Deno.test("loadPatiently() ends when it is told to", async () => {
  const stop = new AbortController();
  const load = () => {
    stop.abort();
    return Promise.reject(setpointError("STORE_UNREACHABLE", "Cannot reach it"));
  };
  await loadPatiently(load, systemClock, stop.signal, () => {});
});
