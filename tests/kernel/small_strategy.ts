/** Small strategies, as a request sends them. */

export interface Plant {
  /** Keys of each setpoint but its type and units. */
  readonly setpoints: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly cost: string;
  /** Formula → config of its Constraint. */
  readonly limits?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A strategy that moves every setpoint for the least cost; limit k is on the variable `limited_k`. */
export function strategyOf({ setpoints, cost, limits = {} }: Plant): Record<string, unknown> {
  const names = Object.keys(setpoints);
  const variables: Record<string, unknown> = { cost: { type: "CalculatedKPI", units: "-" } };
  const skills: Record<string, unknown> = {
    find_cost: { class: "MathFunction", inputs: names, outputs: ["cost"], config: { formula: cost } },
  };
  const sequence = ["find_cost"];
  for (const name of names) variables[name] = { type: "Operative", units: "-", ...setpoints[name] };
  Object.entries(limits).forEach(([formula, config], k) => {
    variables[`limited_${k}`] = { type: "Predicted", units: "-" };
    variables[`score_${k}`] = { type: "Constraint", units: "-" };
    const outputs = [`limited_${k}`];
    skills[`value_${k}`] = { class: "MathFunction", inputs: names, outputs, config: { formula } };
    skills[`limit_${k}`] = { class: "Constraint", inputs: outputs, outputs: [`score_${k}`], config };
    sequence.push(`value_${k}`, `limit_${k}`);
  });
  const optimizer = { cost_skill_name: "run", cost_feature_name: "cost" };
  return {
    apiVersion: "setpoint/v1",
    name: "other",
    version: "1.0.0",
    objective: { minimize: "cost" },
    variables,
    skills: {
      ...skills,
      run: { class: "CompositionSkill", outputs: ["cost"], config: { skill_sequence: sequence } },
      best: { class: "OptimizationSkill", inputs: names, outputs: names, config: optimizer },
    },
    tasks: [{ name: "Optimize", skill_sequence: ["best"] }],
  };
}
