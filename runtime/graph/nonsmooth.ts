/**
 * Makes a problem with corners and jumps smooth, without changing its minimum.
 *
 * - A `max` or `abs` that the objective never falls with, or a `min` that it never rises with, becomes a new variable t
 *   and one inequality a piece: exact, convex or not (see influence.ts).
 * - A condition that only joins two ramps is a `min` or `max` too (see ramps.ts).
 * - Every other corner, and every condition, becomes a branch: a switch parameter chooses the side, and a row keeps the
 *   point on it. A `min` that the objective never falls with (or a `max` that it never rises with) needs no row: the
 *   least of the pieces is found by trying each. The minimum is the best over all settings of the switches.
 * - Steps (`floor`, `ceil`, `round`, `%`, `//`, forests of trees) are held at values that are given, while rows keep what
 *   they look at between two cuts; beside them, and where there are more than `maxBranches`, conditions are held as well
 *   (see lift_steps.ts). The minimum is the best over all cells.
 * - Beyond `maxBranches` and `maxAuxiliaries`, corners are rounded off: max(a, b) ≈ (a + b + √((a − b)² + w²))/2 with the parameter w, wrong by
 *   at most w/2; steps of a layer stay as they are, with derivative 0.
 *
 * The variables are z then t, with x_i = x0_i + scale_i·z_i. The objective gets a proximal term ρ·Σ z_i².
 */
import { type Graph, GraphError, type NodeId, reachable } from "./expr.ts";
import { tooMany } from "./graph_error.ts";
import { findInfluence, type Sign } from "./influence.ts";
import { LAYER, planLift } from "./lift_plan.ts";
import { LiftValues } from "./lift_values.ts";
import { guardNodes } from "./lift_guards.ts";
import { describeSteps, type LiftedSteps, type RowQuantity } from "./lift_steps.ts";
import { mergeRamps } from "./ramps.ts";
import { compileTape, dependsOnVariables, layOut } from "./tape_compile.ts";

export interface HardLimit {
  /** A scalar. */
  readonly node: NodeId;
  /** ∓∞ where there is none. */
  readonly lower: number;
  readonly upper: number;
}

export interface LiftRequest {
  readonly graph: Graph;
  readonly variables: number;
  readonly parameters: number;
  /** The scalar to minimise. */
  readonly cost: NodeId;
  readonly limits: readonly HardLimit[];
  /** Length `variables`: how far a variable moves when z moves by 1 (its threshold). */
  readonly scale: ArrayLike<number>;
  /** Default 12: 4096 settings of the switches at most. */
  readonly maxBranches?: number;
  /** Default 48. A solver's work grows with the cube of it. */
  readonly maxAuxiliaries?: number;
}

export interface LiftedRow {
  readonly lower: number;
  readonly upper: number;
  /** Which hard limit, branch or auxiliary variable the row belongs to; −1: not to one of that kind. */
  readonly limit: number;
  readonly branch: number;
  readonly auxiliary: number;
  /** What 1 of the row is in the units of its limit. Default 1. */
  readonly unit?: number;
}

/** Limits up to this size are told in units of their own: to a solver a miss of 1e-8 is none. */
const TINY = 1e-2;

/** Most rows of limits: with more no search comes to an end. */
const MOST_ROWS = 4_000;

export interface LiftedAuxiliary {
  readonly lower: number;
  readonly upper: number;
}

export interface LiftedBranch {
  /**
   * What the switch chooses, from the difference d that the test output gives. lt: 1 where d < 0. le, min, max, abs:
   * 1 where d ≤ 0. eq: 1 where d = 0, and 0 has no row.
   */
  readonly kind: "lt" | "le" | "eq" | "min" | "max" | "abs";
}

/** Where things begin. Parameters: the request's own, x0, rho, switches, held steps, three single ones, ranges. */
export interface LiftedLayout {
  readonly x0: number;
  readonly rho: number;
  readonly switches: number;
  readonly held: number;
  /** Margins of a condition's row, relative to max(1, size at x0), on the side that equality does not belong to, and on the other. */
  readonly strictMargin: number;
  readonly looseMargin: number;
  /** Width of rounded corners, in the units of their arguments. */
  readonly width: number;
  /** Lower and upper bound of each quantity that has a row, in turn. */
  readonly ranges: number;
  readonly parameters: number;
  /** Outputs: 0 the objective, from 1 the rows. */
  readonly starts: number;
  /** 1 where an auxiliary variable matters for the present switches, else 0: then it is to be fixed. */
  readonly auxiliaryGuards: number;
  /** The exact difference of each branch, whatever the switches are. */
  readonly tests: number;
  /** 1 where a branch matters for the present switches. */
  readonly branchGuards: number;
}

