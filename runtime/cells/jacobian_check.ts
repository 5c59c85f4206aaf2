/** Compares a Jacobian with difference quotients of the values. */
import type { OpaqueSpec } from "../graph/skill.ts";

export type EvaluateNode = (batch: Float64Array, count: number, jacobians: boolean) => Promise<Float64Array>;

/** Relative step, and how far a derivative may be from the slopes on both sides of it, relative to them. */
const STEP = 1e-6;
const CLOSE = 1e-3;
/** Rounding of a value, in units of its size. */
const NOISE = 2 ** -44;

/**
 * The first derivative at `point` that is none, in words; undefined where all hold. At a corner any slope from that of
 * one side to that of the other holds; where a value or a derivative is not finite nothing is said.
 */
export async function wrongDerivative(
  evaluate: EvaluateNode,
  { inputs, outputs, steps }: Pick<OpaqueSpec, "inputs" | "outputs" | "steps">,
  point: Float64Array,
): Promise<string | undefined> {
  const told = await evaluate(point, 1, true);
  const sizes = point.map((x, j) => steps?.[j] ?? STEP * Math.max(1, Math.abs(x)));
  const batch = new Float64Array(2 * inputs * inputs);
  for (let row = 0; row < 2 * inputs; row++) {
    const [j, sign] = [row >> 1, row % 2 === 0 ? 1 : -1];
    batch.set(point, row * inputs);
    batch[row * inputs + j] += sign * sizes[j];
  }
  const beside = await evaluate(batch, 2 * inputs, false);
  for (let i = 0; i < outputs; i++) {
    for (let j = 0; j < inputs; j++) {
      const slope = told[outputs + i * inputs + j];
      const [up, down] = [2 * j, 2 * j + 1].map((row) => {
        return (beside[row * outputs + i] - told[i]) / (batch[row * inputs + j] - point[j]);
      });
      const size = Math.max(Math.abs(up), Math.abs(down));
      const room = CLOSE * size + NOISE * Math.max(1, Math.abs(told[i])) / sizes[j];
      if (slope < Math.min(up, down) - room || slope > Math.max(up, down) + room) {
        return `output ${i} has slope ${slope} along input ${j} at [${point.join(", ")}], differences say ${
          up === down ? up : `${down} to ${up}`
        }`;
      }
    }
  }
}
