import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { stressedStates } from "../bench/states.ts";
import { seeded } from "../graph/random_graph.ts";
import { inputOf, openKernel } from "./open_kernel.ts";
import type { Answer } from "../../runtime/kernel/types.ts";

function moves({ actuators }: Answer): Record<string, number> {
  return Object.fromEntries(actuators.map(({ name, delta }) => [name, delta]));
}

const KILN_GROUPS: Readonly<Record<string, readonly string[]>> = {
  combined_Feed_rate: ["Kiln_Feed_SFF_1_Feed_rate", "Kiln_Feed_SFF_2_Feed_rate"],
  Cooler_Fan_3_4_5_6_Flow: [3, 4, 5, 6].map((k) => `Cooler_Fan_${k}_Flow`),
  Cooler_Fan_7_8_9_Flow: [7, 8, 9].map((k) => `Cooler_Fan_${k}_Flow`),
};

Deno.test("optimize() shares each of the kiln's groups out evenly: the least movement of equal actuators", async () => {
  await using opened = await openKernel();
  let shared = 0;
  for (const state of stressedStates(12, 5)) {
    const answer = await opened.answer(state);
    const delta = moves(answer);
    for (const [group, names] of Object.entries(KILN_GROUPS)) {
      const wanted = answer.variables[group].delta!;
      const total = names.reduce((sum, name) => sum + delta[name], 0);
      assertAlmostEquals(total, wanted, 1e-6 * answer.variables[group].threshold!);
      for (const name of names) {
        assertAlmostEquals(
          delta[name],
          wanted / names.length,
          1e-4 * answer.variables[group].threshold!,
          name,
        );
        assertEquals(answer.variables[name].delta, delta[name]);
        if (delta[name] !== 0) shared++;
      }
    }
  }
  assert(shared > 50, String(shared));
});

/** Feed is worth more than it costs to move; sheds have unlike thresholds, one may move up but little. */
const SHEDS = `apiVersion: setpoint/v1
name: sheds
version: 1.0.0
objective: { minimize: cost }
variables:
  a: { type: Operative, units: t/h, threshold: 1, max: 100 }
  b: { type: Operative, units: t/h, threshold: 3 }
  c: { type: Operative, units: t/h, threshold: 2, max: 50.5 }
  ore: { type: Informative, units: "-" }
  total: { type: Calculated, units: t/h, threshold: 6 }
  cost: { type: CalculatedKPI, units: t/h }
skills:
  add: { class: MathFunction, inputs: [a, b, c], outputs: [total], config: { formula: a + 2 * b + 0.5 * c } }
  value: { class: MathFunction, inputs: [total, ore], outputs: [cost], config: { formula: -total * ore } }
  run: { class: CompositionSkill, outputs: [cost], config: { skill_sequence: [value] } }
  best:
    class: OptimizationSkill
    inputs: [total]
    outputs: [total]
    config: { cost_skill_name: run, cost_feature_name: cost }
tasks:
  - { name: PreCalculateVariables, skill_sequence: [add] }
  - { name: Optimize, skill_sequence: [best] }
`;

Deno.test("optimize() moves weighted actuators as little as possible in thresholds, within their own limits", async () => {
  await using opened = await openKernel({ strategy: SHEDS });
  const random = seeded(9);
  for (let round = 0; round < 20; round++) {
    const state = {
      a: 98 + 1.9 * random(),
      b: 20 + random(),
      c: 50 * random(),
      ore: random() < 0.5 ? 1 : -1,
    };
    const answer = await opened.answer(state);
    assertEquals(answer.outcome, "solved");
    const delta = moves(answer);
    const wanted = answer.variables.total.delta!;
    assertAlmostEquals(delta.a + 2 * delta.b + 0.5 * delta.c, wanted, 6e-6);
    // least Σ(δ/t)² with Σ w·δ given: δ = λ·w·t², cut at the limits, by bisection in λ
    const [weights, units] = [[1, 2, 0.5], [1, 3, 2]];
    const limits = [
      [-1, Math.min(1, 100 - state.a)],
      [-3, 3],
      [-2, Math.min(2, 50.5 - state.c)],
    ];
    const at = (lambda: number) =>
      weights.map((w, i) => Math.min(limits[i][1], Math.max(limits[i][0], lambda * w * units[i] ** 2)));
    const total = (lambda: number) => at(lambda).reduce((sum, d, i) => sum + weights[i] * d, 0);
    let [low, high] = [-100, 100];
    for (let k = 0; k < 200; k++) {
      const middle = (low + high) / 2;
      if (total(middle) < wanted) low = middle;
      else high = middle;
    }
    const expected = at(high);
    ["a", "b", "c"].forEach((name, i) => assertAlmostEquals(delta[name], expected[i], 1e-4 * units[i], name));
    // all the room that there is was used, not more
    assertAlmostEquals(Math.abs(wanted), Math.min(6, Math.abs(total(Math.sign(wanted) * 100))), 1e-5);
  }
});

