/** From a strategy and its plugins to one graph: strategy.md, "Order and values". */
import { type ConfigSchema, withDefaults } from "../graph/config_schema.ts";
import { Graph, type NodeId, reachable } from "../graph/expr.ts";
import { compileTape } from "../graph/tape.ts";
import { findGroups, type Groups } from "./actuators.ts";
import { linkAllocation } from "./allocation.ts";
import { decisionsOf } from "./decisions.ts";
import { Findings, inFileOrder } from "./findings.ts";
import { type PlacedLimit, placeLimits } from "./limits.ts";
import type {
  FileResolver,
  HardRow,
  LinkedLimit,
  LinkedStrategy,
  SearchVariable,
  SkillDriver,
} from "./linked.ts";
import type { LoweredSkill } from "./lowered.ts";
import { askPlugins } from "./lowering.ts";
import { checkOrder } from "./order.ts";
import { planRun, type RunPlan, type Target } from "./plan.ts";
import { problemOf } from "./problem.ts";
import { MEASURED_TYPES, type Strategy } from "./strategy.ts";
import { OpaqueTable, Wiring } from "./wiring.ts";

/**
 * Lowers every skill and links all of them.
 * @param strategy As `readStrategy` gives it: its problems are told together with those found here.
 * @throws {SetpointError} With all problems in one go.
 */
export async function linkStrategy(
  strategy: Strategy,
  driver: SkillDriver,
  files: FileResolver,
): Promise<LinkedStrategy> {
  const findings = new Findings(strategy, strategy.problems, strategy.notes);
  const { kinds, sequences, lowered, schemas } = await askPlugins(strategy, driver, files, findings);
  const plan = planRun(strategy, kinds, sequences, findings, schemas);
  checkOrder(strategy, plan, lowered, findings);
  const { target } = plan;
  if (target === undefined) throw findings.error();

  const measured = [...strategy.variables.values()].filter(({ type }) => MEASURED_TYPES.has(type))
    .map(({ name }) => name);
  const calculated = new Set(plan.pre.flatMap((name) => strategy.skills.get(name)!.outputs));
  const pre = [...calculated].filter((name) => strategy.variables.get(name)?.type === "Calculated");
  const decisions = decisionsOf(strategy, plan, target, measured, pre, findings);
  findings.raise();

  const opaques = new OpaqueTable();
  const groups = findGroups(strategy, plan, measured, decisions, { strategy, lowered, opaques }, findings);
  findings.raise();
  const linker = new Linker(strategy, plan, target, lowered, measured, pre, decisions, groups, opaques);
  return { ...linker.link(findings), optimizerConfig: configOf(strategy, target, schemas) };
}

/** What an optimizer gets to know of its own skill. */
function configOf({ skills }: Strategy, { skill }: Target, schemas: ReadonlyMap<string, ConfigSchema>) {
  const config = skill === undefined ? {} : skills.get(skill)!.config;
  const schema = skill === undefined ? undefined : schemas.get(skill);
  return schema === undefined ? config : withDefaults(schema, config);
}

class Linker {
  readonly #graph = new Graph();
  readonly #search: readonly SearchVariable[];

  constructor(
    readonly strategy: Strategy,
    readonly plan: RunPlan,
    readonly target: Target,
    readonly lowered: ReadonlyMap<string, LoweredSkill>,
    readonly measured: readonly string[],
    readonly pre: readonly string[],
    readonly decisions: readonly SearchVariable[],
    readonly groups: Groups,
    readonly opaques: OpaqueTable,
  ) {
    const joint = new Set(groups.groups.filter((group) => group.joint).flatMap((group) => group.actuators));
    const actuators = groups.actuators.filter((_, k) => joint.has(k)).map((actuator): SearchVariable =>
      Object.freeze({ ...actuator, role: "actuator", type: "Operative", from: "measured" })
    );
    this.#search = Object.freeze([...decisions, ...actuators]);
  }

