import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Tape } from "../../runtime/graph/tape.ts";
import { actuatorBounds, searchBounds } from "../../runtime/strategy/bounds.ts";
import { link, Plant } from "./plant.ts";

/** Groups g and h over the actuators a, b, c; `g` and `h` are formulas. */
function groups(g: string, h: string): string {
  return `variables:
  a: {type: Operative, threshold: 1, min: 0, max: 10}
  b: {type: Operative, threshold: 2}
  c: {type: Operative, max_up: 0.5, max_down: 4}
  fixed: {type: Operative}
  m: {type: Informative}
  g: {type: Calculated, threshold: 2}
  h: {type: Calculated, threshold: 10}
  cost: {type: CalculatedKPI}
skills:
  make_g: {class: Formula, inputs: [a, b, c, fixed, m], outputs: [g], config: {formula: "${g}"}}
  make_h: {class: Formula, inputs: [a, b, c, fixed, m, g], outputs: [h], config: {formula: "${h}"}}
  cost: {class: Formula, inputs: [g, h, a], outputs: [cost], config: {formula: g - h + g_current + a}}
  best: {class: Search, inputs: [g, h], outputs: [g, h], config: {cost_skill_name: cost, cost_feature_name: cost}}
tasks:
  - {name: PreCalculateVariables, skill_sequence: [make_g, make_h]}
  - {name: Main, skill_sequence: [best]}
`;
}
const STATE = { a: 4, b: 6, c: 3, fixed: 7, m: 2 };

async function plantOf(g: string, h: string, state = {}): Promise<Plant> {
  return new Plant(await link(groups(g, h)), { ...STATE, ...state });
}

function bounds({ linked, measured, x0 }: Plant): number[][] {
  const { lower, upper } = searchBounds(linked, measured, x0);
  return linked.search.map((_, k) => [lower[k], upper[k]]);
}

Deno.test("linkStrategy() gives Calculated decisions their pre-calculated value as x0, current and constant", async () => {
  const plant = await plantOf("a + b + fixed", "c * m");
  assertEquals([...plant.x0], [17, 6]);
  assertEquals(plant.linked.pre.outputs, ["g", "h"]);
  assertEquals(plant.value("cost", { g: 20 }), 20 - 6 + 17 + 4);
  assertEquals([plant.value("g", { g: 20 }), plant.value("a", { g: 20 })], [20, 4]);
});

Deno.test("linkStrategy() finds the actuators behind each group, without what may not move", async () => {
  const { linked } = await plantOf("a + b + fixed", "c * m");
  const { actuators, groups } = linked.allocation!;
  assertEquals(actuators.map(({ name, scale, up, down }) => [name, scale, up, down]), [
    ["a", 1, 1, 1],
    ["b", 2, 2, 2],
    ["c", 4, 0.5, 4],
  ]); // deno-fmt-ignore
  assertEquals(groups.map(({ name, actuators, joint }) => [name, actuators, joint]), [
    ["g", [0, 1], false], ["h", [2], false],
  ]); // deno-fmt-ignore
  assertEquals(linked.search.length, 2);
});

Deno.test("searchBounds() cuts a group's bounds to what its actuators can give", async () => {
  // a within ±1, b within ±2, c within −4 … +0.5
  assertEquals(bounds(await plantOf("a + b", "c * m")), [[8, 12], [-2, 7]]);

  assertEquals(bounds(await plantOf("a + b", "c / m")), [[8, 12], [-0.5, 1.75]]);
  const outside = await plantOf("a + b", "c", { a: 12 });
  assertEquals([...actuatorBounds(outside.linked, outside.measured).upper], [11, 8, 3.5]);
  assertEquals(bounds(outside)[0], [16, 19]);
});

