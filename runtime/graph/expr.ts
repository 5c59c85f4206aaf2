import { foldNode, simplify } from "./fold.ts";
import { forestOf } from "./forest.ts";
import { GraphError } from "./graph_error.ts";
import type { BinaryOp, Op, UnaryOp } from "./ops.ts";

export { GraphError };

/** A node's place in its graph; arguments always come before the node that reads them. */
export type NodeId = number;

/** One operation on vectors. */
export interface Node {
  readonly op: Op;
  readonly args: readonly NodeId[];
  /** Length of the value. */
  readonly length: number;
  /** constant: the values. linear: W row-major (length × length of the argument), then b (length). trees: see forest.ts. */
  readonly data?: Float64Array;
  /** parameter, variable: which. opaque: which skill. slice: the first element. trees: length of `data`. */
  readonly index?: number;
}

/** A computation over `sources` (its parameters 0 … sources − 1), as a plugin lowers a skill. */
export interface Expression {
  readonly graph: Graph;
  /** Number of scalar sources. */
  readonly sources: number;
  /** Nodes of length 1, one an output. */
  readonly outputs: readonly NodeId[];
}

/** Longest vector, and largest number of weights of one `linear`: a wrong shape fails here, not in the allocator. */
export const MAX_LENGTH = 1 << 20;
const MAX_WEIGHTS = 1 << 24;
/** How many nodes of one key are compared: hostile data with equal hashes must not cost quadratic time. */
const MAX_COLLISIONS = 8;
const COMMUTATIVE: ReadonlySet<Op> = new Set<Op>(["add", "mul", "eq"]);

/**
 * An append-only graph of operations on small dense vectors. Equal nodes are one node, and an operation on constants is
 * folded, so what was written twice is computed once.
 */
export class Graph {
  readonly #nodes: Node[] = [];
  /** Key → nodes of that key; more than one only where the hashes of their data collide. */
  readonly #known = new Map<string, NodeId[]>();

  /** By {@linkcode NodeId}. */
  get nodes(): readonly Node[] {
    return this.#nodes;
  }

  /** A number or a vector of 1 to 2²⁰. @throws {GraphError} SHAPE */
  constant(value: number | ArrayLike<number>): NodeId {
    const data = typeof value === "number" ? Float64Array.of(value) : Float64Array.from(value);
    return this.#add({ op: "constant", args: [], length: checkLength(data.length, "constant"), data });
  }

  /** A value that is known when a run starts. Scalar. */
  parameter(index: number): NodeId {
    return this.#add({ op: "parameter", args: [], length: 1, index: checkIndex(index, "parameter") });
  }

  /** A decision variable. Scalar. */
  variable(index: number): NodeId {
    return this.#add({ op: "variable", args: [], length: 1, index: checkIndex(index, "variable") });
  }

  /** `length` outputs of somebody else's code for the vector `input`. `skill` is the caller's number of it. */
  opaque(skill: number, input: NodeId, length: number): NodeId {
    this.#node(input);
    const index = checkIndex(skill, "opaque");
    return this.#add({ op: "opaque", args: [input], length: checkLength(length, "opaque"), index });
  }

  /** Elementwise. */
  unary(op: UnaryOp, x: NodeId): NodeId {
    return this.#operation({ op, args: [x], length: this.#node(x).length });
  }

  /** Elementwise; lengths equal or one of them 1. @throws {GraphError} SHAPE */
  binary(op: BinaryOp, a: NodeId, b: NodeId): NodeId {
    return this.#operation({ op, args: [a, b], length: this.#elementwise(op, [a, b]) });
  }

