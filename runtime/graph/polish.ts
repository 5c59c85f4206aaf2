/**
 * Puts what is all but on the present value, a bound, a corner or a limit exactly there, where nothing is lost by it: a
 * barrier keeps its distance, and a setpoint that buys nothing is not to be touched.
 */
import type { Candidate, Judge } from "./judge.ts";
import { landings } from "./landing.ts";
import { AGREEMENT, better, holds, type Judged, noWorse, worse } from "./merit.ts";

/** What moving costs by its slope, in units of the cost, where a variable is tried back where it began. */
const FLAT = 1e-6;
/** Multiplier of an active row, in units of the cost, from which on a point belongs on the row. */
const PRICED = 1e-6;
/** Digits of numbers that somebody writes. */
const WRITTEN = 9;

/** The best point with everything in its place; `best` itself where nothing is to be gained. */
export function polish(judge: Judge, best: Candidate): Candidate {
  const { x0, lo, hi } = judge.problem;
  if (!holds(best)) return atBounds(judge, best);
  let at = best;
  // what is given away is given once, however many variables go back
  let least: Judged = best;
  // the last touch of rounding takes no point out of its limits
  let outside = Infinity;
  const attempt = (x: Float64Array) => {
    const next = judge.judge(x, best.solve);
    if (!noWorse(next, least) || next.violation > outside) return false;
    at = next;
    least = better<Judged>(next, least);
    return true;
  };
  const attemptAll = (x: Float64Array) => {
    if (x.every((value, i) => value === at.x[i]) || attempt(x)) return;
    x.forEach((value, i) => {
      if (value !== at.x[i]) attempt(at.x.with(i, value));
    });
  };
  attemptAll(judge.snapped(best.x));
  const back = unpriced(judge, at);
  if (judge.foreign) least = { ...least, cost: least.cost + FLAT * judge.unit };
  attemptAll(back);
  if (best.solve !== undefined) at = landed(judge, at);
  outside = at.violation;
  // a corner that was reached but for rounding is most often a number that somebody wrote
  attemptAll(at.x.map((x, i) => (x === x0[i] || x === lo[i] || x === hi[i] ? x : asWritten(x))));
  return at;
}

/** A point that holds nowhere, with what is all but on a bound or the present value exactly there. */
function atBounds(judge: Judge, best: Candidate): Candidate {
  const next = judge.judge(judge.snapped(best.x), best.solve);
  return Number.isFinite(next.cost) && !worse(next, best) ? next : best;
}

/** The short number that `x` is but for rounding, else `x`. */
function asWritten(x: number): number {
  const short = Number(x.toPrecision(WRITTEN));
  return Number(x.toPrecision(12)) === short ? short : x;
}

/** The end of a solve, put exactly on the rows that it is near; `end` itself where that is no gain. */
export function landed(judge: Judge, end: Candidate): Candidate {
  const { lifted, lo, hi } = judge.problem;
  const solve = end.solve!;
  if (solve.held !== undefined) lifted.hold(solve.held);
  else lifted.holdAt(end.x);
  lifted.setSides(solve.sides);
  const v = solve.x.slice();
  const fixed = new Uint8Array(lifted.size);
  end.x.forEach((x, i) => {
    v[i] = judge.toZ(x, i);
    fixed[i] = x === lo[i] || x === hi[i] || v[i] === 0 ? 1 : 0;
  });
  let best = end;
  let nearest: Candidate | undefined;
  for (const at of landings(lifted, { ...solve, x: v, fixed, price: PRICED * judge.unit })) {
    const x = judge.toX(at).map((value, i) => (fixed[i] ? end.x[i] : value));
    const next = judge.judge(x, solve);
    if (noWorse(next, end) && judge.pulled(x, next.cost) <= solve.objective + AGREEMENT * judge.unit) {
      if (next.violation === 0) return next;
      nearest ??= next;
    } else best = better(next, best);
  }
  return nearest ?? best;
}

/** The point with all variables back where they began that have next to no slope, or with foreign code next to no worth. */
function unpriced(judge: Judge, at: Candidate): Float64Array {
  const { unit, foreign, problem: { exact, x0, lo, hi } } = judge;
  const back = x0.map((value, i) => Math.min(hi[i], Math.max(lo[i], value)));
  if (foreign) {
    const apart = judge.judgeAll(Array.from(back, (value, i) => at.x.with(i, value)));
    return at.x.map((x, i) => (holds(apart[i]) && apart[i].cost <= at.cost + FLAT * unit ? back[i] : x));
  }
  const slope = new Float64Array(back.length);
  exact.gradient(at.x, Float64Array.of(1), slope);
  return at.x.map((x, i) => (Math.abs(slope[i] * (x - back[i])) <= FLAT * unit ? back[i] : x));
}
