/** What a plugin or a store throws at a skill becomes problems of the strategy, at their place in the file. */
import { ERROR_CODES, type ErrorCode, SetpointError } from "../errors.ts";
import { GraphError } from "../graph/graph_error.ts";
import type { SkillProblem } from "../graph/skill.ts";
import type { Findings } from "./findings.ts";
import type { Skill } from "./strategy.ts";

/**
 * Tells what was thrown at a skill; a fault of this program is thrown again.
 * @param undeclared Whether the skill names undeclared variables: they have no units that could be wrong.
 */
export function tellFailure(error: unknown, skill: Skill, undeclared: boolean, findings: Findings): void {
  const problems = problemsOf(error);
  if (problems !== undefined) {
    for (const problem of problems) {
      if (!undeclared || problem.code !== "UNIT_MISMATCH") tellProblem(skill, problem, findings);
    }
  } else if (error instanceof SetpointError) {
    for (const { code, message, at, variable } of error.problems) {
      // in the plugin's own file
      const place = at?.line === undefined ? "" : `, at ${at.file}:${at.line}:${at.column ?? 1}`;
      findings.problem(code, ["skills", skill.name], `${named(message, skill)}${place}`, {
        key: true,
        ...(variable !== undefined && { variable }),
      });
    }
  } else if (error instanceof GraphError) {
    const message = `${error.message} (skill "${skill.name}" of class "${skill.class}")`;
    findings.problem("EXPRESSION_INVALID", ["skills", skill.name], message, { key: true });
  } else throw error;
}

export function tellProblem(
  skill: Skill,
  { code, message, path = [], offset, variable }: SkillProblem,
  findings: Findings,
): void {
  const known = ERROR_CODES.includes(code as ErrorCode) ? code as ErrorCode : "STRATEGY_INVALID";
  findings.problem(known, ["skills", skill.name, ...path], named(message, skill), {
    key: path.length === 0 || known === "UNKNOWN_KEY",
    ...(offset !== undefined && { offset }),
    ...(variable !== undefined && { variable }),
  });
}

/** By shape, not by class: the error may have crossed a process. */
function problemsOf(error: unknown): readonly SkillProblem[] | undefined {
  if (!(error instanceof Error) || error.name !== "SkillError") return undefined;
  const { problems } = error as { problems?: unknown };
  return Array.isArray(problems) && problems.length > 0 ? problems : [{ message: error.message }];
}

function named(message: string, { name }: Skill): string {
  return message.includes(`"${name}"`) ? message : `${message} (skill "${name}")`;
}
