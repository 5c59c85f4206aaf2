/** What plugins say reaches the log under their names, and is no way to harm anybody. */
import { LineBudget, LONGEST_LINE, oneLine } from "../../runtime/graph/plugin_log.ts";
import { SetpointError } from "../../runtime/errors.ts";
import { eventually } from "../std/eventually.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../std/assert.ts";
import { skillOf } from "./plugins.ts";
import { bowl, type LogLine, runOf, startHost } from "./start.ts";

const evaluating = (body: string) => `
import { definePlugin, log } from "setpoint";
export default definePlugin({
  name: "my/talker", version: "1.2.0", kind: "function",
  evaluate(skill, batch, count) { ${body}; return new Float64Array(count).fill(7); },
});`;

function said(lines: readonly LogLine[]) {
  return lines.filter(({ message }) => message.startsWith("Plugin "));
}

async function evaluateOnce(started: ReturnType<typeof startHost>, body: string): Promise<LogLine[]> {
  const plugin = await started.host.open({ id: "talker", text: evaluating(body) });
  const skill = skillOf("s", { strategy: "plant" });
  await plugin.lower(skill);
  assertEquals([...await plugin.evaluate(skill, 0, Float64Array.of(1, 2), 1, 10_000)], [7]);
  assertEquals([...await plugin.evaluate(skill, 0, Float64Array.of(1, 2), 1, 10_000)], [7]);
  return said(started.lines);
}

Deno.test("log.info, warn and error arrive in order with level, plugin, version, method, skill and strategy", async () => {
  await using started = startHost();
  const lines = await evaluateOnce(started, `log.info("one"); log.warn("two"); log.error("three")`);
  const fields = { plugin: "my/talker@1.2.0", method: "evaluate", skill: "s", strategy: "plant" };
  assertEquals(lines.slice(0, 3), [
    { level: "info", message: "Plugin my/talker@1.2.0: one", fields },
    { level: "warning", message: "Plugin my/talker@1.2.0: two", fields },
    { level: "error", message: "Plugin my/talker@1.2.0: three", fields },
  ]);
  assertEquals(lines.length, 6);
});

Deno.test("an optimizer and a composition can speak too, and a file while it is loaded", async () => {
  await using started = startHost({ optimizerWorkers: 1 });
  const optimizer = await started.host.open({
    id: "o",
    text: `import { definePlugin, log } from "setpoint";
log.info("loaded");
export default definePlugin({ name: "my/o", version: "1.0.0", kind: "optimizer",
  optimize: ({ x0 }) => { log.info("at " + x0[0]); return { status: "failed", x: x0, iterations: 0, evaluations: 0 }; } });`,
  });
  await optimizer.load("bowl", bowl(1));
  await optimizer.optimize("bowl", runOf());
  const order = await started.host.open({
    id: "c",
    text: `import { definePlugin, log } from "setpoint";
export default definePlugin({ name: "my/c", version: "1.0.0", kind: "composition",
  sequence: () => { log.info("order"); return ["a"]; } });`,
  });
  await order.sequence(skillOf("s"));
  const messages = said(started.lines).map(({ message }) => message);
  assertEquals(messages, ["Plugin o: loaded", "Plugin my/o@1.0.0: at 3", "Plugin my/c@1.0.0: order"]);
});

Deno.test("a hundred thousand lines cost no answer: the first arrive, the others are counted", async () => {
  await using started = startHost();
  await evaluateOnce(started, `for (let i = 0; i < 50000; i++) log.info("line " + i)`);
  const dropped = () => said(started.lines).reduce((sum, { fields }) => sum + Number(fields.dropped ?? 0), 0);
  const texts = () => said(started.lines).filter(({ message }) => message.includes("line"));
  await eventually("the last count arrives", () => texts().length + dropped() === 100_000);
  assert(texts().length <= 60, String(texts().length));
  assertEquals(texts()[0].message, "Plugin my/talker@1.2.0: line 0");
  assertEquals(started.host.status()[0].restarts, 0);
});

