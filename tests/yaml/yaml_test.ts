import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { SetpointError } from "../../runtime/errors.ts";
import { parseYaml } from "../../runtime/yaml.ts";

const LIMIT = { file: "f.yaml", maxBytes: 65536 };

function problemsOf(text: string): string[] {
  const error = assertThrows(() => parseYaml(text, LIMIT), SetpointError);
  assertEquals(new Set(error.problems.map((p) => p.code)), new Set(["YAML_INVALID"]));
  return error.message.split("\n");
}

Deno.test("parseYaml() gives values without prototypes and the place of each", () => {
  const yaml = parseYaml("a:\n  b: [1, two]\n  c: { d: null }\n", LIMIT);
  assertEquals(JSON.stringify(yaml.value), '{"a":{"b":[1,"two"],"c":{"d":null}}}');
  assertEquals(Object.getPrototypeOf(yaml.value), null);
  assertEquals(yaml.position(["a", "b", 1]), { file: "f.yaml", line: 2, column: 10 });
  assertEquals(yaml.position(["a", "c", "d"]), { file: "f.yaml", line: 3, column: 11 });
  assertEquals(yaml.keyPosition(["a", "c"]), { file: "f.yaml", line: 3, column: 3 });
  assertEquals(yaml.position(["a", "c", "missing", "deeper"]), { file: "f.yaml", line: 3, column: 6 });
});

Deno.test("parseYaml() of an empty text is null, at line 1 column 1", () => {
  const yaml = parseYaml("", { maxBytes: 10 });
  assertEquals(yaml.value, null);
  assertEquals(yaml.position(["a"]), { line: 1, column: 1 });
});

Deno.test("position() finds a character of a text in every kind of scalar", () => {
  const cases: [string, string][] = [
    ["f: max(a, Ω)\n", "max(a, Ω)"],
    ["f: 'it''s Ω here'\n", "it's Ω here"],
    ['f: "a\\tb \\u0041 \\x41 Ω"\n', "a\tb A A Ω"],
    ['f: "a \\U0001F600 Ω"\n', "a 😀 Ω"],
    ['f: "first \\\n   second Ω"\n', "first second Ω"],
    ["f: 'first\n\n   second Ω'\n", "first\nsecond Ω"],
    ["f: first\n   second\n   Ω\n", "first second Ω"],
    ["f: |\n  first\n    indented\n  Ω\n", "first\n  indented\nΩ\n"],
    ["f: >- # folded\n  first\n  second\n\n  Ω\n", "first second\nΩ"],
    ["f: |2\n    kept Ω\n", "  kept Ω\n"],
  ];
  for (const [source, value] of cases) {
    const yaml = parseYaml(source, LIMIT);
    assertEquals((yaml.value as { f: string }).f, value);
    const before = source.slice(0, source.indexOf("Ω")).split("\n");
    const expected = { file: "f.yaml", line: before.length, column: before.at(-1)!.length + 1 };
    assertEquals(yaml.position(["f"], value.indexOf("Ω")), expected, JSON.stringify(source));
  }
});

Deno.test("parseYaml() tells tabs, duplicate keys, tags and unclosed brackets with line and column", () => {
  assertStringIncludes(problemsOf("a:\n\tb: 1\n")[0], "f.yaml:2:1: Cannot read YAML: tabs are not allowed");
  assertEquals(problemsOf("a: 1\nb: 2\na: 3\nb: 4\n"), [
    'f.yaml:3:1: Cannot read YAML: duplicate key "a"',
    'f.yaml:4:1: Cannot read YAML: duplicate key "b"',
  ]);
  assertStringIncludes(
    problemsOf("a: !python/object x\n")[0],
    "f.yaml:1:4: Cannot read YAML: unresolved tag",
  );
  assertStringIncludes(problemsOf("a: [1, 2\n")[0], "f.yaml:2:1: ");
  assertStringIncludes(
    problemsOf("a: 1\n---\nb: 2\n")[0],
    "2:1: Cannot read YAML: a second document begins, expected one",
  );
  assertStringIncludes(
    problemsOf("? [1, 2]\n: x\n")[0],
    "f.yaml:1:3: Cannot read YAML: a key must be a text",
  );
  assertStringIncludes(problemsOf("a: *nothing\n")[0], "f.yaml:1:4: Cannot read YAML: unknown alias");
});

Deno.test("parseYaml() reads __proto__ as a key like any other and leaves Object.prototype alone", () => {
  const { value } = parseYaml("__proto__: { polluted: 1 }\n", LIMIT);
  assertEquals(Object.keys(value as object), ["__proto__"]);
  assertEquals(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("F24: parseYaml() reads aliases as copies and refuses those that multiply", () => {
  const { value } = parseYaml("a: &x { b: 1 }\nc: *x\n", LIMIT);
  assertEquals(JSON.stringify(value), '{"a":{"b":1},"c":{"b":1}}');
  const bomb = ["l0: &l0 [x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 12; i++) bomb.push(`l${i}: &l${i} [${Array(8).fill(`*l${i - 1}`)}]`);
  assertStringIncludes(problemsOf(bomb.join("\n"))[0], "aliases repeat more");
  assertStringIncludes(problemsOf("a: &a [*a]\n")[0], "f.yaml:1:");
});

Deno.test("F24: parseYaml() refuses what is too large or too deep before it parses", () => {
  const keys = Array.from({ length: 20_000 }, (_, i) => `key_${i}: 1`).join("\n");
  assertStringIncludes(problemsOf(keys)[0], "expected at most 65536");
  for (const deep of ["[".repeat(60_000), "- ".repeat(30_000), "{a: ".repeat(10_000)]) {
    assertStringIncludes(problemsOf(deep)[0], "nested deeper than 64 levels");
  }
  assert(parseYaml(`a: ${"[".repeat(60)}${"]".repeat(60)}`, LIMIT).value);
});
