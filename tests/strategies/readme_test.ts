/** The README's examples, as a newcomer copies them. */
import { assert, assertEquals } from "@std/assert";
import { ROOT } from "../../runtime/config.ts";
import { openKernel, type State } from "../kernel/open_kernel.ts";

const README = Deno.readTextFileSync(`${ROOT}/README.md`);

function blocks(language: string): string[] {
  return [...README.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map((match) => match[1]);
}

Deno.test("the README's tank strategy is valid and spends less steam on the README's state", async () => {
  const state: State = JSON.parse(/^echo '(\{.*\})'/m.exec(README)![1]);
  await using opened = await openKernel({ strategy: blocks("yaml")[0] });
  const { outcome, warnings, variables } = await opened.answer(state);
  assertEquals(outcome, "solved");
  assertEquals(warnings, []);
  assertEquals(variables.steam.optimizer_suggested_value, state.steam - 0.5);
});

Deno.test("the README's plugin runs in a strategy that names it as the README says", async () => {
  const strategy = `apiVersion: setpoint/v1
name: pump
variables:
  flow: { type: Operative, units: m3/h, threshold: 20, min: 20, max: 200 }
  power: { type: CalculatedKPI, units: kW }
${blocks("yaml")[1].replace("plugins/pump_power.ts", "pump_power.ts")}
  evaluate: { class: CompositionSkill, outputs: [power], config: { skill_sequence: [power] } }
  best: { class: OptimizationSkill, inputs: [flow], config: { cost_skill_name: evaluate, cost_feature_name: power } }
tasks:
  - { name: Recommend, skill_sequence: [best] }
`;
  await using opened = await openKernel({ strategy, files: { "pump_power.ts": blocks("ts")[0] } });
  const { outcome, cost_function_value: cost } = await opened.answer({ flow: 100 });
  assertEquals(outcome, "solved");
  const power = (flow: number) => flow * 0.35 / (0.82 - ((flow - 120) / 120) ** 2);
  assert(Math.abs(cost! - power(80)) < 1e-9, String(cost));
});
