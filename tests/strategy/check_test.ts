import { assertEquals, assertMatch } from "@std/assert";
import { HEAD, link, problems } from "./plant.ts";
import { SMALL_PLUGINS } from "./small_plugins.ts";

const VARIABLES = `variables:
  x: {type: Operative, units: t/h, threshold: 2}
  a: {type: Operative, units: t/h, threshold: 1}
  m: {type: Informative}
  g: {type: Calculated, threshold: 1}
  d: {type: Delta}
  d2: {type: Delta}
  cost: {type: CalculatedKPI}
`;

interface Parts {
  readonly skills?: string;
  readonly inputs?: string;
  readonly outputs?: string;
  readonly config?: string;
  readonly pre?: string;
  readonly main?: string;
  readonly cost?: string;
  readonly steps?: string;
  readonly variables?: string;
}

/** A sound strategy in which a part is replaced; skills begin at line 10. */
function strategy(parts: Parts = {}): string {
  const { inputs = "[x, g]", outputs = inputs, config = "cost_skill_name: flow, cost_feature_name: cost" } =
    parts;
  const { pre = "[group]", main = "[best]", cost = "d + g", steps = "[delta, cost]", skills = "" } = parts;
  return `${parts.variables ?? VARIABLES}skills:
  group: {class: Formula, inputs: [a], outputs: [g], config: {formula: a * 2}}
  delta: {class: Formula, inputs: [x], outputs: [d], config: {formula: x_dof - x_current}}
  cost: {class: Formula, inputs: [d, g], outputs: [cost], config: {formula: ${cost}}}
  flow: {class: Steps, inputs: [x, g], outputs: [cost], config: {steps: ${steps}}}
  best: {class: Search, inputs: ${inputs}, outputs: ${outputs}, config: {${config}}}
${skills}tasks:
  - {name: PreCalculateVariables, skill_sequence: ${pre}}
  - {name: Main, skill_sequence: ${main}}
`;
}

async function only(parts: Parts): Promise<string> {
  const found = await problems(strategy(parts));
  assertEquals(found.length, 1, found.join("\n"));
  return found[0];
}

async function notes(parts: Parts, head?: string): Promise<string[]> {
  return (await link(strategy(parts), head)).notes.map(({ code, variable }) =>
    `${code} ${variable ?? ""}`.trim()
  );
}

Deno.test("linkStrategy() finds nothing wrong with the strategy that these tests change", async () => {
  assertEquals(await problems(strategy()), []);
  assertEquals(await notes({}), []);
});

Deno.test("linkStrategy() refuses a read that only a later skill of the sequence satisfies", async () => {
  assertMatch(
    await only({ steps: "[cost, delta]" }),
    /^CYCLE 12:35 Cannot run skill "cost" before "delta": it reads "d", which only "delta" writes/,
  );
  const mutual = `  one: {class: Formula, inputs: [d2], outputs: [d], config: {formula: d2}}
  two: {class: Formula, inputs: [d], outputs: [d2], config: {formula: d}}
`;
  assertMatch(
    await only({ skills: mutual, steps: "[one, two, cost]" }),
    /^CYCLE 15:34 .*"one" before "two".*"d2"/,
  );
  const own = "  one: {class: Formula, inputs: [d2], outputs: [d2], config: {formula: d2 + 1}}\n";
  assertMatch(
    await only({ skills: own, steps: "[one, delta, cost]" }),
    /^CYCLE 15:34 .*only it writes itself/,
  );
});

Deno.test("linkStrategy() judges an order by what a skill reads, not by what it declares", async () => {
  assertEquals(await problems(strategy({ steps: "[cost, delta]", cost: "g" })), []);
  assertEquals(await problems(strategy({ steps: "[cost, delta]", cost: "g + d_current" })), []);
});

Deno.test("linkStrategy() takes a value that nothing writes as 0 with a note, but not of a Calculated variable", async () => {
  assertEquals(await notes({ steps: "[cost]" }), [
    "SKILL_UNUSED",
    "NEVER_WRITTEN d",
    "DECISION_WITHOUT_EFFECT x",
  ]);
  const skills = "  after: {class: Formula, inputs: [g], outputs: [d2], config: {formula: g}}\n";
  const found = await problems(strategy({ skills, pre: "[]", inputs: "[x]", main: "[best, after]" }));
  assertEquals(found.map((line) => line.slice(0, 22)), ["STRATEGY_INVALID 12:38", "STRATEGY_INVALID 15:36"]);
  assertMatch(found[0], /reads "g" and nothing computes it/);
});

