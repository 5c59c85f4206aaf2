/**
 * Finds the corners that people write as conditions. `(T − 150)·2 if T > 150 else 0` is `max(0, (T − 150)·2)`: where both
 * sides of a `select` are affine and meet where its condition changes, it is a `min` or a `max`, which can be lifted
 * without a branch. A comparison that is multiplied becomes a `select` first. Equal up to rounding, and where all is finite.
 */
import { Graph, type Node, type NodeId, reachable, reachableBeyond } from "./expr.ts";
import { BOOLEANS } from "./lift_plan.ts";

/** Σ coefficient·node + constant. */
interface Affine {
  readonly terms: ReadonlyMap<NodeId, number>;
  readonly constant: number;
}

/** A line over d, the difference that the condition looks at. */
interface Line {
  readonly slope: number;
  readonly constant: number;
}

const MAX_TERMS = 16;
/** Most pieces on one side, and largest jump that counts as none, relative to max(1, the constants). */
const MAX_PIECES = 8;
const JUMP = 1e-9;

export interface Merged {
  readonly graph: Graph;
  /** Where the roots are in it. */
  readonly roots: readonly NodeId[];
}

/** A copy of what `roots` need, with ramps as corners. */
export function mergeRamps(source: Graph, roots: readonly NodeId[]): Merged {
  const graph = new Graph();
  const forms = new Forms(graph);
  const copies = new Map<NodeId, NodeId>();
  for (const id of reachable(source, roots)) {
    const node = source.nodes[id];
    copies.set(id, rewrite(graph, forms, node, node.args.map((arg) => copies.get(arg)!)));
  }
  return { graph, roots: roots.map((id) => copies.get(id)!) };
}

function rewrite(graph: Graph, forms: Forms, node: Node, args: readonly NodeId[]): NodeId {
  if (node.length !== 1) return graph.copy(node, args);
  if (node.op === "mul") {
    const flag = args.findIndex((arg) => BOOLEANS.has(graph.nodes[arg].op));
    if (flag >= 0) return chosen(graph, forms, args[flag], args[1 - flag], graph.constant(0));
  }
  return node.op === "select" ? chosen(graph, forms, args[0], args[1], args[2]) : graph.copy(node, args);
}

function chosen(graph: Graph, forms: Forms, condition: NodeId, yes: NodeId, no: NodeId): NodeId {
  while (graph.nodes[condition].op === "not") {
    condition = graph.nodes[condition].args[0];
    [yes, no] = [no, yes];
  }
  const { op, args } = graph.nodes[condition];
  if (op === "lt" || op === "le") {
    const difference = subtract(forms.of(args[0]), forms.of(args[1]));
    for (const kind of ["min", "max"] as const) {
      const sides = [yes, no].map((side) => piecesOf(graph, side, kind));
      if (meets(forms, difference, sides, kind)) {
        return sides.flat().reduce((a, b) => graph.binary(kind, a, b));
      }
    }
  }
  return graph.select(condition, yes, no);
}

function piecesOf(graph: Graph, id: NodeId, kind: "min" | "max"): NodeId[] {
  const pieces: NodeId[] = [];
  const open = [id];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { op, args } = graph.nodes[next];
    if (op === kind && pieces.length + open.length < MAX_PIECES) open.push(args[1], args[0]);
    else pieces.push(next);
  }
  return pieces;
}

