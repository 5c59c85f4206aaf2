/** A plugin's config schema and limits, from the strategy's file through the kernel to the plugin. */
import { SetpointError } from "../../runtime/errors.ts";
import { printProblem } from "../../runtime/errors.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "../std/assert.ts";
import { openKernel } from "./open_kernel.ts";

/** Power of a pump; the config must be there when the plugin sees it. */
const PUMP = `import { definePlugin, Graph } from "setpoint";
export default definePlugin({
  name: "test/pump", version: "1.0.0", kind: "function", sdk: "^1.0.0",
  config: {
    properties: { best_flow: { type: "number", exclusiveMinimum: 0 }, slope: { type: "number", default: 3 } },
    required: ["best_flow"],
  },
  tests: [{ config: { best_flow: 2 }, inputs: { flow: 1 }, outputs: { power: 5 } }],
  lower(skill) {
    const { best_flow, slope } = skill.config as Record<string, number>;
    if (!(best_flow > 0) || slope === undefined) throw new Error("seen before it was checked");
    const graph = new Graph();
    const power = graph.binary("add", graph.binary("mul", graph.parameter(0), graph.constant(slope)), graph.constant(best_flow));
    return { expression: { graph, sources: 1, outputs: [power] }, sources: [{ variable: skill.inputs[0], role: "value" }] };
  },
});`;

export function pumpStrategy(config: string, plugin = "pump.ts"): string {
  return `apiVersion: setpoint/v1
name: pump
version: 1.0.0
variables:
  flow: { type: Operative, units: t/h, threshold: 1, min: 0, max: 10 }
  power: { type: CalculatedKPI, units: kW }
plugins:
  PumpPower: ${plugin}
skills:
  power:
    class: PumpPower
    inputs: [flow]
    outputs: [power]
    config: ${config}
  all: { class: CompositionSkill, outputs: [power], config: { skill_sequence: [power] } }
  best: { class: OptimizationSkill, inputs: [flow], outputs: [flow], config: { cost_skill_name: all, cost_feature_name: power } }
tasks:
  - { name: CalculateRecommendations, skill_sequence: [best] }
`;
}

Deno.test("a strategy whose plugin says what its config is runs, the defaults filled in", async () => {
  await using opened = await openKernel({
    strategy: pumpStrategy("{ best_flow: 2 }"),
    files: { "pump.ts": PUMP },
  });
  const answer = await opened.answer({ flow: 5 });
  assertEquals(answer.outcome, "solved");
  assertEquals(answer.cost_before, 17);
});

Deno.test("a wrong config is told by the strategy's line and column before the plugin sees it, all at once", async () => {
  const strategy = pumpStrategy('{ best_flw: 2, slope: "3" }');
  const error = await assertRejects(
    () => openKernel({ strategy, files: { "pump.ts": PUMP } }),
    SetpointError,
  );
  const told = error.problems.map((problem) => printProblem(problem).replace(/^.*strategy\.yaml/, ""));
  assertEquals(told.map((line) => line.split(" ")[0]), [":14:13:", ":14:15:", ":14:35:"]);
  assertStringIncludes(told[0], 'without "best_flow"');
  assertStringIncludes(told[1], 'did you mean "best_flow"');
  assertStringIncludes(told[2], 'Cannot use "3" as "slope"');
});

Deno.test("limits of a plugin stand in the strategy, and wrong ones are told at their place", async () => {
  const files = { "pump.ts": PUMP };
  const granted = pumpStrategy(
    "{ best_flow: 2 }",
    "{ plugin: pump.ts, limits: { wall_ms: 500, heap_mb: 128 } }",
  );
  await using opened = await openKernel({ strategy: granted, files });
  const cell = opened.kernel.plugins().find(({ plugins }) =>
    plugins.some(({ name }) => name === "test/pump")
  )!;
  assertEquals([cell.limits.wall_ms, cell.limits.heap_mb], [500, 128]);
  const wrong = pumpStrategy("{ best_flow: 2 }", "{ plugin: pump.ts, limits: { wal_ms: 500, heap_mb: 1 } }");
  const error = await assertRejects(() => openKernel({ strategy: wrong, files }), SetpointError);
  assertStringIncludes(error.message, 'did you mean "wall_ms"');
  assertStringIncludes(error.message, "expected a whole number from 16 to 16384");
});

Deno.test("a legacy file's extra keys are warned of, its wrong values refused", async () => {
  const legacy = (config: string) => pumpStrategy(config).replace("apiVersion: setpoint/v1\n", "");
  const files = { "pump.ts": PUMP };
  await using opened = await openKernel({ strategy: legacy("{ best_flow: 2, colour: red }"), files });
  assertEquals((await opened.answer({ flow: 5 })).outcome, "solved");
  assertStringIncludes(opened.lines.join("\n"), 'key "colour" of skill "power"');
  const wrong = legacy("{ best_flow: red }");
  await assertRejects(
    () => openKernel({ strategy: wrong, files }),
    SetpointError,
    'Cannot use "red" as "best_flow"',
  );
});

