import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { encodeExpression, Graph } from "setpoint";
import { SetpointError, setpointError } from "../../runtime/errors.ts";
import type { LoweredMessage, SkillSpec } from "../../runtime/graph/skill.ts";
import { linkStrategy } from "../../runtime/strategy/link.ts";
import type { SkillDriver } from "../../runtime/strategy/linked.ts";
import { readStrategy, readStrategyJson } from "../../runtime/strategy/load.ts";
import { inProcessDriver, noFiles } from "./in_process_driver.ts";
import { HEAD } from "./plant.ts";
import { smallPlugins } from "./small_plugins.ts";

const TEXT = `${HEAD}objective: {minimize: cost}
variables:
  x: {type: Operative, threshold: 1}
  cost: {type: CalculatedKPI}
skills:
  f: {class: Formula, inputs: [x], outputs: [cost], config: {formula: x * x}}
  g: {class: Formula, inputs: [x], outputs: [cost], config: {formula: x + 1}}
tasks:
  - {name: Main, skill_sequence: [f]}
`;

const sound = inProcessDriver(smallPlugins);

async function fail(driver: Partial<SkillDriver>): Promise<SetpointError> {
  const strategy = readStrategy(TEXT, { file: "s.yaml" });
  return await assertRejects(() => linkStrategy(strategy, { ...sound, ...driver }, noFiles), SetpointError);
}

/** What the linker says when a plugin lowers skill "f" to something else. */
async function lowered(change: (message: LoweredMessage) => Partial<LoweredMessage>): Promise<string> {
  const error = await fail({
    async lower(spec: SkillSpec) {
      const message = await sound.lower(spec);
      return spec.name === "f" ? { ...message, ...change(message) } : message;
    },
  });
  assertEquals(error.problems.length, 1, error.message);
  const [{ code, at, message }] = error.problems;
  assertEquals([code, at?.line, at?.column], ["EXPRESSION_INVALID", 8, 3]);
  assertMatch(message, /\(skill "f" of class "Formula"\)/);
  return message;
}

Deno.test("linkStrategy() refuses what a plugin lowers wrongly, with the skill's place", async () => {
  const limit = {
    variable: "x",
    mode: "hard",
    lower: 0,
    upper: 1,
    physicalLower: 0,
    physicalUpper: 1,
    weight: 0,
    priority: 0,
  } as const;
  const graph = new Graph();
  const none = encodeExpression({ graph, sources: 1, outputs: [] });
  const opaque = new Graph();
  const foreign = encodeExpression({
    graph: opaque,
    sources: 1,
    outputs: [opaque.opaque(0, opaque.parameter(0), 1)],
  });
  const cases: [(message: LoweredMessage) => Partial<LoweredMessage>, RegExp][] = [
    [() => ({ expression: new Uint8Array(7) }), /Cannot read an expression/],
    [({ expression }) => ({ expression: expression.slice(0, -8) }), /Cannot read an expression/],
    [() => ({ expression: none }), /got 0 outputs, expected 1/],
    [() => ({ sources: [] }), /got 0 sources, expected 1/],
    [
      () => ({ sources: [{ variable: "cost", role: "value" }] }),
      /the source "cost", expected one of its inputs/,
    ],
    [() => ({ sources: [{ variable: "x", role: "secret" as "value" }] }), /the role "secret"/],
    [() => ({ expression: foreign }), /foreign code/],
    [() => ({ limits: [{ ...limit, variable: "y" }] }), /a limit of "y"/],
    [() => ({ limits: [{ ...limit, lower: 2 }] }), /a limit from 2 to 1/],
    [() => ({ limits: [{ ...limit, upper: NaN }] }), /a limit from 0 to NaN/],
    [() => ({ limits: [{ ...limit, weight: Infinity }] }), /the weight Infinity/],
    [() => ({ limits: [{ ...limit, mode: "maybe" as "hard" }] }), /the mode "maybe"/],
  ];
  for (const [change, expected] of cases) assertMatch(await lowered(change), expected);
});

