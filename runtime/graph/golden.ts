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
  const width = outputs.length;
  const got = new Float64Array(golden.length * width);
  golden.forEach(({ input }, vector) => {
    tape.setParameters(places.map((place) => input[place]));
    tape.value(new Float64Array(0), got.subarray(vector * width, (vector + 1) * width));
  });
  return missedAnswer(got, Float64Array.from(golden.flatMap(({ output }) => output)), width);
}

/** The first answer that is not the expected one. @param got, expected Vector by vector, `width` outputs each. */
export function missedAnswer(
  got: Float64Array,
  expected: Float64Array,
  width: number,
): MissedVector | undefined {
  const tolerances = Array.from({ length: width }, (_, k) => {
    const list = expected.filter((_, i) => i % width === k);
    const [low, high] = [list.reduce((a, b) => Math.min(a, b)), list.reduce((a, b) => Math.max(a, b))];
    const size = Math.max(Math.abs(low), Math.abs(high));
    return SPREAD * (high > low ? high - low : size) + SIZE * size + Number.EPSILON;
  });
  const i = expected.findIndex((value, i) => !(Math.abs(got[i] - value) <= tolerances[i % width]));
  if (i < 0) return undefined;
  return { vector: Math.floor(i / width), output: i % width, got: got[i], expected: expected[i] };
}
