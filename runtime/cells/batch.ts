/** In the kernel: what one plugin asks of another is checked before that one hears of it. */
import type { OpaqueSpec } from "../graph/skill.ts";
import { callFailed, type CallLabel } from "./call_errors.ts";
import type { Limits } from "./limits.ts";

/**
 * Who asks for what cannot be answered is at fault, not the plugin that is asked.
 * @param batch Should be count × inputs. @param jacobians Whether derivatives are asked for too.
 * @throws {SetpointError} EVALUATION_FAILED
 */
export function checkBatch(
  label: CallLabel,
  batch: Float64Array,
  count: number,
  { inputs, outputs }: Pick<OpaqueSpec, "inputs" | "outputs">,
  { frameBytes }: Limits,
  jacobians = false,
): void {
  if (batch.length !== count * inputs) {
    const why = `it was asked for ${count} points of ${inputs} inputs with ${batch.length} numbers`;
    throw callFailed("EVALUATION_FAILED", label, why);
  }
  const bytes = 8 * count * outputs * (jacobians ? 1 + inputs : 1);
  if (bytes > frameBytes) {
    const why = `it was asked for an answer of ${bytes} bytes, at most ${frameBytes} are taken`;
    throw callFailed("EVALUATION_FAILED", label, why);
  }
}
