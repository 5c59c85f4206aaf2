import semver from "semver";
import {
  checkConfig,
  checkSchema,
  type ConfigSchema,
  withDefaults,
} from "../../runtime/graph/config_schema.ts";
import { satisfies } from "../../runtime/graph/sdk_range.ts";
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";

const SCHEMA: ConfigSchema = checkSchema({
  properties: {
    best_flow: { type: "number", exclusiveMinimum: 0, description: "the flow of the best efficiency, m³/h" },
    curve: { type: "array", items: { type: "number" }, minItems: 2 },
    mode: { type: "string", enum: ["fast", "exact"], default: "exact" },
    steps: { type: "integer", minimum: 1, maximum: 9 },
    on: { type: "boolean" },
    deep: { properties: { a: { type: ["number", "string"] } }, required: ["a"] },
    free: { type: "object" },
  },
  required: ["best_flow"],
});

Deno.test("checkConfig() accepts what fits, a key without a value included", () => {
  const config = {
    best_flow: 1,
    curve: [1, 2],
    mode: "fast",
    steps: 9,
    on: null,
    deep: { a: "x" },
    free: { b: 1 },
  };
  assertEquals(checkConfig(SCHEMA, config, "s"), []);
});

const WRONG: readonly [string, Record<string, never> | Record<string, unknown>, string, string][] = [
  ["a missing key", {}, "config", 'without "best_flow": expected the flow of the best efficiency'],
  ["an unknown key", { best_flow: 1, best_flw: 2 }, "config.best_flw", 'did you mean "best_flow"'],
  ["a text for a number", { best_flow: "1" }, "config.best_flow", 'Cannot use "1" as "best_flow"'],
  ["a bound", { best_flow: 0 }, "config.best_flow", "expected a number above 0"],
  [
    "a fraction for a whole number",
    { best_flow: 1, steps: 1.5 },
    "config.steps",
    "a whole number of at least 1",
  ],
  ["another choice", { best_flow: 1, mode: "slow" }, "config.mode", "expected fast or exact"],
  ["a short list", { best_flow: 1, curve: [1] }, "config.curve", "a list of at least 2"],
  ["an item", { best_flow: 1, curve: [1, "2"] }, "config.curve.1", 'as "curve.1"'],
  ["a nested key", { best_flow: 1, deep: { b: 1 } }, "config.deep.b", 'Cannot use key "b"'],
];

for (const [what, config, path, says] of WRONG) {
  Deno.test(`checkConfig() tells ${what} at ${path}`, () => {
    const problems = checkConfig(SCHEMA, config as Record<string, never>, "s");
    const problem = problems.find((one) => one.path?.join(".") === path);
    assertStringIncludes(problem?.message ?? JSON.stringify(problems), says);
  });
}

Deno.test("withDefaults() fills in what is missing and leaves the rest", () => {
  assertEquals({ ...withDefaults(SCHEMA, { best_flow: 1 }) }, { best_flow: 1, mode: "exact" });
  assertEquals(withDefaults(SCHEMA, { mode: "fast" }), { mode: "fast" });
});

Deno.test("checkSchema() refuses what a hostile plugin may send in the place of a schema", () => {
  for (
    const [schema, says] of [
      [null, "its config is null, expected a schema"],
      [{}, "config.properties is missing"],
      [{ type: "array", properties: {} }, 'expected "object"'],
      [{ properties: { a: { type: "numbr" } } }, "config.properties.a.type"],
      [{ properties: { a: { pattern: "^(a+)+$" } } }, "no keyword"],
      [{ properties: { a: { minimm: 1 } } }, 'did you mean "minimum"'],
      [{ properties: { a: { enum: [] } } }, "a list of at most 200 texts"],
      [{ properties: { a: { enum: ["\x1b[2J"] } } }, "a list of at most 200 texts"],
      [
        { properties: {}, required: Array.from({ length: 201 }, (_, k) => `k${k}`) },
        "a list of at most 200 keys",
      ],
      [{ properties: {}, required: ["\u202e"] }, "a list of at most 200 keys"],
      [{ properties: { ["x".repeat(101)]: {} } }, "at most 100 printable characters"],
      [{ properties: { "a\nb": {} } }, "at most 100 printable characters"],
      [{ properties: Object.fromEntries(Array.from({ length: 300 }, (_, k) => [k, {}])) }, "a mapping"],
      [deep(20), "schemas deep"],
    ] as const
  ) assertStringIncludes(assertThrows(() => checkSchema(schema), TypeError).message, says);
});

Deno.test("checkConfig() of 1,000 unknown keys tells each, and of the first ones what was meant", () => {
  const key = (k: number) => `${"abcdefgh".repeat(7)}${k}`;
  const keys = (from: number, count: number) => Array.from({ length: count }, (_, k) => key(from + k));
  const schema = checkSchema({ properties: Object.fromEntries(keys(0, 200).map((name) => [name, {}])) });
  const config = Object.fromEntries(keys(200, 1_000).map((name) => [name, 1]));
  const problems = checkConfig(schema, config, "s");
  assertEquals(problems.length, 1_000);
  assertEquals(problems.filter(({ message }) => message.includes("did you mean")).length, 3);
});

Deno.test("checkSchema() keeps of a description what a person can read", () => {
  const { properties } = checkSchema({ properties: { a: { description: "\x1b[2J\u202etemp, °C" } } });
  assertEquals(properties.a.description, " [2J temp, °C");
});

function deep(levels: number): unknown {
  return levels === 0 ? {} : { properties: { a: deep(levels - 1) } };
}

Deno.test("satisfies() agrees with npm's semver on 2,000 pairs", () => {
  const parts = ["0", "1", "2", "10"];
  let seed = 7;
  const pick = <T>(from: readonly T[]): T =>
    from[(seed = (seed * 1103515245 + 12345) % 2 ** 31) % from.length];
  const full = () => [pick(parts), pick(parts), pick(parts)].join(".");
  const some = () =>
    pick([full, full, () => pick(parts), () => `${pick(parts)}.${pick(parts)}`, () => `${pick(parts)}.x`])();
  const one = () => `${pick(["", "^", "~", ">=", "<", "<=", ">", "="])}${some()}`;
  for (let k = 0; k < 2_000; k++) {
    const range = pick([one, () => `${one()} ${one()}`, () => `${one()} || ${one()}`])();
    const version = full();
    assertEquals(satisfies(version, range), semver.satisfies(version, range), `${version} in ${range}`);
  }
  assertEquals(["*", "", "1.0.0 - 2", "latest", "1.2.3.4"].map((range) => satisfies("1.0.0", range)), [
    true,
    true,
    undefined,
    undefined,
    undefined,
  ]);
});
