/** The search for a point that holds every hard limit; where there is none, for the point of least violation. */
import type { BranchSettings } from "./branch_settings.ts";
import type { Candidate } from "./judge.ts";
import { better, byMerit, holds, worse } from "./merit.ts";
import type { LocalSearch, Start } from "./multi_start.ts";

/** Where one search for the least violation ended. */
export interface Restored {
  readonly end: Candidate;
  /** The largest relative excess of the limits whose excess was to be least. */
  readonly excess: number;
  /** 1 for each hard limit that the violation did not depend on there: it need not give. */
  readonly idle: Uint8Array;
}

/** Points from which the search begins, and settings of the switches that are tried from the best of them. */
const MOST_POINTS = 32;
const MOST_SETTINGS = 32;
/** How far apart they are, in parts of the range of some variable. */
const APART = 0.15;
/** Relative rise of the violation for which other limits give less. */
const FEWER = 1e-3;
/** What a limit may have beyond its least excess in searches for that of others, relative and absolute. */
const LOOSE = 1e-6;

/**
 * The first point found that holds, else that of least violation, where no limit is exceeded by more than it need be.
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
  let found: { readonly sides: Uint8Array; readonly restored: Restored } | undefined;
  const restore = (start: Start) => {
    const restored = run.restore(start);
    const { end } = restored;
    // as good is good enough once: limits that hold the violation where it is may not be all that can be mended
    if (better(end, least) !== end && (found !== undefined || worse(end, least))) return;
    least = end;
    found = { sides: start.sides, restored };
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
  return holds(least) || found === undefined ? least : relieved(run, found.sides, found.restored);
}

/**
 * Limits that the least violation does not depend on need not give; where they cannot all hold beside it, they are brought
 * as near as they go, and so on with those that are left.
 */
function relieved(run: LocalSearch, sides: Uint8Array, { end: least, excess, idle }: Restored): Candidate {
  const allowed = new Float64Array(idle.length).fill(NaN);
  const noMore = ({ end }: Restored) => end.violation <= least.violation * (1 + FEWER);
  let best = least;
  for (let round = 0; round < idle.length && !run.stopped(); round++) {
    const isOpen = (k: number) => Number.isNaN(allowed[k]);
    const needed = idle.filter((free, k) => free === 0 || !isOpen(k)).length;
    if (run.broken(best.x) <= needed) break;
    const firm = run.restore(
      { sides, from: best.x },
      allowed.map((value, k) => isOpen(k) && idle[k] === 1 ? 0 : value),
    );
    if (noMore(firm) && run.broken(firm.end.x) <= needed) return firm.end;
    idle.forEach((free, k) => {
      if (free === 0 && isOpen(k)) allowed[k] = excess * (1 + LOOSE) + LOOSE;
    });
    const next = run.restore({ sides, from: best.x }, allowed);
    if (!noMore(next)) break;
    best = next.end;
    ({ excess, idle } = next);
  }
  return best;
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
