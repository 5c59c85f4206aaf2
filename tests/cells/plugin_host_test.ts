import { systemClock } from "../../runtime/clock.ts";
import { SetpointError } from "../../runtime/errors.ts";
import { decodeExpression } from "../../runtime/graph/expression.ts";
import { Graph } from "../../runtime/graph/expr.ts";
import { SkillError } from "../../runtime/graph/skill.ts";
import { compileTape } from "../../runtime/graph/tape.ts";
import { eventually } from "../std/eventually.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../std/assert.ts";
import { GAIN, ORDER, skillOf, SQUARES } from "./plugins.ts";
import { lives, startHost } from "./start.ts";

Deno.test("open() tells what a plugin is, lower() gives its expression, and the tape of it computes", async () => {
  await using started = startHost();
  const plugin = await started.host.open({ id: "gain", text: GAIN });
  assertEquals({ ...plugin.description }, { name: "test/gain", version: "1.2.0", kind: "function" });
  const lowered = await plugin.lower(skillOf("g", { config: { gain: 3 } }));
  assertEquals(lowered.sources, [{ variable: "a", role: "value" }, { variable: "b", role: "value" }]);
  assertEquals(lowered.limits[0].lower, -Infinity);
  assertEquals(lowered.notes, [{ message: "a note" }]);
  const expression = decodeExpression(lowered.expression);
  const graph = new Graph();
  const outputs = graph.inline(expression, [graph.variable(0), graph.variable(1)]);
  const out = new Float64Array(1);
  compileTape(graph, { variables: 2, parameters: 0, outputs }).value(Float64Array.of(2, 5), out);
  assertEquals(out[0], 11);
});

Deno.test("lower() passes a SkillError on with all its problems", async () => {
  await using started = startHost();
  const plugin = await started.host.open({ id: "gain", text: GAIN });
  const error = await assertRejects(() => plugin.lower(skillOf("g")), SkillError);
  assertEquals(error.problems, [
    { code: "STRATEGY_INVALID", message: "gain is missing", path: ["config", "gain"] },
    { message: "nothing else works either", offset: 3 },
  ]);
  await plugin.lower(skillOf("g", { config: { gain: 1 } }));
});

Deno.test("a plugin without lower() is one opaque node over its inputs, evaluated in batches", async () => {
  await using started = startHost();
  const plugin = await started.host.open({ id: "squares", text: SQUARES });
  const skill = skillOf("s");
  const lowered = await plugin.lower(skill);
  assertEquals(lowered.opaques, [{ engine: "self", inputs: 2, outputs: 1 }]);
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, k) => plugin.evaluate(skill, 0, Float64Array.of(k, 1, k, 2), 2)),
  );
  answers.forEach((answer, k) => assertEquals(answer, Float64Array.of(k * k + 1, k * k + 4)));
});

Deno.test("sequence() gives the names in order, and refuses what is no list of names", async () => {
  await using started = startHost();
  const plugin = await started.host.open({ id: "order", text: ORDER });
  assertEquals(await plugin.sequence(skillOf("c", { config: { skills: ["b", "a"] } })), ["b", "a"]);
  const error = await assertRejects(
    () => plugin.sequence(skillOf("c", { config: { skills: [1] } })),
    SetpointError,
  );
  assertEquals(error.code, "PLUGIN_FAILED");
  assertStringIncludes(error.message, 'Cannot call "test/order@0.1.0".sequence');
  assertStringIncludes(error.message, 'skill "c"');
});

Deno.test("what is released while it opens gives way to the next of its id, which then is the only one", async () => {
  await using started = startHost();
  const { host } = started;
  const first = host.open({ id: "squares", text: SQUARES });
  const released = host.release("squares");
  const second = host.open({ id: "squares", text: SQUARES });
  await assertRejects(() => first, SetpointError);
  await released;
  assert(await second === await host.open({ id: "squares", text: SQUARES }));
  assertEquals(host.status().length, 1);
});

