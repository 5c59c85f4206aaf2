import { assert, assertEquals } from "@std/assert";
import { openKernel } from "./open_kernel.ts";

/** Only `busy` is in the cost; the others differ in what bounds them, and with that in where a barrier would push them. */
const STRATEGY = `apiVersion: setpoint/v1
name: flat
variables:
  busy: { type: Operative, units: "-", threshold: 1 }
  centred: { type: Operative, units: "-", threshold: 1 }
  lopsided: { type: Operative, units: "-", max_up: 1, max_down: 4 }
  near_a_limit: { type: Operative, units: "-", threshold: 1, max: 10.05 }
  above_its_range: { type: Operative, units: "-", threshold: 1, max: 9.5 }
  below_its_range: { type: Operative, units: "-", threshold: 1, min: 10.1 }
  cost: { type: CalculatedKPI, units: "-" }
skills:
  price:
    class: MathFunction
    inputs: [busy]
    outputs: [cost]
    config: { formula: 8 * exp(-0.3 * (busy - 10)) + 0.1 * busy**2 }
  evaluate: { class: CompositionSkill, outputs: [cost], config: { skill_sequence: [price] } }
  best:
    class: OptimizationSkill
    inputs: [busy, centred, lopsided, near_a_limit, above_its_range, below_its_range]
    outputs: [busy]
    config: { cost_skill_name: evaluate, cost_feature_name: cost }
tasks:
  - { name: Recommend, skill_sequence: [best] }
`;

Deno.test("optimize() leaves a setpoint that no cost depends on where it is, however its bounds lie", async () => {
  await using opened = await openKernel({ strategy: STRATEGY });
  const names = ["busy", "centred", "lopsided", "near_a_limit", "above_its_range", "below_its_range"];
  const { outcome, variables } = await opened.answer(Object.fromEntries(names.map((name) => [name, 10])));
  assertEquals(outcome, "solved");
  const after = names.map((name) => variables[name].optimizer_suggested_value);
  assert(after[0] !== 10);
  // outside its range: the nearest value within it
  assertEquals(after.slice(1), [10, 10, 10, 9.5, 10.1]);
});
