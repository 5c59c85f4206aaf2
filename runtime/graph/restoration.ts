/** The search for a point that holds every hard limit; where there is none, for the point of least violation. */
import type { BranchSettings } from "./branch_settings.ts";
import type { Candidate } from "./judge.ts";
import { better, byMerit, holds } from "./merit.ts";
import type { LocalSearch, Start } from "./multi_start.ts";

/** Where one search for the least violation ended. */
export interface Restored {
  readonly end: Candidate;
  /** 1 for each hard limit that the violation did not depend on there: it need not give. */
  readonly idle: Uint8Array;
}

/** Points from which the search begins, and settings of the switches that are tried from the best of them. */
const MOST_POINTS = 32;
const MOST_SETTINGS = 32;
/** How far apart they are, in parts of the range of some variable. */
const APART = 0.15;
/** Relative rise of the violation for which fewer limits have to give. */
const FEWER = 1e-3;

/**
 * The first point found that holds, else that of least violation, where no limit is exceeded that need not be.
 * @param points Where to begin: the best of them are taken that are not side by side.
 */
export function restored(
  run: LocalSearch,
  branches: BranchSettings,
  points: readonly Candidate[],
): Candidate {
  const sidesAt = (x: Float64Array) => branches.allow(run.problem.lifted.sidesAt(x.map(run.toZ)));
  const begins = apart(run, points.toSorted(byMerit));
  let least = begins[0];
  let found: { readonly start: Start; readonly idle: Uint8Array } | undefined;
  const restore = (start: Start) => {
    const { end, idle } = run.restore(start);
    if (better(end, least) !== end) return;
    least = end;
    found = { start: { ...start, from: end.x }, idle };
  };
  for (const begin of begins) {
    if (holds(least) || run.stopped()) return least;
    restore({ sides: sidesAt(begin.x), from: begin.x });
  }
  let tried = 0;
  for (const sides of branches.around(sidesAt(least.x))) {
    if (holds(least) || run.stopped() || tried++ === MOST_SETTINGS) break;
    restore({ sides, from: least.x });
  }
  if (holds(least) || found === undefined || !found.idle.includes(1)) return least;
  const { end } = run.restore(found.start, found.idle);
  const fewer = run.broken(end.x) < run.broken(least.x);
  return fewer && end.violation <= least.violation * (1 + FEWER) ? end : least;
}

function apart({ problem: { lo, hi } }: LocalSearch, points: readonly Candidate[]): Candidate[] {
  const taken: Candidate[] = [];
  for (const point of points) {
    if (taken.length === MOST_POINTS) break;
    const beside = ({ x }: Candidate) =>
      point.x.every((value, i) => Math.abs(value - x[i]) <= APART * (hi[i] - lo[i]));
    if (!taken.some(beside)) taken.push(point);
  }
  return taken;
}