Deno.test("the same id opens one process only", async () => {
  await using started = startHost();
  const [a, b] = await Promise.all([1, 2].map(() => started.host.open({ id: "gain", text: GAIN })));
  assert(a === b);
  assertEquals(started.host.status().length, 1);
});

const BROKEN: readonly { name: string; text: string; line?: number; says: string }[] = [
  { name: "a syntax error", text: "\n\nexport default { a: = };", line: 3, says: "Expression expected" },
  {
    name: "an exception while it loads",
    text: '\nthrow new RangeError("not today");',
    line: 2,
    says: "not today",
  },
  { name: "no default export", text: "export const a = 1;", says: "default export" },
  { name: "a function as default export", text: "export default () => 1;", says: "default export" },
  {
    name: "an unknown kind",
    text: 'export default { name: "a", version: "1.0.0", kind: "x" };',
    says: "kind",
  },
  {
    name: "no method",
    text: 'export default { name: "a", version: "1.0.0", kind: "model" };',
    says: "lower or evaluate",
  },
  {
    name: "an import of something else",
    text: 'import x from "lodash";\nexport default x;',
    line: 1,
    says: "lodash",
  },
  {
    name: "an import that the SDK lacks",
    text: '\nimport { descibe } from "setpoint";\nexport default descibe;',
    line: 2,
    says: '"setpoint" has no "descibe", did you mean "describe"',
  },
  {
    name: "an import that the SDK lacks the end of",
    text: 'import { solveit } from "setpoint";\nexport default solveit;',
    line: 1,
    says: '"setpoint" has no "solveit", did you mean "solve"',
  },
  {
    name: "a default import",
    text: 'import setpoint from "setpoint";\nexport default setpoint;',
    line: 1,
    says: '"setpoint" has no default export, expected names in braces',
  },
  {
    name: "an import of a file beside it",
    text: '\nimport { x } from "./x.ts";\nexport default x;',
    line: 2,
    says: 'Cannot use "./x.ts": a plugin is one file that imports "setpoint" alone, plugin:build',
  },
  ...[["3", "a number"], ["undefined", "nothing"], ["Promise.resolve({})", "a promise"]].map((
    [answer, got],
  ) => ({
    name: `a lower() that gives ${got}`,
    text: `import { definePlugin } from "setpoint";
export default definePlugin({
  name: "a/b", version: "1.0.0", kind: "function",
  tests: [{ inputs: { a: 1 }, outputs: { y: 1 } }],
  lower: () => ${answer},
});`,
    says: `Cannot use the answer of "lower": got ${got}, expected what describe() gives`,
  })),
  {
    name: "an optimize() that gives nothing",
    text: `import { definePlugin } from "setpoint";
export default definePlugin({
  name: "a/b", version: "1.0.0", kind: "optimizer",
  tests: [{ inputs: { a: 1 }, minimize: "a * a", cost: 0 }],
  optimize() {},
});`,
    says: 'Cannot use the answer of "optimize": got nothing, expected {status, x, …}',
  },
];

for (const { name, text, line, says } of BROKEN) {
  Deno.test(`open() of a file with ${name} says so with the author's file and line, and leaves no process`, async () => {
    await using started = startHost();
    const source = { id: "broken", text, file: "plant/broken.ts" };
    const error = await assertRejects(() => started.host.open(source), SetpointError);
    assertEquals(error.code, "PLUGIN_INVALID");
    assertStringIncludes(error.message, says);
    assert(!error.message.includes("blob:"), error.message);
    assertEquals(error.problems[0].at?.file, "plant/broken.ts");
    assert(!/ at plant\/broken.ts:\d+:\d+$/.test(error.message), `told twice: ${error.message}`);
    if (line !== undefined) assertEquals(error.problems[0].at?.line, line);
    assertEquals(started.host.status(), []);
  });
}

const FAULTS = [
  { fault: "throw", code: "PLUGIN_FAILED", says: "RangeError: no square today" },
  { fault: "shape", code: "PLUGIN_FAILED", says: "2 numbers, expected 1" },
  { fault: "type", code: "PLUGIN_FAILED", says: "Float64Array" },
  { fault: "loop", code: "PLUGIN_TIMEOUT", says: "exceeded 200 ms" },
] as const;