const HARMFUL = [
  ["a huge text", `"x".repeat(5e7)`, "x".repeat(LONGEST_LINE - 1) + "…"],
  ["lines that look like another's", `"a\\n2026-11-21 ERROR\\r\\u2028 kernel"`, "a 2026-11-21 ERROR  kernel"],
  ["what a terminal obeys", `"\\x1b[2J\\x1b]0;me\\x07b\\u202ec"`, " [2J ]0;me b c"],
  ["half a character", `"\\ud83d"`, "\ufffd"],
  ["a number", "42", "42"],
  ["nothing", "undefined", "undefined"],
  ["an error", `new RangeError("far")`, "RangeError: far"],
  ["an object that throws", `({ toString() { throw 1; } })`, "something that cannot be read"],
  ["a proxy", `new Proxy({}, { get() { throw 1; } })`, "something that cannot be read"],
] as const;

for (const [what, value, expected] of HARMFUL) {
  Deno.test(`log.info() of ${what} is one short line`, async () => {
    await using started = startHost();
    const [line] = await evaluateOnce(started, `log.info(${value})`);
    assertEquals(line.message, `Plugin my/talker@1.2.0: ${expected}`);
  });
}

Deno.test("log.info() in a world that its plugin has broken says nothing", async () => {
  await using started = startHost();
  assertEquals(await evaluateOnce(started, `String.prototype.replace = () => ({}); log.info("z")`), []);
});

Deno.test("log.info() in a world that its plugin has broken ends its process at the worst", async () => {
  await using started = startHost();
  const text = evaluating(`String.prototype.slice = () => "y".repeat(1e6); log.info("z".repeat(999))`);
  const plugin = await started.host.open({ id: "talker", text });
  const skill = skillOf("s");
  await plugin.lower(skill);
  await assertRejects(() => plugin.evaluate(skill, 0, Float64Array.of(1, 2), 1, 10_000), SetpointError);
  assert(said(started.lines).every(({ message }) => message.length < 600));
});

Deno.test("a plugin that gets around its own budget floods nobody: its process is ended, the log stays short", async () => {
  await using started = startHost();
  const plugin = await started.host.open({
    id: "talker",
    text: evaluating(`Math.min = () => 20; for (;;) log.error("x".repeat(400))`),
  });
  const skill = skillOf("s");
  await plugin.lower(skill);
  const error = await assertRejects(
    () => plugin.evaluate(skill, 0, Float64Array.of(1, 2), 1, 15_000),
    SetpointError,
  );
  assertStringIncludes(error.message, "floods the log");
  assert(said(started.lines).length <= 100, String(said(started.lines).length));
  assert(started.lines.every(({ message }) => message.length < 600));
});

Deno.test("what a call said that never ends is in the log", async () => {
  await using started = startHost();
  const plugin = await started.host.open({
    id: "talker",
    text: evaluating(`log.warn("row " + batch[0] + " is hard"); while (true)`),
  });
  const skill = skillOf("s");
  await plugin.lower(skill);
  await assertRejects(() => plugin.evaluate(skill, 0, Float64Array.of(1, 2), 1, 300), SetpointError);
  assertStringIncludes(said(started.lines)[0].message, "row 1 is hard");
});

Deno.test("LineBudget lets 20 lines through at once and 5 a second, and tells how many it did not", () => {
  const budget = new LineBudget(0);
  const at = (now: number, lines: number) => Array.from({ length: lines }, () => budget.take(now));
  assertEquals(at(0, 25).filter((taken) => taken !== undefined).length, 20);
  assertEquals(at(1_000, 6).map((taken) => taken?.dropped), [5, 0, 0, 0, 0, undefined]);
  // a clock that stands still or goes back gives nothing
  assertEquals(at(500, 1), [undefined]);
  assertEquals(at(100_000, 30).filter((taken) => taken !== undefined).length, 20);
});

Deno.test("oneLine() keeps what is readable as it is", () => {
  assertEquals(oneLine("Druck 3,5 bar – ok ✓ 圧力 {x}"), "Druck 3,5 bar – ok ✓ 圧力 {x}");
});
