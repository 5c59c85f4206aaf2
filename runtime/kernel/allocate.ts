import { setpointError } from "../errors.ts";
import { actuatorBounds } from "../strategy/bounds.ts";
import type { Activation } from "./activation.ts";

/** A target is met within so many of its thresholds. */
const MISS = 1e-6;

/**
 * The least movement of the actuators that gives the Calculated decisions what `x` wants, within the actuators' own limits.
 * @returns Setpoints, in the order of the allocation's actuators.
 * @throws {SetpointError} ALLOCATION_FAILED, with the group that cannot be met.
 */
export async function allocate(
  activation: Activation,
  measured: Float64Array,
  x: Float64Array,
  deadlineMs: number,
): Promise<Float64Array> {
  const { groups, actuators } = activation.linked.allocation!;
  const { lower, upper } = actuatorBounds(activation.linked, measured);
  const present = Float64Array.from(actuators, ({ index }) => measured[index]);
  const answer = await activation.solveAllocation({
    parameters: Float64Array.of(...measured, ...groups.map(({ decision }) => x[decision])),
    x0: new Float64Array(actuators.length),
    lower: lower.map((low, k) => (low - present[k]) / actuators[k].scale),
    upper: upper.map((high, k) => (high - present[k]) / actuators[k].scale),
    deadlineMs,
  });
  const setpoints = present.map((value, k) =>
    Math.min(upper[k], Math.max(lower[k], value + answer.x[k] * actuators[k].scale))
  );
  const reached = await activation.reached(measured, setpoints);
  groups.forEach(({ name, decision, scale, actuators: behind }, g) => {
    if (Math.abs(reached[g] - x[decision]) <= MISS * scale) return;
    const names = behind.map((k) => actuators[k].name).join(", ");
    throw setpointError(
      "ALLOCATION_FAILED",
      `Cannot give "${name}" the value ${x[decision]}: ${names} reach ${reached[g]} within their limits`,
      { variable: name },
    );
  });
  return setpoints;
}