for (const { fault, code, says } of FAULTS) {
  Deno.test(`evaluate() that answers with "${fault}" is ${code}, and the next call works`, async () => {
    await using started = startHost();
    const plugin = await started.host.open({ id: "squares", text: SQUARES, file: "squares.ts" });
    const [good, bad] = [skillOf("good"), skillOf("bad", { config: { fault } })];
    await plugin.lower(good);
    await plugin.lower(bad);
    const point = Float64Array.of(3, 4);
    const error = await assertRejects(() => plugin.evaluate(bad, 0, point, 1, 200), SetpointError);
    assertEquals(error.code, code);
    assertStringIncludes(error.message, 'Cannot call "test/squares@2.0.0".evaluate');
    assertStringIncludes(error.message, 'skill "bad"');
    assertStringIncludes(error.message, says);
    assertEquals(await plugin.evaluate(good, 0, point, 1, 20_000), Float64Array.of(25));
  });
}

Deno.test("evaluate() that throws names the author's line", async () => {
  await using started = startHost();
  const plugin = await started.host.open({ id: "squares", text: SQUARES, file: "squares.ts" });
  const skill = skillOf("bad", { config: { fault: "throw" } });
  const error = await assertRejects(() => plugin.evaluate(skill, 0, new Float64Array(2), 1), SetpointError);
  assertEquals(error.problems[0].at?.file, "squares.ts");
  assertEquals(
    error.problems[0].at?.line,
    1 + SQUARES.split("\n").findIndex((text) => text.includes("no square")),
  );
});

Deno.test("a full queue refuses at once; what waits too long is told so", async () => {
  await using started = startHost({ limits: { queue: 3 } });
  const plugin = await started.host.open({ id: "squares", text: SQUARES });
  const [good, loop] = [skillOf("good"), skillOf("loop", { config: { fault: "loop" } })];
  const point = Float64Array.of(3, 4);
  const first = plugin.evaluate(loop, 0, point, 1, 400);
  const waiting = [1, 2, 3].map((ms) => plugin.evaluate(good, 0, point, 1, ms === 1 ? 100 : 20_000));
  const full = await assertRejects(() => plugin.evaluate(good, 0, point, 1), SetpointError);
  assertEquals(full.code, "BUSY");
  const late = await assertRejects(() => waiting[0], SetpointError);
  assertEquals(late.code, "PLUGIN_TIMEOUT");
  assertStringIncludes(late.message, "waiting for its turn");
  assertEquals((await assertRejects(() => first, SetpointError)).code, "PLUGIN_TIMEOUT");
  assertEquals(await Promise.all(waiting.slice(1)), [Float64Array.of(25), Float64Array.of(25)]);
});

Deno.test("SIGKILL of a plugin's process fails its call at once with PLUGIN_DIED, and the next call works", async () => {
  await using started = startHost();
  const plugin = await started.host.open({ id: "squares", text: SQUARES });
  const pid = started.host.status()[0].pid!;
  const loop = skillOf("loop", { config: { fault: "loop" } });
  const call = plugin.evaluate(loop, 0, new Float64Array(2), 1, 30_000);
  Deno.kill(pid, "SIGKILL");
  const error = await assertRejects(() => call, SetpointError);
  assertEquals(error.code, "PLUGIN_DIED");
  assertStringIncludes(error.message, "SIGKILL");
  assertEquals(await plugin.evaluate(skillOf("s"), 0, Float64Array.of(1, 1), 1, 20_000), Float64Array.of(2));
  const [status] = started.host.status();
  assert(!lives(pid) && status.pid !== pid);
  assertEquals([status.restarts, status.failures, status.state], [1, 1, "ready"]);
  assertEquals(started.lines.map(({ message }) => message), ["A cell died"]);
});

