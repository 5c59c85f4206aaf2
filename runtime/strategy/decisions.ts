/** What the optimizer may move, by how much, and from where. */
import type { Findings } from "./findings.ts";
import type { SearchVariable } from "./linked.ts";
import type { Path } from "./positions.ts";
import type { RunPlan, Target } from "./plan.ts";
import { isBroken, type Strategy, type Variable } from "./strategy.ts";

/** How far a variable may move in one run; undefined where nothing says it. */
export interface Movement {
  readonly scale: number;
  readonly up: number;
  readonly down: number;
  readonly min: number;
  readonly max: number;
}

/** `threshold` is both moves where max_up and max_down are not given, and one unit of movement where it is. */
export function movementOf(variable: Variable): Movement | undefined {
  const { threshold, maxUp = threshold, maxDown = threshold, min = -Infinity, max = Infinity } = variable;
  if (maxUp === undefined || maxDown === undefined) return undefined;
  // a variable that may not move at all still needs a unit
  const scale = threshold ?? (Math.max(maxUp, maxDown) || 1);
  return { scale, up: maxUp, down: maxDown, min, max };
}

/** @param measured Names of the Operative and Informative variables, in order. @param pre What PreCalculateVariables writes. */
export function decisionsOf(
  strategy: Strategy,
  plan: RunPlan,
  target: Target,
  measured: readonly string[],
  pre: readonly string[],
  findings: Findings,
): SearchVariable[] {
  const readOnly = new Set(plan.pre.flatMap((name) => strategy.skills.get(name)!.inputs));
  const found: SearchVariable[] = [];
  const add = (variable: Variable, movement: Movement) => {
    const { name, units } = variable;
    const from = variable.type === "Calculated" ? "pre" as const : "measured" as const;
    const index = (from === "pre" ? pre : measured).indexOf(name);
    const type = variable.type as "Operative" | "Calculated";
    found.push(Object.freeze({ name, role: "decision", type, units, ...movement, from, index }));
  };

  if (target.inputs === undefined) {
    for (const variable of strategy.variables.values()) {
      const movement = movementOf(variable);
      if (movement !== undefined && whyFixed(variable, readOnly, pre) === undefined) add(variable, movement);
    }
  }
  for (const [index, name] of (target.inputs ?? []).entries()) {
    const path: Path = ["skills", target.skill!, "inputs", index];
    const variable = strategy.variables.get(name);
    if (variable === undefined) continue;
    const fixed = target.inputs!.indexOf(name) < index
      ? "it is listed twice"
      : whyFixed(variable, readOnly, pre);
    const movement = movementOf(variable);
    if (fixed !== undefined) {
      const message = `Cannot optimize "${name}" in skill "${target.skill}": ${fixed}`;
      findings.problem("NOT_OPTIMIZABLE", path, message, { variable: name });
    } else if (movement === undefined) {
      if (isBroken(strategy, name)) continue;
      const message =
        `Cannot optimize "${name}": how far it may move is not said, expected "threshold" or both "max_up" and "max_down"`;
      findings.problem("NOT_OPTIMIZABLE", ["variables", name], message, { key: true, variable: name });
    } else add(variable, movement);
  }
  if (found.length === 0 && findings.problems.length === 0) {
    const path = target.skill === undefined ? ["objective"] : ["skills", target.skill, "inputs"];
    findings.problem("NOT_OPTIMIZABLE", path, "Cannot optimize: there is no variable that may be moved");
  }
  checkOverwritten(strategy, plan, found, findings);
  return found;
}

function whyFixed(
  { name, type }: Variable,
  readOnly: ReadonlySet<string>,
  pre: readonly string[],
): string | undefined {
  if (type === "Operative") {
    return readOnly.has(name)
      ? "it is an input of PreCalculateVariables, and read-only after that"
      : undefined;
  }
  if (type !== "Calculated") return `its type is ${type}, expected Operative or Calculated`;
  return pre.includes(name) ? undefined : "no skill of PreCalculateVariables computes its present value";
}

/** What is published and what the cost was computed with must be the same. */
function checkOverwritten(
  strategy: Strategy,
  plan: RunPlan,
  decisions: readonly SearchVariable[],
  findings: Findings,
): void {
  const names = new Set(decisions.map(({ name }) => name));
  for (const skill of new Set([...plan.cost, ...plan.after])) {
    for (const [index, name] of strategy.skills.get(skill)!.outputs.entries()) {
      if (!names.has(name)) continue;
      const message = `Cannot write "${name}" in skill "${skill}": the optimizer moves it`;
      findings.problem("STRATEGY_INVALID", ["skills", skill, "outputs", index], message, { variable: name });
    }
  }
}