Deno.test("linkStrategy() searches over the actuators of groups that share them, tied by rows", async () => {
  const plant = await plantOf("a + b", "a * b + c");
  const { search, decisions, rows, problem, scale } = plant.linked;
  assertEquals(decisions, 2);
  assertEquals(search.map(({ name, role }) => [name, role]), [
    ["g", "decision"],
    ["h", "decision"],
    ["a", "actuator"],
    ["b", "actuator"],
    ["c", "actuator"],
  ]); // deno-fmt-ignore
  assertEquals([...scale], [2, 10, 1, 2, 4]);
  assertEquals([...plant.x0], [10, 27, 4, 6, 3]);
  assertEquals(rows.map(({ name, lower, upper, limit }) => [name, lower, upper, limit]), [
    ["g", 0, 0, undefined],
    ["h", 0, 0, undefined],
  ]); // deno-fmt-ignore
  assertEquals([...problem.limits], [{ lower: 0, upper: 0 }, { lower: 0, upper: 0 }]);
  assertEquals([...plant.outputs().subarray(1, 3)], [0, 0]);
  const moved = plant.outputs({ a: 5, b: 8, c: 2, g: 14, h: 40 });
  assertEquals([...moved.subarray(1, 3)], [(13 - 14) / 2, (42 - 40) / 10]);
  // an actuator is read-only in the cost: its own value there stays the measured one
  assertEquals(plant.value("a", { a: 5 }), 4);
});

Deno.test("linkStrategy() searches over actuators that occur twice in one formula, or behind a jump", async () => {
  for (
    const [formula, joint] of [
      ["a * a", true],
      ["a - a * b", true],
      ["a if a > 3 else 0", true],
      ["floor(a)", true],
      ["max(a, b)", false],
      ["a * b * m", false],
      ["(a + b) ** 2", false],
      ["exp(a) - m * m", false],
    ] as const
  ) { // deno-fmt-ignore
    const { linked } = await plantOf(formula, "c");
    assertEquals(linked.allocation!.groups.map((group) => group.joint), [joint, false], formula);
    assertEquals(linked.search.some(({ role }) => role === "actuator"), joint, formula);
  }
});

Deno.test("linkStrategy() sees actuators through a group that another group is made of", async () => {
  const { linked } = await plantOf("a + b", "g * 2");
  assertEquals(linked.allocation!.groups.map(({ actuators, joint }) => [actuators, joint]), [[[0, 1], true], [
    [0, 1],
    true,
  ]]);
});

Deno.test("linkStrategy() gives the allocation as least squares in thresholds with the targets as parameters", async () => {
  const { linked, measured } = await plantOf("a + b + fixed", "c * m");
  const { problem, actuators } = linked.allocation!;
  assertEquals([...problem.limits], [{ lower: 0, upper: 0 }, { lower: 0, upper: 0 }]);
  const tape = Tape.decode(problem.exact);
  assertEquals([tape.variables, tape.parameters, tape.outputs], [3, measured.length + 2, 3]);
  tape.setParameters([...measured, 20, 8]);
  const out = new Float64Array(3);
  tape.value(Float64Array.of(0.5, 1, 0.25), out);
  assertAlmostEquals(out[0], 0.25 + 1 + 0.0625, 1e-15);
  assertAlmostEquals(out[1], (4.5 + 8 + 7 - 20) / 2, 1e-15);
  assertAlmostEquals(out[2], (4 * 2 - 8) / 10, 1e-15);
  assertEquals(actuators.map(({ index }) => linked.measured[index]), ["a", "b", "c"]);
});

Deno.test("linkStrategy() has no allocation where no Calculated variable is a decision", async () => {
  const { linked } = await plantOf("a + b", "c");
  assert(linked.allocation !== undefined);
  const text = groups("a + b", "c").replaceAll("[g, h], outputs: [g, h]", "[fixed], outputs: [fixed]")
    .replace("fixed: {type: Operative}", "fixed: {type: Operative, threshold: 1}")
    .replaceAll("a, b, c, fixed, m", "a, b, c, m");
  const alone = await link(text);
  assertEquals([alone.allocation, alone.search.length], [undefined, 1]);
});