Deno.test("linkStrategy() refuses unknown skills wherever they are named, with the nearest name", async () => {
  assertMatch(
    await only({ main: "[best, bets]" }),
    /^UNKNOWN_SKILL 17:41 .*"bets" in task "Main".*did you mean "best"/,
  );
  assertMatch(
    await only({ steps: "[delta, costs, cost]" }),
    /^UNKNOWN_SKILL 13:81 .*"costs" in skill "flow".*"cost"/,
  );
  assertMatch(
    await only({ config: "cost_skill_name: flaw, cost_feature_name: cost" }),
    /^UNKNOWN_SKILL 14:84 .*"flaw".*"flow"/,
  );
});

Deno.test("linkStrategy() refuses a composition that contains itself, and one that doubles without end", async () => {
  const skills =
    "  outer: {class: Steps, config: {steps: [inner]}}\n  inner: {class: Steps, config: {steps: [delta, outer]}}\n";
  assertMatch(await only({ skills }), /^CYCLE 16:49 .*outer → inner → outer/);
  const doubling = Array.from(
    { length: 40 },
    (_, k) =>
      `  c${k}: {class: Steps, config: {steps: [${k === 0 ? "delta, delta" : `c${k - 1}, c${k - 1}`}]}}\n`,
  ).join("");
  assertMatch(await only({ skills: doubling }), /^STRATEGY_INVALID 27:3 .*"c12".*more than 10000 steps/);
});

Deno.test("linkStrategy() refuses decisions that cannot be moved, with the reason", async () => {
  const cases: [Parts, RegExp][] = [
    [{ inputs: "[x, g, m]", outputs: "[x]" }, /^NOT_OPTIMIZABLE 14:40 .*"m".*its type is Informative/],
    [{ inputs: "[x, g, a]", outputs: "[x]" }, /^NOT_OPTIMIZABLE 14:40 .*"a".*input of PreCalculateVariables/],
    [{ inputs: "[x, x]", outputs: "[x]" }, /^NOT_OPTIMIZABLE 14:37 .*listed twice/],
    [
      { variables: VARIABLES.replace("t/h, threshold: 2", "t/h, max_up: 2") },
      /^NOT_OPTIMIZABLE 2:3 .*"x".*"max_down"/,
    ],
    [
      { variables: VARIABLES.replace("t/h, threshold: 1", "t/h") },
      /^NOT_OPTIMIZABLE 5:3 .*"g": no variable that it is calculated from/,
    ],
    [{ inputs: "[]" }, /^NOT_OPTIMIZABLE 14:33 .*no variable that may be moved/],
  ];
  for (const [parts, expected] of cases) assertMatch(await only(parts), expected);
  const found = await problems(strategy({ pre: "[]" }));
  assertMatch(found.join("\n"), /NOT_OPTIMIZABLE 14:37 .*"g".*no skill of PreCalculateVariables computes/);
});

Deno.test("linkStrategy() refuses an optimizer's config that does not lead to a cost", async () => {
  const cases: [string, RegExp][] = [
    ["cost_feature_name: cost", /^STRATEGY_INVALID 14:\d+ .*without "cost_skill_name"/],
    ["cost_skill_name: flow", /^STRATEGY_INVALID 14:\d+ .*without "cost_feature_name"/],
    [
      "cost_skill_name: 5, cost_feature_name: cost",
      /^STRATEGY_INVALID 14:84 .*5 as "cost_skill_name".*a text/,
    ],
    ["cost_skill_name: best, cost_feature_name: cost", /^CYCLE 14:84 .*it is an optimizer itself/],
    [
      "cost_skill_name: flow, cost_feature_name: csot",
      /^UNDECLARED_VARIABLE 14:109 .*"csot".*did you mean "cost"/,
    ],
    [
      "cost_skill_name: delta, cost_feature_name: cost",
      /^NOT_OPTIMIZABLE 14:110 .*its cost skill does not compute it/,
    ],
    [
      "cost_skill_name: flow, cost_feature_name: cost, algorthm: x",
      /^UNKNOWN_KEY 14:115 .*"algorthm".*"algorithm"/,
    ],
  ];
  for (const [config, expected] of cases) assertMatch(await only({ config }), expected);
  assertEquals(
    await notes({ config: "cost_skill_name: flow, cost_feature_name: cost, algorithm: SLSQP, smoothing: 1" }),
    [
      "CONFIG_IGNORED",
      "CONFIG_IGNORED",
    ],
  ); // deno-fmt-ignore
});

