/** F30: what cannot be written costs the record and is told; the plant is optimized all the same. */
import { assertEquals } from "@std/assert";
import { Database } from "../../runtime/sqlite.ts";
import { readMirror } from "../e2e/mirror.ts";
import type { OpenKernel } from "../kernel/open_kernel.ts";
import { openFaulty, STATE } from "./faulty_plant.ts";

function codes({ kernel }: OpenKernel): string[] {
  return kernel.status().reasons.map(({ code }) => code);
}

Deno.test("F30: a journal that cannot be written is told by health, cycles and requests go on, and it recovers", async () => {
  await using opened = await openFaulty({ deadlineMs: 60_000, serving: true });
  const { kernel, folder } = opened;
  assertEquals((await kernel.cycle()).outcome, "solved");
  {
    using other = new Database(`${folder}/state/journal.sqlite`);
    other.exec("BEGIN EXCLUSIVE");
    assertEquals((await kernel.cycle()).outcome, "solved");
    assertEquals((await opened.answer(STATE)).outcome, "solved");
    assertEquals(codes(opened).includes("JOURNAL"), true);
    other.exec("ROLLBACK");
  }
  assertEquals((await kernel.cycle()).outcome, "solved");
  assertEquals(codes(opened), []);
  const scheduled = await kernel.cycles({ limit: 10, origin: "schedule" });
  assertEquals(scheduled.length, 2, "the one in the middle is lost, the others are whole");
});

Deno.test("F30: a metadata folder that cannot be written is told by health, and the mirror is there again with it", async () => {
  await using opened = await openFaulty({ deadlineMs: 60_000, serving: true });
  const { kernel, folder } = opened;
  await kernel.cycle();
  await Deno.rename(`${folder}/metadata`, `${folder}/away`);
  await Deno.writeTextFile(`${folder}/metadata`, "a file in its place");
  const cycle = await kernel.cycle();
  assertEquals([cycle.outcome, codes(opened)], ["solved", ["MIRROR"]]);
  await Deno.remove(`${folder}/metadata`);
  await Deno.rename(`${folder}/away`, `${folder}/metadata`);
  const next = await kernel.cycle();
  assertEquals(codes(opened), []);
  assertEquals(await readMirror(`${folder}/metadata`), next.row_timestamp);
});
