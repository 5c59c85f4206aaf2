/** Local solves from many places: the present point, every setting of the switches, and wherever a sample is in doubt. */
import { sampleBox } from "./box_sample.ts";
import { BranchSettings } from "./branch_settings.ts";
import { type Candidate, clamp, type Judge, type LocalEnd, SOLVED } from "./judge.ts";
import { better, byMerit, holds, worse } from "./merit.ts";
import { isConvexQuadratic } from "./quadratic.ts";
import { type Restored, restored } from "./restoration.ts";

/** A local solve to be done. */
export interface Start {
  readonly sides: Uint8Array;
  readonly from: Float64Array;
  /** The cost weighs more on the way than limits and bounds do: that ends at other optima. Default false. */
  readonly bold?: boolean;
}

/** A run that has a local solver. */
export interface LocalSearch extends Judge {
  /** Those done so far. */
  readonly solves: readonly LocalEnd[];
  /** One solve; gives the point where it ended. */
  solve(start: Start): Candidate;
  /**
   * One search for the least violation of the hard limits.
   * @param allowed By limit: the relative excess that it may have, or NaN where that is to be least. Default: all NaN.
   */
  restore(start: Start, allowed?: Float64Array): Restored;
}

/** Settings of the switches that are solved; the same with foreign code, where an iteration is a call of another process. */
const MOST_SETTINGS = 32;
const MOST_FOREIGN = 6;
/** Points of the box that are looked at: always (and so many from the best one outward), where these leave a doubt, and with foreign code, where it is one call. */
const SAMPLE = 16;
const OUTWARD = 16;
const WIDE_SAMPLE = 64;
const FOREIGN_SAMPLE = 512;
/** Points at which derivatives are compared. */
const COMPARED = 4;
/** Starts from doubtful points after which the cost counts as one with many optima. */
const FEW = 4;
/** Then: points to choose starts from, and how many starts: at least where settings are several, where doubts remain, and at most. */
const POOL = 1024;
const FEWEST_STARTS = 7;
const LEAST_STARTS = 30;
const MOST_STARTS = 300;
/** Switches that the box leaves open beyond which the settings are too many to try them all. */
const MOST_OPEN = 3;
/** Solves after each of which the cost may be looked at more closely, such as on the way down an exponential. */
const MOST_UNITS = 32;
/** Where fewer points of the sample hold their limits, the others tell little of what is between those that do. */
const LEAST_HOLDING = 0.5;
/** Where on the way to the best point the cost must have fallen. */
const WAY = [0.03, 0.4];

/** The settings of the switches that the bounds of the run allow. */
export function branchesOf({ problem: { lifted, lo, hi }, toZ }: Judge): BranchSettings {
  return new BranchSettings(lifted, lo.map(toZ), hi.map(toZ));
}

/** Solves from the present point, on every setting of the switches, and from where the sample is in doubt. */
export function explore(run: LocalSearch, begun: Candidate): Candidate {
  return new Exploration(run, begun).best();
}

class Exploration {
  readonly #run: LocalSearch;
  #begun: Candidate;
  readonly #branches: BranchSettings;
  #best: Candidate;
  /** Ends of solves that differ in their cost. */
  #optima: Candidate[] = [];

  constructor(run: LocalSearch, begun: Candidate) {
    this.#run = run;
    this.#branches = branchesOf(run);
    this.#begun = this.#best = begun;
  }

