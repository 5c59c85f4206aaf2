import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
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
  assertEquals([opaques.length, limits.length, rows.length], [0, 3, 0]);
});
