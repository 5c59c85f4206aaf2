/** Golden vectors of models that ONNX Runtime runs: those that became part of the graph have been checked by their plugin. */
import { setpointError } from "../errors.ts";
import { missedAnswer } from "../graph/golden.ts";
import type { LinkedOpaque } from "../strategy/linked.ts";

/** Rows of one call: each call has its own time limit. */
const ROWS = 64;

type Evaluate = (batch: Float64Array, count: number) => Promise<Float64Array>;

/** @throws {SetpointError} MODEL_INVALID if the model misses a vector in every reading of them. */
export async function checkGolden(
  { spec, file, inputs, outputs, golden = [] }: LinkedOpaque,
  evaluate: Evaluate,
): Promise<void> {
  const misses = [];
  for (const { batch, answers, count } of golden) {
    if (batch.length !== count * inputs || answers.length !== count * outputs) {
      throw setpointError(
        "MODEL_INVALID",
        `Cannot check skill "${spec.name}": its golden vectors have another size`,
      );
    }
    const got = new Float64Array(answers.length);
    for (let from = 0; from < count; from += ROWS) {
      const rows = Math.min(ROWS, count - from);
      const part = batch.slice(from * inputs, (from + rows) * inputs);
      got.set(await evaluate(part, rows), from * outputs);
    }
    const missed = missedAnswer(got, answers, outputs);
    if (missed === undefined) return;
    misses.push(missed);
  }
  if (misses.length === 0) return;
  const [{ vector, output, got, expected }] = misses;
  const metadata = spec.files.metadata_path;
  throw setpointError(
    "MODEL_INVALID",
    `Cannot use model "${spec.files[file!].name}" of skill "${spec.name}": for golden vector ${vector + 1}${
      metadata === undefined ? "" : ` of "${metadata.name}"`
    } its output ${output + 1} is ${got}, expected ${expected} (in the model's own numbers)`,
  );
}
