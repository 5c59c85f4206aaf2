/**
 * What the steps of a problem look at. A step (a rounding, a comparison, a forest of trees) changes where some quantity
 * crosses a cut; between cuts it is constant. A quantity that rises or falls with one variable cuts the range of that
 * variable; any other one is kept between two cuts by a row of its own.
 */
import { Graph, type Node, type NodeId, reachable, reachableBeyond } from "./expr.ts";
import { forestOf } from "./forest.ts";
import { tooMany } from "./graph_error.ts";
import { FALLING, NONE, passOn, RISING } from "./influence.ts";
import { COMPARISONS, STEPS } from "./lift_plan.ts";
import { intervalsAnywhere } from "./interval.ts";
import { compileTape, layOut } from "./tape_compile.ts";
import { CODE } from "./opcodes.ts";
import type { BinaryOp } from "./ops.ts";
import { WIDTH } from "./program.ts";

export interface LiftedQuantity {
  /** The only variable in it; −1 where there are several, −2 where parameters decide it. */
  readonly variable: number;
  /** Whether it rises or falls with that variable, whatever the parameters are; undefined where they decide that too. */
  readonly rising: boolean | undefined;
  /** Whether it is that variable itself. */
  readonly plain: boolean;
  /** Its precision where it is compared: it is rounded to it first. */
  readonly bits: 32 | 64;
  /** The last numbers of the lower sides, sorted; every integer where there is none. */
  readonly cuts: Float64Array | undefined;
  /** The smooth number behind it lies from unit·(lower bound + below) to unit·(upper bound + above). */
  readonly unit: number;
  readonly below: number;
  readonly above: number;
}

/** Plain data; step_tape.ts makes it usable. */
export interface LiftedSteps {
  /** In the request's own variables and parameters: the quantities, the smooth numbers behind them, the cost, the limits, the held values. */
  readonly tape: ArrayBuffer;
  readonly quantities: readonly LiftedQuantity[];
  readonly limits: number;
  readonly held: number;
  /** By forest of the tape: which quantity each element of its vector is; −1: nothing looks at it. None: it does not vary. */
  readonly forests: readonly Int32Array[];
  /** The cost and the limits with the values of some forests as further variables. */
  readonly rest: ArrayBuffer;
  /** Those forests, by their numbers: every element follows one variable, and all comparisons are ≤. */
  readonly given: readonly number[];
}

/** A quantity that has a row: the scalar of the source graph that is kept between bounds. */
export interface RowQuantity {
  readonly quantity: number;
  readonly smooth: NodeId;
}

export interface StepRequest {
  /** Scalars are added to it. */
  readonly graph: Graph;
  /** What the problem needs. */
  readonly ids: readonly NodeId[];
  readonly varies: (id: NodeId) => boolean;
  readonly variables: number;
  readonly parameters: number;
  readonly cost: NodeId;
  readonly limits: readonly NodeId[];
  /** In the order of their numbers. */
  readonly held: readonly NodeId[];
  /** Steps of longer vectors are left alone. */
  readonly longest: number;
}

const SMALLEST = Number.MIN_VALUE;
/** Most different quantities that steps look at: with more no search comes to an end. */
const MOST_QUANTITIES = 1_000;

interface Found {
  readonly node: NodeId;
  readonly smooth: NodeId;
  readonly bits: 32 | 64;
  readonly cuts: Set<number> | undefined;
  readonly unit: number;
  readonly below: number;
  readonly above: number;
}

