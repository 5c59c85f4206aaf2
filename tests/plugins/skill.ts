import {
  compileTape,
  type Lowered,
  SkillError,
  type SkillProblem,
  type SkillSpec,
  type Source,
} from "setpoint";
import { assertThrows } from "@std/assert";

/** A skill of a strategy whose variables are `a` … `d` in t/h and whatever `variables` says. */
export function skillOf(part: Partial<SkillSpec>): SkillSpec {
  const units = (text: string) => ({ type: "Informative", units: text });
  return {
    name: "the_skill",
    class: "Any",
    inputs: ["a"],
    outputs: ["y"],
    config: {},
    files: {},
    legacy: false,
    ...part,
    variables: {
      a: { type: "Operative", units: "t/h", threshold: 2 },
      b: { type: "Operative", units: "t/h" },
      hot: units("°C"),
      share: units("-"),
      y: units("t/h"),
      score: units("[0-1]"),
      ...part.variables,
    },
  };
}

export type Lower = (skill: SkillSpec) => Lowered;

/** The outputs of a lowered skill; `values` by variable, or by role and variable ("measured a"). */
export function outputsOf(lowered: Lowered, values: Readonly<Record<string, number>>): number[] {
  const { expression: { graph, outputs }, sources } = lowered;
  const tape = compileTape(graph, { variables: 0, parameters: sources.length, outputs });
  const valueOf = ({ role, variable }: Source) => values[`${role} ${variable}`] ?? values[variable];
  tape.setParameters(sources.map(valueOf));
  const out = new Float64Array(outputs.length);
  tape.value(new Float64Array(0), out);
  return [...out];
}

/** One line a problem: code, path, offset, message. */
export function problemsOf(lower: () => unknown): string[] {
  return assertThrows(lower, SkillError).problems.map(print);
}

export function print({ code = "", path = [], offset, message }: SkillProblem): string {
  return `${code} ${path.join(".")}${offset === undefined ? "" : `@${offset}`} ${message}`.trim();
}
