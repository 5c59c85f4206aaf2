/** A plant whose limits cannot hold together: what a client, a person and the schedule are told. */
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import type { Answer, CycleRow } from "../../runtime/kernel/types.ts";
import { Files, Folders, Service, task } from "./service.ts";
import { eventually } from "../std/eventually.ts";

/** Heat wants steam, dryness wants less of steam and air; each can hold alone. Draft can hold, and does not now. */
const STRATEGY = `apiVersion: setpoint/v1
name: conflict
version: 1.0.0
objective: { minimize: cost }
variables:
  steam: { type: Operative, units: t/h, threshold: 1 }
  air: { type: Operative, units: t/h, threshold: 1 }
  draft: { type: Operative, units: bar, threshold: 1 }
  heat: { type: Predicted, units: t/h }
  moisture: { type: Predicted, units: t/h }
  suction: { type: Predicted, units: bar }
  constraint_heat: { type: Constraint, units: "-" }
  constraint_moisture: { type: Constraint, units: "-" }
  constraint_suction: { type: Constraint, units: "-" }
  cost: { type: CalculatedKPI, units: t/h }
skills:
  find_heat: { class: MathFunction, inputs: [steam, air], outputs: [heat], config: { formula: 2 * steam - 0.5 * air } }
  find_moisture: { class: MathFunction, inputs: [steam, air], outputs: [moisture], config: { formula: steam + air } }
  find_suction: { class: MathFunction, inputs: [draft], outputs: [suction], config: { formula: draft } }
  hot: { class: Constraint, inputs: [heat], outputs: [constraint_heat], config: { op_min: 9, mode: hard } }
  dry: { class: Constraint, inputs: [moisture], outputs: [constraint_moisture], config: { op_max: 5, mode: hard } }
  pull: { class: Constraint, inputs: [suction], outputs: [constraint_suction], config: { op_min: 0.2, mode: hard } }
  find_cost: { class: MathFunction, inputs: [steam], outputs: [cost], config: { formula: steam } }
  run: { class: CompositionSkill, outputs: [cost], config: { skill_sequence: [find_heat, find_moisture, find_suction, hot, dry, pull, find_cost] } }
  best: { class: OptimizationSkill, inputs: [steam, air, draft], outputs: [steam], config: { cost_skill_name: run, cost_feature_name: cost } }
tasks: [{ name: Optimize, skill_sequence: [best] }]
`;
const column = (name: string, nominal: number) => ({ name, nominal, noise: 0, low: nominal, high: nominal });
const SIMULATOR = JSON.stringify({
  format: "setpoint/simulator/v1",
  periodMs: 1000,
  seed: 1,
  columns: [column("steam", 4), column("air", 2), column("draft", 0)],
});
const STATE = { steam: 4, air: 2, draft: 0 };
/** Where (9 − heat)/9 = (moisture − 5)/5 with as little air as one threshold allows. */
const STEAM = 83.5 / 19;
const GIVES = { heat: 9 - (2 * STEAM - 0.5), moisture: STEAM + 1 - 5 };

Deno.test("two limits that conflict only together are named together, with what each would have to give, and nothing moves", async (t) => {
  await using folders = await Folders.make();
  await using files = await Files.make({
    "strategy.yaml": STRATEGY,
    "simulator.json": SIMULATOR,
    "state.json": JSON.stringify(STATE),
  });
  const strategy = ["--strategy", `${files.root}/strategy.yaml`];

  await t.step("POST /optimize and the schedule", async () => {
    await using service = await Service.start(folders, ["--mode", "hybrid", "--interval", "1", ...strategy]);
    const answer = await service.json("/optimize", { input_data: STATE }) as unknown as Answer;
    assertEquals([answer.status, answer.outcome, answer.reason!.code], [
      "infeasible",
      "infeasible",
      "INFEASIBLE",
    ]);
    assertStringIncludes(answer.reason!.message, 'what cannot hold is "heat" and "moisture" together');
    assertEquals(answer.violations!.map(({ name, side, limit, units }) => [name, side, limit, units]), [
      ["heat", "lower", 9, "t/h"],
      ["moisture", "upper", 5, "t/h"],
    ]);
    for (const { name, amount } of answer.violations!) {
      assertAlmostEquals(amount, GIVES[name as keyof typeof GIVES], 1e-4, name);
    }
    const { steam, air, draft } = answer.least_violation!;
    assertAlmostEquals(steam, STEAM, 1e-4);
    assertAlmostEquals(air, 1, 1e-4);
    assert(draft >= 0.2 - 1e-6, `draft ${draft}`);
    assert(answer.actuators.every(({ delta }) => delta === 0));
    assertEquals([answer.active_limits, answer.cost_function_value], [[], 4]);

    let scheduled: CycleRow | undefined;
    await eventually("a scheduled cycle has run", async () => {
      const { cycles } = await service.json("/cycles") as unknown as { cycles: CycleRow[] };
      return (scheduled = cycles.find(({ origin }) => origin === "schedule")) !== undefined;
    });
    assertEquals([scheduled!.outcome, scheduled!.actuators.every(({ delta }) => delta === 0)], [
      "infeasible",
      true,
    ]);
    assertStringIncludes(scheduled!.reason!.message, '"heat" and "moisture" together');
  });

  await t.step("deno task optimize", async () => {
    const args = ["optimize", ...strategy, "--input", `${files.root}/state.json`];
    const { code, stdout } = await task(args);
    assertEquals(code, 0, "an infeasible plant is an answer");
    for (
      const line of [
        '"heat" and "moisture" together',
        "No setpoint moves (3 stay as they are)",
        "Not all of these limits can hold; each would have to give so much:",
        "Cannot hold heat: at best 8.289",
        "Cannot hold moisture: at best 5.39",
        "(at the point of least violation: steam 4.39",
      ]
    ) assertStringIncludes(stdout, line);
    assert(!stdout.includes("suction: at best"), stdout);
    const json = JSON.parse((await task([...args, "--json"])).stdout) as Answer;
    assertEquals(json.violations!.map(({ name }) => name), ["heat", "moisture"]);
  });
});
