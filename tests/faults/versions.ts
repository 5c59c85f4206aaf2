/** Versions of a small strategy with a model, each of whose answers shows which version computed which part of it. */
import { publish } from "../../runtime/artifacts/publish.ts";
import { writePointer } from "../../runtime/artifacts/pointer.ts";
import type { ArtifactStore } from "../../runtime/artifacts/store.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import { writeOnnx } from "../../runtime/graph/onnx_writer.ts";
import type { Answer } from "../../runtime/kernel/types.ts";

/** cost = 1000·major + model(x), the model gives major·x, and its scaler adds major/1000. */
export async function publishVersion(
  store: ArtifactStore,
  major: number,
  { formula = `${1000 * major} + part` } = {},
): Promise<string> {
  const version = `${major}.0.0`;
  const encode = (text: string) => new TextEncoder().encode(text);
  const scalers = { format: "setpoint/scalers/v1", scalers: { part: { scale: 1, offset: -major / 1000 } } };
  await publish(
    store,
    new Map([
      [`configs/config-${version}.yaml`, encode(strategyOf(version, formula))],
      [`models/v${major}.onnx`, gain(major)],
      [`models/v${major}.json`, encode(JSON.stringify(scalers))],
    ]),
  );
  return version;
}

export const STATE = { x: 5 };

/** What each version answers: x moves down to 4. */
export function costOf(version: string): number {
  const major = parseInt(version);
  return 1000 * major + major * 4 + major / 1000;
}

/** Whether strategy, formula, model and scaler of an answer are of one version. */
export function isWhole({ outcome, strategy, cost_function_value: cost }: Answer): boolean {
  return outcome === "solved" && Math.abs(cost! - costOf(strategy.version)) < 1e-5;
}

export async function deploy(metadata: string, version: string): Promise<void> {
  await Deno.mkdir(metadata, { recursive: true });
  await writePointer(metadata, version);
}

/** The pointer is looked at 50 times as often; all other times are real. */
export const watchful: Clock = {
  ...systemClock,
  every: (ms, fn) => systemClock.every(ms === 5000 ? 100 : ms, fn),
};

function strategyOf(version: string, formula: string): string {
  const major = parseInt(version);
  return `apiVersion: setpoint/v1
name: versions
version: ${version}
objective: { minimize: cost }
variables:
  x: { type: Operative, units: "-", threshold: 1 }
  part: { type: Predicted, units: "-" }
  cost: { type: CalculatedKPI, units: "-" }
skills:
  predict:
    class: InferenceModel
    inputs: [x]
    outputs: [part]
    config: { model_path: v${major}.onnx, scaler_path: v${major}.json }
  find_cost: { class: MathFunction, inputs: [part], outputs: [cost], config: { formula: ${formula} } }
  run: { class: CompositionSkill, outputs: [cost], config: { skill_sequence: [predict, find_cost] } }
  best:
    class: OptimizationSkill
    inputs: [x]
    outputs: [x]
    config: { cost_skill_name: run, cost_feature_name: cost }
tasks: [{ name: Optimize, skill_sequence: [best] }]
`;
}

function gain(factor: number): Uint8Array<ArrayBuffer> {
  return writeOnnx({
    name: "gain",
    opsets: { "": 17 },
    irVersion: 8,
    inputs: [{ name: "input", shape: ["batch", 1] }],
    outputs: [{ name: "output", shape: ["batch", 1] }],
    initializers: [{ name: "w", shape: [1, 1], data: [factor], type: "float" }],
    nodes: [{ op: "MatMul", inputs: ["input", "w"], outputs: ["output"] }],
  }) as Uint8Array<ArrayBuffer>;
}