/** Plain data, to be posted and stored; lifted.ts makes it usable. */
export interface Lifted {
  readonly tape: ArrayBuffer;
  /** Number of z. */
  readonly variables: number;
  readonly auxiliaries: readonly LiftedAuxiliary[];
  readonly rows: readonly LiftedRow[];
  readonly branches: readonly LiftedBranch[];
  /** Steps that are to be held, and what they look at; none where there are none. */
  readonly steps: LiftedSteps | undefined;
  /** Quantities that have a row, in the order of their ranges. */
  readonly ranged: readonly number[];
  /** Steps left as they are, and corners rounded off, for want of branches. */
  readonly stepped: number;
  readonly smoothed: number;
  readonly layout: LiftedLayout;
}

/** @throws {GraphError} SHAPE or INDEX where the request does not fit its graph. SIZE where it has too many corners or steps. */
export function lift(request: LiftRequest): Lifted {
  const { variables, parameters, scale, maxBranches = 12, maxAuxiliaries = 48 } = request;
  if (scale.length !== variables) {
    throw new GraphError("SHAPE", `Cannot scale ${variables} variables by ${scale.length} numbers`);
  }
  const merged = mergeRamps(request.graph, [request.cost, ...request.limits.map((limit) => limit.node)]);
  const { graph } = merged;
  const [cost, ...limitNodes] = merged.roots;
  const limits = request.limits.flatMap((limit, index) =>
    splitLimit(graph, { ...limit, node: limitNodes[index] }, index)
  );
  if (limits.length > MOST_ROWS) {
    throw tooMany("limits, counting each side of a corner,", limits.length, MOST_ROWS);
  }
  const roots = [cost, ...limits.map((limit) => limit.node)];
  const signs: Sign[] = [
    1,
    ...limits.map(({ lower, upper }) => (upper < Infinity ? 1 : 0) | (lower > -Infinity ? 2 : 0)),
  ];
  const { program, slotOf } = layOut(graph, { variables, parameters, outputs: roots });
  const influence = findInfluence(program, signs);
  const ids = reachable(graph, roots);
  const active = dependsOnVariables(graph.nodes, ids);
  const varying = new Uint8Array(program.slots);
  for (const id of ids) {
    if (active[id] === 1) varying.fill(1, slotOf[id], slotOf[id] + graph.nodes[id].length);
  }
  const plan = planLift(graph, ids, slotOf, (slot) => varying[slot] === 1, influence, {
    branches: maxBranches,
    auxiliaries: maxAuxiliaries,
  });

  const values = new LiftValues({
    request: { ...request, graph, cost },
    ids,
    slotOf,
    influence,
    plan,
    roots,
  });
  const described = plan.heldElements === 0 ? undefined : describeSteps({
    graph,
    ids,
    varies: (id) => active[id] === 1,
    variables,
    parameters,
    cost,
    limits: limitNodes,
    held: [...plan.held.keys()],
    longest: LAYER,
  });
  const guards = guardNodes(graph, values, roots);
  return assemble(values, cost, guards, limits, described);
}

/** From here on a bound of a quantity is none. */
const UNBOUNDED = 1e19;

interface SplitLimit extends HardLimit {
  readonly index: number;
  readonly unit?: number;
}