/** @throws {GraphError} SIZE */
export function describeSteps(request: StepRequest): { steps: LiftedSteps; rows: RowQuantity[] } {
  const { graph, variables, parameters, cost, limits, held } = request;
  const found = new Map<string, Found>();
  const numbers = new Map<string, number>();
  const forests = new Map<NodeId, Int32Array>();
  const add = (next: Found): number => {
    const key = `${next.node} ${next.bits}`;
    const known = found.get(key);
    if (known === undefined) {
      found.set(key, next);
      numbers.set(key, numbers.size);
    } else for (const cut of next.cuts ?? []) known.cuts?.add(cut);
    return numbers.get(key)!;
  };
  for (const id of request.ids) {
    const node = graph.nodes[id];
    if (!request.varies(id) || node.op !== "trees" && node.length > request.longest) continue;
    if (node.op === "trees") forests.set(id, forestQuantities(request, node, add));
    else for (const quantity of quantitiesOf(graph, node)) add(quantity);
  }
  const rows: RowQuantity[] = [];
  const all = [...found.values()];
  if (all.length > MOST_QUANTITIES) throw tooMany("conditions and roundings", all.length, MOST_QUANTITIES);
  const known = directions(request, all.map(({ smooth }) => smooth));
  const quantities = all.map(({ smooth, bits, cuts, unit, below, above }, quantity): LiftedQuantity => {
    const direction = known[quantity];
    if (direction.rising === undefined) rows.push({ quantity, smooth });
    const sorted = cuts && Float64Array.from(cuts).sort();
    const plain = graph.nodes[smooth].op === "variable" && cuts !== undefined;
    return { ...direction, plain, bits, cuts: sorted, unit, below, above };
  });
  const values = held.flatMap((id) => elementsOf(graph, heldOf(graph, id)));
  const wanted = [
    ...all.map(({ node }) => node),
    ...all.map(({ smooth }) => smooth),
    cost,
    ...limits,
    ...values,
  ];
  const { graph: bounded, copies } = comparedByDifference(graph, wanted, request.longest);
  const spec = { variables, parameters, outputs: wanted.map((id) => copies.get(id)!) };
  const { program, slotOf } = layOut(bounded, spec);
  const order: NodeId[] = [];
  const bySlot = new Map([...forests.keys()].map((id) => [slotOf[copies.get(id) ?? 0], id]));
  for (let at = 0; at < program.code.length; at += WIDTH) {
    if (program.code[at] === CODE.trees) order.push(bySlot.get(program.code[at + 1]) ?? -1);
  }
  const given = order.flatMap((
    id,
    k,
  ) => (id >= 0 && isLined(graph, id, forests.get(id)!, quantities) ? [k] : []));
  const steps = {
    tape: compileTape(bounded, spec).buffer,
    quantities,
    limits: limits.length,
    held: values.length,
    forests: order.map((id) => forests.get(id) ?? new Int32Array(0)),
    rest: restOf(request, given.map((k) => order[k])),
    given,
  };
  return { steps, rows };
}

/** A copy in which `a < b` is `a − b < 0`, which is the same, so that what is known of the difference decides it. */
function comparedByDifference(
  source: Graph,
  wanted: readonly NodeId[],
  longest: number,
): { graph: Graph; copies: ReadonlyMap<NodeId, NodeId> } {
  const graph = new Graph();
  const copies = new Map<NodeId, NodeId>();
  for (const id of reachable(source, wanted)) {
    const node = source.nodes[id];
    const args = node.args.map((arg) => copies.get(arg)!);
    const compared = COMPARISONS.has(node.op) && node.length <= longest;
    copies.set(id, compared ? graph.concat(differences(graph, node, args)) : graph.copy(node, args));
  }
  return { graph, copies };
}

function differences(graph: Graph, { op, length }: Node, args: readonly NodeId[]): NodeId[] {
  return Array.from({ length }, (_, i) => {
    const [a, b] = args.map((arg) => (graph.nodes[arg].length === 1 ? arg : graph.slice(arg, i, 1)));
    return graph.binary(op as BinaryOp, graph.binary("sub", a, b), graph.constant(0));
  });
}

/** What is given for a step: of `a % b` the quotient. */
function heldOf(graph: Graph, id: NodeId): NodeId {
  const { op, args } = graph.nodes[id];
  return op === "mod" ? graph.binary("floordiv", args[0], args[1]) : id;
}

function elementsOf(graph: Graph, id: NodeId): NodeId[] {
  return Array.from({ length: graph.nodes[id].length }, (_, i) => graph.slice(id, i, 1));
}

/** What each element of a step that is no forest looks at; nothing for what is no step. */
function quantitiesOf(graph: Graph, node: Node): Found[] {
  if (!STEPS.has(node.op) && !COMPARISONS.has(node.op)) return [];
  const element = (arg: NodeId, i: number) => graph.nodes[arg].length === 1 ? arg : graph.slice(arg, i, 1);
  return Array.from({ length: node.length }, (_, i): Found[] => {
    const args = node.args.map((arg) => element(arg, i));
    const difference = () => graph.binary("sub", args[0], args[1]);
    const compared = (...cuts: number[]): Found[] => {
      const smooth = difference();
      return [{ node: smooth, smooth, bits: 64, cuts: new Set(cuts), unit: 1, below: 0, above: 0 }];
    };
    const lattice = (value: NodeId, smooth: NodeId, below: number, above: number, unit = 1): Found[] => [
      { node: value, smooth, bits: 64, cuts: undefined, unit, below, above },
    ];
    const quotient = (): Found[] => {
      const value = graph.binary("floordiv", args[0], args[1]);
      const { op, data } = graph.nodes[args[1]];
      // bounds of the dividend itself tell more
      return op === "constant" && data![0] > 0
        ? lattice(value, args[0], 0, 1, data![0])
        : lattice(value, graph.binary("div", args[0], args[1]), 0, 1);
    };
    switch (node.op) {
      case "lt":
        return compared(-SMALLEST);
      case "le":
        return compared(0);
      case "eq":
        return compared(-SMALLEST, 0);
      case "floor":
        return lattice(graph.unary("floor", args[0]), args[0], 0, 1);
      case "ceil":
        return lattice(graph.unary("ceil", args[0]), args[0], -1, 0);
      case "round":
        return lattice(graph.unary("round", args[0]), args[0], -0.5, 0.5);
      case "mod":
      case "floordiv":
        return quotient();
      default:
        return [];
    }
  }).flat();
}

