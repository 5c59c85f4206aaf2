import { assert, assertEquals } from "@std/assert";
import { stressedStates } from "../bench/states.ts";
import { KILN_TEXT } from "../strategy/kiln.ts";
import { inputOf, openKernel } from "./open_kernel.ts";

/** Descends along the gradient of the exact cost, in thresholds, and keeps the best point. */
const DESCENT = `
import { definePlugin, type OptimizationProblem } from "setpoint";
export default definePlugin({
  name: "somebody/descent",
  version: "0.3.0",
  kind: "optimizer",
  optimize({ exact, x0, lo, hi, scale, cancelled, remaining }: OptimizationProblem) {
    const out = new Float64Array(exact.outputs);
    const g = new Float64Array(x0.length);
    const weights = new Float64Array(exact.outputs);
    weights[0] = 1;
    const at = x0.slice();
    exact.value(at, out);
    let [best, cost, evaluations] = [at.slice(), out[0], 1];
    for (let step = 0.5; step > 1e-4 && !cancelled() && remaining() > 0; step *= 0.97) {
      exact.gradient(at, weights, g);
      const length = Math.hypot(...g.map((slope, i) => slope * scale[i])) || 1;
      at.forEach((x, i) => {
        at[i] = Math.min(hi[i], Math.max(lo[i], x - step * g[i] * scale[i] ** 2 / length));
      });
      exact.value(at, out);
      evaluations++;
      if (out[0] < cost) [best, cost] = [at.slice(), out[0]];
    }
    return { status: "solved" as const, x: best, iterations: evaluations, evaluations };
  },
});
`;

Deno.test("a user's file in the place of builtin:optimizer optimizes the kiln, allocation and all", async () => {
  await using opened = await openKernel({
    strategy: KILN_TEXT.replace(
      "\nvariables:\n",
      "\nplugins: { OptimizationSkill: descent.ts }\nvariables:\n",
    ),
    files: { "descent.ts": DESCENT },
  });
  const names = opened.kernel.plugins().flatMap(({ plugins }) => plugins.map(({ name }) => name));
  assert(names.includes("somebody/descent"), String(names));
  for (const state of [inputOf("kiln/nominal"), ...stressedStates(5, 14)]) {
    const answer = await opened.answer(state);
    assertEquals(answer.outcome, "solved", JSON.stringify(answer.reason));
    assert(answer.cost_function_value! < answer.cost_before! - 1, "a descent finds something");
    const moved = answer.actuators.filter(({ name, delta }) => name.startsWith("Kiln_Feed") && delta !== 0);
    assertEquals(moved.length, 2);
    assert(answer.solver.iterations > 100);
  }
});
