/** Who writes and who reads what, in the order of a run; judged from what the lowered skills really read. */
import type { Findings } from "./findings.ts";
import type { LoweredSkill } from "./lowered.ts";
import type { RunPlan } from "./plan.ts";
import { MEASURED_TYPES, type Strategy } from "./strategy.ts";

/** @param lowered May lack skills whose problems are told already: their declared inputs count as read then. */
export function checkOrder(
  strategy: Strategy,
  plan: RunPlan,
  lowered: ReadonlyMap<string, LoweredSkill>,
  findings: Findings,
): void {
  checkCycles(strategy, plan, lowered, findings);
  checkWrites(strategy, plan, findings);
  if (plan.target === undefined) return;
  const { skill, feature, featurePath } = plan.target;
  if (plan.complete && !writes(strategy, plan.cost).has(feature)) {
    const message = skill === undefined
      ? `Cannot minimise "${feature}": no task computes it`
      : `Cannot minimise "${feature}" in skill "${skill}": its cost skill does not compute it`;
    findings.problem("NOT_OPTIMIZABLE", featurePath, message, { variable: feature });
  }
  noteUnread(strategy, plan, feature, lowered, findings);
}

/** A read that only the same or a later skill of the sequence satisfies; one that nothing satisfies is 0 and a note. */
function checkCycles(
  strategy: Strategy,
  plan: RunPlan,
  lowered: ReadonlyMap<string, LoweredSkill>,
  findings: Findings,
): void {
  const written = new Set<string>();
  const everywhere = writes(strategy, plan.sequences.flat());
  for (const sequence of plan.sequences) {
    for (const [index, name] of sequence.entries()) {
      const skill = strategy.skills.get(name)!;
      for (const variable of readsOf(strategy, name, lowered)) {
        const declared = strategy.variables.get(variable);
        if (declared === undefined || MEASURED_TYPES.has(declared.type) || written.has(variable)) continue;
        const path = ["skills", name, "inputs", skill.inputs.indexOf(variable)];
        const writer = sequence.slice(index).find((later) =>
          strategy.skills.get(later)!.outputs.includes(variable)
        );
        if (writer === name) {
          const message = `Cannot run skill "${name}": it reads "${variable}", which only it writes itself`;
          findings.problem("CYCLE", path, message, { variable });
        } else if (writer !== undefined) {
          const message =
            `Cannot run skill "${name}" before "${writer}": it reads "${variable}", which only "${writer}" writes`;
          findings.problem("CYCLE", path, message, { variable });
        } else if (declared.type === "Calculated" && plan.complete) {
          const when = everywhere.has(variable) ? "before anything computes it" : "and nothing computes it";
          const message = `Cannot run skill "${name}": it reads "${variable}" ${when}`;
          findings.problem("STRATEGY_INVALID", path, message, { variable });
        } else {
          const message = `Skill "${name}" reads "${variable}", which nothing has written then: it is 0`;
          findings.note("NEVER_WRITTEN", path, message, { variable });
        }
      }
      for (const output of skill.outputs) written.add(output);
    }
  }
}

function checkWrites(strategy: Strategy, plan: RunPlan, findings: Findings): void {
  const writers = new Map<string, string>();
  for (const name of [...plan.pre, ...plan.lead, ...plan.cost, ...plan.after]) {
    for (const [index, variable] of strategy.skills.get(name)!.outputs.entries()) {
      const path = ["skills", name, "outputs", index];
      const declared = strategy.variables.get(variable);
      const first = writers.get(variable);
      if (first !== undefined && first !== name) {
        const message =
          `"${variable}" is written by skill "${first}" and again by "${name}": the later value counts`;
        findings.note("WRITTEN_TWICE", path, message, { variable });
      }
      if (declared !== undefined && MEASURED_TYPES.has(declared.type)) {
        const message =
          `Skill "${name}" replaces the measured value of "${variable}" for the skills after it`;
        findings.note("WRITES_MEASUREMENT", path, message, { variable });
      }
      writers.set(variable, name);
    }
  }
  checkContainers(strategy, plan, new Set(writers.keys()), findings);
}

/** An optimizer and a composition may output what they read or contain. */
function checkContainers(
  strategy: Strategy,
  plan: RunPlan,
  written: ReadonlySet<string>,
  findings: Findings,
): void {
  const containers: [string, ReadonlySet<string>][] = [...plan.contents].map((
    [name, steps],
  ) => [name, writes(strategy, steps)]);
  if (plan.target?.skill !== undefined) containers.push([plan.target.skill, written]);
  for (const [name, inside] of containers) {
    const skill = strategy.skills.get(name)!;
    for (const [index, variable] of skill.outputs.entries()) {
      if (!strategy.variables.has(variable) || skill.inputs.includes(variable) || inside.has(variable)) {
        continue;
      }
      const message = `Cannot output "${variable}" from skill "${name}": it neither reads nor computes it`;
      findings.problem("STRATEGY_INVALID", ["skills", name, "outputs", index], message, { variable });
    }
  }
}

/** A KPI that nothing reads is often one that was meant to be in the cost. */
function noteUnread(
  strategy: Strategy,
  plan: RunPlan,
  feature: string,
  lowered: ReadonlyMap<string, LoweredSkill>,
  findings: Findings,
): void {
  const steps = [...plan.pre, ...plan.lead, ...plan.cost, ...plan.after];
  const read = new Set([feature, ...steps.flatMap((name) => readsOf(strategy, name, lowered))]);
  for (const variable of writes(strategy, steps)) {
    if (strategy.variables.get(variable)?.type !== "CalculatedKPI" || read.has(variable)) continue;
    const writer = steps.findLast((name) => strategy.skills.get(name)!.outputs.includes(variable))!;
    const message =
      `KPI "${variable}" is computed by skill "${writer}", but nothing reads it: it has no effect on "${feature}"`;
    findings.note("KPI_UNREAD", ["variables", variable], message, { key: true, variable });
  }
}

function readsOf(
  strategy: Strategy,
  name: string,
  lowered: ReadonlyMap<string, LoweredSkill>,
): readonly string[] {
  const sources = lowered.get(name)?.sources.filter(({ role }) => role === "value").map(({ variable }) =>
    variable
  );
  return [...new Set(sources ?? strategy.skills.get(name)!.inputs)];
}

function writes(strategy: Strategy, steps: readonly string[]): Set<string> {
  return new Set(steps.flatMap((name) => strategy.skills.get(name)!.outputs));
}