  /** `condition ≠ 0 ? a : b`, elementwise; the other branch's value has no influence, not even as NaN. */
  select(condition: NodeId, a: NodeId, b: NodeId): NodeId {
    return this.#operation({
      op: "select",
      args: [condition, a, b],
      length: this.#elementwise("select", [condition, a, b]),
    });
  }

  /** W x + b, `weight` row-major (rows × length of x), `bias` of length rows (default 0). @throws {GraphError} SHAPE */
  linear(weight: ArrayLike<number>, x: NodeId, bias?: ArrayLike<number>): NodeId {
    const columns = this.#node(x).length;
    const rows = weight.length / columns;
    if (!Number.isInteger(rows) || rows < 1 || weight.length > MAX_WEIGHTS) {
      throw new GraphError(
        "SHAPE",
        `Cannot apply ${weight.length} weights to a vector of length ${columns}: expected rows × ${columns}`,
      );
    }
    if (bias !== undefined && bias.length !== rows) {
      throw new GraphError(
        "SHAPE",
        `Cannot add a bias of length ${bias.length} to ${rows} rows: expected ${rows}`,
      );
    }
    const data = new Float64Array(rows * columns + rows);
    data.set(weight);
    if (bias !== undefined) data.set(bias, rows * columns);
    return this.#operation({ op: "linear", args: [x], length: checkLength(rows, "linear"), data });
  }

  concat(parts: readonly NodeId[]): NodeId {
    let length = 0;
    for (const part of parts) length += this.#node(part).length;
    return this.#operation({ op: "concat", args: [...parts], length: checkLength(length, "concat") });
  }

  /** Elements start … start + length − 1 of x. @throws {GraphError} SHAPE */
  slice(x: NodeId, start: number, length: number): NodeId {
    const available = this.#node(x).length;
    checkLength(length, "slice");
    if (!Number.isInteger(start) || start < 0 || start + length > available) {
      throw new GraphError(
        "SHAPE",
        `Cannot take elements ${start} to ${start + length} of a vector of length ${available}`,
      );
    }
    return this.#operation({ op: "slice", args: [x], length, index: start });
  }

  /** `length` values of a forest of decision trees. @param data As `encodeForest` makes it; kept, not copied. @throws {GraphError} FOREST */
  trees(data: Float64Array, x: NodeId, length: number): NodeId {
    forestOf(data, this.#node(x).length, checkLength(length, "trees"));
    return this.#operation({ op: "trees", args: [x], length, data, index: data.length });
  }

  /** The sum of all elements. */
  sum(x: NodeId): NodeId {
    this.#node(x);
    return this.#operation({ op: "sum", args: [x], length: 1 });
  }

  /** Copies an expression into this graph with `sources` in the place of its parameters; gives its outputs. */
  inline(expression: Expression, sources: readonly NodeId[]): NodeId[] {
    if (sources.length !== expression.sources) {
      throw new GraphError(
        "SHAPE",
        `Cannot inline an expression of ${expression.sources} sources with ${sources.length}`,
      );
    }
    const copied = new Map<NodeId, NodeId>();
    for (const id of reachable(expression.graph, expression.outputs)) {
      const node = expression.graph.nodes[id];
      copied.set(
        id,
        node.op === "parameter"
          ? this.#source(sources, node.index!)
          : this.copy(node, node.args.map((a) => copied.get(a)!)),
      );
    }
    return expression.outputs.map((id) => copied.get(id)!);
  }

  /** Adds what `node` (of any graph) does, applied to `args` of this graph; parameters and variables keep their index. */
  copy(node: Node, args: readonly NodeId[]): NodeId {
    switch (node.op) {
      case "constant":
        return this.constant(node.data!);
      case "parameter":
        return this.parameter(node.index!);
      case "variable":
        return this.variable(node.index!);
      case "opaque":
        return this.opaque(node.index!, args[0], node.length);
      case "select":
        return this.select(args[0], args[1], args[2]);
      case "linear":
        return this.linear(
          node.data!.subarray(0, node.data!.length - node.length),
          args[0],
          node.data!.subarray(-node.length),
        );
      case "concat":
        return this.concat(args);
      case "slice":
        return this.slice(args[0], node.index!, node.length);
      case "sum":
        return this.sum(args[0]);
      case "trees":
        return this.trees(node.data!, args[0], node.length);
      default:
        return args.length === 1
          ? this.unary(node.op as UnaryOp, args[0])
          : this.binary(node.op as BinaryOp, args[0], args[1]);
    }
  }

  #source(sources: readonly NodeId[], index: number): NodeId {
    if (index >= sources.length) {
      throw new GraphError(
        "SOURCE",
        `Cannot read source ${index} of an expression that has ${sources.length}`,
      );
    }
    this.#node(sources[index]);
    return sources[index];
  }

  #node(id: NodeId): Node {
    const node = this.#nodes[id];
    if (node === undefined) {
      throw unknownNode(id, this.#nodes.length);
    }
    return node;
  }

  #elementwise(op: Op, args: readonly NodeId[]): number {
    const lengths = args.map((id) => this.#node(id).length);
    const length = Math.max(...lengths);
    if (lengths.some((l) => l !== length && l !== 1)) {
      throw new GraphError(
        "SHAPE",
        `Cannot apply "${op}" to vectors of length ${lengths.join(" and ")}: expected equal lengths or 1`,
      );
    }
    return length;
  }

  #operation(node: Node): NodeId {
    const args = node.args.map((id) => this.#nodes[id]);
    if (args.every((arg) => arg.op === "constant")) return this.constant(foldNode(node, args));
    return simplify(this, node) ?? this.#add(node);
  }

  #add(node: Node): NodeId {
    const found = this.#find(node, node.args) ??
      (COMMUTATIVE.has(node.op) ? this.#find(node, [node.args[1], node.args[0]]) : undefined);
    if (found !== undefined) return found;
    const id = this.#nodes.push(node) - 1;
    const key = keyOf(node, node.args);
    const same = this.#known.get(key);
    if (same === undefined) this.#known.set(key, [id]);
    else same.push(id);
    return id;
  }

  #find(node: Node, args: readonly NodeId[]): NodeId | undefined {
    return this.#known.get(keyOf(node, args))?.slice(0, MAX_COLLISIONS).find((id) =>
      sameBits(this.#nodes[id].data, node.data)
    );
  }
}

