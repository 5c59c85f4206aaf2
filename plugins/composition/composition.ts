/** CompositionSkill: runs the skills of `config.skill_sequence`, in order. */
import { definePlugin, SkillError, type SkillProblem, type SkillSpec } from "setpoint";

export default definePlugin({
  name: "builtin/composition",
  version: "1.0.0",
  kind: "composition",
  description: "Runs skills in an order",
  sdk: "^1.0.0",
  config: {
    properties: {
      skill_sequence: {
        type: "array",
        items: { type: "string", minLength: 1 },
        description: "names of skills",
      },
    },
    required: ["skill_sequence"],
  },
  examples: [{ title: "two skills", config: { skill_sequence: ["predict", "cost"] } }],
  tests: [{
    name: "in order, also twice",
    config: { skill_sequence: ["b", "a", "b"] },
    sequence: ["b", "a", "b"],
  }],

  sequence({ name, config }: SkillSpec): readonly string[] {
    const problems: SkillProblem[] = [];
    const list = config.skill_sequence;
    if (!Array.isArray(list) || list.length === 0) {
      problems.push({
        message:
          `Cannot run skill "${name}" without skills: expected "skill_sequence" as a list of their names`,
        path: list === undefined ? ["config"] : ["config", "skill_sequence"],
      });
      throw new SkillError(problems);
    }
    const names: string[] = [];
    list.forEach((entry, i) => {
      if (typeof entry === "string" && entry !== "") {
        names.push(entry);
        return;
      }
      problems.push({
        message: `Cannot run ${JSON.stringify(entry)} in skill "${name}": expected the name of a skill`,
        path: ["config", "skill_sequence", i],
      });
    });
    if (problems.length > 0) throw new SkillError(problems);
    return names;
  },
});
