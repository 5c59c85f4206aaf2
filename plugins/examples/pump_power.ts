/** A pump's power from its efficiency curve. Described as an expression: exact derivatives, no cost in a cycle. */
import { definePlugin, describe, type Lowered, op, type SkillSpec } from "setpoint";

const { div, mul, square, sub } = op;

export default definePlugin({
  name: "examples/pump-power",
  version: "1.0.0",
  kind: "function",
  sdk: "^1.1.0",
  description:
    "Electrical power of a pump, kW, whose efficiency falls with the square of the distance to its best flow",
  config: {
    properties: {
      head_m: { type: "number", exclusiveMinimum: 0, description: "head, m" },
      best_flow: {
        type: "number",
        exclusiveMinimum: 0,
        description: "the flow of the best efficiency, m³/h",
      },
      best_efficiency: { type: "number", exclusiveMinimum: 0, maximum: 1, default: 0.8 },
      fall: { type: "number", minimum: 0, default: 0.4, description: "loss of efficiency at no flow" },
    },
    required: ["head_m", "best_flow"],
  },
  examples: [{ title: "a feed pump", config: { head_m: 60, best_flow: 120 } }],
  tests: [
    // 120 m³/h · 60 m · 9.81 m/s² / 3600 s/h = 19.62 kW, at 80 %
    {
      name: "at its best",
      config: { head_m: 60, best_flow: 120 },
      inputs: { flow: 120 },
      outputs: { power: 24.525 },
    },
    // half the flow: 9.81 kW, at 80 % − 0.4 · 0.25 = 70 %
    {
      name: "at half",
      config: { head_m: 60, best_flow: 120 },
      inputs: { flow: 60 },
      outputs: { power: 9.81 / 0.7 },
    },
  ],

  lower(skill: SkillSpec): Lowered {
    const { head_m, best_flow, best_efficiency, fall } = skill.config as Readonly<Record<string, number>>;
    return describe(skill, ([flow]) => {
      const efficiency = sub(best_efficiency, mul(fall, square(sub(div(flow, best_flow), 1))));
      // density of water 1000 kg/m³, so that m³/h · m · m/s² / 3600 is kW
      return div(mul(flow, head_m * 9.81 / 3600), efficiency);
    });
  },
});