Deno.test("a plugin that only fails goes to quarantine, says so, and comes out by time", async () => {
  let passed = 0;
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + passed };
  await using started = startHost({ clock, limits: { quarantineAfter: 3, quarantineMs: 600_000 } });
  const plugin = await started.host.open({ id: "squares", text: SQUARES });
  const bad = skillOf("bad", { config: { fault: "throw" } });
  const point = Float64Array.of(3, 4);
  for (let k = 0; k < 3; k++) {
    const error = await assertRejects(() => plugin.evaluate(bad, 0, point, 1, 20_000), SetpointError);
    assertEquals(error.code, "PLUGIN_FAILED");
  }
  const shut = await assertRejects(() => plugin.evaluate(skillOf("s"), 0, point, 1), SetpointError);
  assertEquals(shut.code, "PLUGIN_QUARANTINED");
  assertStringIncludes(shut.message, "no square today");
  assertEquals([started.host.status()[0].state, started.host.status()[0].pid], ["quarantined", null]);
  passed = 600_000;
  assertEquals(await plugin.evaluate(skillOf("s"), 0, point, 1, 20_000), Float64Array.of(25));
  assertEquals(started.host.status()[0].state, "ready");
});

Deno.test("a plugin that starts well and dies at every call goes to quarantine too", async () => {
  await using started = startHost({ limits: { quarantineAfter: 3, backoffMs: 1 } });
  const plugin = await started.host.open({ id: "squares", text: SQUARES });
  const loop = skillOf("loop", { config: { fault: "loop" } });
  const codes: string[] = [];
  for (let k = 0; k < 4; k++) {
    // Only the call itself is to time out, not the restart before it.
    await eventually("it has started", () => started.host.status()[0].state !== "starting");
    const call = plugin.evaluate(loop, 0, new Float64Array(2), 1, 200);
    codes.push((await assertRejects(() => call, SetpointError)).code);
  }
  assertEquals(codes, ["PLUGIN_TIMEOUT", "PLUGIN_TIMEOUT", "PLUGIN_TIMEOUT", "PLUGIN_QUARANTINED"]);
});

Deno.test("a built-in plugin is never shut out", async () => {
  await using started = startHost({ limits: { quarantineAfter: 2 } });
  const plugin = await started.host.open({ id: "builtin:model", builtin: "model", text: SQUARES });
  const bad = skillOf("bad", { config: { fault: "throw" } });
  for (let k = 0; k < 4; k++) {
    await assertRejects(
      () => plugin.evaluate(bad, 0, new Float64Array(2), 1, 20_000),
      SetpointError,
      "no square",
    );
  }
});

Deno.test("built-in plugins that have nothing to do give their memory back, and come again with the next call", async () => {
  await using started = startHost({ limits: { idleMs: 200 } });
  const plugin = await started.host.open({ id: "builtin:model", builtin: "model", text: SQUARES });
  const pid = started.host.status()[0].pid!;
  await eventually("it rests", () => started.host.status()[0].pid === null);
  assertEquals(started.host.status()[0].state, "ready");
  await eventually("its process is gone", () => !lives(pid));
  assertEquals(await plugin.evaluate(skillOf("s"), 0, Float64Array.of(3, 4), 1, 20_000), Float64Array.of(25));
  const [{ restarts, failures }] = started.host.status();
  assertEquals([restarts, failures, started.lines.filter(({ level }) => level !== "debug").length], [
    0,
    0,
    0,
  ]);
});

Deno.test("close() ends every process, also a busy one, and later calls say so", async () => {
  await using started = startHost();
  const { host } = started;
  const plugin = await host.open({ id: "squares", text: SQUARES });
  await host.open({ id: "gain", text: GAIN });
  const pids = host.status().map(({ pid }) => pid!);
  const call = plugin.evaluate(
    skillOf("loop", { config: { fault: "loop" } }),
    0,
    new Float64Array(2),
    1,
    30_000,
  );
  const refused = assertRejects(() => call, SetpointError, "closed");
  await host.close();
  await refused;
  assertEquals(pids.map(lives), [false, false]);
  await assertRejects(
    () => plugin.evaluate(skillOf("s"), 0, new Float64Array(2), 1),
    SetpointError,
    "closed",
  );
  await assertRejects(() => host.open({ id: "new", text: GAIN }), SetpointError, "closed");
});
