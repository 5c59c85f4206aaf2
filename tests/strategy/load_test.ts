import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { type ErrorCode, SetpointError } from "../../runtime/errors.ts";
import { loadStrategy, loadStrategyJson, readStrategy } from "../../runtime/strategy/load.ts";

const HEAD = "apiVersion: setpoint/v1\nname: plant\nversion: 1.0.0\n";
const SOUND = `${HEAD}schedule: "*/5 * * * *"
objective: {minimize: cost}
variables:
  coal: {type: Operative, units: t/h, threshold: 0.05, min: 5, max: 9, max_up: 0.1, max_down: 0, round: 0.01}
  draft: {type: Informative, units: '-', max_age_s: 60, valid_min: 0, valid_max: 5, on_bad: default, default: 1}
  cost: {type: CalculatedKPI, units:}
skills:
  f:
    class: MathFunction
    description: what one hour costs
    inputs: [coal, draft]
    outputs: [cost]
    config:
      formula: coal * draft
tasks:
  - {name: All, skill_sequence: [f]}
plugins:
  Mine: builtin:function
  Ours: ../plugins/ours.ts
  Theirs: {plugin: theirs@2.1.0, sha256: ${"0a".repeat(32)}}
`;

function problemsOf(text: string): SetpointError["problems"] {
  return assertThrows(() => loadStrategy(text, { file: "s.yaml" }), SetpointError).problems;
}

/** Line, column and message of the only problem. */
function only(text: string, code: ErrorCode): string {
  const problems = problemsOf(text);
  assertEquals(problems.length, 1, problems.map((problem) => problem.message).join("\n"));
  const [{ at, message }] = problems;
  assertEquals(problems[0].code, code);
  assertEquals(at?.file, "s.yaml");
  return `${at?.line}:${at?.column} ${message}`;
}

/** The sound strategy with `from` replaced, checked to be there. */
function changed(from: string, to: string): string {
  assertStringIncludes(SOUND, from);
  return SOUND.replace(from, to);
}

Deno.test("loadStrategy() reads every key of a sound strategy into typed parts", () => {
  const strategy = loadStrategy(SOUND);
  assertEquals(strategy.problems, []);
  assertEquals(strategy.notes, []);
  assertEquals([strategy.name, strategy.version, strategy.schedule, strategy.minimize, strategy.legacy], [
    "plant",
    "1.0.0",
    "*/5 * * * *",
    "cost",
    false,
  ]); // deno-fmt-ignore
  assertEquals({ ...strategy.variables.get("coal") }, {
    name: "coal", type: "Operative", units: "t/h", threshold: 0.05, min: 5, max: 9, maxUp: 0.1, maxDown: 0, round: 0.01,
  }); // deno-fmt-ignore
  assertEquals({ ...strategy.variables.get("draft") }, {
    name: "draft", type: "Informative", units: "-", maxAgeS: 60, validMin: 0, validMax: 5, onBad: "default", default: 1,
  }); // deno-fmt-ignore
  assertEquals(strategy.variables.get("cost")!.units, "");
  const skill = strategy.skills.get("f")!;
  assertEquals([skill.class, skill.inputs, skill.outputs, { ...skill.config }], [
    "MathFunction",
    ["coal", "draft"],
    ["cost"],
    { formula: "coal * draft" },
  ]); // deno-fmt-ignore
  assertEquals(strategy.tasks, [{ name: "All", sequence: ["f"] }]);
  assertEquals(strategy.plugins.size, 8);
  assertEquals(strategy.plugins.get("MathFunction"), {
    class: "MathFunction",
    source: "builtin",
    name: "function",
  });
  assertEquals(strategy.plugins.get("Ours")!.source, "path");
  assertEquals({ ...strategy.plugins.get("Theirs")!, at: undefined }, {
    class: "Theirs",
    source: "artifact",
    name: "theirs",
    version: "2.1.0",
    sha256: "0a".repeat(32),
    at: undefined,
  }); // deno-fmt-ignore
});

Deno.test("loadStrategy() gives the digest of the text, which any other text changes", async () => {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(SOUND)));
  assertEquals(loadStrategy(SOUND).digest, bytes.toHex());
  assert(loadStrategy(`${SOUND}# note\n`).digest !== bytes.toHex());
});

