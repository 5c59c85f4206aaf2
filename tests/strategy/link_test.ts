import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { searchBounds } from "../../runtime/strategy/bounds.ts";
import { link, Plant, problems } from "./plant.ts";

/** Feed x and fan y are moved; z is measured; the second write of d counts. */
const PLANT = `variables:
  x: {type: Operative, units: t/h, threshold: 2}
  y: {type: Operative, units: rpm, max_up: 3, max_down: 1, max: 11}
  z: {type: Informative, units: A}
  d: {type: Delta, units: t/h}
  p: {type: Predicted, units: A}
  score: {type: Constraint}
  waste: {type: CalculatedKPI}
  cost: {type: CalculatedKPI}
skills:
  zero: {class: Formula, inputs: [], outputs: [d], config: {formula: "0"}}
  delta: {class: Formula, inputs: [x], outputs: [d], config: {formula: x_dof - x_current}}
  predict: {class: Formula, inputs: [d, y, z], outputs: [p], config: {formula: z + d ** 2 + y}}
  waste: {class: Formula, inputs: [p], outputs: [waste], config: {formula: p * 2}}
  limit: {class: Range, inputs: [p], outputs: [score], config: {upper: 30}}
  cost: {class: Formula, inputs: [p, d, x, waste], outputs: [cost], config: {formula: p - d / x_threshold}}
  flow: {class: Steps, inputs: [x, y], outputs: [cost], config: {steps: [zero, delta, predict, waste, limit, cost]}}
  best: {class: Search, inputs: [x, y], outputs: [x, y], config: {cost_skill_name: flow, cost_feature_name: cost}}
tasks:
  - {name: Main, skill_sequence: [best]}
`;
const STATE = { x: 10, y: 9, z: 5 };

Deno.test("linkStrategy() computes each variable's latest value in the order of the file", async () => {
  const plant = new Plant(await link(PLANT), STATE);
  assertEquals(plant.linked.search.map(({ name, scale, up, down }) => [name, scale, up, down]), [
    ["x", 2, 2, 2],
    ["y", 3, 3, 1],
  ]); // deno-fmt-ignore
  assertEquals([...plant.x0], [10, 9]);
  const at = { x: 13, y: 8 };
  assertEquals(plant.value("d", at), 3);
  assertEquals(plant.value("p", at), 5 + 9 + 8);
  assertEquals(plant.value("cost", at), 22 - 1.5);
  assertEquals(plant.outputs(at)[0], 20.5);
  assertEquals(plant.outputs(at)[plant.linked.outputs.cost], 20.5);
  assertEquals([plant.value("x", at), plant.value("z", at)], [13, 5]);
});

Deno.test("linkStrategy() notes double writes and KPIs that nothing really reads", async () => {
  const { notes } = await link(PLANT);
  assertEquals(notes.map(({ code, variable, at }) => [code, variable, at!.line! - 2]), [
    ["KPI_UNREAD", "waste", 8],
    ["WRITTEN_TWICE", "d", 12],
  ]);
});

Deno.test("linkStrategy() keeps a hard limit as a row of both problems", async () => {
  const { rows, limits, problem } = await link(PLANT);
  assertEquals(rows, [{ name: "limit", lower: -Infinity, upper: 30, limit: 0 }]);
  assertEquals([...problem.limits], [{ lower: -Infinity, upper: 30 }]);
  assertEquals([limits[0].skill, limits[0].variable, limits[0].units, limits[0].row], ["limit", "p", "A", 0]);
  const plant = new Plant(await link(PLANT), STATE);
  assertEquals(plant.outputs({ x: 13 })[1], 5 + 9 + 9);
  assertEquals(plant.outputs({ x: 13 })[limits[0].output], 23);
});

