/** A model or scaler that is replaced beside a strategy file is taken up like a changed strategy, or not at all. */
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import { ROOT } from "../../runtime/config.ts";
import { writeOnnx } from "../../runtime/graph/onnx_writer.ts";
import { eventually } from "../std/eventually.ts";
import { openKernel } from "./open_kernel.ts";

/** y = factor·x. */
function model(factor: number): Uint8Array {
  return writeOnnx({
    name: "line",
    inputs: [{ name: "x", shape: ["n", 1] }],
    outputs: [{ name: "y", shape: ["n", 1] }],
    initializers: [{ name: "w", shape: [1, 1], data: [factor] }],
    nodes: [{ op: "MatMul", inputs: ["x", "w"], outputs: ["y"] }],
  });
}

function scaler(scale: number): string {
  return JSON.stringify({ format: "setpoint/scalers/v1", scalers: { steam: { scale }, heat: { scale: 1 } } });
}

const STRATEGY = `apiVersion: setpoint/v1
name: line
version: 1.0.0
variables:
  steam: { type: Operative, units: t/h, threshold: 1, min: 0, max: 10 }
  heat: { type: Predicted, units: "-" }
  cost: { type: CalculatedKPI, units: "-" }
skills:
  predict:
    class: InferenceModel
    inputs: [steam]
    outputs: [heat]
    config: { model_path: models/heat.onnx, scaler_path: ../models/heat.json }
  spend: { class: MathFunction, inputs: [heat], outputs: [cost], config: { formula: heat } }
  all: { class: CompositionSkill, outputs: [cost], config: { skill_sequence: [predict, spend] } }
  best: { class: OptimizationSkill, inputs: [steam], outputs: [steam], config: { cost_skill_name: all, cost_feature_name: cost } }
tasks:
  - { name: main, skill_sequence: [best] }
`;

async function replace(file: string, content: Uint8Array | string): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await Deno.writeFile(`${file}.new`, bytes);
  await Deno.rename(`${file}.new`, file);
}

Deno.test("a replaced model or scaler is in use soon; one that is broken is told, and what ran before stays", async () => {
  const files = { "models/heat.onnx": model(2), "models/heat.json": scaler(1) };
  await using open = await openKernel({ strategy: STRATEGY, files });
  const { kernel, folder } = open;
  const costAt4 = async () => (await open.answer({ steam: 4 })).cost_before;
  const deployment = () => kernel.status().reasons.find(({ code }) => code === "DEPLOYMENT")?.message;
  const number = () => open.lines.filter((line) => line.includes("are in use")).length;
  assertEquals(await costAt4(), 8);
  await replace(`${folder}/models/heat.onnx`, model(3));
  await eventually("the new model", async () => await costAt4() === 12);
  await replace(`${folder}/models/heat.json`, scaler(0.5));
  await eventually("the new scaler", async () => await costAt4() === 6);
  assertEquals(number(), 2);

  await replace(`${folder}/models/heat.onnx`, model(5).subarray(0, 60));
  await eventually("the broken model is told", () => deployment() !== undefined);
  assertStringIncludes(deployment()!, "models/heat.onnx");
  assertStringIncludes(deployment()!, "Cannot read the model");
  assertEquals(await costAt4(), 6);

  await replace(`${folder}/models/heat.onnx`, model(7));
  await eventually("the mended model", async () => await costAt4() === 14);
  assertEquals([deployment(), number()], [undefined, 3]);
  // Looked at again, nothing has changed.
  await new Promise((done) => setTimeout(done, 1200));
  assertEquals(number(), 3);
});

Deno.test("weights that lie beside a model are watched too", async () => {
  const fixture = (name: string) => Deno.readFileSync(`${ROOT}/tests/fixtures/onnx/${name}`);
  const data = fixture("dynamo_external.onnx.data");
  const files = {
    "dynamo_external.onnx": fixture("dynamo_external.onnx"),
    "dynamo_external.onnx.data": data,
  };
  const text = await Deno.readTextFile(`${ROOT}/tests/fixtures/onnx/external.yaml`);
  await using open = await openKernel({ strategy: text, files });
  const state = { a: 0.1, b: 0.2, c: 0.3, d: 0.4 };
  const costOf = async () => (await open.answer(state)).cost_before!;
  const before = await costOf();
  const halved = Float32Array.from(new Float32Array(data.slice().buffer), (weight) => weight / 2);
  await replace(`${open.folder}/dynamo_external.onnx.data`, new Uint8Array(halved.buffer));
  await eventually("the new weights", async () => Math.abs(await costOf() - before) > 1e-3);
  await replace(`${open.folder}/dynamo_external.onnx.data`, data);
  await eventually("the old weights", async () => Math.abs(await costOf() - before) < 1e-9);
  assertAlmostEquals(await costOf(), before, 1e-12);
  assert(open.lines.filter((line) => line.includes("are in use")).length === 2);
});

/** Limits of time are far away: the machine may be slow and busy, and ONNX Runtime has 250 ms for a call. */
const patient: Clock = { ...systemClock, after: (ms, fn) => systemClock.after(100 * ms, fn) };

Deno.test("a model that stays opaque is told in one line with node, operator and why, and still answers", async () => {
  const fixture = Deno.readFileSync(`${ROOT}/tests/fixtures/onnx/sk_neighbours.onnx`);
  const strategy = STRATEGY
    .replace(
      "  heat:",
      '  feed: { type: Informative, units: "-" }\n  air: { type: Informative, units: "-" }\n  heat:',
    )
    .replace("inputs: [steam]", "inputs: [steam, feed, air]")
    .replace(", scaler_path: ../models/heat.json", "");
  await using open = await openKernel({ strategy, files: { "models/heat.onnx": fixture }, clock: patient });
  const lines = open.lines.filter((line) => line.includes("runs in ONNX Runtime"));
  assertEquals(lines.length, 1);
  assertStringIncludes(
    lines[0],
    'skill "predict" runs in ONNX Runtime: node "To_TopK" (TopK): this operator has no derivatives here',
  );
  const { status, reason } = await open.answer({ steam: 5, feed: 300, air: 0 });
  assertEquals(status, "success", JSON.stringify(reason));
});
