/**
 * When a node matters: for which settings of the switches its value can reach the objective or a limit. What does not
 * matter has its rows relaxed and its variables fixed, so a side that was not chosen restricts nothing.
 */
import type { Graph, NodeId } from "./expr.ts";
import type { LiftValues } from "./lift_values.ts";

/** By node of the request's graph: 1 or 0, a node of the lifted graph that depends on parameters only. */
export function guardNodes(
  source: Graph,
  values: LiftValues,
  roots: readonly NodeId[],
): ReadonlyMap<NodeId, NodeId> {
  const g = values.graph;
  const guards = new Map<NodeId, NodeId>();
  const fixed: boolean[] = [];
  /** No variable and no foreign code behind it. */
  const isFixed = (id: NodeId): boolean => {
    for (let k = fixed.length; k <= id; k++) {
      const { op, args } = g.nodes[k];
      fixed.push(op !== "variable" && op !== "opaque" && args.every((arg) => fixed[arg]));
    }
    return fixed[id] && g.nodes[id].length === 1;
  };
  const matters = (id: NodeId, guard: NodeId) => {
    const known = guards.get(id);
    guards.set(id, known === undefined ? guard : either(known, guard));
  };
  const either = (a: NodeId, b: NodeId) =>
    a === b ? a : isOne(g, a) || isOne(g, b) ? g.constant(1) : g.binary("or", a, b);
  const both = (a: NodeId, b: NodeId) => isOne(g, a) ? b : isOne(g, b) ? a : g.binary("and", a, b);
  for (const root of roots) matters(root, g.constant(1));
  for (const id of values.built.toReversed()) {
    const guard = guards.get(id)!;
    const { op, args } = source.nodes[id];
    const choice = values.choiceOf(id);
    if (choice !== undefined) {
      matters(args[0], both(guard, choice));
      matters(args[1], both(guard, g.unary("not", choice)));
      continue;
    }
    const condition = args.length > 0 ? values.conditionOf(id) : undefined;
    if (condition === undefined || !isFixed(condition)) {
      for (const arg of values.readsOf(id)) matters(arg, guard);
      continue;
    }
    matters(args[0], guard);
    const yes = both(guard, g.unary("not", g.unary("not", condition)));
    const no = both(guard, g.unary("not", condition));
    if (op === "select") {
      matters(args[1], yes);
      matters(args[2], no);
    } else matters(args[1], op === "and" ? yes : no);
  }
  return guards;
}

function isOne(graph: Graph, id: NodeId): boolean {
  const { op, data, length } = graph.nodes[id];
  return op === "constant" && length === 1 && data![0] === 1;
}