Deno.test("linkStrategy() adds weight times the relative violation of a soft limit to what is minimised", async () => {
  const soft = (config: string) => link(PLANT.replace("{upper: 30}", `{mode: soft, ${config}}`));
  const added = async (config: string) => {
    const plant = new Plant(await soft(config), STATE);
    const outputs = plant.outputs({ x: 13 });
    assertEquals(outputs[plant.linked.limits[0].penalty!], outputs[0] - outputs[plant.linked.outputs.cost]);
    return outputs[plant.linked.limits[0].penalty!];
  };
  // p is 23
  assertEquals(await added("upper: 30"), 0);
  assertAlmostEquals(await added("upper: 20"), 1000 * 3 / 20, 1e-9);
  assertAlmostEquals(await added("upper: 20, lower: 14"), 1000 * 3 / 6, 1e-9);
  assertAlmostEquals(await added("lower: 25, upper: 29, weight: 8"), 8 * 2 / 4, 1e-9);
  assertAlmostEquals(await added("upper: 0.5"), 1000 * 22.5, 1e-9);
  assertEquals((await soft("upper: 30")).rows, []);
});

Deno.test("linkStrategy() lets soft limits give way by priority: 1 last, none first", async () => {
  const text = PLANT.replace("{upper: 30}", "{mode: soft, upper: 20, weight: 1, priority: 1}")
    .replace(
      "  cost: {class",
      "  low: {class: Range, inputs: [p], outputs: [score], config: {mode: soft, upper: 20, weight: 1, priority: 2}}\n  none: {class: Range, inputs: [p], outputs: [score], config: {mode: soft, upper: 20, weight: 1}}\n  cost: {class",
    )
    .replace("limit, cost]", "limit, low, none, cost]");
  const plant = new Plant(await link(text), STATE);
  const penalties = plant.linked.limits.map(({ penalty }) => plant.outputs({ x: 13 })[penalty!]);
  assertAlmostEquals(penalties[0], 100 * 100 * 3 / 20, 1e-9);
  assertAlmostEquals(penalties[1], 100 * 3 / 20, 1e-9);
  assertAlmostEquals(penalties[2], 3 / 20, 1e-9);
});

Deno.test("linkStrategy() takes min and max of a computed variable as a hard limit, of a decision as its bound", async () => {
  const linked = await link(
    PLANT.replace("p: {type: Predicted, units: A", "p: {type: Predicted, units: A, min: 1, max: 40"),
  );
  assertEquals(linked.rows.map(({ name, lower, upper }) => [name, lower, upper]), [
    ["limit", -Infinity, 30],
    ["p", 1, 40],
  ]); // deno-fmt-ignore
  assertEquals(linked.search[1].max, 11);
});

Deno.test("searchBounds() clamps to the moves, and moves back from outside as fast as it may", async () => {
  const linked = await link(PLANT.replace("threshold: 2", "threshold: 2, min: 9, max: 11"));
  const bounds = (x: number, y: number) => {
    const plant = new Plant(linked, { ...STATE, x, y });
    const { lower, upper } = searchBounds(linked, plant.measured, plant.x0);
    return [lower[0], upper[0], lower[1], upper[1]];
  };
  assertEquals(bounds(10, 9), [9, 11, 8, 11]);
  assertEquals(bounds(9.5, 5), [9, 11, 4, 8]);
  assertEquals(bounds(20, 20), [18, 18, 19, 19]);
  assertEquals(bounds(1, 10.5), [3, 3, 9.5, 11]);
});

Deno.test("linkStrategy() feeds what a task before the optimizer computes, and runs what comes after it", async () => {
  const text = PLANT
    .replace(
      "  best:",
      "  bias: {class: Formula, inputs: [z, x], outputs: [bias], config: {formula: z * x}}\n  best:",
    )
    .replace(
      "  zero:",
      "  report: {class: Formula, inputs: [cost, x], outputs: [report], config: {formula: cost + x}}\n  zero:",
    )
    .replace("  cost: {type", "  bias: {type: Delta}\n  report: {type: CalculatedKPI}\n  cost: {type")
    .replace("inputs: [p, d, x, waste]", "inputs: [p, d, x, waste, bias]").replace(
      "formula: p - d",
      "formula: bias + p - d",
    )
    .replace("[best]", "[bias, best, report]");
  const plant = new Plant(await link(text), STATE);
  assertEquals(plant.value("bias", { x: 13 }), 50);
  assertEquals(plant.value("cost", { x: 13 }), 50 + 23 - 1.5);
  assertEquals(plant.value("report", { x: 13 }), 71.5 + 13);
});

