/**
 * A state dict holds the weights of a network and not what is done with them. That is inferred for plain Sequential
 * networks, whose layers are numbered. Names and shapes tell the layers with parameters; a gap in the numbers tells that
 * others stand there. Between two Linears the first gap holds the activation, with or without Dropout, and a second one
 * Dropout alone (Linear, activation, BatchNorm1d, Dropout); no gap, no activation.
 */
import { type Expression, Graph, type NodeId } from "./expr.ts";
import { quote } from "./pickle_value.ts";
import { readTorch, torchError } from "./torch_file.ts";
import {
  type BatchNormLayer,
  type LayerNormLayer,
  type LinearLayer,
  readLayers,
  type TorchLayer,
  type TorchNetwork,
} from "./torch_layers.ts";

export const TORCH_ACTIVATIONS = ["gelu", "relu", "tanh", "sigmoid", "identity"] as const;
export type TorchActivation = (typeof TORCH_ACTIVATIONS)[number];

export interface TorchOptions {
  /** Which activation the network has, as no state dict tells; default "gelu", the exact form with erf. */
  readonly activation?: TorchActivation;
  /** What stands behind the last layer; default nothing, and an error where the file tells that something does. */
  readonly outputActivation?: TorchActivation;
  /** Added to variances by BatchNorm1d and LayerNorm, as no state dict tells; default 1e-5 as in torch. */
  readonly eps?: number;
}

type Activation = (graph: Graph, x: NodeId) => NodeId;

const ACTIVATIONS: Readonly<Record<TorchActivation, Activation>> = {
  gelu: (graph, x) => graph.unary("gelu", x),
  relu: (graph, x) => graph.binary("max", x, graph.constant(0)),
  tanh: (graph, x) => graph.unary("tanh", x),
  sigmoid: (graph, x) => graph.unary("sigmoid", x),
  identity: (_graph, x) => x,
};

/** An activation and Dropout. */
const LARGEST_GAP = 2;
/** Most inputs, and most outputs, of a network. */
const MAX_PORTS = 10_000;

/**
 * The network of a `.pth` file for one row: one source an input, one output a row of the last Linear.
 * @throws {GraphError} TORCH, PICKLE, ZIP; naming the entry where the network is not a plain Sequential.
 */
export function lowerTorch(bytes: Uint8Array, options: TorchOptions = {}): Expression {
  const network = readLayers(readTorch(bytes));
  const { activation = "gelu", outputActivation = "identity", eps = 1e-5 } = options;
  const active = activeGaps(network, options.outputActivation !== undefined);
  const first = network.layers.find((layer) => layer.kind === "linear");
  if (first === undefined) throw torchError("its network has no Linear layer");

  const graph = new Graph();
  const sources = checkedPorts(first.columns, "inputs");
  let x = graph.concat(Array.from({ length: sources }, (_, i) => graph.parameter(i)));
  const { layers } = network;
  for (let i = 0; i < layers.length; i++) {
    const layer = layers[i];
    const next = layers[i + 1];
    checkWidth(layer, graph.nodes[x].length);
    if (layer.kind === "layernorm") x = layerNorm(graph, x, layer, eps);
    else if (layer.kind === "batchnorm") x = batchNorm(graph, x, layer, eps);
    else if (next?.kind === "batchnorm" && next.index === layer.index + 1) {
      checkWidth(next, layer.rows);
      x = foldedLinear(graph, x, layer, next, eps);
      i++;
    } else x = graph.linear(layer.weight, x, layer.bias);
    if (active.has(layers[i])) x = ACTIVATIONS[activation](graph, x);
  }
  x = ACTIVATIONS[outputActivation](graph, x);
  const outputs = Array.from(
    { length: checkedPorts(graph.nodes[x].length, "outputs") },
    (_, i) => graph.slice(x, i, 1),
  );
  return { graph, sources, outputs };
}

