import { SetpointError } from "../../runtime/errors.ts";
import type { GoldenVector } from "../../runtime/graph/model_json.ts";
import { writeOnnx } from "../../runtime/graph/onnx_writer.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "../std/assert.ts";
import { openKernel } from "./open_kernel.ts";

/** The two largest of four numbers: sorting stays with ONNX Runtime. */
const MODEL = writeOnnx({
  name: "largest",
  inputs: [{ name: "x", shape: ["n", 4] }],
  outputs: [{ name: "y", shape: ["n", 2] }],
  initializers: [{ name: "k", shape: [1], data: [2], type: "int64" }],
  nodes: [{ op: "TopK", inputs: ["x", "k"], outputs: ["y", "i"], attributes: { axis: { int: 1 } } }],
});

const STRATEGY = `apiVersion: setpoint/v1
name: largest
version: 1.0.0
variables:
  a: { type: Operative, units: "-", threshold: 0.1, min: -1, max: 1 }
  b: { type: Informative, units: "-" }
  c: { type: Informative, units: "-" }
  d: { type: Informative, units: "-" }
  y: { type: Predicted, units: "-" }
  z: { type: Predicted, units: "-" }
  cost: { type: CalculatedKPI, units: "-" }
skills:
  model:
    class: InferenceModel
    inputs: [a, b, c, d]
    outputs: [y, z]
    config: { model_path: m.onnx, scaler_path: s.json, metadata_path: d.json }
  sum: { class: MathFunction, inputs: [y, z], outputs: [cost], config: { formula: y + z } }
  all: { class: CompositionSkill, outputs: [cost], config: { skill_sequence: [model, sum] } }
  best: { class: OptimizationSkill, inputs: [a], outputs: [a], config: { cost_skill_name: all, cost_feature_name: cost } }
tasks:
  - { name: main, skill_sequence: [best] }
`;

const identity = { scale: 1, offset: 0 };
const SCALERS = {
  format: "setpoint/scalers/v1",
  scalers: {
    a: { scale: 2, offset: 1 },
    b: identity,
    c: identity,
    d: identity,
    y: { scale: 4, offset: 3 },
    z: identity,
  },
};

function open(golden: readonly GoldenVector[]) {
  return openKernel({
    strategy: STRATEGY,
    files: {
      "m.onnx": MODEL,
      "s.json": JSON.stringify(SCALERS),
      "d.json": JSON.stringify({ format: "setpoint/model/v1", golden }),
    },
  });
}

Deno.test("golden vectors of a model that ONNX Runtime runs are checked at load, in units or in its own numbers", async () => {
  const inputs = Array.from({ length: 70 }, (_, i) => [0.25 * (i % 5), -0.5, i / 64, 0.125]);
  const largest = (row: readonly number[]) => row.toSorted((a, b) => b - a).slice(0, 2);
  const own = inputs.map((input) => ({ input, output: largest(input) }));
  const inUnits = inputs.map((input) => {
    const [first, second] = largest([2 * input[0] + 1, ...input.slice(1)]);
    return { input, output: [(first - 3) / 4, second] };
  });
  for (const golden of [own, inUnits]) {
    await using kernel = await open(golden);
    assertEquals((await kernel.answer({ a: 0.1, b: 0.2, c: 0.3, d: 0.4 })).status, "success");
  }
  const wrong = inUnits.with(66, { ...inUnits[66], output: [inUnits[66].output[0], 7] });
  const error = await assertRejects(() => open(wrong), SetpointError);
  assertEquals(error.code, "MODEL_INVALID");
  assertStringIncludes(error.message, 'm.onnx" of skill "model": for golden vector 67 of "');
  assertStringIncludes(error.message, 'd.json" its output 2 is 1.03125, expected 7');
});
