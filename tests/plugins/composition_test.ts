import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Json, SkillSpec } from "setpoint";
import plugin from "../../plugins/composition/composition.ts";
import { problemsOf, skillOf } from "./skill.ts";

const spec = (config: Readonly<Record<string, Json>>): SkillSpec => skillOf({ config });

Deno.test("CompositionSkill gives its skills in order", () => {
  assertEquals(plugin.sequence(spec({ skill_sequence: ["b", "a", "b"] })), ["b", "a", "b"]);
});

Deno.test("CompositionSkill refuses what is no list of names", () => {
  for (const list of [undefined, null, [], "a", { a: 1 }] as Json[]) {
    assertStringIncludes(
      problemsOf(() => plugin.sequence(spec({ skill_sequence: list })))[0],
      "without skills",
    );
  }
  const problems = problemsOf(() => plugin.sequence(spec({ skill_sequence: ["a", 3, ""] })));
  assertEquals(problems.map((line) => line.split(" Cannot")[0]), [
    "config.skill_sequence.1",
    "config.skill_sequence.2",
  ]);
});
