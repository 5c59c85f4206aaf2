/** A plugin may say anything of itself: what it says is data to the kernel, and nothing of it runs or sticks there. */
import { SetpointError } from "../../runtime/errors.ts";
import { checkManifest } from "../../runtime/graph/manifest.ts";
import { skillOf } from "../cells/plugins.ts";
import { lives, startHost } from "../cells/start.ts";
import { eventually } from "../std/eventually.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../std/assert.ts";

function plugin(manifest: string, before = ""): string {
  return `${before}
import { definePlugin } from "setpoint";
export default { name: "test/hostile", version: "1.0.0", kind: "composition", sequence: () => ["fine"], ${manifest} };`;
}

const SAID = [
  ["a name that forges a log line", 'name: "a\\n[error] forged",', 'expected "publisher/name"'],
  ["a version that is none", 'version: "1",', "version"],
  ["a schema that inherits", 'config: JSON.parse(\'{"__proto__": {"properties": {}}}\'),', "config"],
  ["a proxy that throws", "config: new Proxy({}, { ownKeys() { throw new Error('no'); } }),", "no"],
  [
    "a schema in a circle",
    "config: (() => { const a: any = { properties: {} }; a.properties.a = a; return a; })(),",
    "deep",
  ],
  ["a function in its schema", "config: { properties: { a: { default: () => 1 } } },", "function"],
  ["a thousand tests", "tests: Array.from({ length: 1000 }, () => ({})),", "a list of at most 50"],
  ["a schema of 3 MB", "config: { properties: {}, description: 'x'.repeat(3 << 20) },", ""],
  [
    "a test of 20,000 inputs",
    'tests: [{ inputs: Object.fromEntries(Array.from({ length: 20_000 }, (_, k) => ["x" + k, 1])) }],',
    "tests.0.inputs has 20000 values, expected at most 1000",
  ],
  [
    "60,000 keys that it must have",
    "config: { properties: {}, required: Array(60_000).fill('k') },",
    "200 keys",
  ],
  ["limits below zero", "limits: { rss_mb: -1 },", "limits.rss_mb"],
  ["limits without end", "limits: { wall_ms: Infinity },", "limits.wall_ms"],
  ["a range that takes long to read", `sdk: "${">=1 ".repeat(1000)}",`, "its sdk"],
] as const;

for (const [what, manifest, says] of SAID) {
  Deno.test(`a manifest with ${what} is refused, and the next plugin opens`, async () => {
    await using started = startHost();
    const error = await assertRejects(
      () => started.host.open({ id: "hostile", text: plugin(manifest) }),
      SetpointError,
    );
    assertStringIncludes(error.message, says);
    assert(!error.problems[0].message.includes("\n[error]"), "it forged a line");
    assertEquals(({} as { properties?: unknown }).properties, undefined);
    const good = await started.host.open({ id: "good", text: plugin("") });
    assertEquals(await good.sequence(skillOf("s")), ["fine"]);
  });
}

Deno.test("a manifest that never ends to be read is killed at the start's deadline", async () => {
  await using started = startHost({ limits: { startMs: 2_000 } });
  const opening = started.host.open({ id: "hostile", text: plugin("get config() { for (;;); },") });
  const refused = assertRejects(() => opening, SetpointError, "not ready within 2000 ms");
  let pid: number | null = null;
  await eventually("it has a process", () => (pid = started.host.status()[0]?.pid ?? null) !== null);
  await refused;
  assert(!lives(pid!));
  assertEquals(started.host.status(), []);
});

Deno.test("a plugin whose own test loops is killed, and does not delay another", async () => {
  await using started = startHost();
  const text = plugin('tests: [{ sequence: ["fine"] }],').replace('() => ["fine"]', "() => { for (;;); }");
  const opening = assertRejects(
    () => started.host.open({ id: "hostile", text, limits: { lower_ms: 500 } }),
    SetpointError,
  );
  const good = await started.host.open({ id: "good", text: plugin("") });
  assertEquals(await good.sequence(skillOf("s")), ["fine"]);
  assertStringIncludes((await opening).message, "exceeded 500 ms");
});

Deno.test("an optimizer's own test of 101 variables is refused: the kernel would make its problem", async () => {
  await using started = startHost();
  const text = `import { definePlugin } from "setpoint";
const inputs = Object.fromEntries(Array.from({ length: 101 }, (_, k) => ["x" + k, 1]));
export default definePlugin({
  name: "test/hostile", version: "1.0.0", kind: "optimizer", tests: [{ inputs, minimize: "x1 * x2" }],
  optimize: ({ x0 }) => ({ status: "solved", x: x0, iterations: 0, evaluations: 0 }),
});`;
  const error = await assertRejects(() => started.host.open({ id: "hostile", text }), SetpointError);
  assertStringIncludes(error.message, "it has 101 variables, expected at most 100");
});

Deno.test("what a manifest says cannot steer a terminal", () => {
  const evil = "\x1b]0;owned\x07\u202egnp\x9b2J\ud800";
  const { description, tests, examples } = checkManifest({
    ...{ name: "test/evil", version: "1.0.0", kind: "function", description: `${evil}\nline two` },
    ...{ tests: [{ name: evil }], examples: [{ title: evil, config: {} }] },
  });
  for (const text of [description, tests![0].name, examples![0].title]) {
    assert(/^[\P{C}\n]*$/u.test(text!), JSON.stringify(text));
    assertStringIncludes(text!, "owned");
  }
  assertStringIncludes(description!, "\nline two");
});
