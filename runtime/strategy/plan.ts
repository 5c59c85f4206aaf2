/** The order of a run: which skills run before the optimizer, in its cost, and after it. */
import type { ConfigSchema } from "../graph/config_schema.ts";
import type { PluginKind } from "../graph/skill.ts";
import { PRE_CALCULATION } from "./check.ts";
import type { Findings } from "./findings.ts";
import { shownName } from "./identifier.ts";
import type { Path } from "./positions.ts";
import { readOptimizer } from "./optimizer_config.ts";
import type { Strategy, Task } from "./strategy.ts";

/** Sequences that contain sequences can double at every level. */
const MAX_STEPS = 10_000;

export interface RunPlan {
  /** undefined where nothing can be optimized, told in the findings. */
  readonly target: Target | undefined;
  /** Skills in order, compositions replaced by what they contain. */
  readonly pre: readonly string[];
  readonly lead: readonly string[];
  readonly cost: readonly string[];
  readonly after: readonly string[];
  /** The same by task, for what concerns one sequence. */
  readonly sequences: readonly (readonly string[])[];
  /** By composition: the skills that it runs. */
  readonly contents: ReadonlyMap<string, readonly string[]>;
  /** False where a part of a sequence is missing, told already: then what nothing computes may be in that part. */
  readonly complete: boolean;
}

export interface Target {
  /** Class of the optimizer. */
  readonly optimizer: string;
  /** The optimizer's skill; undefined where the objective alone asks for one. */
  readonly skill?: string;
  /** What the optimizer may move; undefined: everything that can be. */
  readonly inputs?: readonly string[];
  /** The variable to minimise, and where the file names it. */
  readonly feature: string;
  readonly featurePath: Path;
}

/** The class that an objective without an optimizer's skill stands for. */
const DEFAULT_OPTIMIZER = "OptimizationSkill";

export function planRun(
  strategy: Strategy,
  kinds: ReadonlyMap<string, PluginKind>,
  compositions: ReadonlyMap<string, readonly string[]>,
  findings: Findings,
  schemas: ReadonlyMap<string, ConfigSchema> = new Map(),
): RunPlan {
  const planner = new Planner(strategy, kinds, compositions, findings);
  // every composition, in use or not: a wrong one is told wherever it is
  const contents = new Map([...compositions.keys()].map((name) => [name, planner.expand(name)]));
  const pre: string[] = [];
  const lead: string[] = [];
  const after: string[] = [];
  let cost: readonly string[] = [];
  const sequences: string[][] = [];
  let optimizer: string | undefined;
  let target: Target | undefined;
  const rank = (task: Task) => task.name === PRE_CALCULATION ? 0 : 1;
  for (const [index, task] of [...strategy.tasks.entries()].sort(([, a], [, b]) => rank(a) - rank(b))) {
    const sequence: string[] = [];
    sequences.push(sequence);
    const refuse = (message: string) =>
      findings.problem("STRATEGY_INVALID", ["tasks", index, "skill_sequence"], message);
    for (const step of task.sequence.flatMap((name) => planner.expand(name))) {
      if (kinds.get(step) !== "optimizer") {
        (task.name === PRE_CALCULATION ? pre : optimizer === undefined ? lead : after).push(step);
        sequence.push(step);
      } else if (task.name === PRE_CALCULATION) {
        refuse(`Cannot optimize in task "${PRE_CALCULATION}": it runs once, on measured values`);
      } else if (optimizer !== undefined) {
        refuse(`Cannot run optimizer "${step}" after "${optimizer}": expected one in all tasks`);
      } else {
        optimizer = step;
        const config = readOptimizer(strategy, step, kinds, findings, schemas.get(step));
        if (config === undefined) {
          planner.complete = false;
          continue;
        }
        cost = planner.expand(config.costSkill);
        sequence.push(...cost);
        const { inputs, class: cls } = strategy.skills.get(step)!;
        const { feature, featurePath } = config;
        target = { optimizer: cls, skill: step, inputs, feature, featurePath };
      }
    }
  }
  const { complete } = planner;
  const common = { pre, after, sequences, contents, complete };
  if (complete) noteUnused(strategy, kinds, new Set([...pre, ...lead, ...cost, ...after]), findings);
  if (optimizer !== undefined) return { ...common, target, lead, cost };
  // a skill of an unknown class may have been the one
  if (lead.some((step) => !kinds.has(step))) {
    return { ...common, complete: false, target: undefined, lead, cost };
  }
  if (strategy.minimize !== undefined) {
    const feature = { feature: strategy.minimize, featurePath: ["objective", "minimize"] };
    return { ...common, target: { optimizer: DEFAULT_OPTIMIZER, ...feature }, lead: [], cost: lead };
  }
  // a skill of an unknown class may have been the one
  if (kinds.size === strategy.skills.size) {
    const message =
      `Cannot optimize: no task runs a skill of class ${DEFAULT_OPTIMIZER}, and there is no "objective"`;
    findings.problem("NOT_OPTIMIZABLE", ["tasks"], message, { key: true });
  }
  return { ...common, target: undefined, lead, cost };
}

