/** In a worker: what a lowered model answers at random points of its training range, for the referee. */
import { compileTape } from "../../plugins/sdk_core.ts";
import type { ModelCheck, ModelSample } from "../graph/skill.ts";
import { seededRandom } from "../graph/seeded_random.ts";

const POINTS = 64;
const SEED = 20_261_121;

export function sampleModel({ file, onnx, expression, lower, upper }: ModelCheck): ModelSample {
  const { graph, sources, outputs } = expression;
  const tape = compileTape(graph, { variables: 0, parameters: sources, outputs });
  const random = seededRandom(SEED);
  // Numbers that 32 bits hold: ONNX Runtime gets the same ones.
  const batch = Float64Array.from({ length: POINTS * sources }, (_, i) => {
    const k = i % sources;
    return Math.fround(lower[k] + (upper[k] - lower[k]) * random());
  });
  const answers = new Float64Array(POINTS * outputs.length);
  const none = new Float64Array(0);
  for (let row = 0; row < POINTS; row++) {
    tape.setParameters(batch.subarray(row * sources, (row + 1) * sources));
    tape.value(none, answers.subarray(row * outputs.length, (row + 1) * outputs.length));
  }
  return { file, ...(onnx && { onnx }), batch, answers, count: POINTS };
}
