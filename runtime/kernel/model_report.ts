/** What a model or scaler file holds, and what of it can become part of the graph. Nothing in the file is executed. */
import { type Expression, reachable } from "../graph/expr.ts";
import { tooLarge } from "../graph/expression.ts";
import { GraphError } from "../graph/graph_error.ts";
import { type Forest, forestOf } from "../graph/forest.ts";
import {
  METADATA_FORMAT,
  metadataOfJson,
  parseJson,
  SCALERS_FORMAT,
  scalersOfJson,
} from "../graph/model_json.ts";
import { lowerOnnx, type OnnxPort, refusal } from "../graph/onnx.ts";
import { type NodeProto, printNode, readOnnx } from "../graph/onnx_reader.ts";
import type { ExternalFile } from "../graph/onnx_tensor.ts";
import { readScalers } from "../graph/scaler_file.ts";
import { lowerTorch } from "../graph/torch_lower.ts";
import { type TorchOptions, torchSteps } from "../graph/torch_steps.ts";
import { readLayers, type TorchLayer } from "../graph/torch_layers.ts";
import { readTorch } from "../graph/torch_file.ts";

export { TORCH_ACTIVATIONS, type TorchActivation, type TorchOptions } from "../graph/torch_steps.ts";

export type ModelFormat = "onnx" | "torch" | "scalers" | "metadata";

export interface ModelReport {
  readonly format: ModelFormat;
  /** e.g. "opset 17, ai.onnx.ml 3". */
  readonly about: string;
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  /** Layers, nodes or scalers, in order: what it is, its name, its shape or numbers, and why it cannot be lowered. */
  readonly parts: readonly ReportedPart[];
  /** Operator → how often; empty where there are none. */
  readonly operators: Readonly<Record<string, number>>;
  readonly lowered: boolean;
  /** Nodes of the graph that it becomes, where it does, and decision trees in it. */
  readonly graphNodes?: number;
  readonly trees?: number;
  /** Why it stays opaque or cannot be read further. */
  readonly why?: string;
}

export interface ReportedPart {
  readonly kind: string;
  readonly name: string;
  readonly shape: string;
  readonly why?: string;
}

export interface ReportOptions extends TorchOptions {
  /** The file's name, whose ending tells a scaler from a legacy `.pth`. */
  readonly name: string;
  readonly externalFile?: ExternalFile;
}

/** A zip archive or a pickle is torch's or a scaler, an ONNX file starts with neither; JSON says what it is. */
export function formatOf(bytes: Uint8Array, name: string): ModelFormat {
  if (/\.(pkl|pickle|joblib)$/i.test(name)) return "scalers";
  if (/\.json$/i.test(name)) return parseJson(bytes)?.format === SCALERS_FORMAT ? "scalers" : "metadata";
  return bytes[0] === 0x80 || (bytes[0] === 0x50 && bytes[1] === 0x4b) ? "torch" : "onnx";
}

/** @throws {GraphError} If the file is not what its first bytes say. */
export function reportModel(bytes: Uint8Array, options: ReportOptions): ModelReport {
  switch (formatOf(bytes, options.name)) {
    case "onnx":
      return reportOnnx(bytes, options);
    case "torch":
      return reportTorch(bytes, options);
    case "scalers":
      return reportScalers(bytes);
    case "metadata":
      return reportMetadata(bytes);
  }
}

function reportOnnx(bytes: Uint8Array, { externalFile }: ReportOptions): ModelReport {
  const model = readOnnx(bytes);
  const shapes = new Map<NodeProto, string>();
  const onNode = (node: NodeProto, list: readonly (readonly number[])[]) =>
    void shapes.set(node, list.map((shape) => `[${shape.join(", ")}]`).join(" "));
  const result = lowerOnnx(bytes, { onNode, ...(externalFile && { externalFile }) });
  // lowerOnnx reads the file itself: its nodes are others than these, in the same order.
  const inOrder = [...shapes].filter(([node]) => node.index < model.nodes.length);
  const shapeAt = new Map(
    inOrder.map(([node, shape]) => [`${node.index} ${node.op} ${node.outputs}`, shape]),
  );
  const operators: Record<string, number> = {};
  const parts = model.nodes.map((node): ReportedPart => {
    const kind = node.domain === "" ? node.op : `${node.domain}.${node.op}`;
    operators[kind] = (operators[kind] ?? 0) + 1;
    const shape = shapeAt.get(`${node.index} ${node.op} ${node.outputs}`) ?? "";
    const own = result.opaque?.node === printNode(node) ? result.opaque.why : undefined;
    const why = refusal(model, node) ?? own;
    return { kind, name: node.name || node.outputs[0] || "", shape, ...(why !== undefined && { why }) };
  });
  const forests = result.opaque === undefined ? forestsOf(result.expression) : [];
  const ensembles = parts.filter(({ kind }) => kind.startsWith("ai.onnx.ml.TreeEnsemble"));
  const told = forests.length !== ensembles.length ? parts : parts.map((part): ReportedPart => {
    const forest = forests[ensembles.indexOf(part)];
    if (forest === undefined) return part;
    const { roots, depth, leaves, bits } = forest;
    return {
      ...part,
      shape: `${part.shape} ${roots.length} trees, depth ${depth}, ${leaves} leaves, ${bits} bits`,
    };
  });
  const opsets = [...model.opsets].map(([domain, version]) => `${domain || "opset"} ${version}`);
  const common = { format: "onnx" as const, about: opsets.join(", "), parts: told, operators };
  const { inputs, outputs } = result;
  const heavy = result.opaque === undefined ? tooLarge(result.expression) : undefined;
  if (heavy !== undefined) return { ...common, inputs, outputs, lowered: false, why: heavy };
  if (result.opaque === undefined) {
    const trees = forests.reduce((sum, { roots }) => sum + roots.length, 0);
    const graphNodes = sizeOf(result.expression);
    return { ...common, inputs, outputs, lowered: true, graphNodes, ...(trees > 0 && { trees }) };
  }
  const { node, why } = result.opaque;
  return { ...common, inputs, outputs, lowered: false, why: `${node}: ${why}` };
}