Deno.test("loadStrategy() tells all problems in one go, in the order of the file", () => {
  const problems = problemsOf(`${HEAD}schedul: x
variables:
  coal: {type: Operative, threshold: "0.05", min: 9.5, max: 9}
  coke: {type: operative}
skills:
  f: {class: MathFunctio, inputs: [coals], outputs: [coal]}
tasks:
  - {name: A, skill_sequence: [g]}
`);
  assertEquals(problems.map(({ code, at }) => `${code} ${at!.line}:${at!.column}`), [
    "UNKNOWN_KEY 4:1",
    "STRATEGY_INVALID 6:38",
    "BOUNDS_REVERSED 6:51",
    "STRATEGY_INVALID 7:16",
    "UNKNOWN_CLASS 9:14",
    "UNDECLARED_VARIABLE 9:36",
    "UNKNOWN_SKILL 11:32",
  ]);
});

Deno.test("loadStrategy() points at line 7 column 69 for a text bound, and says that quotes are wrong", () => {
  assertMatch(
    only(changed("max: 9,", 'max: "9",'), "STRATEGY_INVALID"),
    /^7:69 .*"9".*"max" of variable "coal".*without quotes/,
  );
});

Deno.test("loadStrategy() refuses values that are no finite numbers, at their place, by variable", () => {
  for (const value of ["true", "eight", "[1]", ".nan", ".inf", "{a: 1}"]) {
    const [problem] = problemsOf(changed("threshold: 0.05", `threshold: ${value}`));
    assertEquals([problem.at?.line, problem.at?.column, problem.variable], [7, 50, "coal"], value);
    assertStringIncludes(problem.message, "above 0");
  }
  for (const [key, value] of [["threshold", "0"], ["threshold", "-1"], ["max_up", "-0.1"], ["round", "0"]]) {
    const text = SOUND.replace(new RegExp(`${key}: [0-9.]+`), `${key}: ${value}`);
    assertStringIncludes(only(text, "STRATEGY_INVALID"), `"${key}" of variable "coal"`);
  }
});

Deno.test("loadStrategy() tells reversed bounds with both values and the units", () => {
  const message = only(changed("min: 5", "min: 9.5"), "BOUNDS_REVERSED");
  assertEquals(message, '7:61 Cannot bound variable "coal": lower 9.5 t/h is above upper 9 t/h');
  assertMatch(
    only(changed("valid_min: 0", "valid_min: 6"), "BOUNDS_REVERSED"),
    /lower 6 - is above upper 5 -/,
  );
});

Deno.test("loadStrategy() refuses unknown keys at every level with the nearest known one", () => {
  const cases: [string, string, RegExp][] = [
    ["objective:", "objektive:", /^5:1 .*"objektive" of the strategy.*"objective"/],
    ["max_age_s: 60", "max_age: 60", /^8:42 .*"max_age" of variable "draft".*expected one of .*max_age_s/],
    ["    description:", "    descripton:", /^13:5 .*"description"/],
    ["{name: All, ", "{name: All, when: now, ", /^19:17 .*"when" of task 1/],
    ["{minimize: cost", "{minimize: cost, maximize: cost", /^5:29 .*"maximize"/],
  ];
  for (const [from, to, expected] of cases) assertMatch(only(changed(from, to), "UNKNOWN_KEY"), expected);
});

Deno.test("loadStrategy() accepts unknown keys without apiVersion and takes name and version from its caller", () => {
  const text = SOUND.replace(HEAD, "").replace("max_age_s", "unit_group").replace("description", "author");
  const strategy = loadStrategy(text, { name: "config", version: "1.1.0" });
  assertEquals([strategy.legacy, strategy.name, strategy.version], [true, "config", "1.1.0"]);
});