/** The layers that an activation follows. */
function activeGaps({ layers, count }: TorchNetwork, outputIsKnown: boolean): Set<TorchLayer> {
  const active = new Set<TorchLayer>();
  // Before the first Linear nothing can be told; afterwards each Linear waits for one activation.
  let begun = false;
  let waiting = false;
  const [first] = layers;
  if (first.index > 0) throw unknownLayers(first.index, `before ${quote(first.name)}`);
  for (let i = 0; i < layers.length - 1; i++) {
    const [layer, next] = [layers[i], layers[i + 1]];
    const gap = next.index - layer.index - 1;
    if (layer.kind === "linear") begun = waiting = true;
    if (gap > (waiting ? LARGEST_GAP : begun ? 1 : 0)) {
      throw unknownLayers(gap, `between ${quote(layer.name)} and ${quote(next.name)}`);
    }
    if (gap > 0 && waiting) active.add(layer);
    if (gap > 0) waiting = false;
  }
  const last = layers[layers.length - 1];
  if (count !== undefined && count > last.index + 1 && !outputIsKnown) {
    throw torchError(
      `${count - last.index - 1} layers without parameters follow ${
        quote(last.name)
      } and the file does not tell which: ` +
        `expected output_activation (${TORCH_ACTIVATIONS.join(", ")}) to say it`,
    );
  }
  return active;
}

function checkedPorts(count: number, what: string): number {
  if (count <= MAX_PORTS) return count;
  throw torchError(`its network has ${count} ${what}, expected at most ${MAX_PORTS}`);
}

function unknownLayers(count: number, where: string) {
  return torchError(
    `${count} layers without parameters stand ${where} and the file does not tell which: ` +
      "expected an activation, then Dropout at most",
  );
}

function checkWidth(layer: TorchLayer, width: number): void {
  const expected = layer.kind === "linear" ? layer.columns : layer.gamma.length;
  if (expected === width) return;
  throw torchError(
    `its layer ${quote(layer.name)} takes ${expected} values, the layer before gives ${width}`,
  );
}

/** y = (x − mean)/√(variance + eps)·gamma + beta as y = factor·x + rest. */
function affine(layer: BatchNormLayer, eps: number): { factor: Float64Array; rest: Float64Array } {
  const { mean, variance, gamma, beta } = layer;
  const bad = variance.findIndex((value) => !(value + eps > 0));
  if (bad >= 0) {
    throw torchError(`its layer ${quote(layer.name)} has the variance ${variance[bad]}, expected 0 or more`);
  }
  const factor = gamma.map((value, i) => value / Math.sqrt(variance[i] + eps));
  return { factor, rest: beta.map((value, i) => value - mean[i] * factor[i]) };
}

function batchNorm(graph: Graph, x: NodeId, layer: BatchNormLayer, eps: number): NodeId {
  const { factor, rest } = affine(layer, eps);
  return graph.binary("add", graph.binary("mul", x, graph.constant(factor)), graph.constant(rest));
}

/** One `linear` for both: the statistics are constants. */
function foldedLinear(
  graph: Graph,
  x: NodeId,
  linear: LinearLayer,
  norm: BatchNormLayer,
  eps: number,
): NodeId {
  const { factor, rest } = affine(norm, eps);
  const weight = linear.weight.map((value, i) => value * factor[Math.floor(i / linear.columns)]);
  return graph.linear(weight, x, linear.bias.map((value, i) => value * factor[i] + rest[i]));
}

function layerNorm(graph: Graph, x: NodeId, { gamma, beta }: LayerNormLayer, eps: number): NodeId {
  const share = graph.constant(1 / gamma.length);
  const centered = graph.binary("sub", x, graph.binary("mul", graph.sum(x), share));
  const variance = graph.binary("mul", graph.sum(graph.binary("mul", centered, centered)), share);
  const deviation = graph.unary("sqrt", graph.binary("add", variance, graph.constant(eps)));
  const scaled = graph.binary("mul", graph.binary("div", centered, deviation), graph.constant(gamma));
  return graph.binary("add", scaled, graph.constant(beta));
}
