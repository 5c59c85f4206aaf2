import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Tape } from "../../runtime/graph/tape.ts";
import { searchBounds } from "../../runtime/strategy/bounds.ts";
import { KILN_TEXT, linkKiln, zeroFed } from "./kiln.ts";
import values from "./kiln_values.json" with { type: "json" };
import { Plant } from "./plant.ts";

type Named = Readonly<Record<string, number | undefined>>;

/** Largest difference over all points, relative to max(1, |value|). */
function largestMiss(
  plantOf: (state: Record<string, number>) => Plant,
  feed: string,
  rename = (name: string) => name,
) {
  let largest = 0;
  let compared = 0;
  for (const point of values.points.filter((each) => each.feed === feed)) {
    const state = Object.entries({ ...values.state, ...point.state }).map((
      [name, value],
    ) => [rename(name), value]);
    const plant = plantOf(Object.fromEntries(state));
    const x = Object.fromEntries(values.decisions.map((name, k) => [rename(name), point.x[k]]));
    for (const [name, expected] of Object.entries(point.values as Named)) {
      if (!(rename(name) in plant.linked.outputs.variables)) continue;
      const miss = Math.abs(plant.value(rename(name), x) - expected!) / Math.max(1, Math.abs(expected!));
      assert(miss <= 1e-9, `${name} is ${plant.value(rename(name), x)}, expected ${expected}`);
      largest = Math.max(largest, miss);
      compared++;
    }
  }
  assert(compared > 24);
  return largest;
}

Deno.test("linkStrategy() gives the kiln's reference values at all probes and scenario points to 1e-9", async () => {
  const linked = await linkKiln();
  assertEquals(linked.search.map(({ name }) => name), values.decisions);
  largestMiss((state) => new Plant(linked, state), "flowing");
});

Deno.test("linkStrategy() with predicted_inputs: zero gives the predecessor's values to 1e-9", async () => {
  const linked = await linkKiln(zeroFed(KILN_TEXT));
  largestMiss((state) => new Plant(linked, state), "zero_fed");
  const flowing = await linkKiln();
  const hot = values.points.find(({ feed, state }) => feed === "zero_fed" && "Clinker_temperature" in state)!;
  const state = { ...values.state, ...hot.state };
  assert(new Plant(flowing, state).outputs()[0] !== new Plant(linked, state).outputs()[0]);
});

Deno.test("searchBounds() gives the kiln's reference bounds, groups included", async () => {
  const linked = await linkKiln();
  for (const { state, x0, bounds } of values.scenarios) {
    const plant = new Plant(linked, { ...values.state, ...state });
    assertEquals([...plant.x0], x0);
    const { lower, upper } = searchBounds(linked, plant.measured, plant.x0);
    bounds.forEach(([least, most], k) => {
      assertAlmostEquals(lower[k], least, 1e-9);
      assertAlmostEquals(upper[k], most, 1e-9);
    });
  }
});

Deno.test("linkStrategy() tells of the kiln's penalty that nothing reads, and finds the nine actuators", async () => {
  const { notes, allocation, opaques, limits, rows } = await linkKiln();
  assertEquals(notes.filter(({ code }) => code === "KPI_UNREAD").map(({ variable }) => variable), [
    "penalty_coal_intervention",
  ]);
  assertEquals(allocation!.groups.map(({ actuators, joint }) => [actuators.length, joint]), [
    [2, false],
    [4, false],
    [3, false],
  ]); // deno-fmt-ignore
  const own = limits.filter(({ training }) => !training);
  assertEquals([opaques.length, own.length, rows.length], [0, 3, 0]);
});

Deno.test("linkStrategy() keeps models in the ranges that they were trained in where the strategy asks for it", async () => {
  const hard = await linkKiln(`range: hard\n${KILN_TEXT}`);
  assertEquals(hard.rows.length, 15);
  const coal = hard.limits.find(({ skill, variable }) =>
    /current/.test(skill!) && variable === "delta_Kiln_Coal_PV"
  )!;
  assertEquals([coal.mode, coal.lower, coal.upper], ["hard", -0.4, 0.4]);
  assertEquals((await linkKiln(`range: soft\n${KILN_TEXT}`)).rows.length, 0);
});

Deno.test("linkStrategy() gives a kiln whose gradient and Hessian agree with central differences to 1e-6", async () => {
  const linked = await linkKiln();
  const tape = Tape.decode(linked.exact);
  const n = linked.search.length;
  const weights = new Float64Array(tape.outputs);
  weights[0] = 1;
  const gradient = (x: Float64Array) => {
    const g = new Float64Array(n);
    tape.gradient(x, weights, g);
    return g.map((value, k) => value * linked.scale[k]);
  };
  const points = values.points.filter(({ feed }) => feed === "flowing");
  for (const { state, x } of points.slice(8, 20)) {
    const plant = new Plant(linked, { ...values.state, ...state });
    tape.setParameters(plant.measured);
    // off the corners, on which most probes lie
    const at = Float64Array.from(x, (value, k) => value + linked.scale[k] * (0.137 + 0.01 * k));
    const step = (k: number, by: number) =>
      at.map((value, i) => i === k ? value + by * linked.scale[k] : value);
    const h = new Float64Array(n * n);
    tape.hessian(at, weights, h);
    const g = gradient(at);
    const cost = (point: Float64Array) => {
      const out = new Float64Array(1);
      tape.value(point, out);
      return out[0];
    };
    for (let k = 0; k < n; k++) {
      const slope = (cost(step(k, 1e-4)) - cost(step(k, -1e-4))) / 2e-4;
      assertAlmostEquals(g[k], slope, 1e-6 * Math.max(1, Math.abs(slope)));
      const [up, down] = [gradient(step(k, 1e-4)), gradient(step(k, -1e-4))];
      for (let i = 0; i < n; i++) {
        const bend = (up[i] - down[i]) / 2e-4;
        const exact = h[k * n + i] * linked.scale[k] * linked.scale[i];
        assertAlmostEquals(exact, bend, 1e-6 * Math.max(1, Math.abs(bend)));
      }
    }
  }
});
