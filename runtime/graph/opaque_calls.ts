/** Calls of foreign code inside a tape: values, and local Jacobians told by the code or by central differences in one batch. */
import type { OpaqueCall } from "./program.ts";

/**
 * Evaluates `count` input vectors of foreign code at once. It is synchronous.
 * @param skill The number that the graph gave it.
 * @param batch count × inputs, row-major; valid only during the call.
 * @param jacobians Whether derivatives are wanted too; only of a call that was said to tell them.
 * @returns count × outputs, row-major; NaN where it cannot be computed. With `jacobians` then count × outputs × inputs.
 */
export type EvaluateOpaque = (
  skill: number,
  batch: Float64Array,
  count: number,
  jacobians?: boolean,
) => Float64Array;

/** Fraction of an input's scale by which a difference point lies beside the point: above float32 noise, below curvature. */
const OPAQUE_STEP = 2 ** -10;

export interface OpaqueBuffer {
  readonly call: OpaqueCall;
  /** Whether the code tells its Jacobian itself. */
  tellsJacobian: boolean;
  /** Scale of each input, length inputs; NaN: max(1, |input|). */
  readonly scale: Float64Array;
  /** (1 + 2·inputs) × inputs. */
  readonly batch: Float64Array;
}

export function newOpaqueBuffer(call: OpaqueCall): OpaqueBuffer {
  const { inputs } = call;
  return {
    call,
    tellsJacobian: false,
    scale: new Float64Array(inputs).fill(NaN),
    batch: new Float64Array((1 + 2 * inputs) * inputs),
  };
}

/** Row 0: the point. Rows 1 + 2j and 2 + 2j: the point moved up and down along input j. */
export function fillDifferences(buffer: OpaqueBuffer, values: Float64Array, inputSlot: number): void {
  const { batch, scale, call: { inputs } } = buffer;
  for (let row = 0; row <= 2 * inputs; row++) {
    for (let j = 0; j < inputs; j++) batch[row * inputs + j] = values[inputSlot + j];
  }
  for (let j = 0; j < inputs; j++) {
    const x = values[inputSlot + j];
    const size = scale[j] > 0 ? scale[j] : Math.max(1, Math.abs(x));
    batch[(1 + 2 * j) * inputs + j] = x + OPAQUE_STEP * size;
    batch[(2 + 2 * j) * inputs + j] = x - OPAQUE_STEP * size;
  }
}

/**
 * `jacobian` (outputs × inputs) from the answers to the batch of {@linkcode fillDifferences}; where the code gives nothing
 * on one side of the point, from the other side.
 */
export function readDifferences(buffer: OpaqueBuffer, answers: Float64Array, jacobian: Float64Array): void {
  const { batch, call: { inputs, outputs } } = buffer;
  for (let i = 0; i < outputs; i++) {
    for (let j = 0; j < inputs; j++) {
      const known = (row: number) => (Number.isFinite(answers[row * outputs + i]) ? row : 0);
      const [up, down] = [known(1 + 2 * j), known(2 + 2 * j)];
      const step = batch[up * inputs + j] - batch[down * inputs + j];
      jacobian[i * inputs + j] = (answers[up * outputs + i] - answers[down * outputs + i]) / step;
    }
  }
}

/**
 * `jacobian` (outputs × inputs) as the code told it of one point. @param told Values, then derivatives.
 * @returns False where the values are known and a derivative is not: then differences are needed.
 */
export function readJacobian({ outputs }: OpaqueCall, told: Float64Array, jacobian: Float64Array): boolean {
  jacobian.set(told.subarray(outputs));
  return jacobian.every(Number.isFinite) || !told.subarray(0, outputs).every(Number.isFinite);
}
