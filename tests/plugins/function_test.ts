import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Json, SkillSpec } from "setpoint";
import plugin from "../../plugins/function/function.ts";
import { outputsOf, print, problemsOf, skillOf } from "./skill.ts";

function spec(formula: Json, part: Partial<SkillSpec> = {}): SkillSpec {
  return skillOf({ inputs: ["a", "b"], config: { formula }, ...part });
}

const lower = (skill: SkillSpec) => plugin.lower!(skill);

Deno.test("MathFunction reads latest, measured and threshold values by name", () => {
  const lowered = lower(spec("a + a_dof + 10 * a_current + 100 * a_threshold + 1000 * b"));
  const values = { "value a": 1, "measured a": 2, "threshold a": 3, "value b": 4 };
  assertEquals(outputsOf(lowered, values), [1 + 1 + 20 + 300 + 4000]);
  assertEquals(lowered.sources.length, 4);
});

Deno.test("MathFunction takes an exact name before a suffix", () => {
  const variables = {
    Drive_Current: { type: "Informative", units: "A" },
    Drive: { type: "Operative", units: "A" },
  };
  const both = spec("Drive_Current - Drive", {
    inputs: ["Drive", "Drive_Current"],
    outputs: ["y"],
    variables: { ...variables, y: { type: "Delta", units: "A" } },
  });
  assertEquals(lower(both).sources.map(({ role, variable }) => `${role} ${variable}`), [
    "value Drive_Current",
    "value Drive",
  ]);
  const one = spec("Drive_Current - Drive", { inputs: ["Drive"], variables });
  assertStringIncludes(
    problemsOf(() => lower(one))[0],
    'variable "Drive_Current" is not an input of skill "the_skill"',
  );
});

Deno.test("MathFunction refuses a part without a value at its place", () => {
  assertStringIncludes(problemsOf(() => lower(spec("a + b + log(-1)")))[0], '"log" of these numbers is NaN');
  assertStringIncludes(problemsOf(() => lower(spec("(a + b) / 0")))[0], '"/" divides by 0');
});

Deno.test("MathFunction takes a number as its text", () => {
  assertEquals(outputsOf(lower(spec(0, { inputs: [] })), {}), [0]);
  assertEquals(outputsOf(lower(spec(1e-7, { inputs: [] })), {}), [1e-7]);
  for (const formula of [true, null, ["a"], undefined] as Json[]) {
    assertStringIncludes(problemsOf(() => lower(spec(formula)))[0], "without a formula");
  }
});

Deno.test("MathFunction names every unknown name with its offset and the nearest known", () => {
  const variables = { Kiln_Coal_PV: { type: "Operative", units: "t/h" } };
  const skill = spec("a + Kiln_Caol_PV + unheard * b_threshold", {
    inputs: ["a", "b", "Kiln_Coal_PV"],
    variables,
  });
  const problems = problemsOf(() => lower(skill));
  assertEquals(problems.length, 3);
  assertStringIncludes(
    problems[0],
    'FORMULA_INVALID config.formula@4 Cannot read "Kiln_Caol_PV": it is not a variable, did you mean "Kiln_Coal_PV"',
  );
  assertStringIncludes(
    problems[1],
    'config.formula@19 Cannot read "unheard": it is not a variable; expected an input',
  );
  assertStringIncludes(
    problems[2],
    'config.formula@29 Cannot read "b_threshold": variable "b" has no threshold',
  );
});

Deno.test("MathFunction tells a formula that cannot be parsed with its offset", () => {
  assertEquals(problemsOf(() => lower(spec("a + (b"))), [
    'FORMULA_INVALID config.formula@6 Cannot read the formula: it ends, expected an operator or ")" for the "(" at character 5',
  ]);
});

Deno.test("MathFunction refuses what does not belong to it, all at once", () => {
  const problems = problemsOf(() =>
    lower(spec("a +", { outputs: ["y", "score"], config: { formula: "a +" } }))
  );
  assertEquals(problems.map((line) => line.split(" ").slice(0, 2).join(" ")), [
    "outputs Cannot",
    "FORMULA_INVALID config.formula@3",
  ]);
});

Deno.test("MathFunction notes an input that its formula does not read", () => {
  const notes = lower(spec("a")).notes!;
  assertEquals(notes.map(print), [
    'inputs.1 Skill "the_skill" declares the input "b" and its formula does not read it',
  ]);
});

Deno.test("MathFunction checks units: errors, and warnings in a legacy file", () => {
  const skill = spec("a + hot", { inputs: ["a", "hot"] });
  assertEquals(problemsOf(() => lower(skill)), [
    'UNIT_MISMATCH config.formula@2 Cannot add °C to t/h: expected one unit (skill "the_skill")',
  ]);
  const legacy = lower({ ...skill, legacy: true });
  assertEquals(legacy.notes!.map(({ code }) => code), ["UNIT_MISMATCH"]);
  const assigned = problemsOf(() => lower(spec("a / b")));
  assertEquals(assigned, [
    'UNIT_MISMATCH config.formula@0 Cannot assign - to "y" in t/h: expected one unit (skill "the_skill")',
  ]);
  assertEquals(lower(spec("0", { inputs: [] })).notes, []);
  assertEquals(lower(spec("a / a_threshold - 3", { inputs: ["a"], outputs: ["score"] })).notes, []);
});

Deno.test("MathFunction keeps hostile formulas short", () => {
  for (
    const formula of [
      "(".repeat(5000),
      "a+".repeat(40_000),
      "2**".repeat(500) + "2",
      "__proto__",
      "constructor",
      "toString + 1",
    ]
  ) {
    const [problem] = problemsOf(() => lower(spec(formula)));
    assert(problem.startsWith("FORMULA_INVALID") && problem.length < 500, problem);
  }
});
