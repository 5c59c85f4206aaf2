import type { Activation } from "./activation.ts";
import { allocate } from "./allocate.ts";
import { actuatorBounds } from "../strategy/bounds.ts";

export interface Unsettled {
  readonly measured: Float64Array;
  /** The present point and what the optimizer recommends, in the order of the search. */
  readonly x0: Float64Array;
  readonly x: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly deadlineMs: number;
  /** False: setpoints stay as they were computed. */
  readonly entered: boolean;
}

export interface Settled {
  /** What is published, in the order of the search. */
  readonly x: Float64Array;
  /** Setpoints behind Calculated decisions, by name. */
  readonly allocated: ReadonlyMap<string, number>;
}

/**
 * Turns the optimizer's point into setpoints: what Calculated decisions want is handed to the actuators behind them;
 * then moves below the deadband are not made and setpoints are rounded, and what that does to Calculated values is told.
 * @throws {SetpointError} ALLOCATION_FAILED
 */
export async function settle(activation: Activation, unsettled: Unsettled): Promise<Settled> {
  const { linked } = activation;
  const { measured, x0, lower, upper, entered } = unsettled;
  const x = unsettled.x.slice();
  const enter = (name: string, before: number, after: number, low: number, high: number) =>
    entered ? setpoint(activation.variable(name), before, after, low, high) : after;
  linked.search.forEach(({ name, type, role }, i) => {
    if (type === "Operative" && role === "decision") x[i] = enter(name, x0[i], x[i], lower[i], upper[i]);
  });
  const { allocation } = linked;
  const allocated = new Map<string, number>();
  if (allocation === undefined) return { x, allocated };
  const limits = actuatorBounds(linked, measured);
  const unmoved = allocation.groups.every(({ decision }) => x[decision] === x0[decision]);
  // a setpoint outside its own limits moves back, whether its group moves or not
  const within = allocation.actuators.every(({ index }, k) =>
    limits.lower[k] <= measured[index] && measured[index] <= limits.upper[k]
  );
  if (unmoved && within) return { x, allocated };
  const wanted = await allocate(activation, measured, x, unsettled.deadlineMs);
  const setpoints = wanted.map((value, k) => {
    const { name, index } = allocation.actuators[k];
    return enter(name, measured[index], value, limits.lower[k], limits.upper[k]);
  });
  if (setpoints.some((value, k) => value !== wanted[k])) {
    const reached = await activation.reached(measured, setpoints);
    allocation.groups.forEach(({ decision }, g) => x[decision] = reached[g]);
  }
  allocation.actuators.forEach(({ name }, k) => allocated.set(name, setpoints[k]));
  linked.search.forEach(({ name, role }, i) => {
    if (role === "actuator") x[i] = allocated.get(name) ?? x[i];
  });
  return { x, allocated };
}

interface Entered {
  readonly deadband?: number;
  readonly round?: number;
}

/** A setpoint as it is entered: unmoved below the deadband, else the multiple of `round` nearest to it within the bounds. */
function setpoint(
  { deadband = 0, round }: Entered,
  before: number,
  after: number,
  lower: number,
  upper: number,
): number {
  if (Math.abs(after - before) < deadband && before >= lower && before <= upper) return before;
  if (round === undefined || after === before) return after;
  const multiple = (of: number) => Number((of * round).toPrecision(15));
  const nearest = multiple(Math.round(after / round));
  if (nearest > upper) return Math.max(lower, multiple(Math.floor(upper / round)));
  return nearest < lower ? Math.min(upper, multiple(Math.ceil(lower / round))) : nearest;
}
