import { assert, assertAlmostEquals, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { writeOnnx } from "../../runtime/graph/onnx_writer.ts";
import { openKernel } from "./open_kernel.ts";

/** Heat is 10·steam + pressure, and worth 1 each; the model has seen steam from 2 to 6 t/h at 1 to 3 bar. */
const MODEL = writeOnnx({
  name: "heat",
  inputs: [{ name: "x", shape: ["n", 2] }],
  outputs: [{ name: "y", shape: ["n", 1] }],
  initializers: [{ name: "w", shape: [2, 1], data: [10, 1] }],
  nodes: [{ op: "MatMul", inputs: ["x", "w"], outputs: ["y"] }],
});
const METADATA = JSON.stringify({
  format: "setpoint/model/v1",
  ranges: { steam: [2, 6], pressure: [1, 3] },
});

function strategy(config: string, range = ""): string {
  return `
apiVersion: setpoint/v1
name: heater
version: 1.0.0
${range}
variables:
  steam: { type: Operative, units: t/h, threshold: 1, min: 0, max: 10 }
  pressure: { type: Informative, units: bar }
  heat: { type: Predicted, units: "-" }
  cost: { type: CalculatedKPI, units: "-" }
skills:
  heat_model:
    class: InferenceModel
    inputs: [steam, pressure]
    outputs: [heat]
    config: { model_path: heat.onnx, metadata_path: heat.json${config} }
  spend: { class: MathFunction, inputs: [heat], outputs: [cost], config: { formula: -heat } }
  all: { class: CompositionSkill, outputs: [cost], config: { skill_sequence: [heat_model, spend] } }
  best:
    class: OptimizationSkill
    inputs: [steam]
    outputs: [steam]
    config: { cost_skill_name: all, cost_feature_name: cost }
tasks:
  - { name: main, skill_sequence: [best] }
`;
}

const open = (config: string, range?: string) =>
  openKernel({ strategy: strategy(config, range), files: { "heat.onnx": MODEL, "heat.json": METADATA } });

function codes(warnings: readonly { readonly code: string }[]): string[] {
  return warnings.map(({ code }) => code);
}

Deno.test("an answer outside of a training range carries a warning, unless the strategy says off", async () => {
  await using kernel = await open("");
  const { status, actuators: [steam], warnings, active_limits } = await kernel.answer({
    steam: 5.5,
    pressure: 2,
  });
  assertEquals([status, codes(warnings)], ["success", ["MODEL_EXTRAPOLATES"]]);
  assertAlmostEquals(steam.after, 6.5, 1e-6);
  assertEquals(
    warnings[0].message,
    "The model of heat_model is used outside of its training range: steam is 6.5, trained with 2 to 6 t/h",
  );
  assertEquals(active_limits.map(({ name, kind }) => [name, kind]), [["steam", "bound"]]);
  assertEquals(codes((await kernel.answer({ steam: 4, pressure: 2 })).warnings), []);
  await using off = await open(", range: off");
  assertEquals(codes((await off.answer({ steam: 5.5, pressure: 2 })).warnings), []);
});

Deno.test("range: hard ends the search at the training range, with its worth, and names it where it cannot hold", async () => {
  await using kernel = await open(", range: hard");
  const { actuators: [steam], warnings, active_limits } = await kernel.answer({ steam: 5.5, pressure: 2 });
  assert(steam.after <= 6 + 1e-6);
  assertAlmostEquals(steam.after, 6, 1e-6);
  const limit = active_limits.find(({ kind }) => kind === "limit")!;
  assertEquals([limit.name, limit.side, limit.limit, limit.units], [
    "steam in the training range of heat_model",
    "upper",
    6,
    "t/h",
  ]);
  assertAlmostEquals(limit.shadow_price!, 10, 1e-3);
  assertEquals(codes(warnings), []);

  // One threshold does not reach the range.
  const far = await kernel.answer({ steam: 8, pressure: 2 });
  assertEquals([far.status, far.actuators[0].delta], ["infeasible", 0]);
  const missed = far.violations!.map(({ name, limit, amount, units }) => [
    name,
    limit,
    Number(amount.toFixed(6)),
    units,
  ]);
  assertEquals(missed, [
    ["steam in the training range of heat_model", 6, 1, "t/h"],
  ]);
  assertEquals(codes(far.warnings), ["MODEL_EXTRAPOLATES"]);
  // Nobody moves the pressure.
  const blown = await kernel.answer({ steam: 4, pressure: 4 });
  assertEquals(
    blown.violations!.map(({ name, side, amount }) => [name, side, amount]),
    [["pressure in the training range of heat_model", "upper", 1]],
  );
});

Deno.test("range: soft gives way to what is worth more than its weight, for one model or the whole strategy", async () => {
  // Worth of one t/h is 10; leaving the range of 4 t/h by 1 costs weight / 4.
  for (
    const [config, range, after] of [
      [", range: soft", "", 6],
      [", range: soft, range_weight: 50", "", 6],
      [", range: soft, range_weight: 30", "", 6.5],
      ["", "range: soft", 6],
      [", range: warn", "range: hard", 6.5],
    ] as const
  ) {
    await using kernel = await open(config, range);
    const { actuators: [steam], cost_function_value } = await kernel.answer({ steam: 5.5, pressure: 2 });
    assertAlmostEquals(steam.after, after, 1e-5, config);
    // The penalty is the search's, not the plant's.
    assertAlmostEquals(cost_function_value!, -(10 * after + 2), 1e-4);
  }
});

Deno.test("a strategy that keeps a range which nobody knows does not load", async () => {
  const text = strategy(", range: hard").replace(", metadata_path: heat.json", "");
  const error = await assertRejects(() =>
    openKernel({ strategy: text, files: { "heat.onnx": MODEL } }).then((kernel) =>
      kernel[Symbol.asyncDispose]()
    )
  );
  assertStringIncludes(
    (error as Error).message,
    'Skill "heat_model" has no training range of "steam", "pressure" to keep: expected it in the "ranges" of',
  );
});