class Planner {
  complete = true;
  #steps = 0;
  readonly #broken = new Set<string>();

  constructor(
    readonly strategy: Strategy,
    readonly kinds: ReadonlyMap<string, PluginKind>,
    readonly compositions: ReadonlyMap<string, readonly string[]>,
    readonly findings: Findings,
  ) {}

  /** The skills that `name` stands for. @param within Compositions around it, outermost first. */
  expand(name: string, within: readonly string[] = []): readonly string[] {
    if (within.length === 0) this.#steps = 0;
    const sequence = this.compositions.get(name);
    if (!this.strategy.skills.has(name)) return this.#missing();
    if (sequence === undefined) return this.kinds.get(name) === "composition" ? this.#missing() : [name];
    if (this.#broken.has(name)) return this.#break(within);
    if (within.includes(name)) {
      const loop = [...within.slice(within.indexOf(name)), name];
      this.findings.problem(
        "CYCLE",
        placeOf(this.strategy, within.at(-1)!, name),
        `Cannot run skill "${name}": it contains itself (${loop.join(" → ")})`,
      );
      return this.#break(within);
    }
    this.#steps += sequence.length;
    if (this.#steps > MAX_STEPS) {
      const outermost = within[0] ?? name;
      const message = `Cannot run skill "${outermost}": it has more than ${MAX_STEPS} steps in all`;
      this.findings.problem("STRATEGY_INVALID", ["skills", outermost], message, { key: true });
      return this.#break([...within, name]);
    }
    return sequence.flatMap((part) => {
      if (this.strategy.skills.has(part)) return this.expand(part, [...within, name]);
      const hint = this.findings.hint(part, this.strategy.skills.keys());
      const message = `Cannot run ${shownName(part)} in skill "${name}": there is no such skill${hint}`;
      this.findings.problem("UNKNOWN_SKILL", placeOf(this.strategy, name, part), message);
      return this.#missing();
    });
  }

  /** Compositions that cannot be run are told once. */
  #break(skills: readonly string[]): readonly string[] {
    for (const skill of skills) this.#broken.add(skill);
    return this.#missing();
  }

  #missing(): readonly string[] {
    this.complete = false;
    return [];
  }
}

/** Where the config of `skill` says `text`: what the plugin made of its config is its own business. */
function placeOf(strategy: Strategy, skill: string, text: string): Path {
  const root: Path = ["skills", skill, "config"];
  const search = (value: unknown, path: Path): Path | undefined => {
    if (value === text) return path;
    if (typeof value !== "object" || value === null) return undefined;
    for (const [key, part] of Object.entries(value)) {
      const found = search(part, [...path, Array.isArray(value) ? Number(key) : key]);
      if (found !== undefined) return found;
    }
  };
  return search(strategy.skills.get(skill)?.config, root) ?? root;
}

function noteUnused(
  strategy: Strategy,
  kinds: ReadonlyMap<string, PluginKind>,
  used: ReadonlySet<string>,
  findings: Findings,
): void {
  for (const name of strategy.skills.keys()) {
    const kind = kinds.get(name);
    if (used.has(name) || kind === undefined || kind === "composition" || kind === "optimizer") continue;
    findings.note("SKILL_UNUSED", ["skills", name], `Skill "${name}" is in no task`, { key: true });
  }
}
