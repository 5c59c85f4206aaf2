/** Whatever a plugin does, the kernel goes on, the others are served, the message says who did what, and nothing stays. */
import { skillOf, SQUARES } from "../cells/plugins.ts";
import { startHost } from "../cells/start.ts";
import { assert, assertEquals } from "../std/assert.ts";
import { ABUSES } from "./abuses.ts";
import { assault } from "./assault.ts";

/** Of a processor; the bench tells the time itself. */
const MOST_WORK_MS = 1_000;

Deno.test("a plugin that misbehaves harms nobody but itself", async (t) => {
  const limits = { rssMb: 300, heapMb: 96, beatMs: 200 };
  await using started = startHost({ limits });
  await using hurried = startHost({ limits: { ...limits, startMs: 2_000 } });
  const { host } = started;
  const honest = await host.open({ id: "honest", text: SQUARES });
  const call = () => honest.evaluate(skillOf("s"), 0, Float64Array.of(3, 4), 1, 20_000);
  for (const abuse of ABUSES) {
    await t.step(abuse.name, async () => {
      const rss = Deno.memoryUsage().rss;
      const loadsForEver = abuse.at === "load" && abuse.endless;
      const { outcome, workMs, others } = await assault((loadsForEver ? hurried : started).host, abuse, call);
      const expected = abuse.says === "answers" ? /^answered/ : abuse.says;
      assert(expected.test(outcome), `${outcome.slice(0, 500)}`);
      assert(
        /^answered|^loaded/.test(outcome) || abuse.at === "rest" || /test\/abuse|abuse /.test(outcome),
        `names nobody: ${outcome}`,
      );
      assert(outcome.length < 20_000, `${outcome.length} characters`);
      assert(workMs < MOST_WORK_MS, `the kernel was busy for ${workMs} ms`);
      assert(others > 0, "the other plugin was not served");
      assert(Deno.memoryUsage().rss - rss < 100 << 20, "the kernel's memory grew");
      assertEquals(await call(), Float64Array.of(25));
    });
  }
  const [{ id, failures, restarts }, ...others] = host.status();
  assertEquals([id, failures, restarts, others], ["honest", 0, 0, []]);
  assertEquals(hurried.host.status(), []);
});
