/**
 * Makes the kiln's models from a reference file: ONNX networks with 32-bit weights, scalers and metadata as JSON. The
 * three networks are written in three ways that exporters have, so that the reader meets all of them.
 *
 * deno run --allow-read --allow-write=strategies/kiln/models strategies/kiln/make_models.ts REFERENCE.json
 *
 * REFERENCE.json: `{"models": {skill: {"inputs": [...], "output": name, "layers": [...], "scalers": {name: {"affine":
 * {"a", "b"}}}, "metadata"?: {"delta_half_ranges"}}}}`; layers as PyTorch's Sequential: linear, batchnorm1d, gelu (erf),
 * dropout.
 */
import { type OnnxNodeSpec, type OnnxTensorSpec, writeOnnx } from "../../runtime/graph/onnx_writer.ts";
import { normalCdf } from "../../runtime/graph/special.ts";

interface Layer {
  readonly type: "linear" | "batchnorm1d" | "gelu" | "dropout";
  readonly weight: readonly (readonly number[])[];
  readonly bias: readonly number[];
  readonly gamma: readonly number[];
  readonly beta: readonly number[];
  readonly running_mean: readonly number[];
  readonly running_var: readonly number[];
  readonly eps: number;
}

interface Affine {
  readonly a: number;
  readonly b: number;
}

interface ReferenceModel {
  readonly inputs: readonly string[];
  readonly output: string;
  readonly layers: readonly Layer[];
  readonly scalers: Readonly<Record<string, { readonly affine: Affine }>>;
  readonly metadata?: { readonly delta_half_ranges?: Readonly<Record<string, number>> };
}

/** How a network is spelled. */
interface Style {
  readonly opset: number;
  readonly irVersion: number;
  readonly linear: "gemm" | "matmul";
  readonly gelu: "operator" | "erf_div" | "erf_mul";
  /** Weights as lists of numbers in the place of raw bytes. */
  readonly typed: boolean;
}

const STYLES: Readonly<Record<string, Style>> = {
  Kiln_Drive_Current: { opset: 20, irVersion: 9, linear: "gemm", gelu: "operator", typed: false },
  Calciner_outlet_CO: { opset: 17, irVersion: 8, linear: "matmul", gelu: "erf_div", typed: false },
  Clinker_temperature: { opset: 13, irVersion: 7, linear: "gemm", gelu: "erf_mul", typed: true },
};

const folder = new URL("models/", import.meta.url);

if (import.meta.main) {
  const reference = JSON.parse(Deno.readTextFileSync(Deno.args[0]));
  Deno.mkdirSync(folder, { recursive: true });
  for (const model of Object.values(reference.models as Record<string, ReferenceModel>)) writeModel(model);
}

function writeModel(model: ReferenceModel): void {
  const target = plain(model.output);
  const style = STYLES[target] ?? STYLES.Kiln_Drive_Current;
  const file = target.toLowerCase();
  Deno.writeFileSync(new URL(`${file}.onnx`, folder), network(model, target, style));
  const scalers = Object.fromEntries(
    Object.entries(model.scalers).map(([name, { affine }]) => [name, { scale: affine.a, offset: affine.b }]),
  );
  writeJson(`${file}.scalers.json`, { format: "setpoint/scalers/v1", scalers });
  const half = model.metadata?.delta_half_ranges ?? {};
  const ranges = Object.fromEntries(
    model.inputs.filter((name) => plain(name) in half).map((name) => [name, [-half[plain(name)], half[plain(name)]]]),
  );
  writeJson(`${file}.metadata.json`, { format: "setpoint/model/v1", ranges, golden: golden(model, ranges) });
}

