import { assert, assertEquals } from "@std/assert";
import { stressedStates } from "../bench/states.ts";
import { seeded } from "../graph/random_graph.ts";
import { linkKiln } from "../strategy/kiln.ts";
import { inputOf, openKernel } from "./open_kernel.ts";
import { RandomStarts, searched } from "./random_starts.ts";

Deno.test("optimize() of the nominal kiln moves coal and feed, and nothing else", async () => {
  await using opened = await openKernel();
  const answer = await opened.answer(inputOf("kiln/nominal"));
  assertEquals(answer.outcome, "solved");
  assert(answer.cost_function_value! <= -101.9999, String(answer.cost_function_value));
  const moved = Object.entries(answer.optimized_variables).filter(([, { delta, threshold }]) =>
    Math.abs(delta!) > 0.01 * threshold!
  );
  assertEquals(moved.map(([name]) => name), ["Kiln_Coal_PV", "combined_Feed_rate"]);
  const actuators = answer.actuators.filter(({ delta }) => delta !== 0).map(({ name, delta }) =>
    `${name} ${delta.toFixed(3)}`
  );
  assertEquals(actuators, [
    "Kiln_Coal_PV -0.050",
    "Kiln_Feed_SFF_1_Feed_rate 1.000",
    "Kiln_Feed_SFF_2_Feed_rate 1.000",
  ]);
});

Deno.test("optimize() of the kiln with hot clinker reaches -100.677, and the best known answers to its other inputs", async () => {
  await using opened = await openKernel();
  for (const name of ["clinker_hot", "co_edge", "current_edge"]) {
    const golden = JSON.parse(
      Deno.readTextFileSync(new URL(`../../strategies/kiln/golden/${name}.json`, import.meta.url)),
    );
    const { outcome, cost_function_value: cost } = await opened.answer(inputOf(`kiln/${name}`));
    assertEquals(outcome, "solved");
    assert(cost! <= golden.cost + 1e-6, `${name}: ${cost}, expected ${golden.cost}`);
    if (name === "clinker_hot") assert(cost! <= -100.677, String(cost));
  }
});

Deno.test("optimize() is within 1e-3 of the best of 200 random starts in 60 random states of the kiln", async () => {
  await using opened = await openKernel();
  const linked = await linkKiln();
  const oracle = new RandomStarts(linked);
  const random = seeded(2026);
  const states = stressedStates(60, 77);
  assert(states.some(({ Calciner_outlet_CO: co }) => co === 0));
  const short: string[] = [];
  for (const [k, state] of states.entries()) {
    const { outcome, cost_function_value: cost, cost_before, variables } = await opened.answer(state);
    assertEquals(outcome, "solved", `state ${k}`);
    assert(cost! <= cost_before!);
    const best = Math.min(
      oracle.best(state, 200, random),
      state.Calciner_outlet_CO === 0 ? searched(linked, state, random, 8_000) : Infinity,
    );
    if (cost! > best + 1e-3) short.push(`state ${k}: ${cost}, best ${best}`);
    const co = variables.predicted_Calciner_outlet_CO.optimizer_suggested_value!;
    const score = variables.constraint_Calciner_outlet_CO.optimizer_suggested_value!;
    assertEquals(score > 0, co >= 0 && co < 1, `state ${k}: CO ${co} scores ${score}`);
  }
  assertEquals(short, []);
});