/** `max(a, b) ≤ u` is `a ≤ u` and `b ≤ u`, `|a| ≤ u` is `−u ≤ a ≤ u`: no variable is needed for these. */
function splitLimit(graph: Graph, limit: HardLimit, index: number): SplitLimit[] {
  const done: SplitLimit[] = [];
  const open: HardLimit[] = [limit];
  const seen = new Set<string>();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, lower, upper } = next;
    // a shared argument has as many ways to it as there are corners to the power of two
    const key = `${node} ${lower} ${upper}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const { op, args, length } = graph.nodes[node];
    const above = lower === -Infinity;
    const scalar = length === 1;
    if (scalar && above && op === "max" || scalar && upper === Infinity && op === "min") {
      open.push(...args.map((arg) => ({ node: arg, lower, upper })));
    } else if (scalar && above && op === "abs" && upper >= 0) {
      open.push({ node: args[0], lower: -upper, upper });
    } else if (scalar && op === "neg") open.push({ node: args[0], lower: -upper, upper: -lower });
    else done.push({ node, lower, upper, index });
  }
  return done.map((each) => inOwnUnits(graph, each));
}

function inOwnUnits(graph: Graph, limit: SplitLimit): SplitLimit {
  const { node, lower, upper, index } = limit;
  const unit = Math.max(...[lower, upper].filter(Number.isFinite).map(Math.abs));
  if (!(unit > 0 && unit < TINY)) return limit;
  const scaled = graph.binary("mul", node, graph.constant(1 / unit));
  return { node: scaled, lower: lower / unit, upper: upper / unit, index, unit };
}

function assemble(
  values: LiftValues,
  cost: NodeId,
  guards: ReadonlyMap<NodeId, NodeId>,
  limits: readonly SplitLimit[],
  described: { readonly steps: LiftedSteps; readonly rows: readonly RowQuantity[] } | undefined,
): Lifted {
  const g = values.graph;
  const n = values.variables;
  const guardOf = (source: NodeId) => guards.get(source) ?? g.constant(1);
  const guarded = (source: NodeId, row: NodeId) => g.select(guardOf(source), row, g.constant(-1));
  const rows: LiftedRow[] = [];
  const rowNodes: NodeId[] = [];
  for (const { node, lower, upper, index, unit } of limits) {
    rows.push({ lower, upper, limit: index, branch: -1, auxiliary: -1, ...(unit && { unit }) });
    rowNodes.push(values.liftedOf(node));
  }
  for (const { source, row, branch, auxiliary } of values.rows) {
    rows.push({ lower: -Infinity, upper: 0, limit: -1, branch, auxiliary });
    rowNodes.push(guarded(source, row));
  }
  const ranged = described?.rows ?? [];
  ranged.forEach(({ smooth }, k) => {
    const [value, bound] = [values.exactOf(smooth), values.layout.ranges + 2 * k];
    const [lower, upper] = [g.parameter(bound), g.parameter(bound + 1)];
    const unbounded = g.constant(UNBOUNDED);
    for (
      const [open, row] of [
        [g.binary("le", lower, g.unary("neg", unbounded)), g.binary("sub", lower, value)],
        [g.binary("le", unbounded, upper), g.binary("sub", value, upper)],
      ]
    ) {
      rows.push({ lower: -Infinity, upper: 0, limit: -1, branch: -1, auxiliary: -1 });
      rowNodes.push(g.select(open, g.constant(-1), row));
    }
  });
  let objective = values.liftedOf(cost);
  let squares = g.constant(0);
  for (let i = 0; i < n; i++) {
    squares = g.binary("add", squares, g.binary("mul", g.variable(i), g.variable(i)));
  }
  objective = g.binary("add", objective, g.binary("mul", g.parameter(values.layout.rho), squares));

  const { auxiliaries, branches } = values;
  const starts = 1 + rows.length;
  const layout: LiftedLayout = {
    ...values.layout,
    parameters: values.layout.ranges + 2 * ranged.length,
    starts,
    auxiliaryGuards: starts + auxiliaries.length,
    tests: starts + 2 * auxiliaries.length,
    branchGuards: starts + 2 * auxiliaries.length + branches.length,
  };
  const outputs = [
    objective,
    ...rowNodes,
    ...auxiliaries.map((auxiliary) => auxiliary.start),
    ...auxiliaries.map((auxiliary) => guardOf(auxiliary.source)),
    ...branches.map((branch) => branch.test),
    ...branches.map((branch) => guardOf(branch.source)),
  ];
  const tape = compileTape(g, { variables: n + auxiliaries.length, parameters: layout.parameters, outputs });
  return {
    tape: tape.buffer,
    variables: n,
    auxiliaries: auxiliaries.map(({ lower, upper }) => ({ lower, upper })),
    rows,
    branches: branches.map(({ kind }) => ({ kind })),
    steps: described?.steps,
    ranged: ranged.map(({ quantity }) => quantity),
    stepped: values.plan.stepped,
    smoothed: values.plan.smoothed,
    layout,
  };
}