/** The tree ensembles in it, in their order. */
function forestsOf({ graph, outputs }: Expression): Forest[] {
  return reachable(graph, outputs).map((id) => graph.nodes[id]).filter(({ op }) => op === "trees")
    .map(({ data, args, length }) => forestOf(data!, graph.nodes[args[0]].length, length));
}

function reportTorch(bytes: Uint8Array, options: ReportOptions): ModelReport {
  const { layers, count } = readLayers(readTorch(bytes));
  const parts = torchSteps(bytes, options).steps.map((step): ReportedPart =>
    step.kind === "activation"
      ? {
        kind: step.activation,
        name: options.activation ? "" : "assumed: the file does not tell",
        shape: "",
      }
      : {
        kind: { linear: "Linear", batchnorm: "BatchNorm1d", layernorm: "LayerNorm" }[step.kind],
        name: step.name,
        shape: shapeOf(step),
      }
  );
  const operators: Record<string, number> = {};
  for (const { kind } of parts) operators[kind] = (operators[kind] ?? 0) + 1;
  const about = `state dict, ${
    count ?? "unknown number of"
  } layers, ${layers.length} of them with parameters`;
  const expression = lowerTorch(bytes, options);
  const heavy = tooLarge(expression);
  const port = (name: string, length: number) => [{ name, shape: [1, length], length }];
  return {
    format: "torch",
    about,
    inputs: port("input", expression.sources),
    outputs: port("output", expression.outputs.length),
    parts,
    operators,
    lowered: heavy === undefined,
    ...(heavy === undefined
      ? { graphNodes: sizeOf(expression) }
      : { why: `${heavy}; model:import makes ONNX of it` }),
  };
}

function shapeOf(layer: TorchLayer): string {
  return layer.kind === "linear" ? `${layer.columns} → ${layer.rows}` : `${layer.gamma.length}`;
}

function reportScalers(bytes: Uint8Array): ModelReport {
  const content = parseJson(bytes);
  const scalers = content === undefined ? readScalers(bytes) : scalersOfJson(content, refuse);
  const parts = [...scalers].map(([name, { scale, offset, min, max }]): ReportedPart => ({
    kind: "scaler",
    name,
    shape: `${scale}·x ${offset < 0 ? "−" : "+"} ${Math.abs(offset)}` +
      (min === undefined ? "" : `, from ${min} … ${max}`),
  }));
  const about = `${parts.length} scalers`;
  return { format: "scalers", about, inputs: [], outputs: [], parts, operators: {}, lowered: true };
}

function reportMetadata(bytes: Uint8Array): ModelReport {
  const content = parseJson(bytes) ?? refuse("it is not JSON");
  if (content.format !== METADATA_FORMAT) {
    const own = content.format === undefined
      ? "it names no format"
      : `its format is ${JSON.stringify(content.format)}`;
    refuse(`${own}, expected "${METADATA_FORMAT}" or "${SCALERS_FORMAT}"`);
  }
  const { ranges, golden } = metadataOfJson(content, {}, refuse);
  const parts = [...ranges].map(([name, [low, high]]): ReportedPart => ({
    kind: "range",
    name,
    shape: `${low} … ${high}`,
  }));
  const about = `${ranges.size} training ranges, ${golden.length} golden vectors`;
  return { format: "metadata", about, inputs: [], outputs: [], parts, operators: {}, lowered: true };
}

function refuse(reason: string): never {
  throw new GraphError("JSON", `Cannot read the file: ${reason}`);
}

function sizeOf({ graph, outputs }: Expression): number {
  return reachable(graph, outputs).length;
}
