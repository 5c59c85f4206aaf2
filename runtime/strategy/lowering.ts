/** Asks the plugins what each skill is, and checks what they answer: they are not trusted. */
import { SetpointError } from "../errors.ts";
import type { Expression } from "../graph/expr.ts";
import { decodeExpression } from "../graph/expression.ts";
import { GraphError } from "../graph/graph_error.ts";
import type {
  Limit,
  LoweredMessage,
  OpaqueSpec,
  PluginKind,
  SkillFile,
  SkillSpec,
  Source,
  VariableInfo,
} from "../graph/skill.ts";
import type { Findings } from "./findings.ts";
import type { FileResolver, SkillDriver } from "./linked.ts";
import { tellFailures, tellProblem } from "./skill_problems.ts";
import { isBroken, type NoteCode, type Skill, type Strategy } from "./strategy.ts";

export interface LoweredSkill {
  readonly spec: SkillSpec;
  readonly expression: Expression;
  readonly sources: readonly Source[];
  readonly opaques: readonly OpaqueSpec[];
  readonly limits: readonly Limit[];
}

/** What is known of the skills; one that is missing here has its reason in the findings. */
export interface Answers {
  readonly kinds: ReadonlyMap<string, PluginKind>;
  /** By composition. */
  readonly sequences: ReadonlyMap<string, readonly string[]>;
  readonly lowered: ReadonlyMap<string, LoweredSkill>;
}

/** Kinds first, then sequences and expressions of all skills at the same time, in use or not. */
export async function askPlugins(
  strategy: Strategy,
  driver: SkillDriver,
  files: FileResolver,
  findings: Findings,
): Promise<Answers> {
  const kinds = new Map<string, PluginKind>();
  const sequences = new Map<string, readonly string[]>();
  const lowered = new Map<string, LoweredSkill>();
  const kindOfClass = new Map<string, Promise<PluginKind>>();
  const variables = variableInfos(strategy);

  await Promise.all([...strategy.skills.values()].map(async (skill) => {
    if (!strategy.plugins.has(skill.class)) return;
    const undeclared = undeclaredOf(skill, variables).length > 0;
    await tellFailures(skill, undeclared, findings, async () => {
      if (!kindOfClass.has(skill.class)) kindOfClass.set(skill.class, driver.kindOf(skill.class));
      const kind = await kindOfClass.get(skill.class)!;
      kinds.set(skill.name, kind);
      if (kind === "optimizer" || !skill.readable) return;
      const spec = await specOf(strategy, skill, kind, variables, files, findings);
      if (spec === undefined) return;
      if (kind === "composition") sequences.set(skill.name, checkedNames(await driver.sequence(spec)));
      else lowered.set(skill.name, accept(strategy, spec, await driver.lower(spec), skill, findings));
    });
  }));
  return { kinds, sequences, lowered: inFileOrder(strategy, lowered) };
}

async function specOf(
  strategy: Strategy,
  skill: Skill,
  kind: PluginKind,
  variables: Readonly<Record<string, VariableInfo>>,
  resolve: FileResolver,
  findings: Findings,
): Promise<SkillSpec | undefined> {
  const files: Record<string, SkillFile> = Object.create(null);
  let missing = false;
  await Promise.all(
    Object.entries(skill.config).map(async ([key, value]) => {
      if (!key.endsWith("_path") || value === null) return;
      const path = ["skills", skill.name, "config", key];
      if (typeof value !== "string" || value === "") {
        missing = true;
        const message = `Cannot use ${
          JSON.stringify(value)
        } as "${key}" of skill "${skill.name}": expected the path of a file`;
        return findings.problem("STRATEGY_INVALID", path, message);
      }
      try {
        files[key] = await resolve(value, skill.name);
      } catch (error) {
        if (!(error instanceof SetpointError)) throw error;
        missing = true;
        for (const problem of error.problems) {
          findings.problem(problem.code, path, `${problem.message} ("${key}" of skill "${skill.name}")`);
        }
      }
    }),
  );
  if (missing) return undefined;
  const { range } = strategy;
  const config = kind === "model" && range !== undefined && skill.config.range === undefined
    ? { ...skill.config, range }
    : skill.config;
  const { name, inputs, outputs } = skill;
  return {
    name,
    class: skill.class,
    inputs,
    outputs,
    config,
    variables: withUndeclared(variables, skill),
    files,
    legacy: strategy.legacy,
  };
}

