/** Two plants of trained models whose best answers SLSQP has found by means of its own: strategies/make_soft_sensors.py. */
import { assert, assertEquals } from "@std/assert";
import { ROOT } from "../../runtime/config.ts";
import type { Answer } from "../../runtime/kernel/types.ts";
import { openKernel, type State } from "./open_kernel.ts";

interface Reference {
  /** The best of 200 random starts and what the cost typically is above it; absent where no point holds the limits. */
  readonly cost?: number;
  readonly spread?: number;
  /** Else the least violation, relative to max(1, |limit|). */
  readonly violation?: number;
}

function read<T>(path: string): T[] {
  return JSON.parse(Deno.readTextFileSync(`${ROOT}/strategies/${path}`));
}

function violationOf({ violations = [] }: Answer): number {
  return Math.max(0, ...violations.map(({ amount, limit }) => amount / Math.max(1, Math.abs(limit))));
}

/** By how much the predictions miss the limits of the strategies. */
const LIMITS: Readonly<Record<string, Readonly<Record<string, readonly [number, number]>>>> = {
  debutanizer: { butane: [-Infinity, 0.75], pentane: [-Infinity, 0.65] },
  sulfur: { h2s: [-Infinity, 0.8], so2: [-Infinity, 0.42], furnace_temperature: [1040, 1310] },
};

for (const name of ["debutanizer", "sulfur"]) {
  Deno.test(`optimize() of the ${name} strategy is at the best of 200 random SLSQP solves in all of 60 states, and says which hold no limits`, async () => {
    await using opened = await openKernel({ strategy: `strategies/${name}/strategy.yaml` });
    const states = read<State>(`${name}/inputs/states.json`);
    const reference = read<Reference>(`${name}/reference.json`);
    assertEquals([states.length, reference.length], [60, 60]);
    let infeasible = 0;
    for (const [k, state] of states.entries()) {
      const answer = await opened.answer(state);
      const { cost, spread, violation } = reference[k];
      if (cost === undefined) {
        infeasible++;
        assertEquals(answer.outcome, "infeasible", `${k}`);
        assert(answer.actuators.every(({ delta }) => delta === 0));
        const missed = violationOf(answer);
        assert(
          Math.abs(missed - violation!) <= 1e-3 * violation! + 1e-5,
          `${k}: ${missed}, least ${violation}`,
        );
        continue;
      }
      assertEquals(answer.outcome, "solved", `${k}: ${JSON.stringify(answer.reason)}`);
      const above = (answer.cost_function_value! - cost) / spread!;
      assert(above <= 1e-3, `${k}: ${answer.cost_function_value}, best ${cost}`);
      for (const [variable, [lower, upper]] of Object.entries(LIMITS[name])) {
        const value = answer.variables[variable].optimizer_suggested_value!;
        assert(value >= lower * (1 - 1e-5) && value <= upper * (1 + 1e-5), `${k}: ${variable} ${value}`);
      }
    }
    assert(infeasible >= 3 && infeasible <= 30, `${infeasible} infeasible`);
  });
}
