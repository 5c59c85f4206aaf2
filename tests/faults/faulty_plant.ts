/** A small plant whose plugins are a user's files, which fail as the measured value `fault` says. */
import type { Clock } from "../../runtime/clock.ts";
import { Database } from "../../runtime/sqlite.ts";
import { type OpenKernel, openKernel } from "../kernel/open_kernel.ts";

export interface FaultyPlant {
  /** The optimizer's file; default: the built-in one. */
  readonly optimizer?: string;
  /** Text in the place of `guess`'s plugin. */
  readonly guess?: string;
  readonly deadlineMs: number;
  /** Of one call of `guess`. Default: no good one takes as long. */
  readonly wallMs?: number;
  /** With state folder, journal and simulated plant. Default false. */
  readonly serving?: boolean;
  readonly clock?: Clock;
}

/** min guess(x) − y, guess = (x − 3)², y ≤ 10, x + y ≤ 14; `fault` is the third measured value. */
export function openFaulty(
  { optimizer, guess = GUESS, deadlineMs, wallMs, serving, clock }: FaultyPlant,
): Promise<OpenKernel> {
  return openKernel({
    strategy: faultyStrategy(optimizer !== undefined, wallMs),
    files: { "guess.ts": guess, ...(optimizer && { "mine.ts": optimizer }), "simulator.json": SIMULATOR },
    env: { SETPOINT_OPTIMIZATION_DEADLINE_MS: String(deadlineMs) },
    serving,
    clock,
  });
}

export function faultyStrategy(ownOptimizer: boolean, wallMs = 60_000): string {
  return `apiVersion: setpoint/v1
name: faulty
version: 1.0.0
objective: { minimize: cost }
plugins: { Guess: { plugin: guess.ts, limits: { wall_ms: ${wallMs} } }${
    ownOptimizer ? ", OptimizationSkill: mine.ts" : ""
  } }
variables:
  x: { type: Operative, units: "-", threshold: 1 }
  y: { type: Operative, units: "-", threshold: 0.5, max: 10 }
  fault: { type: Informative, units: "-" }
  guess: { type: Predicted, units: "-" }
  sum: { type: Predicted, units: "-" }
  constraint_sum: { type: Constraint, units: "-" }
  cost: { type: CalculatedKPI, units: "-" }
skills:
  ask: { class: Guess, inputs: [x, fault], outputs: [guess] }
  add: { class: MathFunction, inputs: [x, y], outputs: [sum], config: { formula: x + y } }
  limit: { class: Constraint, inputs: [sum], outputs: [constraint_sum], config: { op_max: 14, mode: hard } }
  find_cost: { class: MathFunction, inputs: [guess, y], outputs: [cost], config: { formula: guess - y } }
  run: { class: CompositionSkill, outputs: [cost], config: { skill_sequence: [ask, add, limit, find_cost] } }
  best:
    class: OptimizationSkill
    inputs: [x, y]
    outputs: [x, y]
    config: { cost_skill_name: run, cost_feature_name: cost }
tasks: [{ name: Optimize, skill_sequence: [best] }]
`;
}

export const STATE = { x: 2.5, y: 5, fault: 0 };

/** Ways to take what is not given back. */
export const LOOP = "while (true) {}";
export const EAT = "const kept = []; for (;;) kept.push(new Uint8Array(8 << 20).fill(1));";

/** Fails as `fault` says: at every point, and beyond the present one. */
export const GUESS = `
import { definePlugin, type SkillSpec } from "setpoint";
export default definePlugin({
  name: "test/guess",
  version: "1.0.0",
  kind: "model",
  evaluate(_skill: SkillSpec, batch: Float64Array, count: number): Float64Array {
    const fault = batch[1];
    if (fault === 1) { ${LOOP} }
    if (fault === 2) { ${EAT} }
    if (fault === 3) throw new RangeError("no guess today");
    if (fault === 4 && batch[0] !== ${STATE.x}) { ${LOOP} }
    return Float64Array.from({ length: count }, (_, k) => fault === 5 ? NaN : (batch[2 * k] - 3) ** 2);
  },
});
`;

export const SIMULATOR = JSON.stringify({
  format: "setpoint/simulator/v1",
  periodMs: 60_000,
  faults: { gap: 0, nan: 0, stale: 0, frozen: 0 },
  columns: Object.entries(STATE).map(([name, nominal]) => ({ name, nominal, low: nominal, high: nominal })),
});

/** Writes the next row of the simulated plant, as a plant would; `ahead` seconds from now, so that it is the newest. */
export function measure(
  { folder }: OpenKernel,
  values: Readonly<Record<string, number>>,
  ahead: number,
): void {
  using database = new Database(`${folder}/state/historian.sqlite`);
  const time = new Date(Date.now() + 1000 * ahead).toISOString().replace("Z", "");
  const names = Object.keys(values);
  database.prepare(
    `INSERT INTO process_data ("timestamp", ${names.join(", ")}) VALUES (?${", ?".repeat(names.length)})`,
  ).run(time, ...Object.values(values));
}
