import { assertEquals } from "@std/assert";
import { systemClock } from "../../runtime/clock.ts";
import { eventually } from "../std/eventually.ts";
import { choosePeriod, printPeriod, startSchedule } from "../../runtime/kernel/schedule.ts";

Deno.test("choosePeriod() prefers the flag, then the configuration, then the strategy, then five minutes", () => {
  const all = { flagSeconds: 60, configSeconds: 120, cron: "0 * * * *" };
  assertEquals(choosePeriod(all), { cron: "* * * * *", source: "flag" });
  assertEquals(choosePeriod({ ...all, flagSeconds: undefined }), { cron: "*/2 * * * *", source: "config" });
  assertEquals(choosePeriod({ cron: "0 * * * *" }), { cron: "0 * * * *", source: "strategy" });
  assertEquals(choosePeriod({}), { cron: "*/5 * * * *", source: "default" });
});

const SECONDS: readonly (readonly [number, string])[] = [
  [300, "cron */5 * * * * (UTC)"],
  [3600, "cron 0 * * * * (UTC)"],
  [7200, "cron 0 */2 * * * (UTC)"],
  [86_400, "cron 0 0 * * * (UTC)"],
  [420, "every 420 s"],
  [5400, "every 5400 s"],
  [0.5, "every 0.5 s"],
];

for (const [seconds, period] of SECONDS) {
  Deno.test(`choosePeriod() runs every ${seconds} s as "${period}"`, () => {
    assertEquals(printPeriod(choosePeriod({ configSeconds: seconds })), period);
  });
}

Deno.test("startSchedule() runs at once, never twice at a time, counts what it left out, and stop() waits for the cycle", async () => {
  let [running, most, runs] = [0, 0, 0];
  const schedule = startSchedule(systemClock, { seconds: 0.005, source: "flag" }, async () => {
    most = Math.max(most, ++running);
    await systemClock.sleep(40);
    running--;
    runs++;
  });
  await eventually("some have run, some were left out", () => runs >= 2 && schedule.skipped >= 3);
  await schedule.stop();
  assertEquals([running, most], [0, 1]);
});

Deno.test("startSchedule() by cron ends when it is stopped", async () => {
  let runs = 0;
  const schedule = startSchedule(
    systemClock,
    { cron: "0 0 1 1 *", source: "strategy" },
    () => Promise.resolve(runs++),
  );
  await schedule.stop();
  assertEquals(runs, 1);
});
