/** Whether the names that a strategy uses are declared: what can be said before any plugin is asked. */
import type { Findings } from "./findings.ts";
import { shownName } from "./identifier.ts";
import type { Skill, Strategy } from "./strategy.ts";

/** The task that runs once on measured values; its outputs are what an optimizer may move beside the measured. */
export const PRE_CALCULATION = "PreCalculateVariables";

export function checkNames(strategy: Strategy, findings: Findings): void {
  for (const skill of strategy.skills.values()) {
    checkClass(strategy, skill, findings);
    checkVariables(strategy, skill, "inputs", findings);
    checkVariables(strategy, skill, "outputs", findings);
  }
  for (const [task, { name, sequence }] of strategy.tasks.entries()) {
    for (const [index, skill] of sequence.entries()) {
      if (strategy.skills.has(skill)) continue;
      const path = ["tasks", task, "skill_sequence", index];
      const message = `Cannot run ${shownName(skill)} in task "${name}": there is no such skill`;
      findings.problem("UNKNOWN_SKILL", path, message + findings.hint(skill, strategy.skills.keys()));
    }
    if (name === PRE_CALCULATION && task > 0) {
      const message = `Cannot run task "${name}" after "${strategy.tasks[0].name}": expected it first`;
      findings.problem("STRATEGY_INVALID", ["tasks", task, "name"], message);
    }
  }
  const { minimize } = strategy;
  if (minimize !== undefined && !strategy.variables.has(minimize)) {
    const message = `Cannot minimize ${shownName(minimize)}: there is no such variable`;
    findings.problem(
      "UNDECLARED_VARIABLE",
      ["objective", "minimize"],
      message + findings.hint(minimize, strategy.variables.keys()),
      { variable: minimize },
    );
  }
}

function checkClass(strategy: Strategy, skill: Skill, findings: Findings): void {
  if (skill.class === "" || strategy.plugins.has(skill.class)) return;
  const known = [...strategy.plugins.keys()];
  const hint = findings.hint(skill.class, known) ||
    `, expected one of ${known.join(", ")} or a class of "plugins"`;
  const message = `Cannot use class ${
    shownName(skill.class)
  } for skill "${skill.name}": there is no such class${hint}`;
  findings.problem("UNKNOWN_CLASS", ["skills", skill.name, "class"], message);
}

function checkVariables(
  strategy: Strategy,
  skill: Skill,
  key: "inputs" | "outputs",
  findings: Findings,
): void {
  for (const [index, name] of skill[key].entries()) {
    if (strategy.variables.has(name)) continue;
    const path = ["skills", skill.name, key, index];
    const verb = key === "inputs" ? "read" : "write";
    const message = `Cannot ${verb} ${shownName(name)} in skill "${skill.name}": there is no such variable` +
      findings.hint(name, strategy.variables.keys());
    // what a composition lists informs only; the predecessor never looked at it
    if (key === "inputs" && strategy.legacy && isComposition(strategy, skill)) {
      findings.note("UNDECLARED_VARIABLE", path, message.replace("Cannot read", "Ignored"), {
        variable: name,
      });
    } else findings.problem("UNDECLARED_VARIABLE", path, message, { variable: name });
  }
}

function isComposition(strategy: Strategy, skill: Skill): boolean {
  const ref = strategy.plugins.get(skill.class);
  return ref?.source === "builtin" && ref.name === "composition";
}
