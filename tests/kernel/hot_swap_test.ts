/** A changed plugin file takes over between cycles; one that fails does not. */
import { type Clock, systemClock } from "../../runtime/clock.ts";
import type { Answer, CycleRow, Kernel } from "../../runtime/kernel/types.ts";
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "../std/assert.ts";
import { eventually } from "../std/eventually.ts";
import { openKernel } from "./open_kernel.ts";

/** cost = slope · flow + 1: the slope tells which version answered. */
function plugin(slope: number, version: string, extra = ""): string {
  return `import { definePlugin, Graph } from "setpoint";
export default definePlugin({
  name: "test/slope", version: "${version}", kind: "function",
  tests: [{ inputs: { flow: 2 }, outputs: { power: ${2 * slope + 1} } }],
  ${extra}
  lower(skill) {
    const graph = new Graph();
    const power = graph.binary("add", graph.binary("mul", graph.parameter(0), graph.constant(${slope})), graph.constant(1));
    return { expression: { graph, sources: 1, outputs: [power] }, sources: [{ variable: skill.inputs[0], role: "value" }] };
  },
});`;
}

const STRATEGY = `apiVersion: setpoint/v1
name: slope
version: 1.0.0
variables:
  flow: { type: Operative, units: t/h, threshold: 1, min: 0, max: 10 }
  power: { type: CalculatedKPI, units: kW }
plugins:
  Slope: slope.ts
skills:
  power: { class: Slope, inputs: [flow], outputs: [power] }
  all: { class: CompositionSkill, outputs: [power], config: { skill_sequence: [power] } }
  best: { class: OptimizationSkill, inputs: [flow], outputs: [flow], config: { cost_skill_name: all, cost_feature_name: power } }
tasks:
  - { name: CalculateRecommendations, skill_sequence: [best] }
`;

const SIMULATOR = JSON.stringify({
  format: "setpoint/simulator/v1",
  periodMs: 60000,
  seed: 1,
  columns: [{ name: "flow", nominal: 5, noise: 0, low: 4, high: 6 }],
});

async function replace(folder: string, text: string): Promise<void> {
  await Deno.writeTextFile(`${folder}/slope.new`, text);
  await Deno.rename(`${folder}/slope.new`, `${folder}/slope.ts`);
}

Deno.test("a changed plugin takes over between cycles: none is lost, none is run twice, all are one version's", async () => {
  const files = { "slope.ts": plugin(3, "1.0.0"), "simulator.json": SIMULATOR };
  await using opened = await openKernel({ strategy: STRATEGY, files, serving: true });
  const { kernel, folder } = opened;
  const slopeOf = (cost: number | null) => (cost! - 1) / 5;
  let asked = 0;
  const answers: number[] = [];
  let goOn = true;
  const asking = Promise.all([0, 1].map(async () => {
    while (goOn) {
      asked++;
      const answer = await opened.answer({ flow: 5 });
      assertEquals(answer.outcome, "solved");
      answers.push(slopeOf(answer.cost_before));
    }
  }));
  const cycles = [await kernel.cycle()];
  await eventually("the first version answers", () => answers.length > 20);
  await replace(folder, plugin(7, "2.0.0"));
  await eventually("the second version answers", () => answers.at(-1) === 7);
  cycles.push(await kernel.cycle());
  goOn = false;
  await asking;
  assertEquals([...new Set(answers)], [3, 7]);
  assertEquals(answers.length, asked);
  const rows = await everyCycle(kernel);
  assertEquals(rows.filter(({ origin }) => origin === "api").length, asked);
  assertEquals(new Set(rows.map(({ cycle_id }) => cycle_id)).size, rows.length);
  assertEquals(rows.filter(({ origin }) => origin === "schedule").length, cycles.length);
  const running = () =>
    kernel.plugins().filter(({ plugins }) => plugins.some(({ name }) => name === "test/slope"));
  await eventually("the old version's process is gone", () => running().length === 1);
  assertEquals(running()[0].plugins[0].version, "2.0.0");
  assertEquals(kernel.status().reasons.filter(({ code }) => code === "DEPLOYMENT"), []);
});

/** cost = a · flow + 1000 · b of two skills of one file, a by an expression, b by code: both tell the version. */
function both(slope: number): string {
  return `import { definePlugin, describe, op } from "setpoint";
export default definePlugin({
  name: "test/both", version: "${slope}.0.0", kind: "function",
  tests: [{ config: { code: false }, inputs: { flow: 2 }, outputs: { a: ${2 * slope} } },
    { config: { code: true }, inputs: { flow: 2 }, outputs: { b: ${slope} } }],
  lower: (skill) => skill.config.code
    ? { ...whole(skill), opaques: [{ engine: "self", inputs: 1, outputs: 1 }] }
    : describe(skill, ([flow]) => op.mul(${slope}, flow)),
  evaluate: (skill, batch) => batch.map(() => ${slope}),
  jacobian: (skill, batch) => batch.map(() => 0),
});
import { Graph } from "setpoint";
function whole(skill) {
  const graph = new Graph();
  const outputs = [graph.opaque(0, graph.parameter(0), 1)];
  return { expression: { graph, sources: 1, outputs }, sources: [{ variable: skill.inputs[0], role: "value" }] };
}`;
}