Deno.test("linkStrategy() with an objective and no optimizer moves everything that may move", async () => {
  const text = PLANT.replace(/ {2}best:.*\n/, "").replace("[best]", "[flow]");
  const linked = await link(`objective: {minimize: cost}\n${text}`);
  assertEquals(linked.search.map(({ name }) => name), ["x", "y"]);
  assertEquals(linked.optimizer, "OptimizationSkill");
  assertEquals(new Plant(linked, STATE).value("cost", { x: 13, y: 8 }), 20.5);
});

Deno.test("linkStrategy() numbers foreign code once for all tapes and says what answers it", async () => {
  const text = PLANT.replace(
    / {2}predict:.*\n/,
    "  predict: {class: Foreign, inputs: [d, y, z], outputs: [p]}\n",
  );
  const linked = await link(text);
  assertEquals(
    linked.opaques.map((
      { skill, local, engine, inputs, outputs, spec },
    ) => [skill, local, engine, inputs, outputs, spec.class]),
    [["predict", 0, "self", 3, 1, "Foreign"]],
  );
  const plant = new Plant(linked, STATE);
  assert(Number.isNaN(plant.value("cost")));
  plant.evaluate = (skill, batch, count) => {
    assertEquals([skill, count], [0, 1]);
    return Float64Array.of(batch[0] ** 2 + batch[1] ** 2 + batch[2] ** 2);
  };
  assertEquals(plant.value("p", { x: 13, y: 8 }), 9 + 64 + 25);
});

Deno.test("linkStrategy() gives plain data that can be posted", async () => {
  const linked = await link(PLANT);
  const copy = structuredClone(linked);
  assertEquals(new Plant(copy, STATE).outputs({ x: 13 }), new Plant(linked, STATE).outputs({ x: 13 }));
});

Deno.test("linkStrategy() does not depend on names: everything renamed at random gives the same values", async () => {
  const names = [
    "x",
    "y",
    "z",
    "d",
    "p",
    "score",
    "waste",
    "cost",
    "zero",
    "delta",
    "predict",
    "limit",
    "flow",
    "best",
  ];
  const renamed = (name: string) => `n${[...name].map((c) => c.charCodeAt(0)).join("_")}`;
  const keys = new RegExp(`\\b(${names.join("|")})(?=\\b|_dof|_current|_threshold)(?!_skill|_feature)`, "g");
  const text = PLANT.replace(keys, (name: string) => renamed(name));
  assertMatch(text, /n120_dof - n120_current/);
  const state = Object.fromEntries(Object.entries(STATE).map(([name, value]) => [renamed(name), value]));
  const a = new Plant(await link(PLANT), STATE);
  const b = new Plant(await link(text), state);
  assertEquals([...b.outputs({ n120: 13, n121: 8 })], [...a.outputs({ x: 13, y: 8 })]);
});

Deno.test("linkStrategy() tells a formula's typo, a wrong bound and an undeclared name in one go, by line and column", async () => {
  const text = PLANT.replace("x_dof - x_current", "x_dof - x_curent").replace(
    "threshold: 2}",
    "threshold: '2'}",
  )
    .replace("inputs: [d, y, z]", "inputs: [d, y, zz]");
  const found = await problems(text);
  assertEquals(found.map((line) => line.split(" ").slice(0, 2).join(" ")), [
    "STRATEGY_INVALID 2:47",
    "FORMULA_INVALID 12:80",
    "UNDECLARED_VARIABLE 13:44",
    "FORMULA_INVALID 13:81",
  ]);
  assertMatch(found[1], /x_curent/);
});
