/** A tape at many points, with foreign code asked in batches or not at all. */
import type { Tape } from "./tape.ts";

export interface PointValues {
  /** Every output; NaN where it cannot be computed. */
  readonly outputs: Float64Array;
  /** What foreign code answered on the way, all calls in their order; empty where it was not asked. */
  readonly answers: Float64Array;
}

/** Most points of one batch: a cancel is heard between them. */
const BATCH = 4096;

/**
 * Values at points, all points of one foreign call in one batch. What foreign code throws is kept in `tape.evaluateError`.
 * @param stopped Looked at before every batch: after it all is NaN.
 */
export function valuesAt(tape: Tape, points: readonly Float64Array[], stopped: () => boolean): PointValues[] {
  const { variables: n, outputs: width } = tape;
  const values: PointValues[] = [];
  for (let from = 0; from < points.length; from += BATCH) {
    const some = points.slice(from, from + BATCH);
    const flat = new Float64Array(some.length * n);
    some.forEach((x, k) => flat.set(x, k * n));
    const out = new Float64Array(some.length * width).fill(NaN);
    const calls = stopped() ? [] : ask(tape, flat, some.length, out);
    some.forEach((_, k) => {
      const parts = calls.map((call) => {
        const each = call.length / some.length;
        return call.subarray(k * each, (k + 1) * each);
      });
      const answers = parts.length === 1 ? parts[0] : Float64Array.from(parts.flatMap((part) => [...part]));
      values.push({ outputs: out.subarray(k * width, (k + 1) * width), answers });
    });
  }
  return values;
}

function ask(tape: Tape, points: Float64Array, count: number, out: Float64Array): Float64Array[] {
  const stages = tape.stages(points, count, out);
  const calls: Float64Array[] = [];
  try {
    for (let batch = stages.next(); batch !== undefined; batch = stages.next()) {
      const answers = tape.evaluate!(batch.skill, batch.inputs, batch.count);
      stages.supply(answers);
      calls.push(answers);
    }
    return calls;
  } catch (error) {
    tape.evaluateError = error;
    return [];
  }
}

/** Runs `use` with foreign code that answers `answers` wherever it is asked. A code that is called twice answers as it did last. */
export function withAnswers<T>(tape: Tape, answers: Float64Array, use: () => T): T {
  const { evaluate } = tape;
  const known = new Map<number, Float64Array>();
  let at = 0;
  for (const { skill, outputs } of tape.opaques) known.set(skill, answers.slice(at, at += outputs));
  tape.evaluate = (skill, batch, count, jacobians = false) => {
    const answer = known.get(skill)!;
    const all = new Float64Array((count + (jacobians ? batch.length : 0)) * answer.length);
    for (let row = 0; row < count; row++) all.set(answer, row * answer.length);
    return all;
  };
  try {
    return use();
  } finally {
    tape.evaluate = evaluate;
  }
}
