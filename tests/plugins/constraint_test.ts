import { assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import type { Json, SkillSpec } from "setpoint";
import plugin from "../../plugins/constraint/constraint.ts";
import { seeded } from "../graph/random_graph.ts";
import { outputsOf, print, problemsOf, skillOf } from "./skill.ts";

function spec(config: Readonly<Record<string, Json>>, part: Partial<SkillSpec> = {}): SkillSpec {
  return skillOf({ inputs: ["a"], outputs: ["score"], config, ...part });
}

const lower = (skill: SkillSpec) => plugin.lower!(skill);
const score = (config: Readonly<Record<string, Json>>, v: number) =>
  outputsOf(lower(spec(config)), { a: v })[0];

/** strategy.md's formula, word by word. */
function plainScore(v: number, varMin: number, opMin: number, opMax: number, varMax: number): number {
  if (v < opMin) return opMin === varMin ? 0 : (v - varMin) / (opMin - varMin);
  if (v > opMax) return opMax === varMax ? 0 : (varMax - v) / (varMax - opMax);
  return 1;
}

Deno.test("Constraint scores as its formula says, also outside the physical limits", () => {
  const next = seeded(9);
  for (let round = 0; round < 300; round++) {
    const cuts = Array.from({ length: 4 }, () => Math.round(next() * 6) * 10 - 20).sort((a, b) => a - b);
    const [var_min, op_min, op_max, var_max] = cuts;
    const lowered = lower(spec({ var_min, op_min, op_max, var_max }));
    for (
      const v of [
        ...cuts,
        ...cuts.map((cut) => cut - 1e-9),
        ...cuts.map((cut) => cut + 1e-9),
        next() * 100 - 40,
      ]
    ) {
      const expected = plainScore(v, var_min, op_min, op_max, var_max);
      assertAlmostEquals(
        outputsOf(lowered, { a: v })[0],
        expected,
        1e-15 * Math.max(1, Math.abs(expected)),
        `${cuts} at ${v}`,
      );
    }
  }
});

Deno.test("Constraint takes its operating range from the physical one, and stays 1 on an open side", () => {
  assertEquals(score({ var_min: 0, var_max: 10 }, 5), 1);
  assertEquals(score({ var_min: 0, var_max: 10 }, -1), 0);
  assertEquals(score({ var_max: 10, op_max: 8 }, -1e6), 1);
  assertEquals(score({ var_max: 10, op_max: 8 }, 9), 0.5);
  assertEquals(score({ op_max: 8, mode: "hard" }, 9), 1);
  assertEquals(score({ op_min: 0, mode: "soft", var_min: 0 }, -1), 0);
});

Deno.test("Constraint gives its limit with mode, weight and priority", () => {
  const [limit] = lower(spec({ var_min: 0, op_min: 1, op_max: 2, mode: "soft", weight: 5, priority: 3 }))
    .limits!;
  assertEquals(limit, {
    variable: "a",
    mode: "soft",
    lower: 1,
    upper: 2,
    physicalLower: 0,
    physicalUpper: Infinity,
    weight: 5,
    priority: 3,
  });
  const [plain] = lower(spec({ var_min: 0, op_min: 1 })).limits!;
  assertEquals([plain.mode, plain.weight, plain.priority], ["score", 1000, 0]);
});

Deno.test("Constraint refuses limits in the wrong order and points at one of them", () => {
  const cases: readonly (readonly [Readonly<Record<string, Json>>, string])[] = [
    [
      { var_min: 5, op_min: 1, var_max: 9 },
      'BOUNDS_REVERSED config.op_min Cannot limit "a": var_min 5 is above op_min 1 (skill "the_skill")',
    ],
    [{ var_min: 0, op_min: 5, op_max: 1, var_max: 9 }, "BOUNDS_REVERSED config.op_max"],
    [{ var_min: 0, op_max: 12, var_max: 9 }, "BOUNDS_REVERSED config.var_max"],
    [{ var_min: 9, var_max: 0 }, "BOUNDS_REVERSED config"],
    [
      { op_min: 5 },
      'config.op_min Cannot score "a" of skill "the_skill": op_min is 5 and there is no var_min',
    ],
    [{ op_max: 5, var_min: 0 }, "config.op_max Cannot score"],
    [{ var_min: "0" }, 'config.var_min Cannot use "0" as "var_min"'],
    [{ var_min: true }, "config.var_min Cannot use true"],
    [{ var_min: null }, "config.var_min Cannot use null"],
    [{ var_min: 0, mode: "strict" }, 'config.mode Cannot use mode "strict"'],
    [{ var_min: 0, mode: "soft", weight: -1 }, "config.weight Cannot weigh"],
  ];
  for (const [config, message] of cases) {
    const problems = problemsOf(() => lower(spec(config)));
    assertEquals(problems.some((line) => line.includes(message)), true, `${message}\n${problems.join("\n")}`);
  }
});

Deno.test("Constraint wants one input, one output and a plain number for the score", () => {
  const problems = problemsOf(() => lower(spec({ var_min: 0 }, { inputs: ["a", "b"], outputs: [] })));
  assertEquals(problems.length, 2);
  const units = spec({ var_min: 0 }, { outputs: ["y"] });
  assertStringIncludes(
    problemsOf(() => lower(units))[0],
    'UNIT_MISMATCH outputs.0 Cannot assign a score to "y" in t/h',
  );
  assertEquals(lower({ ...units, legacy: true }).notes!.length, 1);
});

Deno.test("Constraint notes what has no effect", () => {
  const notes = lower(spec({ weight: 3 })).notes!.map(print);
  assertEquals(notes, [
    'config.weight "weight" of skill "the_skill" has no effect in mode score',
    'config Skill "the_skill" has no limits: its score is always 1',
  ]);
});
