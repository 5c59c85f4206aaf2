/** What a plugin gets to know of a skill. */
import { SetpointError } from "../errors.ts";
import { type ConfigSchema, withDefaults } from "../graph/config_schema.ts";
import { externalDataKey, externalDataNames } from "../graph/onnx_external.ts";
import type { PluginKind, SkillFile, SkillSpec, VariableInfo } from "../graph/skill.ts";
import type { Findings } from "./findings.ts";
import type { FileResolver } from "./linked.ts";
import type { Skill, Strategy } from "./strategy.ts";

export type VariableInfos = Readonly<Record<string, VariableInfo>>;

/** @returns undefined where a file is missing, told in the findings. */
export async function specOf(
  strategy: Strategy,
  skill: Skill,
  kind: PluginKind,
  variables: VariableInfos,
  resolve: FileResolver,
  findings: Findings,
  schema?: ConfigSchema,
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
        const file = files[key] = await resolve(value, skill.name);
        if (kind !== "model" || skill.config.model_data_path !== undefined) return;
        const folder = value.slice(0, value.lastIndexOf("/") + 1);
        for (const name of externalDataNames(file.bytes)) {
          files[externalDataKey(key, name)] = await resolve(folder + name, skill.name);
        }
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
  const given = schema === undefined ? skill.config : withDefaults(schema, skill.config);
  const config = kind === "model" && range !== undefined && skill.config.range === undefined
    ? { ...given, range }
    : given;
  const { name, inputs, outputs } = skill;
  return {
    name,
    strategy: strategy.name,
    class: skill.class,
    inputs,
    outputs,
    config,
    variables: withUndeclared(variables, skill),
    files,
    legacy: strategy.legacy,
  };
}

export function variableInfos(strategy: Strategy): VariableInfos {
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
  variables: VariableInfos,
  skill: Skill,
): VariableInfos {
  const undeclared = undeclaredOf(skill, variables);
  if (undeclared.length === 0) return variables;
  const infos: Record<string, VariableInfo> = Object.assign(Object.create(null), variables);
  for (const name of undeclared) infos[name] = { type: "Informative", units: "" };
  return Object.freeze(infos);
}

/** Names of the skill that no variable has. */
export function undeclaredOf(
  { inputs, outputs }: Skill,
  variables: VariableInfos,
): string[] {
  return [...inputs, ...outputs].filter((name) => variables[name] === undefined);
}
