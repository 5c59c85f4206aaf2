/**
 * The flat form in which a plugin hands over an expression. It comes from a process that nobody trusts, so decoding checks
 * everything before it builds anything, and builds with the same checked methods that everybody uses.
 *
 * Little-endian: 8 int32 of header, 4 int32 a node (operation, length, index, number of arguments), the arguments, the
 * outputs, padding to 8 bytes, then the float64 data of the constants, `linear`s and `trees` in the order of the nodes.
 */
import { type Expression, Graph, GraphError, type Node, type NodeId, reachable } from "./expr.ts";
import { CODE, opOf } from "./opcodes.ts";
import type { Op } from "./ops.ts";

const MAGIC = 0x31585053;
const VERSION = 1;
const HEADER = 8;
const NODE = 4;
const MAX_SOURCES = 1 << 14;

export interface ExpressionLimits {
  /** Largest buffer, bytes. Default 4 MiB. */
  readonly maxBytes?: number;
  /** Default 2^17. */
  readonly maxNodes?: number;
  /** Largest sum of the lengths of all nodes: bounds the memory of a tape and the work of folding. Default 2^20. */
  readonly maxElements?: number;
  /** The foreign code that nodes "opaque" may name: lengths of its input and its answer. Default none. */
  readonly opaques?: readonly { readonly inputs: number; readonly outputs: number }[];
}

const MAX_BYTES = 4 << 20;

/** Most of each that one skill may have: what a plugin describes is worked on for longer the larger it is. */
export const SKILL_EXTENT = Object.freeze({
  nodes: 50_000,
  /** The lengths of all nodes. */
  elements: 1 << 18,
});

/** Why no skill may have an expression; undefined where it is small enough. */
export function tooLarge(expression: Expression): string | undefined {
  const { nodes } = expression.graph;
  const ids = reachable(expression.graph, expression.outputs);
  const { start, floats } = extentOf(expression, ids);
  const extent = {
    bytes: [start + floats * 8, MAX_BYTES],
    nodes: [ids.length, SKILL_EXTENT.nodes],
    elements: [ids.reduce((sum, id) => sum + nodes[id].length, 0), SKILL_EXTENT.elements],
  };
  const beyond = Object.entries(extent).find(([, [has, most]]) => has > most);
  if (beyond === undefined) return undefined;
  const [what, [has, most]] = beyond;
  return `its graph has ${has} ${what}, expected at most ${most}`;
}

/** @param ids What the expression needs. @returns Words before the numbers, where these start, and how many they are. */
function extentOf({ graph: { nodes }, outputs }: Expression, ids: readonly number[]) {
  const args = ids.reduce((sum, id) => sum + nodes[id].args.length, 0);
  const floats = ids.reduce((sum, id) => sum + (nodes[id].data?.length ?? 0), 0);
  const words = HEADER + ids.length * NODE + args + outputs.length;
  return { words, start: Math.ceil(words / 2) * 8, floats };
}

/** What `expression` needs, and nothing else of its graph. */
export function encodeExpression(expression: Expression): Uint8Array {
  const { nodes } = expression.graph;
  const ids = reachable(expression.graph, expression.outputs);
  const place = new Map(ids.map((id, k) => [id, k]));
  const args = ids.flatMap((id) => nodes[id].args.map((arg) => place.get(arg)!));
  const data = ids.flatMap((id) => nodes[id].data ?? []);
  const { words, start, floats } = extentOf(expression, ids);
  const buffer = new ArrayBuffer(start + floats * 8);
  const ints = new Int32Array(buffer, 0, words);
  ints.set([MAGIC, VERSION, expression.sources, ids.length, args.length, expression.outputs.length, floats]);
  ids.forEach((id, k) => {
    const node = nodes[id];
    ints.set([CODE[node.op], node.length, node.index ?? -1, node.args.length], HEADER + k * NODE);
  });
  ints.set(args, HEADER + ids.length * NODE);
  ints.set(expression.outputs.map((id) => place.get(id)!), words - expression.outputs.length);
  let at = start / 8;
  const target = new Float64Array(buffer);
  for (const part of data) {
    target.set(part, at);
    at += part.length;
  }
  return new Uint8Array(buffer);
}