/** Whether the first side is the smaller (max: the larger) one wherever d < 0, and the second wherever d ≥ 0. */
function meets(
  forms: Forms,
  difference: Affine,
  [yes, no]: readonly NodeId[][],
  kind: "min" | "max",
): boolean {
  const base = forms.of(no[0]);
  const lines: Line[][] = [];
  for (const side of [yes, no]) {
    const ofSide = side.map((piece) => lineOver(difference, subtract(forms.of(piece), base)));
    if (ofSide.includes(undefined)) return false;
    lines.push(ofSide as Line[]);
  }
  const all = lines.flat();
  const breaks = [0];
  for (const a of all) {
    for (const b of all) {
      const at = (b.constant - a.constant) / (a.slope - b.slope);
      if (Number.isFinite(at)) breaks.push(at);
    }
  }
  const sign = kind === "min" ? 1 : -1;
  const value = (side: readonly Line[], d: number) =>
    Math.min(...side.map((line) => sign * (line.slope * d + line.constant)));
  const gap = (d: number) => value(lines[0], d) - value(lines[1], d);
  const jump = JUMP * Math.max(1, Math.abs(base.constant), ...all.map((line) => Math.abs(line.constant)));
  const [first, last] = [Math.min(...breaks), Math.max(...breaks)];
  // between breaks the gap is linear, and beyond the last ones it must not turn
  return breaks.every((d) => (d > 0 || gap(d) <= jump) && (d < 0 || gap(d) >= -jump)) &&
    gap(first - 1) <= gap(first) + jump && gap(last + 1) >= gap(last) - jump;
}

/** `form` as slope·d + constant, if it is that. */
function lineOver(difference: Affine, form: Affine): Line | undefined {
  let [pivot, size] = [-1, 0];
  for (const [id, coefficient] of difference.terms) {
    if (Math.abs(coefficient) > size) [pivot, size] = [id, Math.abs(coefficient)];
  }
  if (pivot < 0) return undefined;
  const slope = (form.terms.get(pivot) ?? 0) / difference.terms.get(pivot)!;
  if (!Number.isFinite(slope)) return undefined;
  const rest = combine(form, 1, difference, -slope);
  const noise = 1e-12 * Math.max(...[...form.terms.values(), slope].map(Math.abs));
  for (const coefficient of rest.terms.values()) if (Math.abs(coefficient) > noise) return undefined;
  return { slope, constant: rest.constant };
}

/** The affine form of every scalar node; what is not affine is a term of its own. */
class Forms {
  readonly #graph: Graph;
  readonly #known = new Map<NodeId, Affine>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  of(root: NodeId): Affine {
    for (const id of reachableBeyond(this.#graph, root, (id) => this.#known.has(id))) {
      this.#known.set(id, this.#make(id));
    }
    return this.#known.get(root)!;
  }

  #make(id: NodeId): Affine {
    const itself = { terms: new Map([[id, 1]]), constant: 0 };
    const { op, args, data, length } = this.#graph.nodes[id];
    if (length !== 1) return itself;
    if (op === "constant") return { terms: new Map(), constant: data![0] };
    const [a, b] = args.map((arg) => this.#known.get(arg)!);
    const made = op === "add"
      ? combine(a, 1, b, 1)
      : op === "sub"
      ? subtract(a, b)
      : op === "neg"
      ? combine(a, -1, b, 0)
      : op === "mul" && a.terms.size === 0
      ? combine(b, a.constant, a, 0)
      : op === "mul" && b.terms.size === 0
      ? combine(a, b.constant, b, 0)
      : op === "div" && b.terms.size === 0
      ? combine(a, 1 / b.constant, b, 0)
      : itself;
    return made.terms.size <= MAX_TERMS ? made : itself;
  }
}

function subtract(a: Affine, b: Affine): Affine {
  return combine(a, 1, b, -1);
}

/** a·factorA + b·factorB; with factorB = 0 there need be no b. */
function combine(a: Affine, factorA: number, b: Affine | undefined, factorB: number): Affine {
  const terms = new Map<NodeId, number>();
  for (const [id, coefficient] of a.terms) terms.set(id, coefficient * factorA);
  let constant = a.constant * factorA;
  if (b !== undefined && factorB !== 0) {
    for (const [id, coefficient] of b.terms) terms.set(id, (terms.get(id) ?? 0) + coefficient * factorB);
    constant += b.constant * factorB;
  }
  for (const [id, coefficient] of terms) if (coefficient === 0) terms.delete(id);
  return { terms, constant };
}