Deno.test("loadStrategy() lets only a legacy composition list an undeclared input", () => {
  const text = (head: string, cls: string) =>
    `${head}variables: {a: {type: Informative, units: A}}
skills:
  f: {class: ${cls}, inputs: [a, b_missing], outputs: [a]}
tasks: []
`;
  const strategy = loadStrategy(text("", "CompositionSkill"));
  assertEquals(strategy.notes.map(({ code, variable, at }) => [code, variable, at?.line]), [
    ["UNDECLARED_VARIABLE", "b_missing", 3],
  ]);
  assertMatch(only(text("", "MathFunction"), "UNDECLARED_VARIABLE"), /^3:40 .*"b_missing" in skill "f"/);
  assertMatch(only(text(HEAD, "CompositionSkill"), "UNDECLARED_VARIABLE"), /^6:44 /);
});

Deno.test("loadStrategy() refuses hostile names by an allow-list", () => {
  const names = [
    '"x\\"; drop table"',
    '"a\\0"',
    "a".repeat(64),
    "größe",
    "__proto__",
    "constructor",
    "1a",
    "a.b",
    "or",
  ];
  for (const name of names) {
    const message = only(
      changed("skills:", `skills:`).replace("  cost:", `  ${name}: {type: Delta}\n  cost:`),
      "IDENTIFIER_INVALID",
    );
    assertMatch(message, /^9:3 Cannot name a variable/, name);
  }
  assertEquals(Object.keys(Object.prototype), []);
});

Deno.test("loadStrategy() refuses a wrong version, schedule, name and apiVersion with what was expected", () => {
  assertMatch(only(changed("version: 1.0.0", "version: 1.1"), "STRATEGY_INVALID"), /^3:10 .*such as 1\.1\.0/);
  assertMatch(only(changed("version: 1.0.0", "version: v1.0.0"), "STRATEGY_INVALID"), /such as 1\.0\.0/);
  assertMatch(only(changed("*/5 * * * *", "*/5 * * *"), "STRATEGY_INVALID"), /^4:11 .*five fields/);
  assertMatch(only(changed("*/5 * * * *", "*/5 25 * * *"), "STRATEGY_INVALID"), /hour "25"/);
  assertMatch(only(changed("name: plant", "name: my plant"), "STRATEGY_INVALID"), /^2:7 /);
  assertMatch(only(changed("setpoint/v1", "setpoint/v2"), "STRATEGY_INVALID"), /^1:13 .*setpoint\/v1/);
  assertMatch(
    only(changed("minimize: cost", "minimize: costs"), "UNDECLARED_VARIABLE"),
    /^5:23 .*did you mean "cost"/,
  );
});

Deno.test("loadStrategy() refuses plugins that are no built-in, path inside or beside the folder, or digest-pinned artifact", () => {
  const cases: [string, RegExp][] = [
    ["builtin:functon", /"builtin:functon", did you mean "builtin:function"/],
    ["../../ours.ts", /leaves the folders/],
    ["/etc/ours.ts", /absolute/],
    ["plugins/../../../x.ts", /leaves the folders/],
    ["https://example.org/x.ts", /expected "builtin:function"/],
    ["theirs@1.0.0", /has no digest/],
    ["{plugin: theirs@1.0, sha256: " + "0a".repeat(32) + "}", /no semantic version/],
    ["{plugin: theirs@1.0.0, sha256: abc}", /64 lower-case/],
    ["5", /^22:9 .*5, expected/],
  ];
  for (const [value, expected] of cases) {
    assertMatch(only(changed("Ours: ../plugins/ours.ts", `Ours: ${value}`), "PLUGIN_INVALID"), expected);
  }
});

Deno.test("loadStrategy() refuses a default of bad values that is not there, and notes keys without effect", () => {
  assertMatch(only(changed(", default: 1", ""), "STRATEGY_INVALID"), /^8:93 .*"on_bad" is default/);
  const notes = loadStrategy(changed("type: CalculatedKPI,", "type: CalculatedKPI, max_up: 1,")).notes;
  assertEquals(notes.map(({ code, variable }) => [code, variable]), [["KEY_WITHOUT_EFFECT", "cost"]]);
});

