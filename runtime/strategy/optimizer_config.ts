import type { ConfigSchema } from "../graph/config_schema.ts";
import type { PluginKind } from "../graph/skill.ts";
import { Fields } from "./fields.ts";
import type { Findings } from "./findings.ts";
import { shownName } from "./identifier.ts";
import type { Path } from "./positions.ts";
import type { Strategy } from "./strategy.ts";

/** The predecessor's choices of method: accepted, without effect. */
const IGNORED = ["algorithm", "smoothing"];
/** Keys of an optimizer's skill that are the runtime's own, whatever the plugin is. */
export const OPTIMIZER_KEYS: Readonly<Record<string, Record<string, never>>> = {
  cost_skill_name: {},
  cost_feature_name: {},
  ...Object.fromEntries(IGNORED.map((key) => [key, {}])),
};

export interface OptimizerConfig {
  /** Is run for the cost. */
  readonly costSkill: string;
  /** Is minimised. */
  readonly feature: string;
  readonly featurePath: Path;
}

/** The config of an optimizer's skill; undefined where it cannot be used, told in the findings. */
export function readOptimizer(
  strategy: Strategy,
  name: string,
  kinds: ReadonlyMap<string, PluginKind>,
  findings: Findings,
  schema?: ConfigSchema,
): OptimizerConfig | undefined {
  const skill = strategy.skills.get(name)!;
  const path: Path = ["skills", name, "config"];
  const fields = new Fields(findings, path, skill.config, `the config of skill "${name}"`);
  const costSkill = nameIn(fields, "cost_skill_name", "the skill that computes the cost");
  const named = fields.raw("cost_feature_name") === undefined && strategy.minimize !== undefined
    ? strategy.minimize
    : nameIn(fields, "cost_feature_name", "the variable to minimise");
  const featurePath = [...path, "cost_feature_name"];
  for (const key of IGNORED) {
    if (fields.raw(key) === undefined) continue;
    const message = `"${key}" of skill "${name}" has no effect: the optimizer's method is the plugin's`;
    findings.note("CONFIG_IGNORED", [...path, key], message, { key: true });
  }
  // the plugin's own keys were checked by its schema
  if (schema === undefined && !strategy.legacy) fields.refuseRest();
  if (costSkill === undefined || named === undefined) return undefined;

  const before = findings.problems.length;
  if (!strategy.skills.has(costSkill)) {
    const hint = findings.hint(costSkill, strategy.skills.keys());
    const message = `Cannot run ${
      shownName(costSkill)
    } for the cost of skill "${name}": there is no such skill${hint}`;
    findings.problem("UNKNOWN_SKILL", [...path, "cost_skill_name"], message);
  } else if (kinds.get(costSkill) === "optimizer") {
    const message = `Cannot run "${costSkill}" for the cost of skill "${name}": it is an optimizer itself`;
    findings.problem("CYCLE", [...path, "cost_skill_name"], message);
  }
  if (!strategy.variables.has(named)) {
    const hint = findings.hint(named, strategy.variables.keys());
    const message = `Cannot minimise ${
      shownName(named)
    } in skill "${name}": there is no such variable${hint}`;
    findings.problem("UNDECLARED_VARIABLE", featurePath, message, { variable: named });
  } else if (strategy.minimize !== undefined && strategy.minimize !== named) {
    const message =
      `Cannot minimise both "${named}" (skill "${name}") and "${strategy.minimize}": expected the same variable`;
    findings.problem("STRATEGY_INVALID", ["objective", "minimize"], message, { variable: strategy.minimize });
  }
  return findings.problems.length > before ? undefined : { costSkill, feature: named, featurePath };
}

function nameIn(fields: Fields, key: string, what: string): string | undefined {
  const name = fields.text(key);
  if (name !== undefined || fields.raw(key) !== undefined) return name;
  fields.problem("STRATEGY_INVALID", `Cannot use ${fields.what} without "${key}": expected ${what}`);
}