Deno.test("a plugin that no skill uses is warned of with its line: it is not even read", async () => {
  const strategy = pumpStrategy("{ best_flow: 2 }").replace("skills:", "  Other: none_such.ts\nskills:");
  await using opened = await openKernel({ strategy, files: { "pump.ts": PUMP } });
  const { notes } = await opened.kernel.validate(strategy, `${opened.folder}/strategy.yaml`);
  const [{ code, level, message, at }] = notes;
  assertEquals([code, level, at?.line], ["PLUGIN_UNUSED", "warning", 9]);
  assertStringIncludes(message, 'No skill is of class "Other"');
});

Deno.test("unknown keys of every built-in class are told at their place, with what was meant", async () => {
  const strategy = pumpStrategy("{ best_flow: 2 }")
    .replace("config: { skill_sequence: [power] }", "config: { skill_sequense: [power] }")
    .replace(
      "tasks:",
      `  twice: { class: MathFunction, inputs: [flow], outputs: [power], config: { formla: flow } }
  keep: { class: Constraint, inputs: [flow], outputs: [power], config: { var_mn: 0 } }
tasks:`,
    ).replace("cost_feature_name: power", "cost_feature_name: power, tolerence: 1");
  const error = await assertRejects(
    () => openKernel({ strategy, files: { "pump.ts": PUMP } }),
    SetpointError,
  );
  const told = error.problems.filter(({ code }) => code === "UNKNOWN_KEY").map(({ message, at }) =>
    `${at?.line} ${/did you mean "\w+"/.exec(message)?.[0]}`
  );
  assertEquals(told, [
    '15 did you mean "skill_sequence"',
    '16 did you mean "tolerance"',
    '17 did you mean "formula"',
    '18 did you mean "var_min"',
  ]);
});

Deno.test("the built-in optimizer's config is checked by its schema", async () => {
  const strategy = (config: string) =>
    pumpStrategy("{ best_flow: 2 }").replace(
      "cost_feature_name: power",
      `cost_feature_name: power, ${config}`,
    );
  const files = { "pump.ts": PUMP };
  await using opened = await openKernel({ strategy: strategy("max_iterations: 1, tolerance: 1e-3"), files });
  assertEquals((await opened.answer({ flow: 5 })).outcome, "solved");
  const wrong = strategy('max_iteration: 5, tolerance: "fine"');
  const error = await assertRejects(() => openKernel({ strategy: wrong, files }), SetpointError);
  assertStringIncludes(error.message, 'did you mean "max_iterations"');
  assertStringIncludes(error.message, 'Cannot use "fine" as "tolerance"');
});

Deno.test("an optimizer's own config is checked by its schema, the runtime's keys beside it", async () => {
  const annealing = Deno.readTextFileSync(new URL("../../plugins/examples/annealing.ts", import.meta.url));
  const files = { "pump.ts": PUMP, "annealing.ts": annealing };
  const strategy = (config: string) =>
    pumpStrategy("{ best_flow: 2 }").replace("plugins:\n", "plugins:\n  OptimizationSkill: annealing.ts\n")
      .replace("cost_feature_name: power }", `cost_feature_name: power, ${config} }`);
  await using opened = await openKernel({ strategy: strategy("rounds: 50"), files });
  assertEquals((await opened.answer({ flow: 5 })).outcome, "solved");
  await assertRejects(
    () => openKernel({ strategy: strategy("round: 50"), files }),
    SetpointError,
    'did you mean "rounds"',
  );
});

Deno.test("an optimizer that cannot be opened is the only problem, beside an objective too", async () => {
  const strategy = pumpStrategy("{ best_flow: 2 }")
    .replace("variables:", "objective: { minimize: power }\nvariables:")
    .replace("PumpPower: pump.ts", "PumpPower: pump.ts\n  Search: search.ts")
    .replace("class: OptimizationSkill", "class: Search");
  const files = { "pump.ts": PUMP, "search.ts": "export default {" };
  const error = await assertRejects(() => openKernel({ strategy, files }), SetpointError);
  assertEquals(error.problems.map(({ code }) => code), ["PLUGIN_INVALID"]);
});

Deno.test("what a plugin throws at a skill is told with the strategy's line and the author's", async () => {
  const files = {
    "pump.ts": PUMP.replace("const graph", "skill.odd.key;\n    const graph").replace(/tests:.*/, ""),
  };
  const error = await assertRejects(
    () => openKernel({ strategy: pumpStrategy("{ best_flow: 2 }"), files }),
    SetpointError,
  );
  const [told] = error.problems.map(printProblem);
  assertStringIncludes(told, "strategy.yaml:10:3: ");
  assertStringIncludes(told, "pump.ts:12:");
});
