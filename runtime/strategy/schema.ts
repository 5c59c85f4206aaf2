/** From the values of a file to a {@linkcode Strategy}: every part by itself. What the parts mean together is check.ts. */
import { checkNames } from "./check.ts";
import { Fields, isMapping, type Mapping, shown } from "./fields.ts";
import { Findings } from "./findings.ts";
import { shownName, wrongIdentifier, wrongLabel } from "./identifier.ts";
import { DEFAULT_PLUGINS, readPluginRef } from "./plugin_ref.ts";
import type { Positions } from "./positions.ts";
import { wrongSchedule } from "./schedule.ts";
import { readSkill } from "./skill_schema.ts";
import type { PluginRef, Skill, Strategy, Task, Variable } from "./strategy.ts";
import { readVariable } from "./variable_schema.ts";
import { isVersion, UNVERSIONED, versionExample } from "../version.ts";

const API_VERSION = "setpoint/v1";

export interface StrategyIdentity {
  /** SHA-256 of what was read. */
  readonly digest: string;
  readonly file?: string;
  /** For a strategy that says none itself, and for a legacy file, whose own are of its time: the pointer's. */
  readonly name?: string;
  readonly version?: string;
}

/** Never throws: what is wrong is in `problems`. */
export function readSchema(root: unknown, positions: Positions, identity: StrategyIdentity): Strategy {
  const findings = new Findings(positions);
  if (!isMapping(root)) {
    const message = `Cannot read a strategy from ${
      shown(root)
    }: expected a mapping with variables, skills and tasks`;
    findings.problem("STRATEGY_INVALID", [], message);
  }
  const fields = new Fields(findings, [], isMapping(root) ? root : {}, "the strategy");
  const apiVersion = fields.text("apiVersion");
  if (apiVersion !== undefined && apiVersion !== API_VERSION) {
    fields.wrong("apiVersion", apiVersion, API_VERSION);
  }
  const legacy = fields.raw("apiVersion") === undefined;
  const close = (part: Fields) => legacy || part.refuseRest();

  const { file, digest } = identity;
  const strategy: Strategy = {
    digest,
    ...(file !== undefined && { file }),
    legacy,
    name: (legacy ? undefined : readName(fields)) ?? identity.name ?? "strategy",
    version: (legacy ? undefined : readVersion(fields)) ?? identity.version ?? UNVERSIONED,
    ...optional({
      apiVersion,
      description: fields.text("description"),
      schedule: readSchedule(fields),
      minimize: readObjective(fields, close),
      range: fields.choice("range", ["off", "warn", "soft", "hard"]),
    }),
    variables: readMap(fields, "variables", wrongIdentifier, (name, part) => {
      const variable: Variable = readVariable(name, part);
      close(part);
      return variable;
    }),
    skills: readMap(fields, "skills", wrongLabel, (name, part) => {
      const skill: Skill = readSkill(name, part);
      close(part);
      return skill;
    }),
    tasks: readTasks(fields, close),
    plugins: readPlugins(fields),
    problems: findings.problems,
    notes: findings.notes,
    position: (path, offset) => positions.position(path, offset),
    keyPosition: (path) => positions.keyPosition(path),
  };
  close(fields);
  checkNames(strategy, findings);
  return strategy;
}

function readName(fields: Fields): string | undefined {
  const name = fields.text("name");
  const wrong = name === undefined ? undefined : wrongLabel(name);
  return wrong === undefined ? name : fields.wrong("name", name, wrong.replace(/^expected /, ""));
}

function readVersion(fields: Fields): string | undefined {
  const version = fields.raw("version");
  if (version === undefined || (typeof version === "string" && isVersion(version))) return version;
  return fields.wrong("version", version, `a semantic version such as ${versionExample(version)}`);
}

function readSchedule(fields: Fields): string | undefined {
  const schedule = fields.text("schedule");
  const wrong = schedule === undefined ? undefined : wrongSchedule(schedule);
  return wrong === undefined ? schedule : fields.wrong("schedule", schedule, wrong.replace(/^expected /, ""));
}

