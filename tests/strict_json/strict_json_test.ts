import { assert, assertEquals, assertThrows } from "@std/assert";
import { SetpointError } from "../../runtime/errors.ts";
import { parseStrictJson } from "../../runtime/strict_json.ts";

function refusals(text: string): string[] {
  return assertThrows(() => parseStrictJson(text), SetpointError).message.split("\n");
}

Deno.test("parseStrictJson() gives what JSON.parse does for 300 random values", () => {
  let seed = 7;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const value = (depth: number): unknown => {
    const kind = Math.floor(random() * (depth > 3 ? 5 : 7));
    if (kind === 0) return null;
    if (kind === 1) return random() < 0.5;
    if (kind === 2) return (random() - 0.5) * 10 ** Math.floor(random() * 30);
    if (kind < 5) return ["", 'a"b', "\\", '\\"', "{[,:]}", "1e999", "ü\u0000\n"][Math.floor(random() * 7)];
    if (kind === 5) return Array.from({ length: random() * 4 }, () => value(depth + 1));
    return Object.fromEntries(
      Array.from({ length: random() * 5 }, (_, i) => [`k${i}"${i}\\`, value(depth + 1)]),
    );
  };
  for (let i = 0; i < 300; i++) {
    const made = value(0);
    const text = JSON.stringify(made, null, i % 3);
    assertEquals(parseStrictJson(text), JSON.parse(text));
  }
});

Deno.test("parseStrictJson() points at duplicate keys, also when one is escaped", () => {
  assertEquals(refusals('{"a": {"b": 1, "c": [0, {"x": 1, "\\u0078": 2}], "b": 3}}'), [
    '/a/c/1/x: Cannot read the JSON: the key "x" stands there twice',
    '/a/b: Cannot read the JSON: the key "b" stands there twice',
  ]);
  assertEquals(refusals('{"a/b~": 1, "a/b~": 1}')[0].split(":")[0], "/a~1b~0");
});

Deno.test("parseStrictJson() points at numbers beyond float64", () => {
  assertEquals(refusals('{"input_data": {"x": 1e999, "y": [-1E+400, 1e308]}}'), [
    "/input_data/x: Cannot read the JSON: 1e999 is no finite number",
    "/input_data/y/0: Cannot read the JSON: -1E+400 is no finite number",
  ]);
  assertEquals(refusals(`[${"9".repeat(400)}]`), [
    "/0: Cannot read the JSON: 99999999999999999999… is no finite number",
  ]);
});

Deno.test("parseStrictJson() points at NaN and Infinity as other languages write them, all at once", () => {
  assertEquals(
    refusals('{"input_data": {"a": NaN, "b": 1, "N\\"aN": "NaN", "c": [0, -Infinity, Infinity]}}'),
    [
      "/input_data/a: Cannot read the JSON: NaN is no finite number",
      "/input_data/c/1: Cannot read the JSON: -Infinity is no finite number",
      "/input_data/c/2: Cannot read the JSON: Infinity is no finite number",
    ],
  );
  for (const text of ["{NaN: 1}", "[1NaN]", "[NaN", "nan", `["${"x".repeat(2_000_000)}`]) {
    assertEquals(refusals(text).length, 1);
  }
});

Deno.test("F23: parseStrictJson() refuses __proto__ and leaves Object.prototype alone", () => {
  assertEquals(refusals('{"a": {"__proto__": {"polluted": 1}}}'), [
    '/a/__proto__: Cannot read the JSON: the key "__proto__" is not allowed',
  ]);
  assertEquals(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("F23: parseStrictJson() refuses deep nesting, 500,000 levels too", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  assert(parseStrictJson(nested(64)));
  for (const depth of [65, 500_000]) {
    const [message] = refusals(nested(depth));
    assert(message.endsWith("it is nested deeper than 64 levels"), message.slice(0, 200));
    assert(message.startsWith("/0/0/0"));
  }
});

Deno.test("parseStrictJson() tells where a text stops being JSON", () => {
  for (const text of ["", "{", '{"a": 1,}', "{'a': 1}", '{"a": nan}', "[1 2]", "\ufeff{}"]) {
    assert(refusals(text)[0].startsWith("Cannot read the JSON: "), text);
  }
});