  best(): Candidate {
    const run = this.#run;
    let points = this.#sampled(run.foreign ? FOREIGN_SAMPLE : SAMPLE);
    if (run.measure(this.#begun, points)) {
      points = run.judgeAll(points.map(({ x }) => x));
      this.#begun = this.#best = run.judge(this.#begun.x);
    }
    this.#present(points);
    const solved = run.solves.at(-1)?.status === SOLVED && holds(this.#best);
    if (solved && isConvexQuadratic(run.problem, points.slice(0, COMPARED).map(({ x }) => x))) {
      return this.#best;
    }
    this.#settings();
    if (run.stopped()) return this.#best;
    const tight = points.filter(holds).length < LEAST_HOLDING * points.length;
    if (!holds(this.#best) && !run.foreign) {
      points = points.concat(this.#sampled(POOL));
      this.#best = restored(run, branchesOf(run), [this.#best, ...points]);
      if (!holds(this.#best)) return this.#best;
      this.#solveFrom(this.#best.x);
      this.#settings();
    }
    const local = this.#best;
    const { open } = this.#branches;
    if (!run.foreign) {
      points = points.concat(this.#outward());
      if (open < 2 && !tight && !points.some((point) => this.#doubted(point))) return this.#best;
      points = points.concat(this.#sampled(WIDE_SAMPLE));
    }
    const many = this.#doubtful(points.sort(byMerit)) || open > MOST_OPEN || tight;
    if (many && !run.foreign) this.#everywhere(this.#sampled(POOL), LEAST_STARTS);
    else if (open > 1 && !run.foreign) this.#everywhere(points, FEWEST_STARTS);
    if (this.#best !== local) this.#across();
    return this.#best;
  }

  /** One solve. @returns Whether it is a gain. */
  #solve(start: Start): boolean {
    const end = this.#run.solve(start);
    if (this.#optima.every((other) => worse(end, other) || worse(other, end))) this.#optima.push(end);
    const before = this.#best;
    this.#best = better(end, before);
    return this.#best !== before;
  }

  #solveFrom(from: Float64Array, bold?: boolean): boolean {
    return this.#solve({ sides: this.#branches.allow(this.#sidesAt(from)), from, bold });
  }

  #sidesAt(x: Float64Array): Uint8Array {
    return this.#run.problem.lifted.sidesAt(x.map(this.#run.toZ));
  }

  #sampled(count: number): Candidate[] {
    const { lo, hi, random } = this.#run.problem;
    return this.#run.judgeAll(sampleBox(lo, hi, count - (count >> 2), count >> 2, random));
  }

  /** Points from the best one towards corners of the box, where in many variables most of its optima are. */
  #outward(): Candidate[] {
    const { lo, hi, random } = this.#run.problem;
    const { x } = this.#best;
    return this.#run.judgeAll(Array.from({ length: OUTWARD }, () => {
      const far = 0.3 + 0.7 * random();
      return x.map((value, i) => value + far * ((random() < 0.5 ? lo[i] : hi[i]) - value));
    }));
  }

  /** From the present point. */
  #present(points: readonly Candidate[]): void {
    const run = this.#run;
    const { x } = this.#begun;
    const first = this.#branches.allow(this.#sidesAt(x));
    this.#branches.isNew(first);
    this.#solve({ sides: first, from: x });
    for (let k = 0; k < MOST_UNITS && !run.stopped() && run.weaken(this.#best, points); k++) {
      this.#solve({ sides: first, from: this.#best.x });
    }
  }

  /** On every other setting of the switches; on few while no point holds. */
  #settings(): void {
    const run = this.#run;
    const first = this.#branches.allow(this.#sidesAt(this.#begun.x));
    for (const sides of this.#branches.around(first)) {
      if (run.stopped() || run.solves.length >= (run.foreign ? MOST_FOREIGN : MOST_SETTINGS)) break;
      if (!run.foreign && !holds(this.#best) && run.solves.length >= FEW) break;
      this.#solve({ sides, from: this.#best.x });
    }
  }

  /** Whether the point is better than the best one, or the cost rises on the way there: then another optimum may be near. */
  #doubted(point: Candidate): boolean {
    const best = this.#best;
    if (worse(best, point)) return true;
    if (!worse(point, best)) return false;
    let before = point;
    return WAY.some((part) => {
      const next = this.#run.judge(this.#towardsBest(point, part));
      const rises = worse(next, before);
      before = next;
      return rises;
    });
  }

  /** The first of the points in doubt. With foreign code all ways are looked at in one call. */
  #firstDoubted(points: readonly Candidate[]): Candidate | undefined {
    if (!this.#run.foreign) return points.find((point) => this.#doubted(point));
    const best = this.#best;
    const first = points.find((point) => worse(best, point));
    if (first !== undefined) return first;
    const far = points.filter((point) => worse(point, best));
    const steps = this.#run.judgeAll(
      far.flatMap((point) => WAY.map((part) => this.#towardsBest(point, part))),
    );
    return far.find((point, k) => {
      const way = [point, ...steps.slice(k * WAY.length, (k + 1) * WAY.length)];
      return way.some((next, j) => j > 0 && worse(next, way[j - 1]));
    });
  }

  #towardsBest(point: Candidate, part: number): Float64Array {
    const { x: best } = this.#best;
    const x = point.x.slice();
    for (let i = 0; i < x.length; i++) x[i] += part * (best[i] - x[i]);
    return x;
  }

  /** From points in doubt, the best of them first. @returns Whether doubts remain. */
  #doubtful(points: readonly Candidate[]): boolean {
    const used = new Set<Candidate>();
    while (!this.#run.stopped()) {
      const next = this.#firstDoubted(points.filter((point) => !used.has(point)));
      if (next === undefined) return false;
      if (used.size === FEW) return true;
      used.add(next);
      this.#solveFrom(next.x);
    }
    return false;
  }

  /** By turns from the best points in doubt, from any point, and from near the best, until hardly an optimum is unseen. */
  #everywhere(points: Candidate[], least: number): void {
    const { problem: { random } } = this.#run;
    this.#optima = [this.#best];
    const pool = points.sort(byMerit);
    let at = 0;
    const turns = [
      () => {
        while (at < pool.length - 1 && !this.#doubted(pool[at])) at++;
        return pool[at < pool.length - 1 ? at++ : at].x;
      },
      () => pool[Math.floor(random() * pool.length)].x,
      () => this.#nearby(),
    ];
    for (let starts = 1; starts <= MOST_STARTS && !this.#run.stopped(); starts++) {
      this.#solveFrom(turns[starts % turns.length](), starts % 2 === 0);
      if (starts >= least && seen(this.#optima.length, starts)) break;
    }
  }

  /** The best point with some variables moved by up to half of their range. */
  #nearby(): Float64Array {
    const { problem } = this.#run;
    const { lo, hi, random } = problem;
    const width = 0.1 + 0.4 * random();
    const part = Math.max(0.3, random());
    const moved = (x: number, i: number) => x + (2 * random() - 1) * width * (hi[i] - lo[i]);
    return clamp(this.#best.x.map((x, i) => (random() < part ? moved(x, i) : x)), problem);
  }

  /** From the best point with one switch the other way, while that is a gain. */
  #across(): void {
    const { branches } = this.#run.problem.lifted;
    for (let k = 0; k < branches.length && !this.#run.stopped(); k++) {
      const { solve, x } = this.#best;
      const sides = solve?.sides ?? this.#sidesAt(x);
      const other = this.#branches.allow(sides.with(k, 1 - sides[k]));
      if (other[k] !== sides[k] && this.#solve({ sides: other, from: x })) k = -1;
    }
  }
}

/**
 * Whether less than half an optimum is expected to be unseen (Boender and Rinnooy Kan, "Bayesian stopping rules for
 * multistart global optimization methods", 1987).
 */
function seen(optima: number, starts: number): boolean {
  return starts > optima + 2 && optima * (starts - 1) / (starts - optima - 2) <= optima + 0.5;
}