Deno.test("linkStrategy() tells a cycle beside an optimizer that does not lead to a cost", async () => {
  const skills = "  one: {class: Formula, inputs: [d2], outputs: [d], config: {formula: d2}}\n" +
    "  two: {class: Formula, inputs: [d], outputs: [d2], config: {formula: d}}\n";
  const found = await problems(
    strategy({ skills, main: "[one, two, best]", config: "cost_feature_name: cost" }),
  );
  assertEquals(found.map((line) => line.split(" ")[0]), ["STRATEGY_INVALID", "CYCLE"]);
});

Deno.test("linkStrategy() refuses two optimizers, one in PreCalculateVariables, and none", async () => {
  assertMatch(await only({ main: "[best, best]" }), /^STRATEGY_INVALID 17:\d+ .*expected one in all tasks/);
  assertMatch(
    (await problems(strategy({ pre: "[group, best]" })))[0],
    /^STRATEGY_INVALID 16:\d+ .*runs once/,
  );
  assertMatch(await only({ main: "[flow]" }), /^NOT_OPTIMIZABLE 15:1 .*there is no "objective"/);
});

Deno.test("linkStrategy() refuses a late PreCalculateVariables, and an objective beside another feature", async () => {
  const late = strategy().replace(/( {2}- \{name: Pre.*\n)( {2}- \{name: Main.*\n)/, "$2$1");
  assertMatch((await problems(late))[0], /^STRATEGY_INVALID 17:12 .*expected it first/);
  const both = await problems(`objective: {minimize: d}\n${strategy()}`);
  assertMatch(both[0], /^STRATEGY_INVALID 1:23 .*both "cost".*and "d"/);
  assertEquals(
    await problems(`objective: {minimize: cost}\n${strategy({ config: "cost_skill_name: flow" })}`),
    [],
  );
});

Deno.test("linkStrategy() refuses to overwrite what the optimizer moves, and notes other writes of measurements", async () => {
  const skills = "  w: {class: Formula, inputs: [m], outputs: [x], config: {formula: m}}\n";
  const found = await problems(strategy({ skills, steps: "[w, delta, cost]" }));
  assertMatch(
    found.join("\n"),
    /STRATEGY_INVALID 15:46 Cannot write "x" in skill "w": the optimizer moves it/,
  );
  const measured = "  w: {class: Formula, inputs: [m], outputs: [m], config: {formula: m * 2}}\n";
  assertEquals(await notes({ skills: measured, steps: "[w, delta, cost]" }), ["WRITES_MEASUREMENT m"]);
});

Deno.test("linkStrategy() refuses containers that output what they neither read nor compute", async () => {
  assertMatch(
    await only({ outputs: "[x, d2]" }),
    /^STRATEGY_INVALID 14:\d+ Cannot output "d2" from skill "best"/,
  );
  const skills = "  other: {class: Steps, outputs: [d2], config: {steps: [delta]}}\n";
  assertMatch(await only({ skills }), /^STRATEGY_INVALID 15:\d+ Cannot output "d2" from skill "other"/);
});

Deno.test("linkStrategy() checks skills that no task runs, and notes them", async () => {
  const skills = "  idle: {class: Formula, inputs: [m], outputs: [d2], config: {formula: m + }}\n";
  assertMatch(await only({ skills }), /^FORMULA_INVALID 15:/);
  assertEquals(await notes({ skills: skills.replace("m +", "m") }), ["SKILL_UNUSED"]);
});

Deno.test("linkStrategy() refuses a threshold that is not declared, and a missing file, at their place", async () => {
  assertMatch(
    await only({ cost: "d / d_threshold + g" }),
    /^STRATEGY_INVALID 12:3 .*"d_threshold": variable "d" has no threshold/,
  );
  const skills =
    "  idle: {class: Formula, inputs: [m], outputs: [d2], config: {formula: m, model_path: gone.onnx}}\n";
  assertMatch(await only({ skills }), /^FILE_MISSING 15:\d+ .*"gone.onnx"/);
  assertMatch(
    await only({ skills: skills.replace("gone.onnx", "5") }),
    /^STRATEGY_INVALID 15:\d+ .*expected the path of a file/,
  );
});

Deno.test("linkStrategy() leaves a Calculated decision without actuators fixed in a legacy file", async () => {
  const variables = VARIABLES.replace("t/h, threshold: 1", "t/h");
  assertEquals(await notes({ variables }, SMALL_PLUGINS), ["FIXED_GROUP g"]);
  assertEquals(HEAD.endsWith(SMALL_PLUGINS), true);
});
