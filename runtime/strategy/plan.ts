/** The order of a run: which skills run before the optimizer, in its cost, and after it. */
import type { PluginKind } from "../graph/skill.ts";
import { PRE_CALCULATION } from "./check.ts";
import type { Findings } from "./findings.ts";
import { shownName } from "./identifier.ts";
import type { Path } from "./positions.ts";
import { type OptimizerConfig, readOptimizer } from "./optimizer_config.ts";
import type { Strategy, Task } from "./strategy.ts";

/** Sequences that contain sequences can double at every level. */
const MAX_STEPS = 10_000;

export interface RunPlan {
  /** Class of the optimizer. */
  readonly optimizer: string;
  /** The optimizer's skill; undefined where the objective alone asks for one. */
  readonly skill?: string;
  /** What the optimizer may move; undefined: everything that can be. */
  readonly inputs?: readonly string[];
  readonly feature: string;
  /** Where the feature is named. */
  readonly featurePath: Path;
  /** Skills in order, compositions replaced by what they contain. */
  readonly pre: readonly string[];
  readonly lead: readonly string[];
  readonly cost: readonly string[];
  readonly after: readonly string[];
  /** The same by task, for what concerns one sequence. */
  readonly sequences: readonly (readonly string[])[];
  /** False where a part of a sequence is missing, told already: then what nothing computes may be in that part. */
  readonly complete: boolean;
  /** By composition: the skills that it runs. */
  readonly contents: ReadonlyMap<string, readonly string[]>;
}

/** @returns undefined where nothing can be optimized; the findings say why. */
export function planRun(
  strategy: Strategy,
  kinds: ReadonlyMap<string, PluginKind>,
  compositions: ReadonlyMap<string, readonly string[]>,
  findings: Findings,
): RunPlan | undefined {
  const planner = new Planner(strategy, kinds, compositions, findings);
  const before = findings.problems.length;
  // every composition, in use or not: a wrong one is told wherever it is
  const contents = new Map([...compositions.keys()].map((name) => [name, planner.expand(name, [])]));

  const pre: string[] = [];
  const lead: string[] = [];
  const after: string[] = [];
  const sequences: string[][] = [];
  let found: {
    readonly skill: string;
    readonly config: OptimizerConfig | undefined;
    readonly cost: readonly string[];
  } | undefined;
  const late = (task: Task) => task.name === PRE_CALCULATION ? 0 : 1;
  const tasks = [...strategy.tasks.entries()].sort(([, a], [, b]) => late(a) - late(b));
  for (const [index, task] of tasks) {
    const steps = task.sequence.flatMap((name) => planner.expand(name, []));
    sequences.push([]);
    for (const step of steps) {
      if (kinds.get(step) !== "optimizer") {
        (task.name === PRE_CALCULATION ? pre : found === undefined ? lead : after).push(step);
        sequences.at(-1)!.push(step);
        continue;
      }
      const path = ["tasks", index, "skill_sequence"];
      if (task.name === PRE_CALCULATION) {
        findings.problem(
          "STRATEGY_INVALID",
          path,
          `Cannot optimize in task "${PRE_CALCULATION}": it runs once, on measured values`,
        );
      } else if (found !== undefined) {
        findings.problem(
          "STRATEGY_INVALID",
          path,
          `Cannot run optimizer "${step}" after "${found.skill}": expected one in all tasks`,
        );
      } else {
        const config = readOptimizer(strategy, step, kinds, findings);
        const cost = config === undefined ? [] : planner.expand(config.costSkill, []);
        sequences.at(-1)!.push(...cost);
        found = { skill: step, config, cost };
      }
    }
  }
  const used = new Set([...pre, ...lead, ...after, ...(found?.cost ?? [])]);
  if (findings.problems.length === before) noteUnused(strategy, kinds, used, findings);
  if (found !== undefined) {
    if (found.config === undefined) return undefined;
    const { skill, cost, config } = found;
    const spec = strategy.skills.get(skill)!;
    const { feature, featurePath } = config;
    return {
      optimizer: spec.class,
      skill,
      inputs: spec.inputs,
      feature,
      featurePath,
      pre,
      lead,
      cost,
      after,
      sequences,
      contents,
      complete: planner.complete,
    };
  }
  const optimizer = classOfOptimizer(strategy);
  if (strategy.minimize !== undefined && optimizer !== undefined) {
    const featurePath = ["objective", "minimize"];
    return {
      optimizer,
      feature: strategy.minimize,
      featurePath,
      pre,
      lead: [],
      cost: lead,
      after,
      sequences,
      contents,
      complete: planner.complete,
    };
  }
  // a skill of an unknown class may have been the one
  if (kinds.size === strategy.skills.size) {
    const message =
      'Cannot optimize: no task runs a skill of class OptimizationSkill, and there is no "objective"';
    findings.problem("NOT_OPTIMIZABLE", ["tasks"], message, { key: true });
  }
}

/** A strategy with an objective and no optimizer skill gets the class that everyone else writes. */
function classOfOptimizer(strategy: Strategy): string | undefined {
  for (const ref of strategy.plugins.values()) {
    if (ref.class === "OptimizationSkill") return ref.class;
  }
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

  /** @param within Compositions around it, outermost first. */
  expand(name: string, within: readonly string[]): readonly string[] {
    const sequence = this.compositions.get(name);
    if (!this.strategy.skills.has(name)) return this.#missing();
    if (sequence === undefined) return this.kinds.get(name) === "composition" ? this.#missing() : [name];
    if (this.#broken.has(name) || this.#steps > MAX_STEPS) return this.#missing();
    if (within.includes(name)) {
      const loop = [...within.slice(within.indexOf(name)), name];
      for (const skill of loop) this.#broken.add(skill);
      this.findings.problem(
        "CYCLE",
        placeOf(this.strategy, within.at(-1)!, name),
        `Cannot run skill "${name}": it contains itself (${loop.join(" → ")})`,
      );
      return this.#missing();
    }
    this.#steps += sequence.length;
    if (this.#steps > MAX_STEPS) {
      const message = `Cannot run skill "${name}": the sequences have more than ${MAX_STEPS} steps in all`;
      this.findings.problem("STRATEGY_INVALID", ["skills", name], message, { key: true });
      return this.#missing();
    }
    return sequence.flatMap((part) => {
      if (this.strategy.skills.has(part)) return this.expand(part, [...within, name]);
      const hint = this.findings.hint(part, this.strategy.skills.keys());
      const message = `Cannot run ${shownName(part)} in skill "${name}": there is no such skill${hint}`;
      this.findings.problem("UNKNOWN_SKILL", placeOf(this.strategy, name, part), message);
      return this.#missing();
    });
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