function forestQuantities({ graph }: StepRequest, node: Node, add: (found: Found) => number): Int32Array {
  const [x] = node.args;
  const forest = forestOf(node.data!, graph.nodes[x].length, node.length);
  return Int32Array.from({ length: forest.inputs }, (_, j) => {
    const element = graph.slice(x, j, 1);
    const cuts = new Set(forest.cuts(j));
    if (cuts.size === 0) return -1;
    return add({ node: element, smooth: element, bits: forest.bits, cuts, unit: 1, below: 0, above: 0 });
  });
}

/** Whether the values of a forest along a line in the direction of one variable can be found without the tape. */
function isLined(
  graph: Graph,
  id: NodeId,
  elements: Int32Array,
  quantities: readonly LiftedQuantity[],
): boolean {
  const { data, args, length } = graph.nodes[id];
  const { ordered, aggregate } = forestOf(data!, graph.nodes[args[0]].length, length);
  return ordered && (aggregate === "SUM" || aggregate === "AVERAGE") &&
    elements.every((quantity) => quantity < 0 || quantities[quantity].rising !== undefined);
}

/** The cost and the limits, with variables after those of the problem for the values of the forests. */
function restOf(
  { graph, variables, parameters, cost, limits }: StepRequest,
  given: readonly NodeId[],
): ArrayBuffer {
  const rest = new Graph();
  const copies = new Map<NodeId, NodeId>();
  let count = variables;
  for (const id of given) {
    const values = Array.from({ length: graph.nodes[id].length }, () => rest.variable(count++));
    copies.set(id, rest.concat(values));
  }
  for (const id of reachable(graph, [cost, ...limits])) {
    const node = graph.nodes[id];
    if (!copies.has(id)) copies.set(id, rest.copy(node, node.args.map((arg) => copies.get(arg)!)));
  }
  const outputs = [cost, ...limits].map((id) => copies.get(id)!);
  return compileTape(rest, { variables: count, parameters, outputs }).buffer;
}

/** Most instructions that are looked at for directions: long chains of steps must not cost quadratic time. */
const MOST_LOOKS = 1 << 19;

/** The one variable of each of some scalars, and whether it rises or falls with it for all values of everything. */
function directions(
  { graph, variables, parameters }: StepRequest,
  scalars: readonly NodeId[],
): Pick<LiftedQuantity, "variable" | "rising">[] {
  const { program, slotOf } = layOut(graph, { variables, parameters, outputs: scalars });
  const { code, slots } = program;
  const influence = { signs: new Uint8Array(slots), bounds: intervalsAnywhere(program) };
  /** By slot: the instruction that begins to write there. */
  const written = new Int32Array(slots).fill(-1);
  for (let at = 0; at < code.length; at += WIDTH) written[code[at + 1]] = at;
  const only = onlyVariables(graph);
  let looks = 0;
  return scalars.map((scalar) => {
    const variable = only[scalar];
    if (variable === -2) return { variable, rising: true };
    if (variable === -1 || looks > MOST_LOOKS) return { variable: -1, rising: undefined };
    const behind = reachableBeyond(graph, scalar, () => false).flatMap((id) => {
      const from = slotOf[id];
      return [...written.subarray(from, from + graph.nodes[id].length)].filter((at) => at >= 0);
    });
    looks += behind.length;
    influence.signs.fill(NONE);
    influence.signs[slotOf[scalar]] = RISING;
    for (const at of [...new Set(behind)].sort((a, b) => b - a)) passOn(program, influence, at);
    return { variable, rising: risingOf(influence.signs[variable]) };
  });
}

/** By node: the only variable in it; −1: several, −2: none. */
function onlyVariables(graph: Graph): number[] {
  const only: number[] = [];
  for (const { op, args, index } of graph.nodes) {
    let variable = op === "variable" ? index! : -2;
    for (const arg of args) {
      if (variable === -2) variable = only[arg];
      else if (only[arg] !== -2 && only[arg] !== variable) variable = -1;
    }
    only.push(variable);
  }
  return only;
}

/** Undefined where a sign does not tell. */
export function risingOf(sign: number): boolean | undefined {
  return sign === RISING ? true : sign === FALLING ? false : undefined;
}
