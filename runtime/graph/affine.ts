/**
 * Scalers in front of a layer become part of its weights: W(s·u + o) + b = (W s)·u + (W o + b), the same but for rounding.
 * Constants among the inputs become part of the bias.
 */
import type { Graph, Node, NodeId } from "./expr.ts";

/** Steps that are looked through. */
const MOST_STEPS = 16;
/** Largest offset, in the units that the layer sees: beyond, (u − o) before the weights is worth more than the time. */
const MOST_OFFSET = 1024;

/** Largest layer: beside one that is larger a scaler costs nothing, and weights would be held twice. */
const MOST_WEIGHTS = 1 << 16;

/** A value as scale·base + offset, elementwise. */
interface Affine {
  /** Undefined: the value is `offset`. */
  readonly base: NodeId | undefined;
  readonly scale: Float64Array;
  readonly offset: Float64Array;
}

/** The layer `node` on what its scalers read; undefined where there is none before it. */
export function foldScalers(graph: Graph, node: Node): NodeId | undefined {
  if (node.data!.length > MOST_WEIGHTS) return undefined;
  const x = graph.nodes[node.args[0]];
  const parts = (x.op === "concat" ? x.args : node.args).map((id) => affineOf(graph, id));
  if (parts.every(({ base }, k) => base === (x.op === "concat" ? x.args[k] : node.args[0]))) return undefined;
  const kept = parts.filter(({ base }) => base !== undefined);
  const columns = kept.reduce((sum, { scale }) => sum + scale.length, 0);
  if (columns === 0) return undefined;
  const weight = new Float64Array(node.length * columns);
  const bias = node.data!.slice(node.length * x.length);
  for (let i = 0; i < node.length; i++) {
    let from = i * x.length;
    let to = i * columns;
    for (const { base, scale, offset } of parts) {
      for (let j = 0; j < scale.length; j++) {
        const w = node.data![from++];
        if (offset[j] !== 0) bias[i] += w * offset[j];
        if (base !== undefined) weight[to++] = w * scale[j];
      }
    }
  }
  if (!weight.every(Number.isFinite) || !bias.every(Number.isFinite)) return undefined;
  return graph.linear(weight, graph.concat(kept.map(({ base }) => base!)), bias);
}

function affineOf(graph: Graph, id: NodeId): Affine {
  const { length } = graph.nodes[id];
  const scale = new Float64Array(length).fill(1);
  const offset = new Float64Array(length);
  const plain = { base: id, scale: scale.slice(), offset: offset.slice() };
  let base = id;
  for (let step = 0; step < MOST_STEPS; step++) {
    const inner = peel(graph, base, scale, offset);
    if (inner === undefined) break;
    base = inner;
  }
  const { op, data } = graph.nodes[base];
  if (op === "constant") {
    return {
      base: undefined,
      scale,
      offset: offset.map((o, j) => o + scale[j] * data![j]),
    };
  }
  const good = offset.every((o) => Math.abs(o) <= MOST_OFFSET) &&
    scale.every((s) => s !== 0 && Number.isFinite(s));
  return good ? { base, scale, offset } : plain;
}

/** Takes the outermost step with a constant into `scale` and `offset`. @returns What it was applied to. */
function peel(graph: Graph, id: NodeId, scale: Float64Array, offset: Float64Array): NodeId | undefined {
  const { op, args, length } = graph.nodes[id];
  if (op === "neg") {
    scale.forEach((s, j) => scale[j] = -s);
    return args[0];
  }
  if (op !== "add" && op !== "sub" && op !== "mul" && op !== "div") return undefined;
  const second = graph.nodes[args[1]].op === "constant";
  if (!second && (op === "div" || graph.nodes[args[0]].op !== "constant")) return undefined;
  const inner = args[second ? 0 : 1];
  if (graph.nodes[inner].length !== length) return undefined;
  const { data } = graph.nodes[args[second ? 1 : 0]];
  for (let j = 0; j < length; j++) {
    const c = data![data!.length === 1 ? 0 : j];
    if (op === "mul") scale[j] *= c;
    else if (op === "div") scale[j] /= c;
    else {
      offset[j] += op === "sub" && second ? -scale[j] * c : scale[j] * c;
      if (op === "sub" && !second) scale[j] = -scale[j];
    }
  }
  return inner;
}
