/** What plugin:test finds: the derivative check, the limits, and mistakes by the author's line. */
import { systemClock } from "../../runtime/clock.ts";
import { SetpointError } from "../../runtime/errors.ts";
import { checkPlugin, type PluginReport } from "../../runtime/kernel/plugin_check.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../std/assert.ts";

function check(text: string): Promise<PluginReport> {
  return checkPlugin(text, "/home/me/mine.ts", { clock: systemClock, log: () => {} });
}

function failed({ checks }: PluginReport): string[] {
  return checks.filter(({ ok }) => !ok).map(({ what, detail }) => `${what}: ${detail}`);
}

const opaque = (slope: string, more = "") =>
  `import { definePlugin } from "setpoint";
export default definePlugin({
  name: "my/cube", version: "1.0.0", kind: "model", sdk: "^1.1.0",
  tests: [{ name: "one", inputs: { x: 1 }, outputs: { y: 1 } }],
  evaluate: (skill, batch, count) => batch.map((x) => x ** 3),
  jacobian: (skill, batch, count) => batch.map((x) => ${slope}),
  ${more}
});`;

Deno.test("plugin:test takes a Jacobian that is right", async () => {
  const report = await check(opaque("3 * x * x"));
  assertEquals(failed(report), []);
  assert(report.checks.some(({ what }) => what === '"one" has the derivatives of differences'));
});

Deno.test("plugin:test finds a Jacobian that is right at the plugin's own test and wrong beside it", async () => {
  const [wrong, ...others] = failed(await check(opaque("3 * x")));
  assertEquals(others, []);
  assertStringIncludes(
    wrong,
    '"one" has the derivatives of differences: output 0 has slope 2.7 along input 0 at [0.9]',
  );
});

Deno.test("plugin:test says whether there are examples that the config's schema was tried on", async () => {
  const said = async (more: string) =>
    (await check(opaque("3 * x * x", more))).checks.find(({ what }) => what === "config schema")?.detail;
  assertEquals(await said(""), "none: any config is taken");
  assertEquals(await said("config: { properties: {} },"), "no examples to try it on");
  assertEquals(
    await said('config: { properties: {} }, examples: [{ title: "bare", config: {} }],'),
    "1 example fits",
  );
});

Deno.test("plugin:test takes a table at its own corners, and a jump", async () => {
  const report = await check(`import { definePlugin, describe, op } from "setpoint";
export default definePlugin({
  name: "my/table", version: "1.0.0", kind: "function", sdk: "^1.1.0",
  tests: [{ inputs: { x: 2 }, outputs: { y: 5, z: 1 } }],
  lower: (skill) => describe(skill, ([x]) => [op.interpolate(x, [1, 2, 4], [3, 5, 0]), op.ge(x, 2)]),
});`);
  assertEquals(failed(report), []);
});

Deno.test("plugin:test finds a plugin that draws random numbers, and rows that depend on each other", async () => {
  const evaluating = (body: string) =>
    `import { definePlugin, seededRandom } from "setpoint";
export default definePlugin({
  name: "my/noise", version: "1.0.0", kind: "model", sdk: "^1.1.0",
  tests: [{ name: "t", inputs: { x: 1 }, outputs: { y: 1 }, tolerance: 1 }],
  evaluate: (skill, batch, count) => { ${body} },
});`;
  assertEquals(failed(await check(evaluating("return batch.map((x) => x + 0.01 * Math.random());"))), [
    '"t" answers the same twice: ',
    '"t" answers each row as if it were alone: ',
  ]);
  assertEquals(failed(await check(evaluating("return batch.map((x, k) => x + k / 100);"))), [
    '"t" answers each row as if it were alone: ',
  ]);
  const seeded = "return batch.map((x) => x + 0.01 * seededRandom(skill.name)());";
  assertEquals(failed(await check(evaluating(seeded))), []);
});

Deno.test("plugin:test reports every limit with what was used of it", async () => {
  const { limits } = await check(
    opaque("3 * x * x", "limits: { wall_ms: 2000, heap_mb: 64, frame_bytes: 100000 },")
      .replace("wall_ms: 2000, ", ""),
  );
  const told = Object.fromEntries(
    limits.map(({ limit, used, allowed }) => [limit.split(",")[0], [used, allowed]]),
  );
  assertEquals(Object.keys(told), [
    ...["start", "wall_ms", "lower_ms", "heap_mb", "rss_mb", "frame_bytes", "starts_per_hour"],
  ]);
  assertEquals(told.frame_bytes, ["1024 bytes", "100000 bytes"]);
  assertEquals(told.heap_mb[1], "64 MB");
  for (const limit of ["heap_mb", "rss_mb"]) assert(/^[1-9]\d* MB$/.test(told[limit][0]), told[limit][0]);
  for (const limit of ["start", "wall_ms", "lower_ms"]) {
    assert(/^\d+\.\d ms/.test(told[limit][0]), told[limit][0]);
  }
});

