/** What a strategy or a deployment says about the search reaches it, and acts. */
import { assert, assertEquals } from "@std/assert";
import { openKernel } from "./open_kernel.ts";
import { strategyOf } from "./small_strategy.ts";

const PLANT = strategyOf({
  setpoints: { x: { threshold: 4 }, y: { threshold: 4 } },
  cost: "(1 - x)**2 + 100 * (y - x**2)**2",
});
const STATE = { x: -1.2, y: 1 };

/** The plant with this in the config of its optimizer. */
function configured(config: Readonly<Record<string, number>>): Record<string, unknown> {
  const plant = structuredClone(PLANT) as { skills: { best: { config: Record<string, unknown> } } };
  Object.assign(plant.skills.best.config, config);
  return plant as Record<string, unknown>;
}

Deno.test("max_iterations and tolerance of an optimizer's config end its solves sooner, and win over the deployment's", async () => {
  await using plain = await openKernel();
  await using few = await openKernel({ env: { SETPOINT_OPTIMIZATION_MAX_ITERATIONS: "3" } });
  const iterations = async (kernel: typeof plain, config: Record<string, unknown>) => {
    const { solver, cost_function_value } = await kernel.answer(STATE, config);
    return { each: solver.iterations / solver.starts!.run, cost: cost_function_value! };
  };
  const free = await iterations(plain, PLANT);
  assert(free.each > 10 && free.cost < 1e-6, JSON.stringify(free));
  const short = await iterations(plain, configured({ max_iterations: 3 }));
  assert(short.each <= 3, JSON.stringify(short));
  assertEquals((await iterations(few, PLANT)).each, short.each);
  assert((await iterations(few, configured({ max_iterations: 200 }))).each > 10);
  const loose = await iterations(plain, configured({ tolerance: 0.9 }));
  assert(loose.each < free.each, `${loose.each}, ${free.each}`);
});
