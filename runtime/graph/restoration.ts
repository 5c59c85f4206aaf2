/** The search for a point that holds every hard limit; where there is none, for the point of least violation. */
import type { BranchSettings } from "./branch_settings.ts";
import type { Candidate } from "./judge.ts";
import { better, byMerit, holds } from "./merit.ts";
import type { LocalSearch } from "./multi_start.ts";

/** Points from which the search begins, and settings of the switches that are tried from the best of them. */
const MOST_POINTS = 16;
const MOST_SETTINGS = 32;

/**
 * The first point found that holds, else that of least violation.
 * @param points Where to begin: the best of them are taken.
 */
export function restored(
  run: LocalSearch,
  branches: BranchSettings,
  points: readonly Candidate[],
): Candidate {
  const sidesAt = (x: Float64Array) => branches.allow(run.problem.lifted.sidesAt(x.map(run.toZ)));
  const begins = points.toSorted(byMerit).slice(0, MOST_POINTS);
  let least = begins[0];
  for (const begin of begins) {
    if (holds(least) || run.stopped()) return least;
    least = better(run.restore({ sides: sidesAt(begin.x), from: begin.x }), least);
  }
  let tried = 0;
  for (const sides of branches.around(sidesAt(least.x))) {
    if (holds(least) || run.stopped() || tried++ === MOST_SETTINGS) break;
    least = better(run.restore({ sides, from: least.x }), least);
  }
  return least;
}