const BOTH = `apiVersion: setpoint/v1
name: both
version: 1.0.0
variables:
  flow: { type: Operative, units: "-", threshold: 1, min: 0, max: 10 }
  a: { type: Predicted, units: "-" }
  b: { type: Predicted, units: "-" }
  cost: { type: CalculatedKPI, units: "-" }
plugins: { Both: { plugin: slope.ts, limits: { wall_ms: 60000 } } }
skills:
  described: { class: Both, inputs: [flow], outputs: [a], config: { code: false } }
  coded: { class: Both, inputs: [flow], outputs: [b], config: { code: true } }
  cost: { class: MathFunction, inputs: [a, b], outputs: [cost], config: { formula: a + 1000 * b } }
  all: { class: CompositionSkill, outputs: [cost], config: { skill_sequence: [described, coded, cost] } }
  best: { class: OptimizationSkill, inputs: [flow], outputs: [flow], config: { cost_skill_name: all, cost_feature_name: cost } }
tasks:
  - { name: CalculateRecommendations, skill_sequence: [best] }
`;

/** Files are looked at ten times as often; all other times are real. */
const watchful: Clock = {
  ...systemClock,
  every: (ms, fn) => systemClock.every(ms === 400 ? 50 : ms, fn),
};

Deno.test("20 swaps under load: every request is answered once by one version, every cycle runs once", async () => {
  const files = { "slope.ts": both(1), "simulator.json": SIMULATOR };
  await using opened = await openKernel({
    strategy: BOTH,
    files,
    serving: true,
    clock: watchful,
  });
  const { kernel, folder } = opened;
  let [goOn, asked, cycles] = [true, 0, 0];
  const answers: Answer[] = [];
  const asking = Promise.all([0, 1].map(async () => {
    for (; goOn; asked++) answers.push(await opened.answer({ flow: 5 }));
  }));
  const cycling = (async () => {
    for (; goOn; cycles++) await kernel.cycle();
  })();
  /** A cost is version · (flow + 1000) only if both skills were computed by one version. */
  const versionOf = (cost: number | null, flow: number) => cost! / (1000 + flow);
  try {
    for (let version = 2; version <= 21; version++) {
      await replace(folder, both(version));
      const isNew = ({ cost_before }: Answer) => versionOf(cost_before, 5) === version;
      await eventually(`version ${version} answers`, () => answers.some(isNew));
    }
  } finally {
    goOn = false;
    await Promise.all([asking, cycling]);
  }
  for (const { outcome, reason, cost_before, cost_function_value } of answers) {
    assertEquals(outcome, "solved", JSON.stringify(reason));
    const version = versionOf(cost_before, 5);
    assert(Number.isInteger(version), `${cost_before} is of two versions`);
    assertAlmostEquals(versionOf(cost_function_value, 4), version, 1e-6);
  }
  assertEquals([answers.length, new Set(answers.map(({ cost_before }) => cost_before)).size], [asked, 21]);
  const rows = await everyCycle(kernel);
  assertEquals(rows.filter(({ origin }) => origin === "api").length, asked);
  assertEquals(rows.filter(({ origin }) => origin === "schedule").length, cycles);
  assertEquals(new Set(rows.map(({ cycle_id }) => cycle_id)).size, rows.length);
  const cellsOf = () =>
    kernel.plugins().filter(({ plugins }) => plugins.some(({ name }) => name === "test/both"));
  await eventually("only the last version's process is left", () => cellsOf().length === 1);
  assertEquals([cellsOf()[0].plugins[0].version, cellsOf()[0].failures], ["21.0.0", 0]);
});

/** Newest first, by pages. */
async function everyCycle(kernel: Pick<Kernel, "cycles">): Promise<CycleRow[]> {
  const rows: CycleRow[] = [];
  for (;;) {
    const before = rows.at(-1)?.cycle_id;
    const page = await kernel.cycles({ limit: 500, ...(before !== undefined && { before }) });
    if (page.length === 0) return rows;
    rows.push(...page);
  }
}

const BAD = [
  ["does not parse", "export default {", "PLUGIN"],
  [
    "fails its own test",
    plugin(3, "2.0.0", "tests: [{ inputs: { flow: 2 }, outputs: { power: 0 } }],"),
    "expected 0",
  ],
  ["hangs", plugin(3, "2.0.0").replace("const graph", "for (;;); const graph"), "exceeded"],
] as const;

for (const [what, text, says] of BAD) {
  Deno.test(`a changed plugin that ${what} does not take over, health says why, and the next good one does`, async () => {
    await using opened = await openKernel({ strategy: STRATEGY, files: { "slope.ts": plugin(3, "1.0.0") } });
    const { kernel, folder } = opened;
    const problem = () => kernel.status().reasons.find(({ code }) => code === "DEPLOYMENT");
    await replace(folder, text);
    await eventually("health tells", () => problem() !== undefined);
    assertStringIncludes(problem()!.message, "what ran before stays");
    if (says !== "PLUGIN") assertStringIncludes(problem()!.message, says);
    assertEquals((await opened.answer({ flow: 5 })).cost_before, 16);
    await replace(folder, plugin(7, "2.0.0"));
    await eventually(
      "the good one answers",
      async () => (await opened.answer({ flow: 5 })).cost_before === 36,
    );
    assertEquals(problem(), undefined);
  });
}

Deno.test("a changed strategy file takes over too", async () => {
  await using opened = await openKernel({ strategy: STRATEGY, files: { "slope.ts": plugin(3, "1.0.0") } });
  await Deno.writeTextFile(
    `${opened.folder}/strategy.yaml`,
    STRATEGY.replace("version: 1.0.0", "version: 1.1.0"),
  );
  await eventually("it is active", () => opened.kernel.status().strategy?.version === "1.1.0");
  assert(opened.lines.some((line) => line.includes("are in use")));
});
