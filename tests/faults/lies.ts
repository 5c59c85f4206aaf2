/** An optimizer that lies as `fault` says, and what the kernel makes of it. Run by itself it prints that as JSON. */
import { openFaulty, STATE } from "./faulty_plant.ts";

export const LIES = {
  "a setpoint above its bound": 21,
  "a setpoint below its bound": 22,
  "a broken hard limit": 23,
  "a point dearer than not moving": 24,
  "NaN": 25,
  "Infinity": 26,
  "a wrong cost": 27,
  "the truth": 0,
} as const;

export type Lie = keyof typeof LIES;

/** x may become 1.5 to 3.5, y 4.5 to 5.5, of x + y ≤ 14 nothing is felt; at `fault` 23 the plant is near it. */
const LIAR = `
import { definePlugin, type OptimizationProblem } from "setpoint";
export default definePlugin({
  name: "test/liar",
  version: "1.0.0",
  kind: "optimizer",
  optimize({ parameters, x0, hi }: OptimizationProblem) {
    const says = (x: number, y: number) =>
      ({ status: "solved" as const, x: Float64Array.of(x, y), iterations: 7, evaluations: 7, cost: -1e6, objective: -1e6 });
    switch (parameters[2]) {
      case 21: return says(3, 7);
      case 22: return says(1.4, 5);
      case 23: return says(hi[0], hi[1]);
      case 24: return says(1.6, 4.6);
      case 25: return says(NaN, 5);
      case 26: return says(3, Infinity);
      case 27: return says(x0[0], 5.25);
      default: return says(3, 5.5);
    }
  },
});
`;

export interface Told {
  readonly outcome: string;
  readonly reason?: string;
  readonly cost: number | null;
  /** Setpoints after the answer. */
  readonly after: readonly number[];
}

/** Asks the liar for each of its lies, over its real cell. */
export async function tellAll(): Promise<Record<Lie, Told>> {
  await using opened = await openFaulty({ optimizer: LIAR, deadlineMs: 60_000 });
  const told: Partial<Record<Lie, Told>> = {};
  for (const [lie, fault] of Object.entries(LIES) as [Lie, number][]) {
    const present = fault === 23 ? { x: 5, y: 8.9 } : {};
    const { outcome, reason, cost_function_value: cost, actuators } = await opened.answer({
      ...STATE,
      ...present,
      fault,
    });
    told[lie] = {
      outcome,
      ...(reason && { reason: `${reason.code} ${reason.message}` }),
      cost,
      after: actuators.map(({ after }) => after),
    };
  }
  return told as Record<Lie, Told>;
}

if (import.meta.main) console.log(JSON.stringify(await tellAll()));