/** Each mistake stands in the line that says so. */
const MISTAKES = [
  [
    "a syntax error",
    "lower(skill) { const = 3; /* here */ return describe(skill, ([x]) => x); }",
    "an identifier",
  ],
  ["an unknown import", "", '"setpoint" has no "nothing"'],
  ["an import of something else", "", "import_map"],
  ["an exception in lower", 'lower(skill) {\n throw new RangeError("no"); /* here */ }', "RangeError: no"],
  [
    "a wrong type in lower",
    "lower(skill) {\n return skill.config.a.b; /* here */ }",
    "Cannot read properties of undefined",
  ],
  [
    "an unknown operator",
    "lower: (skill) => describe(skill, ([x]) =>\n op.plus(x, 1)) /* here */",
    "op.plus is not a function",
  ],
  [
    "a wrong argument",
    "lower: (skill) => describe(skill, ([x, y]) =>\n op.mul(x, y)) /* here */",
    "argument 2 is undefined",
  ],
  [
    "an exception in evaluate",
    'evaluate(skill, batch) {\n throw new RangeError("no"); /* here */ }',
    "RangeError: no",
  ],
  ["an exception in a helper", "evaluate(skill, batch) {\n return helper(batch); }", "deep inside"],
  [
    "an exception in jacobian",
    'evaluate: (skill, batch) => batch, jacobian() {\n throw new RangeError("no"); /* here */ }',
    "RangeError: no",
  ],
] as const;

for (const [what, method, says] of MISTAKES) {
  Deno.test(`plugin:test tells ${what} with the author's file and line`, async () => {
    const first = what === "an unknown import"
      ? 'import { nothing } from "setpoint"; /* here */'
      : what === "an import of something else"
      ? 'import nothing from "node:fs"; /* here */'
      : "";
    const text = `import { definePlugin, describe, op } from "setpoint";
${first}
const helper = (batch) => {
  throw new TypeError("deep inside");${what.includes("helper") ? " /* here */" : ""}
};
export default definePlugin({
  name: "my/mistake", version: "1.0.0", kind: "function", sdk: "^1.1.0",
  tests: [{ inputs: { x: 1 }, outputs: { y: 1 } }],
  ${method === "" ? "evaluate: (skill, batch) => batch.map((x) => x + 0 * (0, nothing))" : method},
});`;
    const error = await assertRejects(() => check(text), SetpointError);
    const [{ at, message }] = error.problems;
    const line = text.split("\n").findIndex((each) => each.includes("/* here */")) + 1;
    assertEquals([at?.file, at?.line], ["/home/me/mine.ts", line], message);
    if (what !== "an import of something else") assertStringIncludes(message, says);
    assert(!message.includes("blob:"), message);
  });
}

Deno.test("an exception in optimize and in sequence is told with the author's file and line", async () => {
  const optimizer = `import { definePlugin } from "setpoint";
export default definePlugin({
  name: "my/o", version: "1.0.0", kind: "optimizer", sdk: "^1.1.0",
  tests: [{ inputs: { x: 1 }, minimize: "x**2", cost: 0 }],
  optimize(problem) {
    return problem.nothing.x;
  },
});`;
  const first = await assertRejects(() => check(optimizer), SetpointError);
  assertEquals(first.problems[0].at?.line, 6);
  const composition = `import { definePlugin } from "setpoint";
export default definePlugin({
  name: "my/c", version: "1.0.0", kind: "composition", sdk: "^1.1.0",
  tests: [{ sequence: ["a"] }],
  sequence: () =>
    undefined.x,
});`;
  const second = await assertRejects(() => check(composition), SetpointError);
  assertEquals(second.problems[0].at?.line, 6);
});

Deno.test("an optimizer's own test that fails keeps it out, and tells what it gave", async () => {
  const lazy = (test: string) =>
    `import { definePlugin } from "setpoint";
export default definePlugin({
  name: "my/lazy", version: "1.0.0", kind: "optimizer", sdk: "^1.1.0", tests: [${test}],
  optimize: ({ x0, lo }) => ({ status: "solved", x: x0, iterations: 0, evaluations: 0 }),
});`;
  const cases = [
    [`{ inputs: { x: 3 }, minimize: "x**2", cost: 0 }`, "its cost is 9, expected 0 within 0.001"],
    [`{ inputs: { x: 3 }, minimize: "x", outputs: { x: 2 } }`, '"x" is 3, expected 2'],
    [`{ inputs: { x: 30 }, minimize: "x" }`, '"x" is 30, expected between -10 and 10'],
    [`{ inputs: { x: 3 }, minimize: "x", limits: [{ formula: "2 * x", upper: 5 }] }`, "limit 0 is 6"],
    [`{ inputs: { x: 3 }, minimize: "x +" }`, '"x +": '],
    [`{ inputs: { x: 3 }, minimize: "y" }`, '"y": '],
    [`{ inputs: { x: 3 } }`, "expected `minimize`"],
    [`{ inputs: { x: 3 }, minimize: 7 }`, "its tests.0.minimize is 7, expected a formula"],
    [
      `{ inputs: { x: 3 }, minimize: "x", bounds: { x: [2, 1] } }`,
      "its tests.0.bounds.x is [2,1], expected [least, most]",
    ],
    [`{ inputs: { x: 3 }, minimize: "x", limits: [{ formula: "x", uper: 1 }] }`, "uper"],
  ] as const;
  for (const [test, says] of cases) {
    const { message } = await assertRejects(() => check(lazy(test)), SetpointError);
    assertStringIncludes(message, says);
  }
});

for (const kind of ["function", "constraint", "composition", "optimizer"]) {
  Deno.test(`the built-in ${kind} would pass plugin:test under a name that a user may give`, async () => {
    const text = await Deno.readTextFile(new URL(`../../plugins/${kind}/${kind}.ts`, import.meta.url));
    const report = await check(text.replace(/name: "(?:builtin|setpoint)\//, 'name: "my/'));
    assertEquals([report.kind, failed(report)], [kind, []]);
  });
}