function readObjective(fields: Fields, close: (part: Fields) => unknown): string | undefined {
  const value = fields.mapping("objective");
  if (value === undefined) return undefined;
  const objective = new Fields(fields.findings, ["objective"], value, "the objective");
  const minimize = objective.text("minimize");
  if (minimize === undefined && objective.raw("minimize") === undefined) {
    objective.problem(
      "STRATEGY_INVALID",
      'Cannot use the objective without "minimize": expected the name of a variable',
    );
  }
  close(objective);
  return minimize;
}

/** A map of named mappings; an entry whose name or form is wrong is told and left out. */
function readMap<T>(
  fields: Fields,
  key: "variables" | "skills",
  wrongName: (name: string) => string | undefined,
  read: (name: string, fields: Fields) => T,
): ReadonlyMap<string, T> {
  const entries = new Map<string, T>();
  const value = fields.mapping(key);
  if (value === undefined && fields.raw(key) === undefined) {
    fields.problem("STRATEGY_INVALID", `Cannot use the strategy without "${key}"`);
  }
  const singular = key.slice(0, -1);
  for (const name of Object.keys(value ?? {})) {
    const path = [key, name];
    const entry = value![name];
    const wrong = wrongName(name);
    if (wrong !== undefined) {
      fields.problem("IDENTIFIER_INVALID", `Cannot name a ${singular} ${shownName(name)}: ${wrong}`, path, {
        key: true,
      });
    } else if (!isMapping(entry)) {
      const message = `Cannot use ${shown(entry)} as ${singular} "${name}": expected a mapping`;
      fields.problem("STRATEGY_INVALID", message, path);
    } else {
      const variable = key === "variables" ? name : undefined;
      entries.set(
        name,
        read(name, new Fields(fields.findings, path, entry as Mapping, `${singular} "${name}"`, variable)),
      );
    }
  }
  return entries;
}

function readTasks(fields: Fields, close: (part: Fields) => unknown): readonly Task[] {
  const tasks: Task[] = [];
  const list = fields.list("tasks");
  if (list === undefined && fields.raw("tasks") === undefined) {
    fields.problem("STRATEGY_INVALID", 'Cannot use the strategy without "tasks"');
  }
  for (const [index, value] of (list ?? []).entries()) {
    const path = ["tasks", index];
    if (!isMapping(value)) {
      fields.problem("STRATEGY_INVALID", `Cannot use ${shown(value)} as a task: expected a mapping`, path);
      continue;
    }
    const task = new Fields(fields.findings, path, value, `task ${index + 1}`);
    const name = task.text("name");
    const sequence = task.names("skill_sequence");
    task.text("description");
    close(task);
    if (name === undefined && task.raw("name") === undefined) {
      fields.problem("STRATEGY_INVALID", `Cannot use task ${index + 1} without "name"`, path);
    } else if (name !== undefined && wrongLabel(name) !== undefined) {
      task.wrong("name", name, wrongLabel(name)!.replace(/^expected /, ""));
    } else if (tasks.some((known) => known.name === name)) {
      task.wrong("name", name, "a name of its own: another task has it");
    }
    if (sequence === undefined && task.raw("skill_sequence") === undefined) {
      fields.problem(
        "STRATEGY_INVALID",
        `Cannot run task ${shownName(name ?? "")} without "skill_sequence"`,
        path,
      );
    }
    tasks.push(Object.freeze({ name: name ?? `task ${index + 1}`, sequence: Object.freeze(sequence ?? []) }));
  }
  return Object.freeze(tasks);
}

function readPlugins(fields: Fields): ReadonlyMap<string, PluginRef> {
  const plugins = new Map<string, PluginRef>();
  for (const [name, builtin] of Object.entries(DEFAULT_PLUGINS)) {
    plugins.set(name, { class: name, source: "builtin", name: builtin });
  }
  const value = fields.mapping("plugins") ?? {};
  const part = new Fields(fields.findings, ["plugins"], value, "the plugins");
  for (const name of Object.keys(value)) {
    const wrong = wrongIdentifier(name);
    if (wrong !== undefined) {
      const message = `Cannot name a class ${shownName(name)}: ${wrong}`;
      fields.problem("IDENTIFIER_INVALID", message, ["plugins", name], { key: true });
      continue;
    }
    const ref = readPluginRef(name, part);
    if (ref !== undefined) plugins.set(name, Object.freeze(ref));
  }
  return plugins;
}

function optional<T extends object>(parts: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as never;
}