Deno.test("loadStrategy() refuses tabs, duplicate keys, alias bombs, depth and size, each with a line", () => {
  const bomb = `a: &a [1,1,1,1,1,1,1,1,1]\n${
    "bcdefgh".split("").map((name, k) => {
      const before = String.fromCharCode(97 + k);
      return `${name}: &${name} [${Array(9).fill(`*${before}`).join()}]`;
    }).join("\n")
  }`;
  for (
    const text of [
      "variables:\n\ta: 1\n",
      bomb,
      "[".repeat(5000),
      changed("skills:", "variables: {}\nskills:"),
    ]
  ) {
    const [problem] = problemsOf(text);
    assertEquals(problem.code, "YAML_INVALID");
    assert(problem.at!.line! >= 1 && problem.at!.column! >= 1);
  }
  assertMatch(
    only(changed("  cost:", "  coal: {type: Delta}\n  cost:"), "YAML_INVALID"),
    /^9:3 .*duplicate key "coal"/,
  );
  assertEquals(problemsOf(`${SOUND}#${"x".repeat(65536)}`)[0].code, "STRATEGY_TOO_LARGE");
});

Deno.test("loadStrategyJson() points with JSON pointers, escaped, below its base", () => {
  const value = {
    variables: { a: { type: "Operative", threshold: "1" }, "b/c~": {} },
    skills: {},
    tasks: [7],
  };
  const error = assertThrows(() => loadStrategyJson(value, { pointer: "/config" }), SetpointError);
  assertEquals(error.problems.map(({ at }) => at?.pointer), [
    "/config/tasks/0",
    "/config/variables/a/threshold",
    "/config/variables/b~1c~0",
  ]); // deno-fmt-ignore
});

Deno.test("loadStrategyJson() refuses what JSON can hide: __proto__, depth, numbers that overflow, no mapping", () => {
  const hidden = JSON.parse(
    '{"variables": {"__proto__": {"type": "Delta"}, "a": {"type": "Delta", "min": 1e999}}, "skills": {"f": {"class": "MathFunction", "config": {"__proto__": {"x": 1}}}}, "tasks": []}',
  );
  const error = assertThrows(() => loadStrategyJson(hidden), SetpointError);
  assertEquals(error.problems.map(({ at }) => at?.pointer), [
    "/skills/f/config/__proto__",
    "/variables/__proto__",
    "/variables/a/min",
  ]); // deno-fmt-ignore
  assertEquals(({} as { x?: number }).x, undefined);
  let deep: unknown = 1;
  for (let k = 0; k < 10_000; k++) deep = [deep];
  assertThrows(() => loadStrategyJson({ variables: deep }), SetpointError, "nested deeper");
  for (const value of [null, 5, "text", [1]]) {
    assertThrows(() => loadStrategyJson(value), SetpointError, "expected a mapping");
  }
});

Deno.test("loadStrategy() does not mind a name and a version in a legacy file", () => {
  const { name, version } = loadStrategy(SOUND.replace(HEAD, "name: Kiln line 2\nversion: 1.1\n"), {
    version: "1.1.0",
  });
  assertEquals([name, version], ["strategy", "1.1.0"]);
});

Deno.test("loadStrategy() tells the first hundred problems of a hopeless file", () => {
  const text = `${HEAD}variables:\n${
    Array.from({ length: 2500 }, (_, k) => `  v${k}: {typo: x}\n`).join("")
  }`;
  const problems = problemsOf(text);
  assertEquals(problems.length, 101);
  assertEquals(problems[99].at?.line, 54);
  assertMatch(problems[100].message, /more problems/);
});

Deno.test("position() finds a formula's character in plain, quoted and block scalars", () => {
  const text = (formula: string) =>
    `variables: {a: {type: Informative}}
skills:
  f:
    class: MathFunction
    outputs: [a]
    config:
      formula: ${formula}
tasks: []
`;
  const at = (formula: string, offset: number) => {
    const { line, column } = readStrategy(text(formula)).position(
      ["skills", "f", "config", "formula"],
      offset,
    );
    return `${line}:${column}`;
  };
  assertEquals(at("a + b", 4), "7:20");
  assertEquals(at('"a + b"', 4), "7:21");
  assertEquals(at("'a + b'", 4), "7:21");
  assertEquals(at("|\n        a +\n        b", 4), "9:9");
  assertEquals(at(">-\n        a +\n        b", 4), "9:9");
});