function network(model: ReferenceModel, target: string, style: Style): Uint8Array {
  const nodes: OnnxNodeSpec[] = [];
  const initializers: OnnxTensorSpec[] = [];
  let value = "input";
  let count = 0;
  const tensor = (name: string, shape: readonly number[], data: readonly number[]): string => {
    initializers.push({ name, shape, data, typed: style.typed });
    return name;
  };
  const node = (op: string, inputs: string[], attributes: OnnxNodeSpec["attributes"] = {}): string => {
    const output = `v${nodes.length}`;
    nodes.push({ op, inputs, outputs: [output], name: `${op.toLowerCase()}_${nodes.length}`, attributes });
    return output;
  };
  for (const layer of model.layers) {
    const name = `layer${count++}`;
    if (layer.type === "linear") value = linear(layer, name, value);
    else if (layer.type === "batchnorm1d") {
      const parts = [layer.gamma, layer.beta, layer.running_mean, layer.running_var].map((data, i) =>
        tensor(`${name}.${["weight", "bias", "running_mean", "running_var"][i]}`, [data.length], data)
      );
      value = node("BatchNormalization", [value, ...parts], { epsilon: { float: layer.eps } });
    } else if (layer.type === "gelu") value = gelu(value);
    else value = node("Dropout", [value]);
  }
  // The last node's output takes the model's own name.
  nodes.push({ op: "Identity", inputs: [value], outputs: ["output"], name: "identity_out" });
  return writeOnnx({
    name: target,
    opsets: { "": style.opset },
    irVersion: style.irVersion,
    inputs: [{ name: "input", shape: ["batch", model.inputs.length] }],
    outputs: [{ name: "output", shape: ["batch", 1] }],
    initializers,
    nodes,
  });

  function linear(layer: Layer, name: string, x: string): string {
    const [rows, columns] = [layer.weight.length, layer.weight[0].length];
    if (style.linear === "gemm") {
      const weight = tensor(`${name}.weight`, [rows, columns], layer.weight.flat());
      return node("Gemm", [x, weight, tensor(`${name}.bias`, [rows], layer.bias)], { transB: { int: 1 } });
    }
    const transposed = layer.weight[0].flatMap((_, j) => layer.weight.map((row) => row[j]));
    const product = node("MatMul", [x, tensor(`${name}.weight`, [columns, rows], transposed)]);
    return node("Add", [tensor(`${name}.bias`, [rows], layer.bias), product]);
  }

  function gelu(x: string): string {
    if (style.gelu === "operator") return node("Gelu", [x]);
    const constant = (name: string, data: number) =>
      initializers.some((known) => known.name === name) ? name : tensor(name, [], [data]);
    const [half, one] = [constant("half", 0.5), constant("one", 1)];
    if (style.gelu === "erf_div") {
      const share = node("Add", [node("Erf", [node("Div", [x, constant("root_two", Math.SQRT2)])]), one]);
      return node("Mul", [node("Mul", [x, share]), half]);
    }
    const share = node("Add", [one, node("Erf", [node("Mul", [x, constant("root_half", Math.SQRT1_2)])])]);
    return node("Mul", [node("Mul", [half, x]), share]);
  }
}

/** Inputs at the corners of small boxes inside the ranges, and what the layers make of them, in float64. */
function golden(model: ReferenceModel, ranges: Readonly<Record<string, readonly number[]>>) {
  return Array.from({ length: 8 }, (_, k) => {
    const input = model.inputs.map((name, i) => {
      const [low, high] = ranges[name] ?? [-1, 1];
      const share = k === 0 ? 0.5 : ((k * 37 + i * 23 + k * i * 11) % 100) / 100;
      return low + (high - low) * share;
    });
    return { input, output: [evaluate(model, input)] };
  });
}

function evaluate(model: ReferenceModel, input: readonly number[]): number {
  const scaler = (name: string) => model.scalers[plain(name)].affine;
  let x = input.map((value, i) => scaler(model.inputs[i]).a * value + scaler(model.inputs[i]).b);
  for (const layer of model.layers) {
    if (layer.type === "linear") {
      const before = x;
      x = layer.weight.map((row, i) => row.reduce((sum, w, j) => sum + w * before[j], layer.bias[i]));
    } else if (layer.type === "batchnorm1d") {
      const { gamma, beta, running_mean, running_var, eps } = layer;
      x = x.map((value, i) => (value - running_mean[i]) / Math.sqrt(running_var[i] + eps) * gamma[i] + beta[i]);
    } else if (layer.type === "gelu") x = x.map((value) => value * normalCdf(value));
  }
  return (x[0] - scaler(model.output).b) / scaler(model.output).a;
}

function plain(name: string): string {
  return name.replace(/^delta_/, "");
}

function writeJson(file: string, value: unknown): void {
  Deno.writeTextFileSync(new URL(file, folder), `${JSON.stringify(value, null, 1)}\n`);
}
