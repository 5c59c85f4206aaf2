/** The network of a state dict as a graph. */
import { type Expression, Graph, type NodeId } from "./expr.ts";
import type { BatchNormLayer, LayerNormLayer, LinearLayer } from "./torch_layers.ts";
import { LEAK, SELU, type TorchActivation, type TorchOptions, torchSteps } from "./torch_steps.ts";

type Activation = (graph: Graph, x: NodeId) => NodeId;

const ACTIVATIONS: Readonly<Record<TorchActivation, Activation>> = {
  gelu: (graph, x) => graph.unary("gelu", x),
  relu: (graph, x) => graph.binary("max", x, graph.constant(0)),
  tanh: (graph, x) => graph.unary("tanh", x),
  sigmoid: (graph, x) => graph.unary("sigmoid", x),
  silu: (graph, x) => graph.binary("mul", x, graph.unary("sigmoid", x)),
  elu: (graph, x) => exponentialUnit(graph, x, 1, 1),
  selu: (graph, x) => exponentialUnit(graph, x, SELU.alpha, SELU.scale),
  leaky_relu: (graph, x) => graph.binary("max", x, graph.binary("mul", x, graph.constant(LEAK))),
  mish: (graph, x) => graph.binary("mul", x, graph.unary("tanh", graph.unary("softplus", x))),
  softplus: (graph, x) => graph.unary("softplus", x),
  identity: (_graph, x) => x,
};

/** scale·x above 0, scale·alpha·(e^x − 1) below. */
function exponentialUnit(graph: Graph, x: NodeId, alpha: number, scale: number): NodeId {
  const below = graph.binary("sub", graph.unary("exp", x), graph.constant(1));
  const chosen = graph.select(
    graph.binary("lt", x, graph.constant(0)),
    graph.binary("mul", below, graph.constant(alpha)),
    x,
  );
  return graph.binary("mul", chosen, graph.constant(scale));
}

/**
 * The network of a `.pth` file for one row: one source an input, one output a row of the last Linear.
 * @throws {GraphError} As {@linkcode torchSteps}.
 */
export function lowerTorch(bytes: Uint8Array, options: TorchOptions = {}): Expression {
  const { inputs: sources, outputs: count, steps, eps } = torchSteps(bytes, options);
  const graph = new Graph();
  let x = graph.concat(Array.from({ length: sources }, (_, i) => graph.parameter(i)));
  for (let i = 0; i < steps.length; i++) {
    const [step, next] = [steps[i], steps[i + 1]];
    if (step.kind === "activation") x = ACTIVATIONS[step.activation](graph, x);
    else if (step.kind === "layernorm") x = layerNorm(graph, x, step, eps);
    else if (step.kind === "batchnorm") x = batchNorm(graph, x, step, eps);
    else if (next?.kind === "batchnorm") {
      x = foldedLinear(graph, x, step, next, eps);
      i++;
    } else x = graph.linear(step.weight, x, step.bias);
  }
  const outputs = Array.from({ length: count }, (_, i) => graph.slice(x, i, 1));
  return { graph, sources, outputs };
}

/** y = (x − mean)/√(variance + eps)·gamma + beta as y = factor·x + rest. */
function affine(layer: BatchNormLayer, eps: number): { factor: Float64Array; rest: Float64Array } {
  const { mean, variance, gamma, beta } = layer;
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
