/** What a plugin makes of a skill, checked: plugins are not trusted. */
import type { Expression } from "../graph/expr.ts";
import { decodeExpression, SKILL_EXTENT } from "../graph/expression.ts";
import { GraphError } from "../graph/graph_error.ts";
import type { Limit, LoweredMessage, OpaqueSpec, SkillSpec, Source } from "../graph/skill.ts";
import type { Findings } from "./findings.ts";
import { tellProblem } from "./skill_problems.ts";
import { isBroken, type NoteCode, type Skill, type Strategy } from "./strategy.ts";

/** Most of each that one skill may have: what a plugin describes is worked on for longer the larger it is. */
export const SKILL_LIMITS = Object.freeze({
  ...SKILL_EXTENT,
  opaques: 256,
  limits: 1_000,
});

export interface LoweredSkill {
  readonly spec: SkillSpec;
  readonly expression: Expression;
  readonly sources: readonly Source[];
  readonly opaques: readonly OpaqueSpec[];
  readonly limits: readonly Limit[];
}

/** @throws {GraphError} What the plugin gave is no description of the skill. */
export function acceptLowered(
  strategy: Strategy,
  spec: SkillSpec,
  message: LoweredMessage,
  skill: Skill,
  findings: Findings,
): LoweredSkill {
  const { sources, opaques, limits, notes } = message;
  for (const [name, list] of Object.entries({ opaques, limits })) {
    const most = SKILL_LIMITS[name as "opaques" | "limits"];
    if (list.length > most) refuse(`${list.length} ${name}`, `at most ${most}`);
  }
  const expression = decoded(message);
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

function decoded({ expression, opaques }: LoweredMessage): Expression {
  const { nodes: maxNodes, elements: maxElements } = SKILL_LIMITS;
  try {
    return decodeExpression(expression, { opaques, maxNodes, maxElements });
  } catch (error) {
    // of the engine: simplifying follows what is nested
    if (!(error instanceof RangeError)) throw error;
    throw new GraphError("EXPRESSION", "Cannot read an expression: its nodes are nested too deep");
  }
}

/** What a plugin may call its notes. */
const NOTE_CODES: ReadonlyMap<string, NoteCode> = new Map<string, NoteCode>([
  ["UNIT_MISMATCH", "UNIT_MISMATCH"],
  ["RANGE_UNKNOWN", "RANGE_UNKNOWN"],
  ["MODEL_OPAQUE", "MODEL_OPAQUE"],
]);

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

/** @throws {GraphError} The same of a composition. */
export function acceptSequence(names: readonly string[]): readonly string[] {
  if (!Array.isArray(names) || names.some((name) => typeof name !== "string")) {
    throw new GraphError(
      "EXPRESSION",
      "Cannot use what the plugin gave as a sequence: expected names of skills",
    );
  }
  return names;
}
