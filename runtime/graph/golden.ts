/** Compares an expression with answers that are known to be right. */
import type { Expression } from "./expr.ts";
import type { GoldenVector } from "./model_json.ts";
import { compileTape } from "./tape.ts";

/** Golden vectors may differ by so much of their spread, and of their size (they may come from 32-bit arithmetic). */
const SPREAD = 1e-5;
const SIZE = 1e-6;

export interface MissedVector {
  /** From 0. */
  readonly vector: number;
  readonly output: number;
  readonly got: number;
  readonly expected: number;
}

/**
 * The first golden vector that an expression misses; undefined where it gives all of them.
 * @param places Of each source of the expression in a vector's input.
 */
export function missedGolden(
  { graph, sources, outputs }: Expression,
  golden: readonly GoldenVector[],
  places: readonly number[] = Array.from({ length: sources }, (_, i) => i),
): MissedVector | undefined {
  const tape = compileTape(graph, { variables: 0, parameters: sources, outputs });
  const values = new Float64Array(outputs.length);
  const tolerances = outputs.map((_, k) => {
    const list = golden.map(({ output }) => output[k]);
    const [low, high] = [list.reduce((a, b) => Math.min(a, b)), list.reduce((a, b) => Math.max(a, b))];
    const size = Math.max(Math.abs(low), Math.abs(high));
    return SPREAD * (high > low ? high - low : size) + SIZE * size + Number.EPSILON;
  });
  for (const [vector, { input, output }] of golden.entries()) {
    tape.setParameters(places.map((place) => input[place]));
    tape.value(new Float64Array(0), values);
    const k = output.findIndex((expected, i) => !(Math.abs(values[i] - expected) <= tolerances[i]));
    if (k >= 0) return { vector, output: k, got: values[k], expected: output[k] };
  }
}
