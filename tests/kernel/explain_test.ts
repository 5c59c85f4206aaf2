import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../std/assert.ts";
import { inputOf, openKernel } from "./open_kernel.ts";

Deno.test("explain: terms add up to the KPI, and a threshold's worth of all terms to its slope", async () => {
  for (const [strategy, input] of [["kiln", "nominal"], ["boiler", "demand_high"]]) {
    await using open = await openKernel({ strategy: `strategies/${strategy}/strategy.yaml` });
    const state = inputOf(`${strategy}/${input}`);
    const { kpis, slopes, cost } = await open.kernel.explain(state);
    assert(kpis.length > 3);
    for (const { name, value, terms, gradient } of kpis) {
      assertAlmostEquals(
        terms.reduce((sum, term) => sum + term.value, 0),
        value,
        1e-9 * (1 + Math.abs(value)),
        name,
      );
      for (const { name: setpoint } of slopes) {
        const { scale } = open.kernel.active!.linked.search.find((entry) => entry.name === setpoint)!;
        const sum = terms.reduce((total, { perThreshold }) => total + perThreshold[setpoint], 0);
        const slope = gradient[setpoint] * scale;
        // What an earlier writing of a name gave is not seen in the terms.
        assertAlmostEquals(sum, slope, 1e-9 * (1 + Math.abs(slope)), `${name} by ${setpoint}`);
      }
    }
    assertAlmostEquals(cost.value, (await open.answer(state)).cost_before!, 1e-9 * Math.abs(cost.value));
  }
});

Deno.test("explain: slopes of the cost agree with central differences, exact or through ONNX Runtime", async () => {
  for (const [strategy, input] of [["boiler", "demand_high"], ["tree", "nominal"]]) {
    await using open = await openKernel({ strategy: `strategies/${strategy}/strategy.yaml` });
    const state = inputOf(`${strategy}/${input}`);
    const { slopes } = await open.kernel.explain(state);
    const activation = open.kernel.active!;
    const { linked } = activation;
    const measured = Float64Array.from(linked.measured, (name) => state[name]);
    const x0 = await activation.startPoint(measured);
    for (const [j, { name, perUnit, perThreshold }] of slopes.entries()) {
      const step = linked.scale[j] * (strategy === "tree" ? 1 / 2 : 1e-4);
      const at = async (x: number) =>
        (await activation.outputs(measured, x0.with(j, x)))[linked.outputs.cost];
      const expected = (await at(x0[j] + step) - await at(x0[j] - step)) / (2 * step);
      assertAlmostEquals(perUnit, expected, 1e-6 * (1 + Math.abs(expected)), name);
      assertAlmostEquals(perThreshold, perUnit * linked.scale[j], 1e-12 * (1 + Math.abs(perThreshold)));
    }
  }
});

Deno.test("explain() prints formulas in one form, with measured values and thresholds in the terms", async () => {
  await using open = await openKernel({ strategy: "strategies/tree/strategy.yaml" });
  const { kpis } = await open.kernel.explain(inputOf("tree/nominal"));
  const cost = kpis.find(({ name }) => name === "cost")!;
  assertEquals(cost.formula, "heat - 1.5 * throughput - 50 * constraint_moisture");
  assertEquals(cost.terms.map(({ text }) => text), [
    "heat",
    "-(1.5 * throughput)",
    "-(50 * constraint_moisture)",
  ]);
  assertAlmostEquals(cost.terms[0].perThreshold.air_temperature, 1, 1e-9);
  assertAlmostEquals(cost.terms[1].perThreshold.belt_speed, -1.5, 1e-9);
  const heat = kpis.find(({ name }) => name === "heat")!;
  assertAlmostEquals(heat.value, 0, 1e-12);
  assertStringIncludes(heat.formula, "air_temperature_current");
  await assertRejects(() => open.kernel.explain({}), Error, "air_temperature");
});
