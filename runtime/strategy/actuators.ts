/** Which setpoints lie behind the Calculated decisions, and whether what these can reach is an interval of its own. */
import { Graph, type NodeId, reachable } from "../graph/expr.ts";
import type { Op } from "../graph/ops.ts";
import { movementOf } from "./decisions.ts";
import type { Findings } from "./findings.ts";
import type { ActuatorGroup, LinkedActuator, SearchVariable } from "./linked.ts";
import type { RunPlan } from "./plan.ts";
import type { Strategy } from "./strategy.ts";
import { Wiring, type WiringOptions } from "./wiring.ts";

export interface Groups {
  readonly actuators: readonly LinkedActuator[];
  readonly groups: readonly ActuatorGroup[];
}

/** Operations whose values over a box can leave gaps. */
const JUMPS: ReadonlySet<Op> = new Set<Op>([
  "floor",
  "ceil",
  "round",
  "mod",
  "floordiv",
  "lt",
  "le",
  "eq",
  "and",
  "or",
  "not",
  "select",
  "opaque",
  "trees",
]); // deno-fmt-ignore

/** @param options Its graph and measured nodes are not used: the groups get a graph of their own. */
export function findGroups(
  strategy: Strategy,
  plan: RunPlan,
  measured: readonly string[],
  decisions: readonly SearchVariable[],
  options: Pick<WiringOptions, "strategy" | "lowered" | "opaques">,
  findings: Findings,
): Groups {
  const movable = new Map(
    [...strategy.variables.values()].flatMap((variable) => {
      const movement = variable.type === "Operative" ? movementOf(variable) : undefined;
      return movement === undefined ? [] : [[variable.name, movement] as const];
    }),
  );
  const names = [...movable.keys()];
  const graph = new Graph();
  const wiring = new Wiring({
    ...options,
    graph,
    measured: (name) =>
      movable.has(name) ? graph.variable(names.indexOf(name)) : graph.parameter(measured.indexOf(name)),
  });
  wiring.run(plan.pre);

  const used: string[] = [];
  const found = decisions.flatMap((decision, index) => {
    if (decision.type !== "Calculated") return [];
    const counts = occurrences(graph, wiring.latest.get(decision.name)!);
    const behind = names.filter((_, k) => counts.variables.has(k));
    if (behind.length === 0) tellFixed(strategy, decision.name, findings);
    for (const name of behind) if (!used.includes(name)) used.push(name);
    const single = !counts.jumps && [...counts.variables.values()].every((count) => count === 1);
    return [{ decision: index, name: decision.name, scale: decision.scale, behind, single }];
  });
  const actuators = used.map((name): LinkedActuator => {
    const { units } = strategy.variables.get(name)!;
    return Object.freeze({ name, units, ...movable.get(name)!, index: measured.indexOf(name) });
  });
  const groups = found.map(({ decision, name, scale, behind, single }): ActuatorGroup => {
    const shared = found.some((other) => other.name !== name && other.behind.some((part) => behind.includes(part)));
    const places = Object.freeze(behind.map((part) => used.indexOf(part)));
    return Object.freeze({ decision, name, scale, actuators: places, joint: shared || !single });
  });
  return { actuators, groups };
}

function tellFixed(strategy: Strategy, name: string, findings: Findings): void {
  const message = `Cannot optimize "${name}": no variable that it is calculated from may be moved, ` +
    'expected an Operative one with "threshold" or both "max_up" and "max_down"';
  const path = ["variables", name];
  const where = { key: true, variable: name };
  // the predecessor moved such variables all the same; here they stay where they are
  if (strategy.legacy) {
    findings.note("FIXED_GROUP", path, message.replace("Cannot optimize", "Cannot move"), where);
  } else findings.problem("NOT_OPTIMIZABLE", path, message, where);
}

/** How often each variable occurs in the formula of `root`, written out; and whether there are jumps on the way. */
function occurrences(graph: Graph, root: NodeId): { variables: Map<number, number>; jumps: boolean } {
  const counts = new Map<NodeId, number>([[root, 1]]);
  const variables = new Map<number, number>();
  let jumps = false;
  for (const id of reachable(graph, [root]).reverse()) {
    const node = graph.nodes[id];
    const count = counts.get(id)!;
    if (node.op === "variable") variables.set(node.index!, Math.min(count, 2));
    if (JUMPS.has(node.op)) jumps = true;
    // every row of a `linear` reads the whole vector; a slice of a longer vector counts it too often, which is safe
    const rows = node.op === "linear" ? node.length : 1;
    for (const arg of node.args) counts.set(arg, Math.min((counts.get(arg) ?? 0) + count * rows, 2));
  }
  return { variables, jumps: jumps && variables.size > 0 };
}
