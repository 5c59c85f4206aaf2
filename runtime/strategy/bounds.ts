/** Where a run starts and how far it may go: strategy.md, "Bounds" and "Allocation". */
import { Tape } from "../graph/tape.ts";
import type { LinkedStrategy } from "./linked.ts";

export interface Box {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
}

interface Range {
  readonly up: number;
  readonly down: number;
  readonly min: number;
  readonly max: number;
}

/** What a strategy's groups can reach; decoded when first needed. */
const reaches = new WeakMap<LinkedStrategy, Tape>();

/**
 * Bounds of one run: lower = clamp(min, x0 − down, x0 + up), upper = clamp(max, x0 − down, x0 + up), so a variable
 * outside [min, max] moves back as fast as it may. A group's bounds are cut to what its actuators can give.
 * @param measured Length `linked.measured`, finite. @param x0 Present values of `linked.search`, finite.
 */
export function searchBounds(linked: LinkedStrategy, measured: Float64Array, x0: Float64Array): Box {
  const { search, allocation } = linked;
  const box = boxOf(search, x0);
  if (allocation === undefined) return box;
  let reach = reaches.get(linked);
  if (reach === undefined) reaches.set(linked, reach = Tape.decode(allocation.reach));
  reach.setParameters(measured);
  const actuators = actuatorBounds(linked, measured);
  const reached = reach.intervals(actuators.lower, actuators.upper);
  allocation.groups.forEach(({ decision }, g) => {
    for (const side of [box.lower, box.upper]) {
      side[decision] = clamp(side[decision], reached.lower[g], reached.upper[g]);
    }
  });
  return box;
}

/** Bounds of `linked.allocation.actuators`, in their units; length 0 without an allocation. */
export function actuatorBounds({ allocation }: LinkedStrategy, measured: Float64Array): Box {
  const actuators = allocation?.actuators ?? [];
  return boxOf(actuators, Float64Array.from(actuators, ({ index }) => measured[index]));
}

function boxOf(ranges: readonly Range[], x0: Float64Array): Box {
  const within = (limit: "min" | "max") =>
    Float64Array.from(ranges, ({ up, down, [limit]: value }, k) => clamp(value, x0[k] - down, x0[k] + up));
  return { lower: within("min"), upper: within("max") };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
