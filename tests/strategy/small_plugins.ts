/** Plugins as a user would write them, so that the linker is tested without the built-in ones. */
import {
  definePlugin,
  Graph,
  GraphError,
  type Limit,
  lowerFormula,
  parseFormula,
  SkillError,
  type SkillSpec,
  type Source,
} from "setpoint";

/** `config.formula`; suffixes as MathFunction has them. */
const formula = definePlugin({
  name: "test/formula",
  version: "1.0.0",
  kind: "function",
  lower(skill: SkillSpec) {
    const graph = new Graph();
    const sources: Source[] = [];
    const read = (source: Source) => {
      const known = sources.findIndex(({ variable, role }) =>
        variable === source.variable && role === source.role
      );
      return graph.parameter(known >= 0 ? known : sources.push(source) - 1);
    };
    const outputs = skill.outputs.map((_, k) => {
      const config = k === 0 ? skill.config.formula : skill.config[`formula${k}`];
      const text = typeof config === "object" ? "" : String(config);
      try {
        return lowerFormula(graph, parseFormula(text), (name) => {
          if (skill.inputs.includes(name)) return read({ variable: name, role: "value" });
          for (const [suffix, role] of SUFFIXES) {
            const variable = name.slice(0, -suffix.length);
            if (name.endsWith(suffix) && skill.inputs.includes(variable)) return read({ variable, role });
          }
        });
      } catch (error) {
        if (!(error instanceof GraphError)) throw error;
        const { message, offset } = error;
        throw new SkillError([{
          code: "FORMULA_INVALID",
          message: `${message} (skill "${skill.name}")`,
          path: ["config", "formula"],
          ...(offset !== undefined && { offset }),
        }]);
      }
    });
    return { expression: { graph, sources: sources.length, outputs }, sources };
  },
});

const SUFFIXES: readonly [string, Source["role"]][] = [
  ["_dof", "value"],
  ["_current", "measured"],
  ["_threshold", "threshold"],
];

/** Passes its input on and limits it. */
const range = definePlugin({
  name: "test/range",
  version: "1.0.0",
  kind: "constraint",
  lower(skill: SkillSpec) {
    const graph = new Graph();
    const config = skill.config as Partial<Limit>;
    const { lower = -Infinity, upper = Infinity, mode = "hard", weight = 1000, priority = 0 } = config;
    const limit = { variable: skill.inputs[0], mode, lower, upper, weight, priority };
    return {
      expression: { graph, sources: 1, outputs: [graph.parameter(0)] },
      sources: [{ variable: skill.inputs[0], role: "value" }],
      limits: [{ ...limit, physicalLower: lower, physicalUpper: upper }],
    };
  },
});

/** Foreign code: the sum of squares. */
const foreign = definePlugin({
  name: "test/foreign",
  version: "1.0.0",
  kind: "model",
  evaluate(skill: SkillSpec, batch: Float64Array, count: number) {
    const width = skill.inputs.length;
    return Float64Array.from({ length: count }, (_, k) => {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += batch[k * width + i] ** 2;
      return sum;
    });
  },
});

const steps = definePlugin({
  name: "test/steps",
  version: "1.0.0",
  kind: "composition",
  sequence: (skill: SkillSpec) => skill.config.steps as string[],
});

const search = definePlugin({
  name: "test/search",
  version: "1.0.0",
  kind: "optimizer",
  optimize: ({ x0 }) => ({ status: "solved", x: x0, iterations: 0, evaluations: 0 }),
});

/** By class. */
export const smallPlugins = {
  Formula: formula,
  Range: range,
  Foreign: foreign,
  Steps: steps,
  Search: search,
};

/** What a strategy says under `plugins` to have these classes. */
export const SMALL_PLUGINS =
  "plugins: {Formula: f.ts, Range: r.ts, Foreign: o.ts, Steps: s.ts, Search: t.ts}\n";

/** The same line with only those that a strategy uses: the others would be warned of. */
export function usedPlugins(text: string): string {
  return SMALL_PLUGINS.replace(
    /(\w+): \w\.ts,? ?/g,
    (entry, cls) => text.includes(`class: ${cls}`) ? entry : "",
  );
}