function variableInfos(strategy: Strategy): Readonly<Record<string, VariableInfo>> {
  const infos: Record<string, VariableInfo> = Object.create(null);
  for (const { name, type, units, threshold, min, max } of strategy.variables.values()) {
    infos[name] = {
      type,
      units,
      ...(threshold !== undefined && { threshold }),
      ...(min !== undefined && { min }),
      ...(max !== undefined && { max }),
    };
  }
  return Object.freeze(infos);
}

/** An undeclared name is told already: the plugin sees some variable in its place and tells what else is wrong. */
function withUndeclared(
  variables: Readonly<Record<string, VariableInfo>>,
  skill: Skill,
): Readonly<Record<string, VariableInfo>> {
  const undeclared = undeclaredOf(skill, variables);
  if (undeclared.length === 0) return variables;
  const infos: Record<string, VariableInfo> = Object.assign(Object.create(null), variables);
  for (const name of undeclared) infos[name] = { type: "Informative", units: "" };
  return Object.freeze(infos);
}

function undeclaredOf(
  { inputs, outputs }: Skill,
  variables: Readonly<Record<string, VariableInfo>>,
): string[] {
  return [...inputs, ...outputs].filter((name) => variables[name] === undefined);
}

/** @throws {GraphError} What the plugin gave is no description of the skill. */
function accept(
  strategy: Strategy,
  spec: SkillSpec,
  message: LoweredMessage,
  skill: Skill,
  findings: Findings,
): LoweredSkill {
  const { sources, opaques, limits, notes } = message;
  const expression = decodeExpression(message.expression, { opaques });
  if (expression.sources !== sources.length) refuse(`${sources.length} sources`, `${expression.sources}`);
  if (expression.outputs.length !== spec.outputs.length) {
    refuse(`${expression.outputs.length} outputs`, `${spec.outputs.length}`);
  }
  for (const { variable, role } of sources) {
    if (!spec.inputs.includes(variable)) refuse(`the source "${variable}"`, "one of its inputs");
    if (!["value", "measured", "threshold"].includes(role)) {
      refuse(`the role "${role}"`, "value, measured or threshold");
    }
    if (
      role === "threshold" && spec.variables[variable].threshold === undefined &&
      !isBroken(strategy, variable)
    ) {
      const problem = {
        message: `Cannot read "${variable}_threshold": variable "${variable}" has no threshold`,
        variable,
      };
      tellProblem(skill, problem, findings);
    }
  }
  for (const limit of limits) checkLimit(spec, limit);
  for (const { code, message, path = [], offset, variable } of notes) {
    findings.note(NOTE_CODES.get(code ?? "") ?? "SKILL_NOTE", ["skills", skill.name, ...path], message, {
      key: path.length === 0,
      ...(offset !== undefined && { offset }),
      ...(variable !== undefined && { variable }),
    });
  }
  return { spec, expression, sources, opaques, limits };
}

/** What a plugin may call its notes. */
const NOTE_CODES: ReadonlyMap<string, NoteCode> = new Map([["UNIT_MISMATCH", "UNIT_MISMATCH"]]);

function checkLimit(spec: SkillSpec, limit: Limit): void {
  const { variable, mode, lower, upper, weight, priority } = limit;
  if (!spec.inputs.includes(variable) && !spec.outputs.includes(variable)) {
    refuse(`a limit of "${variable}"`, "one of its inputs or outputs");
  }
  if (!["score", "soft", "hard"].includes(mode)) refuse(`the mode "${mode}"`, "score, soft or hard");
  if (!(lower <= upper)) refuse(`a limit from ${lower} to ${upper}`, "a lower below an upper");
  if (!(weight >= 0 && weight < Infinity) || !Number.isFinite(priority)) {
    refuse(`the weight ${weight}`, "a number of at least 0");
  }
}

function refuse(got: string, expected: string): never {
  throw new GraphError("EXPRESSION", `Cannot use what the plugin lowered: got ${got}, expected ${expected}`);
}

function checkedNames(names: readonly string[]): readonly string[] {
  if (!Array.isArray(names) || names.some((name) => typeof name !== "string")) {
    throw new GraphError(
      "EXPRESSION",
      "Cannot use what the plugin gave as a sequence: expected names of skills",
    );
  }
  return names;
}

/** The plugins answer in any order; what is built from their answers must not depend on it. */
function inFileOrder<T>(strategy: Strategy, found: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  const names = [...strategy.skills.keys()].filter((name) => found.has(name));
  return new Map(names.map((name) => [name, found.get(name)!]));
}
