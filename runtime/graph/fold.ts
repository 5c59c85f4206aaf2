/** Constant folding, and the few rewrites with fewer nodes: the same numbers bit for bit, but for scalers (affine.ts). */
import { foldScalers } from "./affine.ts";
import { forestOf } from "./forest.ts";
import type { Graph, Node, NodeId } from "./expr.ts";
import { CODE } from "./opcodes.ts";
import type { BinaryOp, Op, UnaryOp } from "./ops.ts";
import { binaryValue, selectValue, unaryValue } from "./scalar.ts";

/** Longest `concat` in which the origin of a slice is looked for: more would let hostile input cost quadratic time. */
const MAX_SEARCHED = 256;

type FoldRule = (node: Node, args: readonly Float64Array[]) => Float64Array;

/** The value of `node` whose arguments are all constants. */
export function foldNode(node: Node, args: readonly Node[]): Float64Array {
  const rule = foldRule[node.op] ?? elementwise;
  return rule(node, args.map((arg) => arg.data!));
}

const foldRule: Partial<Record<Op, FoldRule>> = {
  linear: (node, [x]) => {
    const y = node.data!.slice(node.length * x.length);
    for (let i = 0; i < y.length; i++) {
      for (let j = 0; j < x.length; j++) y[i] += node.data![i * x.length + j] * x[j];
    }
    return y;
  },
  concat: (node, args) => {
    const y = new Float64Array(node.length);
    let at = 0;
    for (const arg of args) {
      y.set(arg, at);
      at += arg.length;
    }
    return y;
  },
  slice: (node, [x]) => x.slice(node.index!, node.index! + node.length),
  trees: (node, [x]) => {
    const values = new Float64Array(x.length + node.length);
    values.set(x);
    forestOf(node.data!, x.length, node.length).evaluate(values, 0, x.length);
    return values.slice(x.length);
  },
  sum: (_node, [x]) => Float64Array.of(x.reduce((total, value) => total + value, 0)),
};

function elementwise(node: Node, args: readonly Float64Array[]): Float64Array {
  const at = (k: number, i: number) => args[k][args[k].length === 1 ? 0 : i];
  const y = new Float64Array(node.length);
  for (let i = 0; i < y.length; i++) {
    if (node.op === "select") y[i] = selectValue(at(0, i), at(1, i), at(2, i));
    else if (args.length === 1) y[i] = unaryValue(CODE[node.op as UnaryOp], at(0, i));
    else y[i] = binaryValue(CODE[node.op as BinaryOp], at(0, i), at(1, i));
  }
  return y;
}

/** A node that is already there and has the same value as `node` would have, if there is one. */
export function simplify(graph: Graph, node: Node): NodeId | undefined {
  const [first, second] = node.args;
  const a = graph.nodes[first];
  switch (node.op) {
    case "neg":
      return a.op === "neg" ? a.args[0] : undefined;
    case "add":
      if (isConstant(a, 0)) return fits(graph, second, node);
      return isConstant(graph.nodes[second], 0) ? fits(graph, first, node) : undefined;
    case "mul":
      if (isConstant(a, 1)) return fits(graph, second, node);
      return isConstant(graph.nodes[second], 1) ? fits(graph, first, node) : undefined;
    case "sub":
      return isConstant(graph.nodes[second], 0) ? fits(graph, first, node) : undefined;
    case "div":
    case "pow":
      return isConstant(graph.nodes[second], 1) ? fits(graph, first, node) : undefined;
    case "min":
    case "max":
      return first === second ? first : undefined;
    case "select":
      return chosenBranch(graph, node, a);
    case "concat":
      return node.args.length === 1 ? first : undefined;
    case "sum":
      return a.length === 1 ? first : undefined;
    case "slice":
      return simplifySlice(graph, node, a);
    case "linear":
      return foldScalers(graph, node);
    default:
      return undefined;
  }
}

function chosenBranch(graph: Graph, node: Node, condition: Node): NodeId | undefined {
  const value = condition.op === "constant" && condition.length === 1 ? condition.data![0] : NaN;
  return value !== value ? undefined : fits(graph, node.args[value !== 0 ? 1 : 2], node);
}

function simplifySlice(graph: Graph, node: Node, from: Node): NodeId | undefined {
  let [id, start] = [node.args[0], node.index!];
  for (;;) {
    if (node.length === from.length) return id;
    const part = from.op === "slice"
      ? { id: from.args[0], start: from.index! + start }
      : partAt(graph, from, start, node.length);
    if (part === undefined) break;
    ({ id, start } = part);
    from = graph.nodes[id];
  }
  return id === node.args[0] ? undefined : graph.slice(id, start, node.length);
}

/** The part of a `concat` that holds a whole slice, and where the slice begins in it. */
function partAt(
  graph: Graph,
  { op, args }: Node,
  start: number,
  length: number,
): { id: NodeId; start: number } | undefined {
  if (op !== "concat" || args.length > MAX_SEARCHED) return undefined;
  for (const id of args) {
    const part = graph.nodes[id].length;
    if (start < part) return start + length <= part ? { id, start } : undefined;
    start -= part;
  }
}

function isConstant(node: Node, value: number): boolean {
  return node.op === "constant" && node.data!.every((element) => element === value);
}

/** `id`, unless its value would have to be spread to the length of `node`. */
function fits(graph: Graph, id: NodeId, node: Node): NodeId | undefined {
  return graph.nodes[id].length === node.length ? id : undefined;
}