/** The nodes that `roots` need, roots included, arguments before their readers. */
export function reachable(graph: Graph, roots: readonly NodeId[]): NodeId[] {
  const needed = new Uint8Array(graph.nodes.length);
  for (const id of roots) {
    if (graph.nodes[id] === undefined) {
      throw unknownNode(id, graph.nodes.length);
    }
    needed[id] = 1;
  }
  const ids: NodeId[] = [];
  for (let id = needed.length - 1; id >= 0; id--) {
    if (needed[id] === 0) continue;
    ids.push(id);
    for (const arg of graph.nodes[id].args) needed[arg] = 1;
  }
  return ids.reverse();
}

/**
 * What `root` needs beyond what is `known`, arguments before their readers. Everything that a known node needs is known.
 * Takes as long as what it finds is large, where {@linkcode reachable} looks at the whole graph.
 */
export function reachableBeyond(graph: Graph, root: NodeId, known: (id: NodeId) => boolean): NodeId[] {
  const found = new Set<NodeId>();
  const open = [root];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id) || known(id)) continue;
    found.add(id);
    for (const arg of graph.nodes[id].args) open.push(arg);
  }
  return [...found].sort((a, b) => a - b);
}

/** @param id What was given for one: a plugin's author may mix up arguments. */
function unknownNode(id: unknown, nodes: number): GraphError {
  const what = typeof id === "number"
    ? `node ${id}`
    : `${typeof id === "object" ? "an" : "a"} ${typeof id} as a node`;
  return new GraphError("NODE", `Cannot use ${what}: the graph has ${nodes} nodes`);
}

function keyOf(node: Node, args: readonly NodeId[]): string {
  if (node.op === "constant" && node.length === 1) {
    return Object.is(node.data![0], -0) ? "-0" : String(node.data![0]);
  }
  const data = node.data === undefined ? "" : `#${node.data.length}.${hashBits(node.data)}`;
  return `${node.op} ${args.join()} ${node.length} ${node.index ?? ""}${data}`;
}

function hashBits(data: Float64Array): number {
  const words = new Int32Array(data.buffer, data.byteOffset, data.length * 2);
  let hash = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i], 0x01000193) ^ (hash >>> 15);
  return hash >>> 0;
}

/** By bits: −0 is not 0 and NaN is itself. */
function sameBits(a: Float64Array | undefined, b: Float64Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

function checkLength(length: number, what: string): number {
  if (!Number.isInteger(length) || length < 1 || length > MAX_LENGTH) {
    throw new GraphError("SHAPE", `Cannot make a "${what}" of length ${length}: expected 1 to ${MAX_LENGTH}`);
  }
  return length;
}

function checkIndex(index: number, what: string): number {
  if (!Number.isInteger(index) || index < 0 || index >= MAX_LENGTH) {
    throw new GraphError(
      "INDEX",
      `Cannot use index ${index} of "${what}": expected an integer from 0 to ${MAX_LENGTH - 1}`,
    );
  }
  return index;
}