Deno.test("optimize() gives two boilers that share total and share of gas setpoints that make exactly both", async () => {
  await using opened = await openKernel({ strategy: "strategies/boiler/strategy.yaml" });
  for (const name of ["nominal", "demand_high", "nox_high", "unbalanced"]) {
    const state = inputOf(`boiler/${name}`);
    const answer = await opened.answer(state);
    assertEquals(answer.outcome, "solved", name);
    const after = Object.fromEntries(answer.actuators.map((actuator) => [actuator.name, actuator.after]));
    const { gas_total, gas_share } = answer.variables;
    assertAlmostEquals(after.gas_1 + after.gas_2, gas_total.optimizer_suggested_value!, 60e-6);
    const share = after.gas_1 / (after.gas_1 + after.gas_2);
    assertAlmostEquals(share, gas_share.optimizer_suggested_value!, 0.02e-6);
    for (const [gas, down, up] of [["gas_1", 60, 50], ["gas_2", 40, 40]] as const) {
      const move = after[gas] - state[gas];
      assert(move >= -down - 1e-9 && move <= up + 1e-9, `${name}: ${gas} moves ${move}`);
      assert(after[gas] >= 300 && after[gas] <= 1200);
    }
    const golden = JSON.parse(
      Deno.readTextFileSync(new URL(`../../strategies/boiler/golden/${name}.json`, import.meta.url)),
    );
    assert(
      minimised(answer) <= golden.minimized + 1e-4 * Math.abs(golden.minimized),
      `${name}: ${minimised(answer)}, expected ${golden.minimized}`,
    );
  }
});

/** The reported cost with what the two soft limits add. */
function minimised({ cost_function_value, variables }: Answer): number {
  const value = (name: string) => variables[name].optimizer_suggested_value!;
  const nox = Math.max(0, value("predicted_nox") - 130) / 130;
  const oxygen = Math.max(0, 1.5 - value("oxygen"), value("oxygen") - 4) / 2.5;
  return cost_function_value! + 200 * nox + 100 * oxygen;
}

Deno.test("optimize() says of a steam demand that is too high what is missing, and moves nothing", async () => {
  await using opened = await openKernel({ strategy: "strategies/boiler/strategy.yaml" });
  const answer = await opened.answer(inputOf("boiler/demand_too_high"));
  assertEquals([answer.outcome, answer.status], ["infeasible", "infeasible"]);
  assert(answer.actuators.every(({ delta }) => delta === 0));
  const [violation] = answer.violations!;
  assertEquals([violation.name, violation.side, violation.limit], ["steam_reserve", "lower", 0]);
  assert(violation.amount > 0 && violation.value === -violation.amount);
});

const PAIR = `apiVersion: setpoint/v1
name: pair
variables:
  a: { type: Operative, units: "-", threshold: 1, min: 5, max: 9 }
  b: { type: Operative, units: "-", threshold: 1, max: 1 }
  total: { type: Calculated, units: "-", threshold: 5 }
  cost: { type: CalculatedKPI, units: "-" }
skills:
  add: { class: MathFunction, inputs: [a, b], outputs: [total], config: { formula: a + b } }
  price: { class: MathFunction, inputs: [total], outputs: [cost], config: { formula: total } }
  evaluate: { class: CompositionSkill, outputs: [cost], config: { skill_sequence: [price] } }
  best: { class: OptimizationSkill, inputs: [total], config: { cost_skill_name: evaluate, cost_feature_name: cost } }
tasks:
  - { name: PreCalculateVariables, skill_sequence: [add] }
  - { name: Recommend, skill_sequence: [best] }
`;

Deno.test("optimize() brings actuators outside their limits back as fast as they may, also when their group stays", async () => {
  await using opened = await openKernel({ strategy: PAIR });
  const { outcome, variables, actuators } = await opened.answer({ a: 1, b: 2 });
  assertEquals(outcome, "solved");
  assertEquals(variables.total.delta, 0);
  assertEquals(actuators.map(({ name, after }) => [name, after]), [["a", 2], ["b", 1]]);
});

Deno.test("optimize() rounds actuators within their own limits", async () => {
  const strategy = PAIR.replace("min: 5, max: 9", "min: 0.7, round: 0.5").replace(
    "max: 1 ",
    "min: 1.6, round: 0.5 ",
  );
  await using opened = await openKernel({ strategy });
  const { outcome, actuators } = await opened.answer({ a: 1.6, b: 2.6 });
  assertEquals(outcome, "solved");
  // the nearest multiples, 0.5 and 1.5, are below the least values
  assertEquals(actuators.map(({ after }) => after), [1, 2]);
});
