/** From what a strategy and its plugins said to one graph: strategy.md, "Order and values". */
import { type ConfigSchema, withDefaults } from "../graph/config_schema.ts";
import { Graph, GraphError, type NodeId, reachable } from "../graph/expr.ts";
import { compileTape } from "../graph/tape.ts";
import type { Problem } from "../errors.ts";
import { findGroups, type Groups } from "./actuators.ts";
import { linkAllocation } from "./allocation.ts";
import { decisionsOf } from "./decisions.ts";
import { Findings } from "./findings.ts";
import { type PlacedLimit, placeLimits } from "./limits.ts";
import type { HardRow, LinkedLimit, LinkedStrategy, SearchVariable, WiredOpaque } from "./linked.ts";
import { acceptLowered, type LoweredSkill } from "./lowered.ts";
import type { Answers } from "./lowering.ts";
import { checkOrder } from "./order.ts";
import { planRun, type RunPlan, type Target } from "./plan.ts";
import { type Positions, soughtPositions } from "./positions.ts";
import { problemOf } from "./problem.ts";
import { tellFailure } from "./skill_problems.ts";
import { MEASURED_TYPES, type Note, type Strategy } from "./strategy.ts";
import { GraphTooLarge, OpaqueTable, Wiring } from "./wiring.ts";

/** A strategy and what its plugins said of it. Plain data: may be posted to another thread. */
export interface LinkRequest extends Answers {
  readonly strategy: Omit<Strategy, keyof Positions>;
  /** What is known to be wrong, and worth a note. */
  readonly problems: readonly Problem[];
  readonly notes: readonly Note[];
}

/** What one graph says; the rest is known to whoever asked. */
export type WiredStrategy =
  & Omit<LinkedStrategy, "variables" | "notes" | "opaques">
  & { readonly opaques: readonly WiredOpaque[] };

/** Positions of the findings are sought ones. Plain data. */
export interface LinkReply {
  readonly problems: readonly Problem[];
  readonly notes: readonly Note[];
  /** None where there are problems. */
  readonly wired?: WiredStrategy;
}

/** Checks what the plugins described, and links it. Takes as long as the descriptions are large: up to seconds. */
export function linkAnswers(request: LinkRequest): LinkReply {
  const strategy: Strategy = { ...request.strategy, ...soughtPositions };
  const findings = new Findings(strategy, request.problems, request.notes);
  const wired = wire(strategy, request, findings);
  const { problems, notes } = findings;
  return { problems, notes, ...(wired && problems.length === 0 && { wired }) };
}

function wire(
  strategy: Strategy,
  { kinds, sequences, schemas, lowered: described }: Answers,
  findings: Findings,
): WiredStrategy | undefined {
  const lowered = new Map<string, LoweredSkill>();
  for (const [name, { spec, message }] of described) {
    const skill = strategy.skills.get(name)!;
    try {
      lowered.set(name, acceptLowered(strategy, spec, message, skill, findings));
    } catch (error) {
      tellFailure(error, skill, false, findings);
    }
  }
  const plan = planRun(strategy, kinds, sequences, findings, schemas);
  checkOrder(strategy, plan, lowered, findings);
  const { target } = plan;
  if (target === undefined) return undefined;

  const measured = [...strategy.variables.values()].filter(({ type }) => MEASURED_TYPES.has(type))
    .map(({ name }) => name);
  const calculated = new Set(plan.pre.flatMap((name) => strategy.skills.get(name)!.outputs));
  const pre = [...calculated].filter((name) => strategy.variables.get(name)?.type === "Calculated");
  const decisions = decisionsOf(strategy, plan, target, measured, pre, findings);
  if (findings.problems.length > 0) return undefined;

  try {
    const opaques = new OpaqueTable();
    const groups = findGroups(strategy, plan, measured, decisions, { strategy, lowered, opaques }, findings);
    if (findings.problems.length > 0) return undefined;
    const linker = new Linker(strategy, plan, target, lowered, measured, pre, decisions, groups, opaques);
    return { ...linker.link(findings), optimizerConfig: configOf(strategy, target, schemas) };
  } catch (error) {
    if (error instanceof GraphTooLarge) {
      findings.problem("STRATEGY_TOO_LARGE", ["skills", error.skill], error.message, { key: true });
    } else if (error instanceof GraphError && error.code === "SIZE") {
      const message = `Cannot minimise "${target.feature}": ${error.message}`;
      findings.problem("NOT_OPTIMIZABLE", target.featurePath, message, { variable: target.feature });
    } else throw error;
  }
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

  link(findings: Findings): Omit<WiredStrategy, "optimizerConfig"> {
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
