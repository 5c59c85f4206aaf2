/** What a plugin says of itself: checked by the kernel when it is opened, its own tests included. */
import { SetpointError } from "../../runtime/errors.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../std/assert.ts";
import { skillOf } from "./plugins.ts";
import { startHost } from "./start.ts";

/** Doubles its input, or halves it where the config says so. @param manifest Further lines of the definition. */
export function doubling(manifest: string): string {
  return `import { definePlugin, Graph } from "setpoint";
export default definePlugin({
  name: "test/double",
  version: "1.0.0",
  kind: "function",
  ${manifest}
  lower(skill) {
    const graph = new Graph();
    const factor = graph.constant(skill.config.half === true ? 0.5 : 2);
    return {
      expression: { graph, sources: 1, outputs: [graph.binary("mul", graph.parameter(0), factor)] },
      sources: [{ variable: skill.inputs[0], role: "value" }],
    };
  },
});`;
}

const SCHEMA = "config: { properties: { half: { type: 'boolean' } } },";

Deno.test("open() runs a plugin's own tests and tells how many passed", async () => {
  await using started = startHost();
  const tests =
    `${SCHEMA} sdk: "^1.0.0", description: "doubles", examples: [{ title: "half", config: { half: true } }],
    tests: [{ inputs: { a: 3 }, outputs: { b: 6 } }, { config: { half: true }, inputs: { a: 3 }, outputs: { b: 1.5 } }],`;
  await started.host.open({ id: "double", text: doubling(tests), file: "double.ts", digest: "abc" });
  const [cell] = started.host.status();
  assertEquals(cell.plugins, [{
    ...{ name: "test/double", version: "1.0.0", kind: "function" },
    ...{ description: "doubles", file: "double.ts", digest: "abc", tests: 2 },
  }]);
  assert(cell.p50_ms !== null && cell.p99_ms !== null && cell.p50_ms <= cell.p99_ms);
  assertEquals([cell.starts_last_hour, cell.last_failure], [1, null]);
  assertEquals(cell.limits.wall_ms, 60_000);
});

/** Adds the bytes of two files to its input. */
const READER = `import { describe, definePlugin, op } from "setpoint";
export default definePlugin({
  name: "test/reader",
  version: "1.0.0",
  kind: "model",
  tests: [{
    config: { text_path: "two.txt" },
    files: { text_path: "1", more_path: "base64:AQID" },
    inputs: { a: 3 },
    outputs: { b: 3 + 49 + 6 + 7 },
  }],
  lower: (skill) => describe(skill, ([a]) => {
    const { text_path, more_path } = skill.files;
    const sum = [...text_path.bytes, ...more_path.bytes].reduce((sum, byte) => sum + byte, 0);
    return op.add(a, sum + text_path.name.length);
  }),
});`;

Deno.test("a plugin's own tests have files, as text or base64", async () => {
  await using started = startHost();
  await started.host.open({ id: "reader", text: READER, file: "reader.ts" });
  assertEquals(started.host.status()[0].plugins[0].tests, 1);
  const broken = { id: "broken", text: READER.replace("AQID", "A?"), file: "broken.ts" };
  const error = await assertRejects(() => started.host.open(broken), SetpointError);
  assertStringIncludes(error.message, 'its "test 1" fails: its file "more_path" is no base64');
});

Deno.test("each built-in plugin brings tests of its own", async () => {
  await using started = startHost();
  for (const builtin of ["model", "function", "constraint", "optimizer", "composition"] as const) {
    await started.host.open({ id: `builtin:${builtin}`, builtin });
  }
  const untested = started.host.status().flatMap(({ plugins }) =>
    plugins.filter(({ tests }) => !(tests! > 0))
  );
  assertEquals(untested, []);
});

const REFUSED = [
  [
    "a test of its own that fails",
    "tests: [{ name: 'doubles', inputs: { a: 3 }, outputs: { b: 7 } }],",
    'its "doubles" fails: "b" is 6, expected 7 within 1e-9',
  ],
  ["an SDK of another major", 'sdk: ">=2",', "it needs SDK >=2, this runtime has 1.2.0"],
  ["an unreadable range", 'sdk: "newest",', 'its sdk is "newest", expected a range'],
  ["a schema that is none", "config: { properties: { a: { type: 'numbr' } } },", "config.properties.a.type"],
  [
    "an example that does not fit",
    `${SCHEMA} examples: [{ title: "odd", config: { hlf: true } }],`,
    'did you mean "half"',
  ],
  [
    "a limit without sense",
    "limits: { heap_mb: -1 },",
    "its limits.heap_mb is -1, expected a whole number from 16",
  ],
  ["an unknown limit", "limits: { heap: 1 },", "its limits.heap is unknown"],
  ["more than it may have", "limits: { heap_mb: 1024 },", "it needs heap_mb 1024 (it may have 256)"],
] as const;

for (const [what, manifest, says] of REFUSED) {
  Deno.test(`open() refuses a plugin with ${what}, and leaves no process`, async () => {
    await using started = startHost();
    const source = { id: "double", text: doubling(manifest).replaceAll("as const", ""), file: "double.ts" };
    const error = await assertRejects(() => started.host.open(source), SetpointError);
    assertEquals([error.code, error.problems[0].at?.file], ["PLUGIN_INVALID", "double.ts"]);
    assertStringIncludes(error.message, says);
    assertEquals(started.host.status(), []);
  });
}

Deno.test("open() gives a plugin no more than it says it needs, and what the strategy grants", async () => {
  await using started = startHost();
  const needs = "limits: { heap_mb: 64, wall_ms: 100, rss_mb: 1024 },";
  const source = { id: "double", text: doubling(needs), limits: { rss_mb: 2048, wall_ms: 150 } };
  const plugin = await started.host.open(source);
  const { heap_mb, wall_ms, rss_mb } = started.host.status()[0].limits;
  assertEquals([heap_mb, wall_ms, rss_mb], [64, 150, 2048]);
  await plugin.lower(skillOf("s", { inputs: ["a"] }));
  assertEquals(started.host.status().length, 1);
});

Deno.test("a plugin that is started too often within an hour is shut out, though calls in between work", async () => {
  await using started = startHost({ limits: { backoffMs: 1 } });
  const text = doubling("").replace("lower(skill) {", "lower(skill) { if (skill.config.die) for (;;);");
  const plugin = await started.host.open({
    id: "double",
    text,
    limits: { starts_per_hour: 3, lower_ms: 300 },
  });
  for (let k = 0; k < 3; k++) {
    await plugin.lower(skillOf("s", { inputs: ["a"] }), 20_000);
    await assertRejects(
      () => plugin.lower(skillOf("d", { config: { die: true } })),
      SetpointError,
      "exceeded 300 ms",
    );
  }
  const error = await assertRejects(() => plugin.lower(skillOf("s", { inputs: ["a"] })), SetpointError);
  assertEquals(error.code, "PLUGIN_QUARANTINED");
  assertStringIncludes(error.message, "started 3 times within an hour");
  assertEquals(started.host.status()[0].state, "quarantined");
});

Deno.test("a failure names plugin, method, strategy and skill", async () => {
  await using started = startHost();
  const text = doubling("").replace("lower(skill) {", "lower(skill) { throw new RangeError('no'); ");
  const plugin = await started.host.open({ id: "double", text });
  const error = await assertRejects(() => plugin.lower(skillOf("im_x", { strategy: "kiln" })), SetpointError);
  assertStringIncludes(error.message, 'Cannot call "test/double@1.0.0".lower');
  assertStringIncludes(error.message, '(strategy "kiln", skill "im_x")');
});