/** @throws {GraphError} EXPRESSION, or the code of the graph's own checks, whatever the bytes are. */
export function decodeExpression(bytes: Uint8Array, limits: ExpressionLimits = {}): Expression {
  const { maxBytes = MAX_BYTES, maxNodes = 1 << 17, maxElements = 1 << 20, opaques = [] } = limits;
  if (bytes.byteLength > maxBytes) throw broken(`${bytes.byteLength} bytes are more than ${maxBytes}`);
  if (bytes.byteLength < HEADER * 4) throw broken(`${bytes.byteLength} bytes are less than a header`);
  const buffer = bytes.slice().buffer;
  const [magic, version, sources, nodeCount, argCount, outputCount, floats] = new Int32Array(
    buffer,
    0,
    HEADER,
  );
  if (magic !== MAGIC) throw broken("it does not begin as an expression does");
  if (version !== VERSION) {
    throw new GraphError("EXPRESSION", `Got expression v${version}, expected v${VERSION}`);
  }
  const words = HEADER + nodeCount * NODE + argCount + outputCount;
  const start = Math.ceil(words / 2) * 8;
  const counts = [sources, nodeCount, argCount, outputCount, floats];
  if (counts.some((count) => count < 0) || start + floats * 8 !== buffer.byteLength) {
    throw broken("its length does not fit its counts");
  }
  if (nodeCount > maxNodes) throw broken(`${nodeCount} nodes are more than ${maxNodes}`);
  if (sources > MAX_SOURCES) throw broken(`${sources} sources are more than ${MAX_SOURCES}`);
  const ints = new Int32Array(buffer, 0, words);
  const data = new Float64Array(buffer, start, floats);
  if (data.some((value) => Number.isNaN(value))) throw broken("a number in it is NaN");

  const reader = new NodeReader(ints, data, nodeCount, sources, maxElements, opaques);
  const graph = new Graph();
  const built: NodeId[] = [];
  for (let k = 0; k < nodeCount; k++) {
    const node = reader.next((arg) => graph.nodes[built[arg]].length);
    built.push(graph.copy(node, node.args.map((arg) => built[arg])));
    const { length } = graph.nodes[built[k]];
    if (length !== node.length) throw broken(`node ${k} has length ${length}, not ${node.length}`);
  }
  reader.end(HEADER + nodeCount * NODE + argCount);
  const outputs = Array.from(ints.subarray(words - outputCount), (k) => {
    if (!(k >= 0 && k < nodeCount) || graph.nodes[built[k]].length !== 1) {
      throw broken(`output ${k} is no scalar node`);
    }
    return built[k];
  });
  return { graph, sources, outputs };
}

class NodeReader {
  #node = 0;
  #arg: number;
  #float = 0;
  #elements = 0;

  constructor(
    readonly ints: Int32Array,
    readonly data: Float64Array,
    nodeCount: number,
    readonly sources: number,
    readonly maxElements: number,
    readonly opaques: NonNullable<ExpressionLimits["opaques"]>,
  ) {
    this.#arg = HEADER + nodeCount * NODE;
  }

  /** The next node; its arguments are places in the buffer's own order. */
  next(lengthOf: (arg: number) => number): Node {
    const k = this.#node++;
    const [code, length, index, count] = this.ints.subarray(HEADER + k * NODE, HEADER + (k + 1) * NODE);
    const op = opOf(code);
    if (op === undefined) throw broken(`node ${k} has the unknown operation ${code}`);
    if (op === "variable") throw broken(`node ${k} is a "variable", which an expression cannot have`);
    const arity = ARITY[op];
    if (count < 1 && arity !== 0 || arity !== undefined && count !== arity) {
      throw broken(`node ${k} has ${count} arguments for "${op}"`);
    }
    if (this.#arg + count > this.ints.length) throw broken(`node ${k} has arguments beyond the end`);
    const args = [...this.ints.subarray(this.#arg, this.#arg + count)];
    this.#arg += count;
    if (args.some((arg) => arg < 0 || arg >= k)) {
      throw broken(`node ${k} reads a node that does not come before it`);
    }
    this.#elements += length;
    if (!(length >= 1)) throw broken(`node ${k} has length ${length}`);
    if (this.#elements > this.maxElements) {
      throw broken(
        `its nodes have more than ${this.maxElements} elements, from node ${k} of length ${length} on`,
      );
    }
    if (op === "parameter" && !(index >= 0 && index < this.sources)) {
      throw broken(`node ${k} reads source ${index} of ${this.sources}`);
    }
    if (op === "trees" && index < 1) throw broken(`node ${k} is a forest without data`);
    if (op === "opaque") {
      const opaque = this.opaques[index];
      if (opaque === undefined || opaque.inputs !== lengthOf(args[0]) || opaque.outputs !== length) {
        throw broken(`node ${k} is no foreign code that is declared beside the expression`);
      }
    }
    const size = op === "constant"
      ? length
      : op === "linear"
      ? length * (lengthOf(args[0]) + 1)
      : op === "trees"
      ? index
      : 0;
    if (this.#float + size > this.data.length) throw broken(`node ${k} has data beyond the end`);
    const data = size === 0 ? undefined : this.data.subarray(this.#float, this.#float + size);
    this.#float += size;
    return { op, args, length, ...(data && { data }), ...(index >= 0 && { index }) };
  }

  end(argsEnd: number): void {
    if (this.#arg !== argsEnd || this.#float !== this.data.length) {
      throw broken("it holds more than its nodes need");
    }
  }
}

/** Number of arguments; undefined where it varies. */
const ARITY: Record<Op, number | undefined> = {
  constant: 0,
  parameter: 0,
  variable: 0,
  opaque: 1,
  neg: 1,
  exp: 1,
  log: 1,
  log10: 1,
  sqrt: 1,
  sin: 1,
  cos: 1,
  tan: 1,
  tanh: 1,
  erf: 1,
  sigmoid: 1,
  gelu: 1,
  softplus: 1,
  abs: 1,
  floor: 1,
  ceil: 1,
  round: 1,
  not: 1,
  add: 2,
  sub: 2,
  mul: 2,
  div: 2,
  pow: 2,
  mod: 2,
  floordiv: 2,
  min: 2,
  max: 2,
  lt: 2,
  le: 2,
  eq: 2,
  and: 2,
  or: 2,
  select: 3,
  linear: 1,
  concat: undefined,
  slice: 1,
  sum: 1,
  trees: 1,
};

function broken(what: string): GraphError {
  return new GraphError("EXPRESSION", `Cannot read an expression: ${what}`);
}
