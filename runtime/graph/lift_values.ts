import { Graph, type Node, type NodeId, reachableBeyond } from "./expr.ts";
import { type Influence, UNKNOWN } from "./influence.ts";
import { BOOLEANS, type LiftPlan } from "./lift_plan.ts";
import { type Piece, piecesOf, type PieceSource } from "./lift_pieces.ts";
import type { LiftedBranch, LiftRequest } from "./nonsmooth.ts";
import type { BinaryOp, Op } from "./ops.ts";

export interface BuiltRow {
  /** The node of the request's graph whose guard is the row's. */
  readonly source: NodeId;
  /** ≤ 0 where it holds. */
  readonly row: NodeId;
  readonly branch: number;
  readonly auxiliary: number;
}

export interface BuiltAuxiliary {
  readonly source: NodeId;
  readonly lower: number;
  readonly upper: number;
  /** The exact value on the chosen sides. */
  readonly start: NodeId;
}

export interface BuiltBranch extends LiftedBranch {
  readonly source: NodeId;
  readonly test: NodeId;
}

export interface LiftContext {
  readonly request: LiftRequest;
  /** What the roots need, arguments first. */
  readonly ids: readonly NodeId[];
  readonly slotOf: Int32Array;
  readonly influence: Influence;
  readonly plan: LiftPlan;
  readonly roots: readonly NodeId[];
}

/** Operations whose derivative is 0 wherever it exists. */
const STEPS: ReadonlySet<Op> = new Set<Op>([...BOOLEANS, "floor", "ceil", "round", "floordiv", "trees"]);

/**
 * Builds the smooth graph. Each node of the request has two copies: `lifted` reads the auxiliary variables, `tight` the
 * exact corners in their place; both read the switches. The tight copy gives the auxiliary variables their start.
 */
export class LiftValues {
  readonly graph = new Graph();
  /** Number of z. */
  readonly variables: number;
  readonly layout;
  readonly rows: BuiltRow[] = [];
  readonly auxiliaries: BuiltAuxiliary[] = [];
  readonly branches: BuiltBranch[] = [];
  readonly plan: LiftPlan;
  /** The nodes that were built: without those that a merged corner skipped. */
  readonly built: readonly NodeId[];

  readonly #source: Graph;
  readonly #context: LiftContext;
  readonly #pieces: PieceSource;
  readonly #lifted = new Map<NodeId, NodeId>();
  readonly #tight = new Map<NodeId, NodeId>();
  readonly #exact = new Map<NodeId, NodeId>();
  readonly #atStart = new Map<NodeId, NodeId>();
  readonly #choices = new Map<NodeId, NodeId>();
  readonly #conditions = new Map<NodeId, NodeId>();
  /** Nodes of the request's graph with foreign code behind them. */
  readonly #foreign = new Set<NodeId>();
  /** By node of `graph`: whether its derivative to a variable can be other than 0. */
  readonly #slopes: boolean[] = [];

