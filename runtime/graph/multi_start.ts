/** Local solves from many places: the present point, every setting of the switches, and wherever a sample is in doubt. */
import { sampleBox } from "./box_sample.ts";
import { BranchSettings } from "./branch_settings.ts";
import type { Candidate, Judge, LocalEnd } from "./judge.ts";
import { better, byMerit, worse } from "./merit.ts";

/** A local solve to be done. */
export interface Start {
  readonly sides: Uint8Array;
  readonly from: Float64Array;
}

/** A run that has a local solver. */
export interface LocalSearch extends Judge {
  /** Those done so far. */
  readonly solves: readonly LocalEnd[];
  /** One solve; gives the point where it ended. */
  solve(start: Start): Candidate;
  /** How many solves ended at the cost of the best. */
  agreed(best: Candidate): number;
}

/** Settings of the switches that are solved, and other starts. */
export const MOST_SETTINGS = 32;
const MOST_STARTS = 64;
/** The same with foreign code, where an iteration is a call of another process; and a sample, which is one call. */
const MOST_FOREIGN = 6;
const FOREIGN_SAMPLE = 512;
/** Starts in a row without a gain after which it is enough: where so many agree on the best point, and otherwise. */
const ENOUGH = 6;
const AGREED = 3;
const MOST_WITHOUT = 24;
/** Points of the box that are looked at, and how far from them towards the best point the cost must fall. */
const SAMPLE = 16;
const WIDE_SAMPLE = 64;
const TOWARDS = 0.25;

/** The settings of the switches that the bounds of the run allow. */
export function branchesOf({ problem: { lifted, lo, hi }, toZ }: Judge): BranchSettings {
  return new BranchSettings(lifted, lo.map(toZ), hi.map(toZ));
}

/** Solves from the present point, on every setting of the switches, and from where the sample is in doubt. */
export function explore(run: LocalSearch, begun: Candidate): Candidate {
  const { lifted } = run.problem;
  const sidesAt = (x: Float64Array) => lifted.sidesAt(x.map(run.toZ));
  const branches = branchesOf(run);
  const first = branches.allow(sidesAt(begun.x));
  branches.isNew(first);
  let best = better(run.solve({ sides: first, from: begun.x }), begun);
  if (!run.stopped() && run.weaken(best)) best = better(run.solve({ sides: first, from: best.x }), best);
  if (run.stopped()) return best;
  const [settings, starts] = run.foreign ? [MOST_FOREIGN, MOST_FOREIGN] : [MOST_SETTINGS, MOST_STARTS];
  let wide = branches.open > 1 || run.foreign;
  let points = sampled(run, run.foreign ? FOREIGN_SAMPLE : wide ? WIDE_SAMPLE : SAMPLE);
  const more = () => !run.stopped() && run.solves.length < settings;
  if (branches.open > 1) {
    for (const { x } of points.toSorted(byMerit)) {
      const sides = branches.allow(sidesAt(x));
      if (!more()) break;
      if (branches.isNew(sides)) best = better(run.solve({ sides, from: x }), best);
    }
  }
  for (const sides of branches.around(first)) {
    if (!more()) break;
    best = better(run.solve({ sides, from: best.x }), best);
  }
  let without = 0;
  const used = new Set<Candidate>();
  while (!run.stopped() && run.solves.length < settings + starts) {
    const [next] = doubtful(run, points.filter((point) => !used.has(point)), best);
    if (next === undefined) break;
    if (!wide) {
      wide = true;
      points = points.concat(sampled(run, WIDE_SAMPLE));
      continue;
    }
    used.add(next);
    const end = better(run.solve({ sides: branches.allow(sidesAt(next.x)), from: next.x }), best);
    without = end === best ? without + 1 : 0;
    best = end;
    if (without >= (run.foreign ? AGREED : run.agreed(best) >= AGREED ? ENOUGH : MOST_WITHOUT)) break;
  }
  return best;
}

function sampled(run: Judge, count: number): Candidate[] {
  const { problem: { lo, hi, random } } = run;
  return run.judgeAll(sampleBox(lo, hi, count - (count >> 2), count >> 2, random));
}

/** Points from which the cost rises on the way to the best one, or that are better than it; the best of them first. */
function doubtful(run: Judge, points: readonly Candidate[], best: Candidate): Candidate[] {
  const nearer = run.judgeAll(
    points.map(({ x }) => x.map((value, i) => value + TOWARDS * (best.x[i] - value))),
  );
  return points.filter((point, k) => better(point, best) === point || worse(nearer[k], point)).sort(byMerit);
}
