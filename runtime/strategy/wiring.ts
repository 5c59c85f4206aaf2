/** Runs the lowered skills symbolically: every value of a run becomes a node of one graph. */
import { type Graph, type NodeId, reachable } from "../graph/expr.ts";
import type { Limit, Source } from "../graph/skill.ts";
import type { WiredOpaque } from "./linked.ts";
import type { LoweredSkill } from "./lowered.ts";
import { MEASURED_TYPES, type Strategy } from "./strategy.ts";

/** The foreign code of a strategy: one number for each opaque node of each skill, the same in every tape. */
export class OpaqueTable {
  readonly entries: WiredOpaque[] = [];
  readonly #known = new Map<string, number>();

  /** The number of opaque `local` of a skill. */
  number({ spec, opaques }: LoweredSkill, local: number): number {
    const key = `${local} ${spec.name}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, this.entries.length);
    return this.entries.push({ ...opaques[local], skill: spec.name, local }) - 1;
  }
}

/** Most of each in the graph of a strategy: a guard evaluates it in the kernel, within a few milliseconds. */
export const GRAPH_LIMITS = Object.freeze({
  nodes: 100_000,
  /** The lengths of all nodes. */
  elements: 1 << 18,
  /** Numbers in constants, layers and forests. */
  weights: 1 << 21,
});

/** A strategy becomes larger than its graph may be. */
export class GraphTooLarge extends Error {
  constructor(readonly skill: string, message: string) {
    super(message);
  }
}

/** A limit and the node that it limits. */
export interface WiredLimit {
  readonly skill: string;
  readonly limit: Limit;
  readonly node: NodeId;
}

export interface WiringOptions {
  readonly strategy: Strategy;
  readonly lowered: ReadonlyMap<string, LoweredSkill>;
  readonly opaques: OpaqueTable;
  readonly graph: Graph;
  /** The node of a measured variable. */
  readonly measured: (name: string) => NodeId;
}

export class Wiring {
  readonly graph: Graph;
  /** Latest value by variable. */
  readonly latest = new Map<string, NodeId>();
  /** Every value that a skill has written, in order. */
  readonly writes: NodeId[] = [];
  /** By skill and place; a skill that runs again replaces its own. */
  readonly limits = new Map<string, WiredLimit>();
  readonly #options: WiringOptions;
  /** Value at the start of the run by variable: `V_current`. */
  readonly #current = new Map<string, NodeId>();
  /** What the first so many nodes of the graph amount to. */
  readonly #size = { nodes: 0, elements: 0, weights: 0 };

  constructor(options: WiringOptions) {
    this.#options = options;
    this.graph = options.graph;
    const zero = this.graph.constant(0);
    for (const { name, type } of options.strategy.variables.values()) {
      const node = MEASURED_TYPES.has(type) ? options.measured(name) : zero;
      this.#current.set(name, node);
      this.latest.set(name, node);
    }
  }

  /** @throws {GraphTooLarge} */
  run(skills: readonly string[]): void {
    for (const name of skills) {
      const skill = this.#options.lowered.get(name)!;
      this.#step(name, skill);
      this.#measure(skill);
    }
  }

  /** What PreCalculateVariables has written becomes the present value of Calculated variables. */
  pin(): void {
    for (const { name, type } of this.#options.strategy.variables.values()) {
      if (type === "Calculated") this.#current.set(name, this.latest.get(name)!);
    }
  }

  #step(name: string, skill: LoweredSkill): void {
    const { spec, limits } = skill;
    const before = new Map(limits.map(({ variable }) => [variable, this.latest.get(variable)!]));
    const outputs = this.#inline(skill, skill.sources.map((source) => this.#source(source)));
    spec.outputs.forEach((variable, k) => {
      this.latest.set(variable, outputs[k]);
      this.writes.push(outputs[k]);
    });
    limits.forEach((limit, k) => {
      const written = spec.outputs.includes(limit.variable);
      const node = (written ? this.latest : before).get(limit.variable)!;
      this.limits.set(`${k} ${name}`, { skill: name, limit, node });
    });
  }

  #measure({ spec }: LoweredSkill): void {
    const size = this.#size;
    const { nodes } = this.graph;
    for (; size.nodes < nodes.length; size.nodes++) {
      const { length, data } = nodes[size.nodes];
      size.elements += length;
      size.weights += data?.length ?? 0;
    }
    for (const key of Object.keys(GRAPH_LIMITS) as (keyof typeof GRAPH_LIMITS)[]) {
      if (size[key] <= GRAPH_LIMITS[key]) continue;
      const message = `Cannot link skill "${spec.name}" of class "${spec.class}": with it the strategy has ` +
        `${size[key]} ${key} in its graph, expected at most ${GRAPH_LIMITS[key]}`;
      throw new GraphTooLarge(spec.name, message);
    }
  }

  #source({ variable, role }: Source): NodeId {
    switch (role) {
      case "value":
        return this.latest.get(variable)!;
      case "measured":
        return this.#current.get(variable)!;
      case "threshold":
        return this.graph.constant(this.#options.strategy.variables.get(variable)!.threshold!);
    }
  }

  /** As `Graph.inline`, but foreign code gets its number of the whole strategy. */
  #inline(skill: LoweredSkill, sources: readonly NodeId[]): NodeId[] {
    const { graph: from, outputs } = skill.expression;
    const copied = new Map<NodeId, NodeId>();
    for (const id of reachable(from, outputs)) {
      const node = from.nodes[id];
      const args = node.args.map((arg) => copied.get(arg)!);
      const copy = node.op === "parameter"
        ? sources[node.index!]
        : node.op === "opaque"
        ? this.graph.opaque(this.#options.opaques.number(skill, node.index!), args[0], node.length)
        : this.graph.copy(node, args);
      copied.set(id, copy);
    }
    return outputs.map((id) => copied.get(id)!);
  }
}