Deno.test("linkStrategy() takes foreign code that a plugin declares", async () => {
  const graph = new Graph();
  const expression = encodeExpression({
    graph,
    sources: 1,
    outputs: [graph.opaque(0, graph.parameter(0), 1)],
  });
  const strategy = readStrategy(TEXT);
  const lower = async (spec: SkillSpec) => ({
    ...await sound.lower(spec),
    expression,
    opaques: [{ engine: "self", inputs: 1, outputs: 1 }] as const,
  });
  const { opaques } = await linkStrategy(strategy, { ...sound, lower }, noFiles);
  assertEquals(opaques.map(({ skill }) => skill), ["f"]);
});

Deno.test("linkStrategy() tells a plugin that cannot be opened once, where the strategy names it", async () => {
  const error = await fail({
    kindOf: (cls) =>
      cls === "Formula"
        ? Promise.reject(setpointError("FILE_MISSING", 'Cannot find the plugin "f.ts"'))
        : sound.kindOf(cls),
  });
  assertEquals(error.problems.map(({ code, at }) => [code, at?.line, at?.column]), [["FILE_MISSING", 2, 20]]);
});

Deno.test("linkStrategy() names the skill whose plugin failed, asks that one no more, and lets faults of its own through", async () => {
  let calls = 0;
  const timeout = await fail({
    lower: () => {
      calls++;
      return Promise.reject(setpointError("PLUGIN_TIMEOUT", "Cannot call it: exceeded 250 ms"));
    },
  });
  assertEquals(timeout.problems.map(({ code, at }) => [code, at?.line]), [["PLUGIN_TIMEOUT", 8]]);
  assertEquals(calls, 1);
  assertMatch(timeout.problems[0].message, /skill "f"/);
  const strategy = readStrategy(TEXT);
  const broken = { ...sound, lower: () => Promise.reject(new RangeError("a fault")) };
  await assertRejects(() => linkStrategy(strategy, broken, noFiles), RangeError, "a fault");
});

Deno.test("linkStrategy() points into a posted strategy with JSON pointers, all problems in one go", async () => {
  const posted = {
    variables: { a: { type: "Operative", units: "-", threshold: 1 } },
    skills: {
      f: { class: "Formula", inputs: ["a"], outputs: ["c"], config: { formula: "a + undefined_name" } },
    },
    plugins: { Formula: "f.ts" },
    tasks: [],
  };
  const strategy = readStrategyJson(posted, { pointer: "/config" });
  const error = await assertRejects(() => linkStrategy(strategy, sound, noFiles), SetpointError);
  assertEquals(error.problems.map(({ code, at }) => [code, at?.pointer]), [
    ["FORMULA_INVALID", "/config/skills/f/config/formula"],
    ["UNDECLARED_VARIABLE", "/config/skills/f/outputs/0"],
    ["NOT_OPTIMIZABLE", "/config/tasks"],
  ]);
  assert(error.message.includes("undefined_name"));
});

Deno.test("linkStrategy() refuses a graph that grows too large by running one skill again and again", async () => {
  const text = `${HEAD}objective: {minimize: cost}
variables:
  x: {type: Operative, threshold: 1}
  z: {type: Informative}
  cost: {type: CalculatedKPI}
skills:
  f: {class: Formula, inputs: [z, x], outputs: [z], config: {formula: z + x}}
  g: {class: Formula, inputs: [z, x], outputs: [cost], config: {formula: z * x}}
tasks:
  - {name: Main, skill_sequence: [f, f, f, g]}
`;
  const lower = async (spec: SkillSpec) => {
    const message = await sound.lower(spec);
    if (spec.name !== "f") return message;
    const graph = new Graph();
    let value = graph.parameter(0);
    for (let k = 0; k < 40_000; k++) value = graph.unary(k % 2 === 0 ? "tanh" : "exp", value);
    const expression = encodeExpression({ graph, sources: 1, outputs: [value] });
    return { ...message, sources: [{ variable: "z", role: "value" as const }], expression };
  };
  const link = () => linkStrategy(readStrategy(text, { file: "s.yaml" }), { ...sound, lower }, noFiles);
  const { problems } = await assertRejects(link, SetpointError);
  assertEquals(problems.map(({ code, at }) => [code, at?.line, at?.column]), [["STRATEGY_TOO_LARGE", 9, 3]]);
  assertMatch(
    problems[0].message,
    /skill "f" of class "Formula": with it the strategy has \d+ nodes in its graph, expected at most 100000/,
  );
});
