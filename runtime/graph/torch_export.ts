/**
 * The network of a state dict as an ONNX model, layer by layer as torch's own exporter writes it, from "input"
 * [batch, inputs] to "output" [batch, outputs]. The weights are the file's, bit by bit: 32-bit numbers where all of them
 * are such, else 64-bit ones, which ONNX Runtime has no Gelu for.
 */
import { GraphError } from "./graph_error.ts";
import { type OnnxNodeSpec, type OnnxTensorSpec, writeOnnx } from "./onnx_writer.ts";
import type { TorchLayer } from "./torch_layers.ts";
import type { TorchActivation, TorchSteps } from "./torch_steps.ts";

/** The first with Gelu, and the IR version that goes with it. */
const OPSET = 20;
const IR_VERSION = 9;

/** All have torch's parameters by default. SiLU is its sigmoid times the value. */
const OPERATORS: Readonly<Record<TorchActivation, string>> = {
  gelu: "Gelu",
  relu: "Relu",
  tanh: "Tanh",
  sigmoid: "Sigmoid",
  silu: "Sigmoid",
  elu: "Elu",
  selu: "Selu",
  leaky_relu: "LeakyRelu",
  mish: "Mish",
  softplus: "Softplus",
  identity: "Identity",
};

/** @throws {GraphError} TORCH if `eps` cannot be written: ONNX rounds it to 32 bits. */
export function exportTorch(
  { inputs, outputs, steps, eps }: TorchSteps,
  name: string,
): Uint8Array<ArrayBuffer> {
  const nodes: OnnxNodeSpec[] = [];
  const tensors: OnnxTensorSpec[] = [];
  const type = steps.every((step) => step.kind === "activation" || weightsOf(step).every(isFloat))
    ? "float"
    : "double";
  if (!(Math.fround(eps) > 0)) throw new GraphError("TORCH", `Cannot write the model: its eps is ${eps}`);
  let value = "input";
  for (const [i, step] of steps.entries()) {
    const output = i === steps.length - 1 ? "output" : `value_${i + 1}`;
    if (step.kind === "activation") {
      const gated = step.activation === "silu" ? `gate_${i + 1}` : output;
      nodes.push({ op: OPERATORS[step.activation], inputs: [value], outputs: [gated] });
      if (gated !== output) nodes.push({ op: "Mul", inputs: [value, gated], outputs: [output] });
    } else {
      const weights = weightsOf(step).map((data, k) => {
        const shape = step.kind === "linear" && k === 0 ? [step.rows, step.columns] : [data.length];
        const tensor = { name: `${step.name}.${PARTS[step.kind][k]}`, shape, data, type } as const;
        tensors.push(tensor);
        return tensor.name;
      });
      const epsilon = { epsilon: { float: eps } };
      const [op, attributes] = ({
        linear: ["Gemm", { transB: { int: 1 } }],
        batchnorm: ["BatchNormalization", epsilon],
        layernorm: ["LayerNormalization", { axis: { int: -1 }, ...epsilon }],
      } as const)[step.kind];
      nodes.push({ op, name: step.name, inputs: [value, ...weights], outputs: [output], attributes });
    }
    value = output;
  }
  return writeOnnx({
    name,
    opsets: { "": OPSET },
    irVersion: IR_VERSION,
    inputs: [{ name: "input", shape: ["batch", inputs], type }],
    outputs: [{ name: "output", shape: ["batch", outputs], type }],
    initializers: tensors,
    nodes,
  });
}

/** Names of {@linkcode weightsOf}. */
const PARTS: Readonly<Record<TorchLayer["kind"], readonly string[]>> = {
  linear: ["weight", "bias"],
  batchnorm: ["weight", "bias", "running_mean", "running_var"],
  layernorm: ["weight", "bias"],
};

/** In the order of the operator's inputs. */
function weightsOf(layer: TorchLayer): readonly Float64Array[] {
  switch (layer.kind) {
    case "linear":
      return [layer.weight, layer.bias];
    case "batchnorm":
      return [layer.gamma, layer.beta, layer.mean, layer.variance];
    case "layernorm":
      return [layer.gamma, layer.beta];
  }
}

function isFloat(data: Float64Array): boolean {
  return data.every((value) => Math.fround(value) === value);
}
