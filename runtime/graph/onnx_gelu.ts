import type { Graph, NodeId } from "./expr.ts";
import type { OnnxBuilder, OnnxValue } from "./onnx_value.ts";

/** Constants of 32-bit models are that far from the numbers that they mean. */
const NEAR = 1e-6;

/**
 * `value`, or the one operation that it spells: x·(1 + erf(x/√2))/2, in any order and with √2 and ½ rounded to 32 bits,
 * is gelu(x). Exact where the model's constants are not, and its derivatives need no products.
 */
export function fuseGelu(build: OnnxBuilder, value: OnnxValue): OnnxValue {
  if (value.id === undefined) return value;
  const { graph } = build;
  const { constant, factors } = factorsOf(graph, value.id);
  if (Math.abs(constant - 0.5) > NEAR || factors.length !== 2) return value;
  for (const [x, other] of [factors, [factors[1], factors[0]]]) {
    const argument = errorArgument(graph, other);
    if (argument !== undefined && isScaled(graph, argument, x)) {
      return { ...value, id: graph.unary("gelu", x) };
    }
  }
  return value;
}

interface Factors {
  constant: number;
  factors: NodeId[];
}

/** A product taken apart, constants apart; no further than two factors and `depth` levels. */
function factorsOf(graph: Graph, id: NodeId, depth = 5): Factors {
  const { op, args } = graph.nodes[id];
  if (op === "mul" && depth > 0) {
    const [a, b] = args.map((arg) => factorsOf(graph, arg, depth - 1));
    if (a.factors.length + b.factors.length <= 2) {
      return { constant: a.constant * b.constant, factors: [...a.factors, ...b.factors] };
    }
  } else if (op === "div" && depth > 0) {
    const divisor = uniform(graph, args[1]);
    if (divisor !== undefined) {
      const { constant, factors } = factorsOf(graph, args[0], depth - 1);
      return { constant: constant / divisor, factors };
    }
  }
  const constant = uniform(graph, id);
  return constant === undefined ? { constant: 1, factors: [id] } : { constant, factors: [] };
}

/** u where the node is 1 + erf(u). */
function errorArgument(graph: Graph, id: NodeId): NodeId | undefined {
  const node = graph.nodes[id];
  if (node.op !== "add") return undefined;
  for (const [one, error] of [node.args, [node.args[1], node.args[0]]]) {
    if (uniform(graph, one) === 1 && graph.nodes[error].op === "erf") return graph.nodes[error].args[0];
  }
  return undefined;
}

/** Whether `id` is x/√2. */
function isScaled(graph: Graph, id: NodeId, x: NodeId): boolean {
  const { constant, factors } = factorsOf(graph, id);
  return factors.length === 1 && factors[0] === x && Math.abs(constant - Math.SQRT1_2) <= NEAR;
}

/** The one number that all elements of a constant are. */
export function uniform(graph: Graph, id: NodeId): number | undefined {
  const node = graph.nodes[id];
  return node.op === "constant" && node.data!.every((value) => value === node.data![0])
    ? node.data![0]
    : undefined;
}
