/** Limits become rows that must hold, or penalties in what is minimised. */
import type { Graph, NodeId } from "../graph/expr.ts";
import type { Limit } from "../graph/skill.ts";
import type { Strategy } from "./strategy.ts";
import type { Wiring } from "./wiring.ts";

/** What a step of priority multiplies the weight by: the limit gives way only after those that come behind it. */
const PRIORITY_STEP = 100;

export interface PlacedLimit {
  readonly name: string;
  readonly skill?: string;
  readonly limit: Limit;
  readonly node: NodeId;
  /** soft: what it adds to the cost. */
  readonly penalty?: NodeId;
}

/**
 * All limits of a run: those of the skills, then the hard min and max of variables that nobody moves directly.
 * @param depends Whether a decision can change a node.
 */
export function placeLimits(
  strategy: Strategy,
  wiring: Wiring,
  decisions: readonly string[],
  depends: (node: NodeId) => boolean,
): PlacedLimit[] {
  const wired = [...wiring.limits.values()];
  const ranks = priorityRanks(wired.map(({ limit }) => limit));
  const placed = wired.map(({ skill, limit, node }): PlacedLimit => ({
    name: limit.training ? `${limit.variable} in the training range of ${skill}` : skill,
    skill,
    limit,
    node,
    ...(limit.mode === "soft" &&
      { penalty: penaltyOf(wiring.graph, limit, node, ranks.get(limit.priority)!) }),
  }));
  for (const { name, type, min = -Infinity, max = Infinity } of strategy.variables.values()) {
    const node = wiring.latest.get(name)!;
    const open = min === -Infinity && max === Infinity;
    if (
      open || type === "Operative" || type === "Informative" || decisions.includes(name) || !depends(node)
    ) continue;
    const range = { lower: min, upper: max, physicalLower: min, physicalUpper: max };
    placed.push({ name, limit: { variable: name, mode: "hard", ...range, weight: 0, priority: 0 }, node });
  }
  return placed;
}

/** weight · max(0, lower − v, v − upper) / range. */
function penaltyOf(graph: Graph, { lower, upper, weight }: Limit, node: NodeId, rank: number): NodeId {
  const scale = relativeTo(lower, upper);
  const over = (limit: number, excess: () => NodeId) =>
    Number.isFinite(limit) ? [graph.binary("div", excess(), graph.constant(scale))] : [];
  const sides = [
    ...over(lower, () => graph.binary("sub", graph.constant(lower), node)),
    ...over(upper, () => graph.binary("sub", node, graph.constant(upper))),
  ];
  const violation = sides.reduce((worst, side) => graph.binary("max", worst, side), graph.constant(0));
  return graph.binary("mul", graph.constant(weight * PRIORITY_STEP ** rank), violation);
}

/** What a violation is relative to: the range, or one-sided (or a range of nothing) the size of the limit. */
function relativeTo(lower: number, upper: number): number {
  if (Number.isFinite(lower) && Number.isFinite(upper) && upper > lower) return upper - lower;
  return Math.max(1, Math.abs(Number.isFinite(lower) ? lower : Number.isFinite(upper) ? upper : 1));
}

/** 0 for what gives way first: with one priority for all, the weights are as they are written. */
function priorityRanks(limits: readonly Limit[]): ReadonlyMap<number, number> {
  const soft = limits.filter(({ mode }) => mode === "soft").map(({ priority }) => priority);
  const order = (priority: number) => priority === 0 ? Infinity : priority;
  const first = [...new Set(soft)].sort((a, b) => order(a) === order(b) ? 0 : order(b) - order(a));
  return new Map(first.map((priority, rank) => [priority, rank]));
}
