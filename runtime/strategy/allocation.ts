/** The problem of turning values of Calculated decisions back into setpoints: strategy.md, "Allocation". */
import { Graph } from "../graph/expr.ts";
import { compileTape } from "../graph/tape.ts";
import type { Groups } from "./actuators.ts";
import type { LinkedAllocation } from "./linked.ts";
import type { RunPlan } from "./plan.ts";
import { problemOf } from "./problem.ts";
import { Wiring, type WiringOptions } from "./wiring.ts";

/** @returns undefined where no decision is Calculated from movable setpoints. */
export function linkAllocation(
  { actuators, groups: all }: Groups,
  plan: RunPlan,
  measured: readonly string[],
  options: Pick<WiringOptions, "strategy" | "lowered" | "opaques">,
): LinkedAllocation | undefined {
  const groups = all.filter((group) => group.actuators.length > 0);
  if (groups.length === 0) return undefined;
  const places = new Map(actuators.map(({ name }, k) => [name, k]));

  const reach = new Graph();
  const absolute = new Wiring({
    ...options,
    graph: reach,
    measured: (name) =>
      places.has(name) ? reach.variable(places.get(name)!) : reach.parameter(measured.indexOf(name)),
  });
  absolute.run(plan.pre);
  const values = groups.map(({ name }) => absolute.latest.get(name)!);
  const spec = { variables: actuators.length, parameters: measured.length };
  const reachTape = compileTape(reach, { ...spec, outputs: values });

  const graph = new Graph();
  const relative = new Wiring({
    ...options,
    graph,
    measured: (name) => {
      const present = graph.parameter(measured.indexOf(name));
      const place = places.get(name);
      if (place === undefined) return present;
      const moved = graph.binary("mul", graph.constant(actuators[place].scale), graph.variable(place));
      return graph.binary("add", present, moved);
    },
  });
  relative.run(plan.pre);
  const squares = actuators.map((_, k) => graph.binary("mul", graph.variable(k), graph.variable(k)));
  const cost = squares.reduce((sum, square) => graph.binary("add", sum, square));
  const rows = groups.map(({ name, scale }, g) => {
    const miss = graph.binary("sub", relative.latest.get(name)!, graph.parameter(measured.length + g));
    return { node: graph.binary("div", miss, graph.constant(scale)), lower: 0, upper: 0 };
  });
  const problem = problemOf({
    graph,
    variables: actuators.length,
    parameters: measured.length + groups.length,
    cost,
    limits: rows,
    scale: new Float64Array(actuators.length).fill(1),
  });
  return Object.freeze({ actuators, groups, problem, reach: reachTape.buffer });
}
