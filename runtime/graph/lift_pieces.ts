/** The pieces of a lifted corner, with nested corners of the same kind merged. */
import type { Graph, NodeId } from "./expr.ts";
import type { Treatment } from "./lift_plan.ts";

/** Element `i` of a node, or its negative. */
export interface Piece {
  readonly id: NodeId;
  readonly i: number;
  readonly negative: boolean;
}

export interface PieceSource {
  readonly graph: Graph;
  readonly slotOf: Int32Array;
  readonly treatment: readonly Treatment[];
}

/** The pieces of element `i` of the lifted `min`, `max` or `abs` `root`; each once. */
export function piecesOf(source: PieceSource, root: NodeId, i: number): Piece[] {
  const { nodes } = source.graph;
  const low = nodes[root].op === "min";
  const pieces = new Map<string, Piece>();
  const open: { id: NodeId; i: number }[] = [{ id: root, i }];
  const seen = new Set<string>();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const at = resolve(source.graph, next.id, next.i);
    const key = `${at.id} ${at.i}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const node = nodes[at.id];
    const merges = source.treatment[source.slotOf[at.id] + at.i] === "lift" &&
      (low ? node.op === "min" : node.op === "max" || node.op === "abs");
    if (!merges) add(pieces, { ...at, negative: false });
    else if (node.op === "abs") {
      const argument = resolve(source.graph, node.args[0], at.i);
      add(pieces, { ...argument, negative: false });
      add(pieces, { ...argument, negative: true });
    } else for (const arg of node.args.toReversed()) open.push({ id: arg, i: at.i });
  }
  return [...pieces.values()];
}

function add(pieces: Map<string, Piece>, piece: Piece): void {
  pieces.set(`${piece.id} ${piece.i} ${piece.negative}`, piece);
}

/** Where an element comes from, through slices and concats; a broadcast scalar has the element 0 only. */
function resolve(graph: Graph, id: NodeId, i: number): { id: NodeId; i: number } {
  for (;;) {
    const node = graph.nodes[id];
    if (node.length === 1) i = 0;
    if (node.op === "slice") {
      i += node.index!;
      id = node.args[0];
    } else if (node.op === "concat") {
      let k = 0;
      while (i >= graph.nodes[node.args[k]].length) i -= graph.nodes[node.args[k++]].length;
      id = node.args[k];
    } else return { id, i };
  }
}
