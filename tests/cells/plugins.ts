/** Small plugins as text, and skills for them. */
import type { SkillSpec } from "../../runtime/graph/skill.ts";

export function skillOf(name: string, extra: Partial<SkillSpec> = {}): SkillSpec {
  return {
    name,
    class: "Test",
    inputs: ["a", "b"],
    outputs: ["y"],
    config: {},
    variables: {
      a: { type: "Operative", units: "t/h" },
      b: { type: "Informative", units: "t/h", max: Infinity },
    },
    files: {},
    legacy: false,
    ...extra,
  };
}

/** Lowers to config.gain · a + b. */
export const GAIN = `
import { definePlugin, Graph, SkillError, type SkillSpec } from "setpoint";

export default definePlugin({
  name: "test/gain",
  version: "1.2.0",
  kind: "function",
  lower(skill: SkillSpec) {
    const gain = skill.config.gain;
    if (typeof gain !== "number") {
      throw new SkillError([
        { message: "gain is missing", path: ["config", "gain"], code: "STRATEGY_INVALID" },
        { message: "nothing else works either", offset: 3 },
      ]);
    }
    const graph = new Graph();
    const y = graph.binary("add", graph.binary("mul", graph.constant(gain), graph.parameter(0)), graph.parameter(1));
    return {
      expression: { graph, sources: 2, outputs: [y] },
      sources: skill.inputs.map((variable) => ({ variable, role: "value" as const })),
      limits: [{ variable: "y", mode: "hard" as const, lower: -Infinity, upper: 4, physicalLower: -Infinity, physicalUpper: Infinity, weight: 1, priority: 0 }],
      notes: [{ message: "a note" }],
    };
  },
});
`;

/** Opaque: answers a² + b² of each row; config.fault chooses another behaviour. */
export const SQUARES = `
import { definePlugin, type SkillSpec } from "setpoint";

let calls = 0;
export default definePlugin({
  name: "test/squares",
  version: "2.0.0",
  kind: "model",
  evaluate(skill: SkillSpec, batch: Float64Array, count: number): Float64Array {
    const fault = skill.config.fault;
    calls++;
    if (fault === "throw") throw new RangeError("no square today");
    if (fault === "loop") while (true);
    if (fault === "shape") return new Float64Array(count + 1);
    if (fault === "nan") return new Float64Array(count).fill(NaN);
    if (fault === "type") return [1, 2, 3] as unknown as Float64Array;
    if (fault === "later" && calls > Number(skill.config.after)) throw new RangeError("tired");
    return Float64Array.from({ length: count }, (_, row) => batch[row * 2] ** 2 + batch[row * 2 + 1] ** 2);
  },
});
`;

/** SQUARES with its Jacobian; config.fault chooses another behaviour, config.count: answers how many points it was asked for. */
export const BOWL = `
import { definePlugin, type SkillSpec } from "setpoint";

let points = 0;
export default definePlugin({
  name: "test/bowl",
  version: "1.0.0",
  kind: "model",
  tests: [{ inputs: { a: 1, b: 2 }, outputs: { y: 5 } }],
  evaluate(skill: SkillSpec, batch: Float64Array, count: number): Float64Array {
    points += count;
    if (skill.config.count) return new Float64Array(count).fill(points);
    return Float64Array.from({ length: count }, (_, row) => batch[row * 2] ** 2 + batch[row * 2 + 1] ** 2);
  },
  jacobian(skill: SkillSpec, batch: Float64Array): Float64Array {
    if (skill.config.fault === "length") return batch.slice(1);
    if (skill.config.fault === "throw") throw new RangeError("no slope today");
    if (skill.config.fault === "nan") return batch.map(() => NaN);
    return batch.map((x) => 2 * x);
  },
});
`;

/** Gives the skills that its config names. */
export const ORDER = `
import { definePlugin, type SkillSpec } from "setpoint";
export default definePlugin({
  name: "test/order",
  version: "0.1.0",
  kind: "composition",
  sequence: (skill: SkillSpec) => skill.config.skills as string[],
});
`;

/** A gradient descent on the exact tape; \`parameters[0]\` chooses another behaviour. */
export const DESCENT = `
import { definePlugin, type OptimizationProblem } from "setpoint";
export default definePlugin({
  name: "test/descent",
  version: "1.0.0",
  kind: "optimizer",
  optimize(problem: OptimizationProblem) {
    const n = problem.x0.length;
    const fault = problem.parameters[0];
    const result = { status: "solved" as const, x: problem.x0.slice(), iterations: 0, evaluations: 0 };
    if (fault === 1) while (true);
    if (fault === 2) return { ...result, x: new Float64Array(n + 1) };
    if (fault === 3) return { ...result, x: new Float64Array(n).fill(NaN) };
    if (fault === 4) return { ...result, status: "splendid" as "solved" };
    if (fault === 5) { while (!problem.cancelled()); return { ...result, status: "timeout" as const }; }
    if (fault === 6) { while (problem.remaining() > 0); return { ...result, status: "timeout" as const }; }
    if (fault === 7) throw new TypeError("cannot descend");
    if (fault === 8) return { ...result, message: String([problem.random(), problem.random()]) };
    const x = problem.x0.slice();
    const g = new Float64Array(n);
    const out = new Float64Array(1);
    const weights = Float64Array.of(1);
    for (let k = 0; k < 200 && !problem.cancelled(); k++) {
      problem.exact.value(x, out);
      problem.exact.gradient(x, weights, g);
      for (let i = 0; i < n; i++) {
        const step = Number.isFinite(g[i]) ? 0.1 * g[i] : 0.01;
        x[i] = Math.min(problem.hi[i], Math.max(problem.lo[i], x[i] - step));
      }
      result.iterations++;
    }
    return { ...result, x, multipliers: { bounds: new Float64Array(n), limits: new Float64Array(0) } };
  },
});
`;
