/** A changed plugin file takes over between cycles; one that fails does not. */
import type { CycleRow, Kernel } from "../../runtime/kernel/types.ts";
import { assert, assertEquals, assertStringIncludes } from "../std/assert.ts";
import { eventually } from "../launch/process.ts";
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
