/** Asks the plugins what each skill is. */
import { SetpointError } from "../errors.ts";
import { checkConfig, type ConfigSchema } from "../graph/config_schema.ts";
import type { LoweredMessage, PluginKind, SkillSpec } from "../graph/skill.ts";
import type { Findings } from "./findings.ts";
import type { FileResolver, SkillDriver } from "./linked.ts";
import { acceptSequence } from "./lowered.ts";
import { OPTIMIZER_KEYS } from "./optimizer_config.ts";
import { tellFailure, tellProblem } from "./skill_problems.ts";
import { specOf, undeclaredOf, variableInfos } from "./skill_spec.ts";
import type { Skill, Strategy } from "./strategy.ts";

/** What a plugin made of a skill, as it gave it. */
export interface Described {
  readonly spec: SkillSpec;
  readonly message: LoweredMessage;
}

/** What is known of the skills; one that is missing here has its reason in the findings. */
export interface Answers {
  readonly kinds: ReadonlyMap<string, PluginKind>;
  /** By composition. */
  readonly sequences: ReadonlyMap<string, readonly string[]>;
  readonly lowered: ReadonlyMap<string, Described>;
  /** By skill, where its plugin says what its config may be. */
  readonly schemas: ReadonlyMap<string, ConfigSchema>;
}

/** Kinds first, then sequences and expressions of all skills, in use or not; the plugins at the same time. */
export async function askPlugins(
  strategy: Strategy,
  driver: SkillDriver,
  files: FileResolver,
  findings: Findings,
): Promise<Answers> {
  noteUnused(strategy, findings);
  const kinds = await askKinds(strategy, driver, findings);
  const schemas = await askSchemas(strategy, kinds, driver);
  const sequences = new Map<string, readonly string[]>();
  const lowered = new Map<string, Described>();
  const variables = variableInfos(strategy);
  const specs = new Map<string, SkillSpec>();
  const tell = (error: unknown, skill: Skill) =>
    tellFailure(error, skill, undeclaredOf(skill, variables).length > 0, findings);
  await Promise.all([...strategy.skills.values()].map(async (skill) => {
    const kind = kinds.get(skill.name);
    if (kind === undefined || !skill.readable) return;
    const schema = schemas.get(skill.name);
    if (schema !== undefined && !acceptConfig(strategy, skill, schema, findings)) return;
    if (kind === "optimizer") return;
    try {
      const spec = await specOf(strategy, skill, kind, variables, files, findings, schema);
      if (spec !== undefined) specs.set(skill.name, spec);
    } catch (error) {
      tell(error, skill);
    }
  }));
  const classes = new Set([...specs.values()].map((spec) => spec.class));
  await Promise.all([...classes].map(async (cls) => {
    // one after the other: a plugin's queue is short, and its deadline is for the work on one skill
    for (const skill of strategy.skills.values()) {
      const spec = specs.get(skill.name);
      if (spec?.class !== cls) continue;
      try {
        if (kinds.get(skill.name) === "composition") {
          sequences.set(skill.name, acceptSequence(await driver.sequence(spec)));
        } else lowered.set(skill.name, { spec, message: await driver.lower(spec) });
      } catch (error) {
        tell(error, skill);
        // what fails by itself would cost every skill a deadline
        if (error instanceof SetpointError) return;
      }
    }
  }));
  return {
    kinds,
    schemas,
    sequences: inFileOrder(strategy, sequences),
    lowered: inFileOrder(strategy, lowered),
  };
}

/** A plugin that no skill uses is not even read: whoever named it should know. */
function noteUnused({ plugins, skills }: Strategy, findings: Findings): void {
  const used = new Set([...skills.values()].map((skill) => skill.class));
  for (const { class: cls, source } of plugins.values()) {
    if (source === "builtin" || used.has(cls)) continue;
    const message = `No skill is of class "${cls}": its plugin is neither read nor checked`;
    findings.note("PLUGIN_UNUSED", ["plugins", cls], message, { key: true });
  }
}

/** By skill. A plugin that cannot be opened is told once, where the strategy names it. */
async function askKinds(
  strategy: Strategy,
  driver: SkillDriver,
  findings: Findings,
): Promise<ReadonlyMap<string, PluginKind>> {
  const byClass = new Map<string, PluginKind>();
  const classes = new Set([...strategy.skills.values()].map((skill) => skill.class));
  await Promise.all([...classes].map(async (cls) => {
    const ref = strategy.plugins.get(cls);
    if (ref === undefined) return;
    try {
      byClass.set(cls, await driver.kindOf(cls));
    } catch (error) {
      if (!(error instanceof SetpointError)) throw error;
      const first = [...strategy.skills.values()].find((skill) => skill.class === cls)!;
      const path = ref.at === undefined ? ["skills", first.name, "class"] : ["plugins", cls];
      for (const { code, message, at } of error.problems) {
        // a place in the plugin's own file says more than where the strategy names the plugin
        if (at?.file !== undefined) findings.problems.push({ code, message, at });
        else findings.problem(code, path, message);
      }
    }
  }));
  const skills = [...strategy.skills.values()].filter((skill) => byClass.has(skill.class));
  return new Map(skills.map((skill) => [skill.name, byClass.get(skill.class)!]));
}

/** By skill; an optimizer's has the runtime's own keys too. */
async function askSchemas(
  strategy: Strategy,
  kinds: ReadonlyMap<string, PluginKind>,
  driver: SkillDriver,
): Promise<ReadonlyMap<string, ConfigSchema>> {
  const schemas = new Map<string, ConfigSchema>();
  for (const [name, kind] of kinds) {
    const schema = await driver.schemaOf?.(strategy.skills.get(name)!.class);
    if (schema === undefined) continue;
    const optimizer = { ...schema, properties: { ...schema.properties, ...OPTIMIZER_KEYS } };
    schemas.set(name, kind === "optimizer" ? optimizer : schema);
  }
  return schemas;
}

/** Whether a plugin may see the config. A legacy file's extra keys are warned of: they had no effect before either. */
function acceptConfig(strategy: Strategy, skill: Skill, schema: ConfigSchema, findings: Findings): boolean {
  const problems = checkConfig(schema, skill.config, skill.name);
  const mild = problems.filter(({ code }) => strategy.legacy && code === "UNKNOWN_KEY");
  for (const { message, path = [] } of mild) {
    findings.note("KEY_WITHOUT_EFFECT", ["skills", skill.name, ...path], message, { key: true });
  }
  const grave = problems.filter((problem) => !mild.includes(problem));
  for (const problem of grave) tellProblem(skill, problem, findings);
  return grave.length === 0;
}

/** The plugins answer in any order; what is built from their answers must not depend on it. */
function inFileOrder<T>(strategy: Strategy, found: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  const names = [...strategy.skills.keys()].filter((name) => found.has(name));
  return new Map(names.map((name) => [name, found.get(name)!]));
}