  constructor(context: LiftContext) {
    const { request, plan } = context;
    this.#context = context;
    this.#source = request.graph;
    this.variables = request.variables;
    this.plan = plan;
    this.#pieces = { graph: request.graph, slotOf: context.slotOf, treatment: plan.treatment };
    const x0 = request.parameters;
    const switches = x0 + request.variables + 1;
    const held = switches + plan.branches;
    const single = held + plan.heldElements;
    this.layout = {
      x0,
      rho: switches - 1,
      switches,
      held,
      strictMargin: single,
      looseMargin: single + 1,
      width: single + 2,
      ranges: single + 3,
    };
    for (const id of context.ids) {
      const { op, args } = this.#source.nodes[id];
      if (op === "opaque" || args.some((arg) => this.#foreign.has(arg))) this.#foreign.add(id);
    }
    this.built = this.#demanded();
    for (const id of this.built) this.#build(id);
  }

  liftedOf(id: NodeId): NodeId {
    return this.#lifted.get(id)!;
  }

  /** What decides in the copy of a `select`, `and` or `or` whether the other arguments count. */
  conditionOf(id: NodeId): NodeId | undefined {
    return this.#conditions.get(id);
  }

  /** The switch of a `min` or `max` that reads only the argument that it chose. */
  choiceOf(id: NodeId): NodeId | undefined {
    return this.#choices.get(id);
  }

  /** The nodes that the copy of `id` reads. */
  readsOf(id: NodeId): readonly NodeId[] {
    const node = this.#source.nodes[id];
    if (this.plan.held.has(id)) return node.op === "mod" ? node.args : [];
    if (node.op !== "min" && node.op !== "max" && node.op !== "abs") return node.args;
    const reads = new Set<NodeId>();
    for (let i = 0; i < node.length; i++) {
      if (this.#treatment(id, i) === "lift") {
        for (const piece of piecesOf(this.#pieces, id, i)) reads.add(piece.id);
      } else for (const arg of node.args) reads.add(arg);
    }
    return [...reads];
  }

  /** Whether a node of `graph` has a slope to a variable; a constant or what depends on parameters only has none. */
  hasSlope(id: NodeId): boolean {
    for (let k = this.#slopes.length; k <= id; k++) {
      const { op, args } = this.graph.nodes[k];
      this.#slopes.push(op === "variable" || !STEPS.has(op) && args.some((arg) => this.#slopes[arg]));
    }
    return this.#slopes[id];
  }

  #demanded(): NodeId[] {
    const demanded = new Set<NodeId>(this.#context.roots);
    for (const id of this.#context.ids.toReversed()) {
      if (demanded.has(id)) { for (const arg of this.readsOf(id)) demanded.add(arg); }
    }
    return this.#context.ids.filter((id) => demanded.has(id));
  }

  #treatment(id: NodeId, i: number) {
    return this.#context.plan.treatment[this.#context.slotOf[id] + i];
  }

  #build(id: NodeId): void {
    const node = this.#source.nodes[id];
    const held = this.plan.held.get(id);
    if (held !== undefined) {
      this.#hold(id, node, held);
      return;
    }
    switch (node.op) {
      case "variable": {
        const { scale } = this.#context.request;
        const moved = this.graph.binary(
          "mul",
          this.graph.constant(scale[node.index!]),
          this.graph.variable(node.index!),
        );
        const x = this.graph.binary("add", this.#x0(node.index!), moved);
        this.#set(id, x, x);
        break;
      }
      case "min":
      case "max":
      case "abs":
        this.#elementwise(id, (i) => this.#corner(id, node, i));
        break;
      case "lt":
      case "le":
      case "eq":
        this.#elementwise(id, (i) => this.#comparison(id, node, i));
        break;
      case "and":
      case "or":
      case "not":
        this.#copy(id, node, node.args.map((arg) => this.#condition(id, arg)));
        break;
      case "select":
        this.#copy(id, node, [this.#condition(id, node.args[0])]);
        break;
      default:
        this.#copy(id, node, []);
    }
  }

  /** A step is what is given for it; of `a % b` the quotient is. */
  #hold(id: NodeId, node: Node, first: number): void {
    const g = this.graph;
    const at = this.layout.held + first;
    const given = g.concat(Array.from({ length: node.length }, (_, i) => g.parameter(at + i)));
    const of = (copies: ReadonlyMap<NodeId, NodeId>) => {
      if (node.op !== "mod") return given;
      const [a, b] = node.args.map((arg) => copies.get(arg)!);
      return g.binary("sub", a, g.binary("mul", b, given));
    };
    this.#set(id, of(this.#lifted), of(this.#tight));
  }

  /** The node as it is, of the variables z: no auxiliary variables and no switches. */
  exactOf(id: NodeId): NodeId {
    return this.#exactCopies(id).get(id)!;
  }

  #set(id: NodeId, lifted: NodeId, tight: NodeId): void {
    this.#lifted.set(id, lifted);
    this.#tight.set(id, tight);
  }

  /** The same operation on the copies of its arguments, the first of which may be given. */
  #copy(id: NodeId, node: Node, given: readonly (readonly [NodeId, NodeId])[]): void {
    const args = node.args.map((arg, k) => given[k] ?? [this.#lifted.get(arg)!, this.#tight.get(arg)!]);
    if (node.op === "select" || node.op === "and" || node.op === "or") this.#conditions.set(id, args[0][0]);
    this.#set(
      id,
      this.graph.copy(node, args.map(([lifted]) => lifted)),
      this.graph.copy(node, args.map(([, tight]) => tight)),
    );
  }

  /** Sets the copies of `id` from those of its elements; `make` gives [lifted, tight], undefined where nothing is special. */
  #elementwise(id: NodeId, make: (i: number) => readonly [NodeId, NodeId] | undefined): void {
    const node = this.#source.nodes[id];
    const length = node.length;
    if (
      Array.from({ length }, (_, i) => this.#treatment(id, i)).every((treatment) => treatment === "smooth")
    ) {
      const rounded = (map: ReadonlyMap<NodeId, NodeId>) =>
        this.#smooth(node.op, node.args.map((arg) => map.get(arg)!));
      this.#set(id, rounded(this.#lifted), rounded(this.#tight));
      return;
    }
    const parts = Array.from({ length }, (_, i) => this.#treatment(id, i) === "keep" ? undefined : make(i));
    if (parts.every((part) => part === undefined)) {
      this.#copy(id, node, []);
      return;
    }
    const elements = parts.map((part, i) => part ?? this.#plain(node, i));
    this.#set(
      id,
      this.graph.concat(elements.map(([lifted]) => lifted)),
      this.graph.concat(elements.map(([, tight]) => tight)),
    );
  }

  #plain(node: Node, i: number): readonly [NodeId, NodeId] {
    const apply = (map: ReadonlyMap<NodeId, NodeId>) =>
      this.#operate(node.op, node.args.map((arg) => this.#element(map, arg, i)));
    return [apply(this.#lifted), apply(this.#tight)];
  }

  #operate(op: Op, args: readonly NodeId[]): NodeId {
    return args.length === 1
      ? this.graph.unary("abs", args[0])
      : this.graph.binary(op as BinaryOp, args[0], args[1]);
  }

  #element(copies: ReadonlyMap<NodeId, NodeId>, id: NodeId, i: number): NodeId {
    const copy = copies.get(id)!;
    return this.graph.nodes[copy].length === 1 ? copy : this.graph.slice(copy, i, 1);
  }

  #corner(id: NodeId, node: Node, i: number): readonly [NodeId, NodeId] | undefined {
    const treatment = this.#treatment(id, i);
    if (treatment === "lift") return this.#lift(id, node, i);
    const args = node.args.map((arg) => this.#element(this.#lifted, arg, i));
    if (!args.some((arg) => this.hasSlope(arg))) return undefined;
    const tight = node.args.map((arg) => this.#element(this.#tight, arg, i));
    const sure = this.#sureSide(node, i);
    if (sure === 0 || sure === 1 && args.length === 2) return [args[sure], tight[sure]];
    if (treatment === "smooth") return [this.#smooth(node.op, args), this.#smooth(node.op, tight)];
    const g = this.graph;
    const [chosen, branch] = this.#newBranch(id, node, i);
    const sides = (of: readonly NodeId[]) =>
      g.select(chosen, of[0], of.length === 1 ? g.unary("neg", of[0]) : of[1]);
    if (this.#context.influence.signs[this.#context.slotOf[id] + i] === UNKNOWN) {
      const difference = this.#difference(node.op, args);
      this.#addRow(id, g.select(chosen, difference, g.unary("neg", difference)), branch, -1);
    } else if (node.length === 1 && args.length === 2) this.#choices.set(id, chosen);
    return [sides(args), sides(tight)];
  }

  /** The argument that is the value for all variables and parameters; for abs, 0 where its argument is never negative. */
  #sureSide(node: Node, i: number): number {
    const { slotOf, influence: { bounds: { lower, upper } } } = this.#context;
    const [a, b] = node.args.map((arg) => slotOf[arg] + (this.#source.nodes[arg].length === 1 ? 0 : i));
    if (node.op === "abs") return lower[a] >= 0 ? 0 : -1;
    const first = node.op === "max" ? lower[a] >= upper[b] : upper[a] <= lower[b];
    const second = node.op === "max" ? lower[b] >= upper[a] : upper[b] <= lower[a];
    return first ? 0 : second ? 1 : -1;
  }

  /** ≤ 0 where the first argument (for abs: the argument itself) is the value. */
  #difference(op: Op, args: readonly NodeId[]): NodeId {
    if (op === "abs") return this.graph.unary("neg", args[0]);
    return op === "max"
      ? this.graph.binary("sub", args[1], args[0])
      : this.graph.binary("sub", args[0], args[1]);
  }

  #smooth(op: Op, args: readonly NodeId[]): NodeId {
    const g = this.graph;
    const width = g.parameter(this.layout.width);
    const gap = args.length === 1 ? args[0] : g.binary("sub", args[0], args[1]);
    const size = g.unary("sqrt", g.binary("add", g.binary("mul", gap, gap), g.binary("mul", width, width)));
    if (args.length === 1) return size;
    return g.binary(
      "mul",
      g.constant(0.5),
      g.binary(op === "max" ? "add" : "sub", g.binary("add", args[0], args[1]), size),
    );
  }

  #lift(id: NodeId, node: Node, i: number): readonly [NodeId, NodeId] | undefined {
    const g = this.graph;
    const pieces = piecesOf(this.#pieces, id, i);
    const valuesOf = (map: ReadonlyMap<NodeId, NodeId>) =>
      pieces.map((piece) => this.#pieceValue(map, piece));
    const lifted = valuesOf(this.#lifted);
    const op = node.op === "min" ? "min" : "max";
    const tight = valuesOf(this.#tight).reduce((a, b) => g.binary(op, a, b));
    if (!lifted.some((piece) => this.hasSlope(piece))) {
      return [lifted.reduce((a, b) => g.binary(op, a, b)), tight];
    }
    const slot = this.#context.slotOf[id] + i;
    // beyond these bounds the objective need not be monotone in t
    let lower = this.#context.influence.bounds.lower[slot];
    let upper = this.#context.influence.bounds.upper[slot];
    const auxiliary = this.auxiliaries.length;
    const t = g.variable(this.#context.request.variables + auxiliary);
    for (const piece of lifted) {
      const { op: kind, data } = g.nodes[piece];
      if (kind === "constant" && op === "max") lower = Math.max(lower, data![0]);
      else if (kind === "constant") upper = Math.min(upper, data![0]);
      else {this.#addRow(
          id,
          op === "max" ? g.binary("sub", piece, t) : g.binary("sub", t, piece),
          -1,
          auxiliary,
        );}
    }
    this.auxiliaries.push({ source: id, lower, upper, start: tight });
    return [t, tight];
  }

  #pieceValue(copies: ReadonlyMap<NodeId, NodeId>, { id, i, negative }: Piece): NodeId {
    const value = this.#element(copies, id, i);
    return negative ? this.graph.unary("neg", value) : value;
  }

  #comparison(id: NodeId, node: Node, i: number): readonly [NodeId, NodeId] | undefined {
    const [a, b] = node.args.map((arg) => this.#element(this.#lifted, arg, i));
    if (!this.hasSlope(a) && !this.hasSlope(b)) return undefined;
    const { lower, upper } = this.#context.influence.bounds;
    const slot = this.#context.slotOf[id] + i;
    if (lower[slot] === upper[slot]) {
      return [this.graph.constant(lower[slot]), this.graph.constant(lower[slot])];
    }
    const [chosen, branch] = this.#newBranch(id, node, i);
    this.#addConditionRows(id, node.op, [a, b], chosen, branch, this.#size(node.args, i));
    return [chosen, chosen];
  }

  /** The copies of a condition: a number with a slope becomes "is not 0" with a branch for "is 0". */
  #condition(reader: NodeId, arg: NodeId): readonly [NodeId, NodeId] {
    const g = this.graph;
    const [lifted, tight] = [this.#lifted.get(arg)!, this.#tight.get(arg)!];
    if (!this.hasSlope(lifted)) return [lifted, tight];
    const { length } = this.#source.nodes[arg];
    const elements = Array.from({ length }, (_, i): readonly [NodeId, NodeId] => {
      const [a, b] = [this.#element(this.#lifted, arg, i), this.#element(this.#tight, arg, i)];
      if (!this.plan.truths.has(this.#context.slotOf[arg] + i) || !this.hasSlope(a)) return [a, b];
      const test = this.#element(this.#exactCopies(arg), arg, i);
      const [chosen, branch] = this.#addBranch(reader, "eq", test);
      this.#addConditionRows(reader, "eq", [a, g.constant(0)], chosen, branch, g.constant(1));
      const other = g.unary("not", chosen);
      return [other, other];
    });
    return [g.concat(elements.map(([a]) => a)), g.concat(elements.map(([, b]) => b))];
  }

  #addConditionRows(
    source: NodeId,
    op: Op,
    [a, b]: readonly NodeId[],
    chosen: NodeId,
    branch: number,
    size: NodeId,
  ): void {
    const g = this.graph;
    const [forward, backward] = [g.binary("sub", a, b), g.binary("sub", b, a)];
    if (op === "eq") {
      this.#addRow(source, g.select(chosen, forward, g.constant(-1)), branch, -1);
      this.#addRow(source, g.select(chosen, backward, g.constant(-1)), branch, -1);
      return;
    }
    const strict = g.binary("mul", g.parameter(this.layout.strictMargin), size);
    const loose = g.binary("mul", g.parameter(this.layout.looseMargin), size);
    const [yes, no] = op === "lt" ? [strict, loose] : [loose, strict];
    this.#addRow(
      source,
      g.select(chosen, g.binary("add", forward, yes), g.binary("add", backward, no)),
      branch,
      -1,
    );
  }

  #newBranch(id: NodeId, node: Node, i: number): readonly [NodeId, number] {
    const args = node.args.map((arg) => this.#element(this.#exactCopies(arg), arg, i));
    const test = BOOLEANS.has(node.op)
      ? this.graph.binary("sub", args[0], args[1])
      : this.#difference(node.op, args);
    return this.#addBranch(id, node.op as LiftedBranch["kind"], test);
  }

  #addBranch(source: NodeId, kind: LiftedBranch["kind"], test: NodeId): readonly [NodeId, number] {
    const branch = this.branches.length;
    this.branches.push({ kind, source, test });
    return [this.graph.parameter(this.layout.switches + branch), branch];
  }

  #addRow(source: NodeId, row: NodeId, branch: number, auxiliary: number): void {
    this.rows.push({ source, row, branch, auxiliary });
  }

  /** max(1, |a|, |b|) at x0, so that a margin is meant relative to the numbers that are compared. */
  #size(args: readonly NodeId[], i: number): NodeId {
    const g = this.graph;
    let size = g.constant(1);
    for (const arg of args) {
      // foreign code is not asked while parameters are set
      if (this.#foreign.has(arg)) continue;
      this.#translate(this.#atStart, arg, (index) => this.#x0(index));
      size = g.binary("max", size, g.unary("abs", this.#element(this.#atStart, arg, i)));
    }
    return size;
  }

  #exactCopies(id: NodeId): ReadonlyMap<NodeId, NodeId> {
    const { scale } = this.#context.request;
    const g = this.graph;
    return this.#translate(
      this.#exact,
      id,
      (index) =>
        g.binary("add", this.#x0(index), g.binary("mul", g.constant(scale[index]), g.variable(index))),
    );
  }

  /** Copies what `root` needs as it is, with `leaf` in the place of the variables. */
  #translate(
    copies: Map<NodeId, NodeId>,
    root: NodeId,
    leaf: (variable: number) => NodeId,
  ): ReadonlyMap<NodeId, NodeId> {
    for (const id of reachableBeyond(this.#source, root, (id) => copies.has(id))) {
      const node = this.#source.nodes[id];
      copies.set(
        id,
        node.op === "variable"
          ? leaf(node.index!)
          : this.graph.copy(node, node.args.map((arg) => copies.get(arg)!)),
      );
    }
    return copies;
  }

  #x0(index: number): NodeId {
    return this.graph.parameter(this.layout.x0 + index);
  }
}