  link(findings: Findings): Omit<LinkedStrategy, "optimizerConfig"> {
    const { strategy, plan, target, measured, decisions } = this;
    const graph = this.#graph;
    const wiring = this.#wiring((name) => graph.parameter(measured.indexOf(name)));
    wiring.run(plan.pre);
    wiring.pin();
    const preNodes = this.pre.map((name) => wiring.latest.get(name)!);
    wiring.run(plan.lead);
    decisions.forEach(({ name }, k) => wiring.latest.set(name, graph.variable(k)));
    wiring.run(plan.cost);
    const cost = wiring.latest.get(target.feature)!;
    wiring.run(plan.after);

    const limits = placeLimits(
      strategy,
      wiring,
      decisions.map(({ name }) => name),
      (node) => this.#moves(node).size > 0,
    );
    const minimised = limits.reduce(
      (sum, { penalty }) => penalty === undefined ? sum : graph.binary("add", sum, penalty),
      cost,
    );
    const hard = limits.filter(({ limit }) => limit.mode === "hard");
    const rows = [
      ...hard.map((placed) => ({ name: placed.name, node: placed.node, placed, ...sides(placed) })),
      ...this.#ties(),
    ];
    this.#noteIdle([minimised, ...rows.map(({ node }) => node)], findings);

    const places = new Outputs([minimised, ...rows.map(({ node }) => node)]);
    const costPlace = places.of(cost);
    const linkedLimits = limits.map((placed): LinkedLimit =>
      this.#linkedLimit(placed, places, hard.indexOf(placed))
    );
    const variables: Record<string, number> = Object.create(null);
    for (const [name, node] of wiring.latest) variables[name] = places.of(node);
    for (const node of wiring.writes) places.of(node);

    const scale = Float64Array.from(this.#search, (entry) => entry.scale);
    const spec = { variables: this.#search.length, parameters: measured.length };
    const problem = problemOf({ graph, ...spec, cost: minimised, limits: rows, scale });
    const allocation = linkAllocation(this.groups, plan, measured, this);
    return Object.freeze({
      name: strategy.name,
      version: strategy.version,
      digest: strategy.digest,
      legacy: strategy.legacy,
      ...(strategy.schedule !== undefined && { schedule: strategy.schedule }),
      variables: [...strategy.variables.values()],
      skills: strategy.skills.size,
      optimizer: target.optimizer,
      measured,
      search: this.#search,
      decisions: decisions.length,
      scale,
      pre: {
        tape: compileTape(graph, { variables: 0, parameters: measured.length, outputs: preNodes }).buffer,
        outputs: this.pre,
      },
      exact: compileTape(graph, { ...spec, outputs: places.nodes }).buffer,
      rows: rows.map(({ name, lower, upper, placed }): HardRow => ({
        name,
        lower,
        upper,
        ...(placed !== undefined && { limit: limits.indexOf(placed) }),
      })),
      limits: linkedLimits,
      outputs: { cost: costPlace, costVariable: target.feature, variables },
      problem,
      ...(allocation !== undefined && { allocation }),
      opaques: this.opaques.entries,
      notes: Object.freeze(inFileOrder(findings.notes)),
    });
  }

  #wiring(node: (name: string) => NodeId): Wiring {
    const { strategy, lowered, opaques } = this;
    return new Wiring({ strategy, lowered, opaques, graph: this.#graph, measured: node });
  }

  /** A joint group's value is what its actuators make: a row of the search. */
  #ties(): { name: string; node: NodeId; lower: number; upper: number; placed?: PlacedLimit }[] {
    const graph = this.#graph;
    const joint = this.groups.groups.filter((group) => group.joint && group.actuators.length > 0);
    if (joint.length === 0) return [];
    const wiring = this.#wiring((name) => {
      const place = this.#search.findIndex((entry) => entry.role === "actuator" && entry.name === name);
      return place < 0 ? graph.parameter(this.measured.indexOf(name)) : graph.variable(place);
    });
    wiring.run(this.plan.pre);
    return joint.map(({ name, decision, scale }) => {
      const miss = graph.binary("sub", wiring.latest.get(name)!, graph.variable(decision));
      return { name, node: graph.binary("div", miss, graph.constant(scale)), lower: 0, upper: 0 };
    });
  }

  #linkedLimit(
    { name, skill, limit, node, penalty }: PlacedLimit,
    places: Outputs,
    row: number,
  ): LinkedLimit {
    const { strategy } = this;
    return Object.freeze({
      name,
      ...(skill !== undefined && { skill }),
      ...limit,
      units: strategy.variables.get(limit.variable)?.units ?? "",
      output: places.of(node),
      ...(row >= 0 && { row }),
      ...(penalty !== undefined && { penalty: places.of(penalty) }),
      outputs: skill === undefined || limit.training ? [] : strategy.skills.get(skill)!.outputs,
    });
  }

  /** Which variables of the search a node depends on. */
  #moves(...nodes: NodeId[]): Set<number> {
    const found = reachable(this.#graph, nodes).map((id) => this.#graph.nodes[id]);
    return new Set(found.filter(({ op }) => op === "variable").map(({ index }) => index!));
  }

  #noteIdle(nodes: readonly NodeId[], findings: Findings): void {
    const moves = this.#moves(...nodes);
    for (const [k, { name }] of this.decisions.entries()) {
      if (moves.has(k)) continue;
      const message = `"${name}" has no effect on "${this.target.feature}" or any limit: it will not move`;
      const path = this.target.skill === undefined
        ? ["variables", name]
        : ["skills", this.target.skill, "inputs", this.target.inputs!.indexOf(name)];
      findings.note("DECISION_WITHOUT_EFFECT", path, message, { variable: name });
    }
  }
}

function sides({ limit }: PlacedLimit): { lower: number; upper: number } {
  return { lower: limit.lower, upper: limit.upper };
}

/** Nodes in the order of the tape's outputs; a node that is asked for again has one output. */
class Outputs {
  readonly nodes: NodeId[];
  readonly #places = new Map<NodeId, number>();

  /** @param first In this order, equal ones too. */
  constructor(first: readonly NodeId[]) {
    this.nodes = [...first];
    for (const [place, node] of first.entries()) if (!this.#places.has(node)) this.#places.set(node, place);
  }

  of(node: NodeId): number {
    const known = this.#places.get(node);
    if (known !== undefined) return known;
    this.#places.set(node, this.nodes.length);
    return this.nodes.push(node) - 1;
  }
}
