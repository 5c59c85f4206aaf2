/** Strategies of other plants, sent along with a request. */
import { assert, assertAlmostEquals, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { SetpointError } from "../../runtime/errors.ts";
import type { Answer } from "../../runtime/kernel/types.ts";
import { parseYaml } from "../../runtime/yaml.ts";
import { seeded } from "../graph/random_graph.ts";
import { KILN_TEXT, zeroFed } from "../strategy/kiln.ts";
import { inputOf, openKernel } from "./open_kernel.ts";
import { type Plant, strategyOf } from "./small_strategy.ts";

function after({ actuators }: Answer): number[] {
  return actuators.map(({ after }) => after);
}

Deno.test("more strategies are sent along at a time than are kept: each is answered", async () => {
  await using opened = await openKernel();
  const answers = await Promise.all(
    Array.from(
      { length: 24 },
      (_, k) =>
        opened.answer({ x: 3 }, strategyOf({ setpoints: { x: { threshold: 1 } }, cost: `x + ${k % 12}` })),
    ),
  );
  assertEquals(answers.map(({ outcome }) => outcome), new Array(24).fill("solved"));
  assertEquals(
    answers.map(({ cost_function_value }) => cost_function_value),
    answers.map((_, k) => 2 + k % 12),
  );
});

Deno.test("a plant of 200 formulas loads: a plugin is asked for one skill at a time", async () => {
  await using opened = await openKernel();
  const limits = Object.fromEntries(
    Array.from({ length: 100 }, (_, k) => [`x + ${k}`, { op_min: k, mode: "hard" }]),
  );
  const answer = await opened.answer(
    { x: 3 },
    strategyOf({ setpoints: { x: { threshold: 1 } }, cost: "x", limits }),
  );
  assertEquals(answer.outcome, "solved");
  assertAlmostEquals(after(answer)[0], 2, 1e-6);
});

Deno.test("optimize() solves plants that are sent along", async (t) => {
  await using opened = await openKernel();
  const post = (plant: Plant, state: Record<string, number>) => opened.answer(state, strategyOf(plant));

  await t.step("a hard limit that no move can meet is infeasible: which one, and by how much", async () => {
    const plant: Plant = {
      setpoints: { x: { threshold: 1 }, y: { threshold: 2 } },
      cost: "x + y",
      limits: { "x + y": { op_min: 8, mode: "hard" }, "x - y": { op_max: 50, mode: "hard" } },
    };
    const answer = await post(plant, { x: 1, y: 2 });
    assertEquals([answer.outcome, answer.reason?.code], ["infeasible", "INFEASIBLE"]);
    assertEquals(answer.violations!.length, 1);
    const [{ name, side, value, limit, amount, alone }] = answer.violations!;
    assertEquals([name, side, limit, alone], ["limited_0", "lower", 8, true]);
    assertStringIncludes(answer.reason!.message, 'nothing within their bounds holds "limited_0"');
    assertAlmostEquals(value, 6, 1e-3);
    assertAlmostEquals(amount, 2, 1e-3);
    assertEquals(after(answer), [1, 2]);
    assertEquals(answer.cost_function_value, 3);
    const possible = await post(plant, { x: 3, y: 4 });
    assertEquals(possible.outcome, "solved");
    assertAlmostEquals(possible.cost_function_value!, 8, 1e-5);
    assertEquals(possible.active_limits.map(({ name, side }) => `${name} ${side}`), ["limited_0 lower"]);
    assertAlmostEquals(possible.active_limits[0].shadow_price!, 1, 1e-4);
  });

  await t.step("limits that cannot hold at all are told apart from those that only conflict", async () => {
    const limits = {
      "x + y": { op_min: 9, mode: "hard" },
      "y - x": { op_max: -9, mode: "hard" },
      "z": { op_min: 5, mode: "hard" },
      "z * 1": { op_max: 4, mode: "hard" },
    };
    const plant = (chosen: (keyof typeof limits)[]): Plant => ({
      setpoints: { x: { threshold: 1 }, y: { threshold: 1 }, z: { threshold: 1 } },
      cost: "x + y + z",
      limits: Object.fromEntries(chosen.map((formula) => [formula, limits[formula]])),
    });
    const told = async (...chosen: (keyof typeof limits)[]) => {
      const answer = await post(plant(chosen), { x: 3, y: 4, z: 4.5 });
      assertEquals(answer.outcome, "infeasible");
      return [
        answer.reason!.message.split("; ").slice(1).join("; "),
        answer.violations!.map(({ alone }) => alone),
      ];
    };
    assertEquals(await told("y - x"), ['nothing within their bounds holds "limited_0"', [true]]);
    assertEquals(await told("z", "z * 1"), [
      'what cannot hold is "limited_0" and "limited_1" together',
      [false, false],
    ]);
    assertEquals(await told("x + y", "y - x"), [
      'nothing within their bounds holds "limited_1"; beside it "limited_0" cannot hold',
      [false, true],
    ]);
  });

  await t.step("a limit that is missed now is met as soon as it can be, at any cost", async () => {
    const plant: Plant = {
      setpoints: { x: { threshold: 1 } },
      cost: "-5 * x",
      limits: { "x": { op_max: 2, mode: "hard" } },
    };
    const answer = await post(plant, { x: 2.5 });
    assertEquals(answer.outcome, "solved");
    assertAlmostEquals(after(answer)[0], 2, 1e-5);
    assert(answer.cost_function_value! > answer.cost_before!);
  });

  await t.step("a soft limit gives where giving is worth more than its weight, and not before", async () => {
    for (const [weight, expected] of [[1000, 4], [5, 4], [3, 3]] as const) {
      const plant: Plant = {
        setpoints: { x: { threshold: 2 } },
        cost: "x",
        limits: { "x": { op_min: 4, mode: "soft", weight } },
      };
      const answer = await post(plant, { x: 5 });
      assertEquals(answer.outcome, "solved");
      assertAlmostEquals(after(answer)[0], expected, 1e-5, `weight ${weight}`);
      assertAlmostEquals(answer.cost_function_value!, expected, 1e-5);
    }
  });

  await t.step("a setpoint outside min and max moves back as fast as it may, whatever it costs", async () => {
    const setpoints = {
      x: { threshold: 1, min: 0, max: 10 },
      y: { max_up: 3, max_down: 2, min: 0, max: 10 },
    };
    const plant: Plant = { setpoints, cost: "y - x" };
    assertEquals(after(await post(plant, { x: 12, y: -4 })), [11, -1]);
    assertEquals(after(await post(plant, { x: 10.5, y: -2 })), [10, 0]);
    assertEquals(after(await post(plant, { x: 9.5, y: 1 })), [10, 0]);
  });

  await t.step("moves up and down have limits of their own, which are told as active", async () => {
    const setpoints = { x: { threshold: 1, max_up: 0.25, max_down: 4 } };
    const up = await post({ setpoints, cost: "-x" }, { x: 3 });
    assertEquals(after(up), [3.25]);
    assertEquals(up.active_limits.map(({ name, kind, side }) => [name, kind, side]), [[
      "x",
      "bound",
      "upper",
    ]]);
    assertAlmostEquals(up.active_limits[0].shadow_price!, 1, 1e-4);
    assertEquals(after(await post({ setpoints, cost: "2 * x" }, { x: 3 })), [-1]);
  });

  await t.step("what is moved less than its deadband stays, and moves are multiples of round", async () => {
    const setpoints = { x: { threshold: 2, deadband: 0.5 }, y: { threshold: 2, round: 0.25 } };
    const cost = "(x - 3.3)**2 + (y - 4.1)**2";
    const answer = await post({ setpoints, cost }, { x: 3, y: 3 });
    assertEquals(after(answer), [3, 4]);
    assertAlmostEquals(answer.cost_function_value!, 0.09 + 0.01, 1e-12);
    assertAlmostEquals(after(await post({ setpoints, cost }, { x: 2, y: 4 }))[0], 3.3, 1e-4);
    const limited: Plant = { setpoints, cost, limits: { "x + y": { op_max: 7.3, mode: "hard" } } };
    const tight = await post(limited, { x: 1.5, y: 2.5 });
    const [x, y] = after(tight);
    assertEquals([tight.outcome, x + y <= 7.3 + 1e-5], ["solved", true]);
  });

  await t.step("a problem of the book with curved limits reaches 17.0140173", async () => {
    const unit = { threshold: 10, min: 1, max: 5 };
    const plant: Plant = {
      setpoints: { a: unit, b: unit, c: unit, d: unit },
      cost: "a * d * (a + b + c) + c",
      limits: {
        "a * b * c * d": { op_min: 25, mode: "hard" },
        "a**2 + b**2 + c**2 + d**2": { op_min: 40, op_max: 40, mode: "hard" },
      },
    };
    const answer = await post(plant, { a: 1, b: 5, c: 5, d: 1 });
    assertEquals(answer.outcome, "solved");
    assertAlmostEquals(answer.cost_function_value!, 17.0140173, 1e-4);
  });

  await t.step("30 random plants with linear costs and limits go where the corners say", async () => {
    const random = seeded(3);
    const between = (low: number, high: number) => low + (high - low) * random();
    for (let round = 0; round < 30; round++) {
      const [p, q, a, b] = [between(-2, 2), between(-2, 2), between(-1, 1), between(-1, 1)];
      const room = Math.abs(a) + Math.abs(b);
      const limit = between(-0.8, 0.8) * room;
      const plant: Plant = {
        setpoints: { x: { threshold: 1 }, y: { threshold: 1 } },
        cost: `${p} * x + ${q} * y`,
        limits: { [`${a} * x + ${b} * y`]: { op_max: limit, mode: "hard" } },
      };
      const answer = await post(plant, { x: 0, y: 0 });
      assertEquals(answer.outcome, "solved");
      // every corner of the square that is cut by a·x + b·y ≤ limit
      const corners: (readonly [number, number])[] = [];
      for (const side of [-1, 1]) {
        corners.push([side, -1], [side, 1], [side, (limit - a * side) / b], [(limit - b * side) / a, side]);
      }
      const allowed = corners.filter(([x, y]) =>
        Math.abs(x) <= 1 && Math.abs(y) <= 1 && a * x + b * y <= limit + 1e-9
      );
      const best = Math.min(...allowed.map(([x, y]) => p * x + q * y));
      assertAlmostEquals(answer.cost_function_value!, best, 1e-4);
    }
  });

  await t.step("models that get 0 for what is predicted give the predecessor's best", async () => {
    const config = parseYaml(zeroFed(KILN_TEXT), { maxBytes: 65_536 }).value;
    const { outcome, cost_function_value: cost } = await opened.answer(inputOf("kiln/clinker_hot"), config);
    assertEquals(outcome, "solved");
    assertAlmostEquals(cost!, -100.620126, 1e-4);
  });

  await t.step(
    "everything that is wrong is told by JSON pointer, and the deployed strategy goes on",
    async () => {
      const wrong = strategyOf({
        setpoints: { x: { threshold: 1, min: 3, max: 1 } },
        cost: "x + undefined_name",
      });
      const error = await assertRejects(() => opened.answer({ x: 1 }, wrong), SetpointError);
      assertEquals(error.problems.map(({ code }) => code).sort(), ["BOUNDS_REVERSED", "FORMULA_INVALID"]);
      assertStringIncludes(error.message, "/config/skills/find_cost/config/formula");
      assertStringIncludes(error.message, "undefined_name");
      const looped = strategyOf({ setpoints: { x: { threshold: 1 } }, cost: "x + limited_0" });
      Object.assign((looped.skills as Record<string, { inputs: string[] }>).find_cost, {
        inputs: ["x", "limited_0"],
      });
      Object.assign(looped.variables as object, { limited_0: { type: "Predicted", units: "-" } });
      Object.assign(looped.skills as object, {
        value_0: {
          class: "MathFunction",
          inputs: ["cost"],
          outputs: ["limited_0"],
          config: { formula: "cost * 2" },
        },
        run: {
          class: "CompositionSkill",
          outputs: ["cost"],
          config: { skill_sequence: ["find_cost", "value_0"] },
        },
      });
      assertEquals((await assertRejects(() => opened.answer({ x: 1 }, looped), SetpointError)).code, "CYCLE");
      assertEquals((await opened.answer(inputOf("kiln/nominal"))).outcome, "solved");
    },
  );

  await t.step(
    "no plant answers for another: the same state, strategies that differ in one number",
    async () => {
      const costs = [];
      for (const factor of [1, 2, 3, 1]) {
        const plant: Plant = { setpoints: { x: { threshold: 1 } }, cost: `${factor} * x` };
        costs.push((await post(plant, { x: 5 })).cost_function_value);
      }
      assertEquals(costs, [4, 8, 12, 4]);
    },
  );
});
