/** What `plugin:new` writes: a plugin of each kind that passes its own tests, to be changed. */
export const TEMPLATE_KINDS = ["function", "model", "constraint", "optimizer", "composition"] as const;
export type TemplateKind = (typeof TEMPLATE_KINDS)[number];

/** @param name "publisher/name". */
export function pluginTemplate(kind: TemplateKind, name: string): string {
  return TEMPLATES[kind].replace("NAME", name).trimStart();
}

const LOWERED = (kind: string) => `
import { definePlugin, describe, op, type SkillSpec } from "setpoint";

export default definePlugin({
  name: "NAME",
  version: "0.1.0",
  kind: "${kind}",
  sdk: "^1.2.0",
  description: "Multiplies its input by a factor",
  config: {
    properties: { factor: { type: "number", description: "what the input is multiplied by" } },
    required: ["factor"],
  },
  examples: [{ title: "doubles", config: { factor: 2 } }],
  tests: [{ name: "doubles", config: { factor: 2 }, inputs: { x: 3 }, outputs: { y: 6 } }],

  /** Called once when a strategy is loaded: says what the skill computes, with exact derivatives for the optimizer. */
  lower(skill: SkillSpec) {
    const factor = Number(skill.config.factor);
    return describe(skill, ([x]) => op.mul(factor, x));
  },
});
`;

const TEMPLATES: Readonly<Record<TemplateKind, string>> = {
  function: LOWERED("function"),
  model: `
import { definePlugin, type SkillSpec } from "setpoint";

export default definePlugin({
  name: "NAME",
  version: "0.1.0",
  kind: "model",
  sdk: "^1.2.0",
  description: "Computes its outputs by code, in batches",
  config: { properties: { gain: { type: "number", default: 1 } } },
  tests: [{ name: "adds", config: { gain: 2 }, inputs: { a: 3, b: 4 }, outputs: { y: 14 }, tolerance: 1e-12 }],

  /**
   * Called with whole batches while the optimizer searches.
   * @param batch count × inputs, row by row. @returns count × outputs, row by row.
   */
  evaluate(skill: SkillSpec, batch: Float64Array, count: number): Float64Array {
    const width = skill.inputs.length;
    const answer = new Float64Array(count);
    for (let row = 0; row < count; row++) {
      for (let k = 0; k < width; k++) answer[row] += Number(skill.config.gain) * batch[row * width + k];
    }
    return answer;
  },

  /** Its derivatives at the same points, count × outputs × inputs; without it they are taken by differences. */
  jacobian(skill: SkillSpec, batch: Float64Array): Float64Array {
    return batch.map(() => Number(skill.config.gain));
  },
});
`,
  constraint: `
import { definePlugin, describe, op, type SkillSpec } from "setpoint";

export default definePlugin({
  name: "NAME",
  version: "0.1.0",
  kind: "constraint",
  sdk: "^1.2.0",
  description: "Keeps its input at or below a limit",
  config: { properties: { most: { type: "number" } }, required: ["most"] },
  tests: [{ name: "distance to the limit", config: { most: 10 }, inputs: { x: 7 }, outputs: { left: 3 } }],

  lower(skill: SkillSpec) {
    const most = Number(skill.config.most);
    const limit = {
      ...{ variable: skill.inputs[0], mode: "hard" as const, lower: -Infinity, upper: most },
      ...{ physicalLower: -Infinity, physicalUpper: Infinity, weight: 1000, priority: 0 },
    };
    return { ...describe(skill, ([x]) => op.sub(most, x)), limits: [limit] };
  },
});
`,
  composition: `
import { definePlugin, type SkillSpec } from "setpoint";

export default definePlugin({
  name: "NAME",
  version: "0.1.0",
  kind: "composition",
  sdk: "^1.2.0",
  description: "Runs the skills of config.skills in order",
  config: { properties: { skills: { type: "array", items: { type: "string" }, minItems: 1 } }, required: ["skills"] },
  tests: [{ name: "keeps the order", config: { skills: ["b", "a"] }, sequence: ["b", "a"] }],

  sequence(skill: SkillSpec): readonly string[] {
    return skill.config.skills as readonly string[];
  },
});
`,
  optimizer: `
import { definePlugin, type OptimizationProblem, type OptimizationResult } from "setpoint";

export default definePlugin({
  name: "NAME",
  version: "0.1.0",
  kind: "optimizer",
  sdk: "^1.2.0",
  description: "Random search that narrows around the best point",
  config: { properties: { rounds: { type: "integer", minimum: 1, default: 400 } } },
  tests: [{
    name: "a bowl cut off by a limit",
    inputs: { x: -3, y: 2 },
    minimize: "(x - 1)**2 + y**2",
    bounds: { x: [-5, 5], y: [-5, 5] },
    limits: [{ formula: "x + y", upper: 0 }],
    outputs: { x: 0.5, y: -0.5 },
    tolerance: 1e-2,
  }],

  optimize(problem: OptimizationProblem): OptimizationResult {
    const { exact, limits, x0, lo, hi } = problem;
    const outputs = new Float64Array(1 + limits.length);
    /** [largest violation of a hard limit, cost]: the first decides, then the second. */
    const judge = (x: Float64Array): readonly [number, number] => {
      exact.value(x, outputs);
      const over = limits.map(({ lower, upper }, k) => Math.max(lower - outputs[1 + k], outputs[1 + k] - upper, 0));
      return [Math.max(0, ...over), outputs[0]];
    };
    let best = x0.map((value, i) => Math.min(hi[i], Math.max(lo[i], value)));
    let found = judge(best);
    const rounds = Number(problem.config?.rounds ?? 400);
    let evaluations = 1;
    for (let k = 0; k < rounds && !problem.cancelled() && problem.remaining() > 0; k++) {
      for (let j = 0; j < 20; j++) {
        const size = 0.5 ** (20 * problem.random());
        const x = best.map((value, i) =>
          Math.min(hi[i], Math.max(lo[i], value + size * (hi[i] - lo[i]) * (2 * problem.random() - 1)))
        );
        const next = judge(x);
        evaluations++;
        if (next[0] < found[0] || (next[0] === found[0] && next[1] < found[1])) [best, found] = [x, next];
      }
    }
    return { status: found[0] <= 1e-9 ? "solved" : "infeasible", x: best, iterations: rounds, evaluations };
  },
});
`,
};
