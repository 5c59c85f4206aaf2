/**
 * The built-in optimizer: interior-point solves of the smooth form, judged by the exact functions. The first begins at
 * the present point; others on every setting of the switches that the box allows, and wherever a sample says that the
 * cost need not fall towards the best point so far. What is all but on a corner, limit, bound or the present value is put
 * exactly there. Foreign code in steps is searched cell by cell.
 */
import {
  AGREEMENT,
  answersInSteps,
  better,
  BranchSettings,
  byMerit,
  type CellBox,
  cellSearch,
  createSolver,
  definePlugin,
  type DenseSolver,
  ElasticNlp,
  holds,
  type Judged,
  landings,
  LiftedNlp,
  type LiftedProblem,
  noWorse,
  type OptimizationProblem,
  type OptimizationResult,
  patternSearch,
  sampleBox,
  type SolveResult,
  valuesAt,
  withAnswers,
  worse,
} from "setpoint";

/** A point judged by the exact functions. */
interface Candidate extends Judged {
  readonly x: Float64Array;
  /** What foreign code answered, where it was asked in a batch. */
  readonly answers: Float64Array;
  /** The solve that found it; none for the start point and for what a search found. */
  readonly solve?: Solve;
}

interface Solve extends SolveResult {
  /** The switches that it was done with. */
  readonly sides: Uint8Array;
}

/** A local search to be done. */
interface Start {
  readonly sides: Uint8Array;
  readonly from: Float64Array;
}

/** Weight of Σ((x − x0)/scale)², relative to max(1, |cost|): keeps what buys nothing where it is. */
const PROXIMAL = 1e-7;
/** What moving costs by its slope, relative to max(1, |cost|), where a variable is tried back where it began. */
const FLAT = 1e-6;
/** The first solve must find a cost so much smaller for another one with less pull. */
const WEAKER = 0.01;
/** Distances in thresholds within which a point is tried exactly on the present value, or on a bound, corner or limit. */
const NEAR_PRESENT = 1e-2;
const NEAR = 1e-3;
/** Multiplier of an active row, relative to max(1, |cost|), from which on a point belongs on the row. */
const PRICED = 1e-6;
/** Settings of the switches that are solved, and other starts. */
const MOST_SETTINGS = 32;
const MOST_STARTS = 64;
/** The same with foreign code, where an iteration is a call of another process; and a sample, which is one call. */
const MOST_FOREIGN = 6;
const FOREIGN_SAMPLE = 512;
/** Cells of foreign code in steps that are solved. */
const MOST_CELLS = 3;
/** Starts in a row without a gain after which it is enough: where so many agree on the best point, and otherwise. */
const ENOUGH = 6;
const AGREED = 3;
const MOST_WITHOUT = 24;
/** Points of the box that are looked at, and how far from them towards the best point the cost must fall. */
const SAMPLE = 16;
const WIDE_SAMPLE = 64;
const TOWARDS = 0.25;

export default definePlugin({
  name: "setpoint/interior-point",
  version: "1.0.0",
  kind: "optimizer",
  optimize,
});

function optimize(problem: OptimizationProblem): OptimizationResult {
  const run = new Run(problem);
  const start = run.judge(clamp(problem.x0, problem));
  if (problem.exact.evaluateError !== undefined) {
    return run.result("failed", start, `Cannot evaluate the present point: ${problem.exact.evaluateError}`);
  }
  let best = start;
  const box = boxOf(run);
  const stepped = run.foreign && answersInSteps(box);
  if (stepped) best = cellsOf(run, box, best);
  else best = explore(run, best);
  const doubt = problem.lifted.inexact > 0 || !holds(best) || !stepped && !run.converged();
  if (doubt && !run.stopped()) best = search(box, run, [best, start]);
  if (!holds(best) && !run.stopped()) best = leastViolation(run, best);
  return run.conclude(better(polish(run, best), start), stepped || doubt || run.converged());
}

const NO_POINT = {
  timeout: "Out of time before a point was found that holds every limit",
  failed: "The cost cannot be computed anywhere that was tried",
  infeasible: "No point within the bounds holds every limit",
};
/** IPOPT's return codes. */
const SOLVED = 0;
const ACCEPTABLE = 1;
const NONE = new Float64Array(0);

class Run {
  readonly problem: OptimizationProblem;
  /** Whether code is part of it that has values only. */
  readonly foreign: boolean;
  readonly solves: Solve[] = [];
  /** Exact costs where the solves ended; NaN where a limit is broken. */
  readonly ends: number[] = [];
  evaluations = 0;
  readonly #values: Float64Array;
  #rho: number;
  readonly #memory: Memory;

  constructor(problem: OptimizationProblem) {
    const { exact, lifted, parameters, x0 } = this.problem = problem;
    this.foreign = exact.opaques.length > 0;
    this.#memory = memoryOf(lifted);
    this.#values = new Float64Array(1 + problem.limits.length);
    exact.evaluateError = undefined;
    exact.value(x0, this.#values);
    this.#rho = PROXIMAL * Math.max(1, Math.abs(this.#values[0]) || 0);
    lifted.setRun({ parameters, x0, rho: this.#rho, looseMargin: 0 });
  }

  /** Where the cost at the present point is mostly a penalty, a pull that goes by it outweighs the rest. */
  weaken({ cost }: Candidate): boolean {
    const rho = PROXIMAL * Math.max(1, Math.abs(cost));
    if (!(rho < WEAKER * this.#rho)) return false;
    this.#rho = rho;
    const { lifted, parameters, x0 } = this.problem;
    lifted.setRun({ parameters, x0, rho, looseMargin: 0 });
    return true;
  }

  stopped(): boolean {
    return this.problem.cancelled() || this.problem.remaining() <= 0;
  }

  converged(): boolean {
    return this.solves.some(({ status }) => status === SOLVED || status === ACCEPTABLE);
  }

  judge(x: Float64Array, solve?: Solve): Candidate {
    this.problem.exact.value(x, this.#values);
    this.evaluations++;
    return { x, cost: this.#values[0], violation: this.violation(this.#values), answers: NONE, solve };
  }

  violation(outputs: Float64Array): number {
    let worst = 0;
    this.problem.limits.forEach(({ lower, upper }, k) => {
      const value = outputs[1 + k];
      if (Number.isNaN(value)) worst = Infinity;
      else if (value < lower) worst = Math.max(worst, (lower - value) / Math.max(1, Math.abs(lower)));
      else if (value > upper) worst = Math.max(worst, (value - upper) / Math.max(1, Math.abs(upper)));
    });
    return worst;
  }

  /** The exact cost and the pull towards the present point, which the smooth form has too. */
  pulled(x: Float64Array, cost: number): number {
    const { x0, scale } = this.problem;
    return cost + this.#rho * x.reduce((sum, value, i) => sum + ((value - x0[i]) / scale[i]) ** 2, 0);
  }

  branches(): BranchSettings {
    const { lifted, lo, hi } = this.problem;
    return new BranchSettings(lifted, lo.map(this.toZ), hi.map(this.toZ));
  }

  readonly toZ = (x: number, i: number): number => (x - this.problem.x0[i]) / this.problem.scale[i];

  toX(z: Float64Array): Float64Array {
    const { x0, scale } = this.problem;
    return clamp(x0.map((start, i) => start + scale[i] * z[i]), this.problem);
  }

  /** One solve, begun at `from`; gives the point where it ended, on its corners where the solver left it beside them. */
  solve({ sides, from }: Start): Candidate {
    const { problem } = this;
    const { lifted, lo, hi } = problem;
    const { solver, smooth } = this.#memory;
    lifted.setSides(sides);
    smooth.begin(lo.map(this.toZ), hi.map(this.toZ), from.map(this.toZ));
    const kept = { ...copied(solver.solve(smooth, this.#options())), sides };
    this.solves.push(kept);
    this.evaluations += kept.iterations;
    const x = this.toX(kept.x);
    let end = x.every(Number.isFinite) ? this.judge(x, kept) : this.judge(clamp(from, problem));
    const said = kept.objective - this.pulled(end.x, end.cost);
    const astray = !(Math.abs(said) <= AGREEMENT * Math.max(1, Math.abs(end.cost)));
    if ((astray || !holds(end)) && end.solve !== undefined) end = landed(this, end);
    this.ends.push(holds(end) ? end.cost : NaN);
    return end;
  }

  /** The point of least violation that can be reached from `from`. */
  solveElastic({ x, violation }: Candidate, sides: Uint8Array): Candidate {
    const { lifted, lo, hi } = this.problem;
    const elastic = this.#memory.elastic ??= new ElasticNlp(lifted);
    lifted.setSides(sides);
    elastic.begin(lo.map(this.toZ), hi.map(this.toZ), x.map(this.toZ), Math.min(violation, 1e6));
    const { x: end, iterations } = createSolver(elastic.n, elastic.m).solve(elastic, this.#options());
    this.evaluations += iterations;
    return this.judge(this.toX(end));
  }

  /** Where between `lo` and `hi` the cost is least while foreign code answers as at `at`. */
  within({ x, answers }: Candidate, lo: Float64Array, hi: Float64Array): Float64Array {
    const { lifted } = this.problem;
    return withAnswers(lifted.tape, answers, () => {
      const { solver, smooth } = this.#memory;
      lifted.setSides(lifted.sidesAt(x.map(this.toZ)));
      smooth.begin(lo.map(this.toZ), hi.map(this.toZ), x.map(this.toZ));
      return this.snapped(this.toX(solver.solve(smooth, this.#options()).x));
    });
  }

  /** The point with what is all but on the present value or on a bound exactly there. */
  snapped(x: Float64Array): Float64Array {
    const { x0, lo, hi, scale } = this.problem;
    return x.map((value, i) => {
      if (Math.abs(value - x0[i]) <= NEAR_PRESENT * scale[i]) return Math.min(hi[i], Math.max(lo[i], x0[i]));
      return [lo[i], hi[i]].find((bound) => Math.abs(value - bound) <= NEAR * scale[i]) ?? value;
    });
  }

  #options() {
    const { options, now, cancelled } = this.problem;
    const max_iter = options.max_iterations ?? (this.foreign ? 40 : 500);
    const tol = options.tolerance ?? (this.foreign ? 1e-6 : 1e-7);
    const max_wall_time = Math.max(1e-3, this.problem.remaining() / 1000);
    return { ...NEARBY, ...(this.foreign && NOISY), max_iter, tol, max_wall_time, now, cancelled };
  }

  /** @param settled Whether a solve or a search came to its end. */
  conclude(best: Candidate, settled: boolean): OptimizationResult {
    if (holds(best)) {
      const said = this.solves.map(({ message }) => message).join("; ");
      if (!settled) return this.result(this.stopped() ? "timeout" : "failed", best, said);
      return this.result(best.solve?.status === ACCEPTABLE ? "acceptable" : "solved", best);
    }
    const status = this.stopped() ? "timeout" : Number.isNaN(best.cost) ? "failed" : "infeasible";
    return this.result(status, best, NO_POINT[status]);
  }

  result(status: OptimizationResult["status"], best: Candidate, message?: string): OptimizationResult {
    const iterations = this.solves.reduce((sum, each) => sum + each.iterations, 0);
    const multipliers = best.solve && this.#multipliers(best.solve);
    const starts = this.ends.length > 0 ? { run: this.ends.length, agreed: this.agreed(best) } : undefined;
    return { status, x: best.x, iterations, evaluations: this.evaluations, message, multipliers, starts };
  }

  /** How many solves ended at the cost of the best. */
  agreed({ cost }: Candidate): number {
    return this.ends.filter((end) => end <= cost + AGREEMENT * Math.max(1, Math.abs(cost))).length;
  }

  #multipliers({ mult_x_L, mult_x_U, mult_g }: SolveResult): OptimizationResult["multipliers"] {
    const { lifted, limits: hard, scale } = this.problem;
    const bounds = scale.map((unit, i) => (mult_x_L[i] + mult_x_U[i]) / unit);
    const limits = new Float64Array(hard.length);
    lifted.rows.forEach(({ limit }, row) => {
      if (limit >= 0) limits[limit] += Math.abs(mult_g[row]);
    });
    return { bounds, limits };
  }
}

/** Starts at the present point are good, and a cycle is worth few iterations: the barrier begins low, near the bounds. */
const PUSH = { bound_push: 1e-3, bound_frac: 1e-3, slack_bound_push: 1e-3, slack_bound_frac: 1e-3 };
const NEARBY = { mu_init: 1e-4, ...PUSH };

/** Beside the noise of 32-bit models an optimum is not to be told any better. */
const NOISY = { acceptable_tol: 1e-3, acceptable_iter: 2 };

/** What is made once a lifted problem, so that a run allocates little. */
interface Memory {
  readonly solver: DenseSolver;
  readonly smooth: LiftedNlp;
  elastic?: ElasticNlp;
}

const memories = new WeakMap<LiftedProblem, Memory>();

function memoryOf(lifted: LiftedProblem): Memory {
  let memory = memories.get(lifted);
  if (memory === undefined) {
    memory = { solver: createSolver(lifted.size, lifted.rows.length), smooth: new LiftedNlp(lifted) };
    memories.set(lifted, memory);
  }
  return memory;
}

function copied(result: SolveResult): SolveResult {
  const { x, mult_x_L: lower, mult_x_U: upper, mult_g: rows } = result;
  return { ...result, x: x.slice(), mult_x_L: lower.slice(), mult_x_U: upper.slice(), mult_g: rows.slice() };
}

/** Solves from the present point, on every setting of the switches, and from where the sample is in doubt. */
function explore(run: Run, begun: Candidate): Candidate {
  const { lifted } = run.problem;
  const sidesAt = (x: Float64Array) => lifted.sidesAt(x.map(run.toZ));
  const branches = run.branches();
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

function sampled(run: Run, count: number): Candidate[] {
  const { problem: { lo, hi, random } } = run;
  return judgeAll(run, sampleBox(lo, hi, count - (count >> 2), count >> 2, random));
}

/** Points from which the cost rises on the way to the best one, or that are better than it; the best of them first. */
function doubtful(run: Run, points: readonly Candidate[], best: Candidate): Candidate[] {
  const nearer = judgeAll(
    run,
    points.map(({ x }) => x.map((value, i) => value + TOWARDS * (best.x[i] - value))),
  );
  return points.filter((point, k) => better(point, best) === point || worse(nearer[k], point)).sort(byMerit);
}

/** The point of least violation: the present one, the best and each solve's end are where the search for it begins. */
function leastViolation(run: Run, best: Candidate): Candidate {
  const { lifted } = run.problem;
  let least = best;
  let tries = 0;
  for (const sides of run.branches().around(lifted.sidesAt(best.x.map(run.toZ)))) {
    if (run.stopped() || tries++ === MOST_SETTINGS) break;
    least = better(run.solveElastic(best, sides), least);
    if (lifted.branches.length === 0 || holds(least)) break;
  }
  if (holds(least)) {
    least = better(run.solve({ sides: lifted.sidesAt(least.x.map(run.toZ)), from: least.x }), least);
  }
  return least;
}

/** The end of a solve, put exactly on the rows that it is near; `end` itself where that is no gain. */
function landed(run: Run, end: Candidate): Candidate {
  const { lifted, lo, hi } = run.problem;
  const solve = end.solve!;
  lifted.setSides(solve.sides);
  const v = solve.x.slice();
  const fixed = new Uint8Array(lifted.size);
  end.x.forEach((x, i) => {
    v[i] = run.toZ(x, i);
    fixed[i] = x === lo[i] || x === hi[i] || v[i] === 0 ? 1 : 0;
  });
  const cost = Math.max(1, Math.abs(end.cost));
  let best = end;
  for (const at of landings(lifted, { ...solve, x: v, fixed, price: PRICED * cost })) {
    const x = run.toX(at).map((value, i) => (fixed[i] ? end.x[i] : value));
    const next = run.judge(x, solve);
    if (noWorse(next, end) && run.pulled(x, next.cost) <= solve.objective + AGREEMENT * cost) return next;
    best = better(next, best);
  }
  return best;
}

/**
 * Puts what is all but on the present value, a bound, a corner or a limit exactly there, where nothing is lost by it: a
 * barrier keeps its distance, and a setpoint that buys nothing is not to be touched.
 */
function polish(run: Run, best: Candidate): Candidate {
  const { x0, lo, hi } = run.problem;
  if (!holds(best)) return best;
  let at = best;
  const attempt = (x: Float64Array) => {
    const next = run.judge(x, best.solve);
    if (!noWorse(next, at)) return false;
    at = next;
    return true;
  };
  const attemptAll = (x: Float64Array) => {
    if (x.every((value, i) => value === at.x[i]) || attempt(x)) return;
    x.forEach((value, i) => {
      if (value !== at.x[i]) attempt(at.x.with(i, value));
    });
  };
  attemptAll(run.snapped(best.x));
  attemptAll(unpriced(run, at));
  if (best.solve !== undefined) at = landed(run, at);
  // a corner that was reached but for rounding is most often a number that somebody wrote
  attemptAll(at.x.map((x, i) => (x === x0[i] || x === lo[i] || x === hi[i] ? x : Number(x.toPrecision(12)))));
  return at;
}

/** The point with all variables back where they began that have next to no slope. */
function unpriced({ problem: { exact, x0, lo, hi } }: Run, { x, cost }: Candidate): Float64Array {
  if (exact.opaques.length > 0) return x;
  const slope = new Float64Array(x.length);
  exact.gradient(x, Float64Array.of(1), slope);
  return x.map((value, i) => {
    const back = Math.min(hi[i], Math.max(lo[i], x0[i]));
    return Math.abs(slope[i] * (value - back)) <= FLAT * Math.max(1, Math.abs(cost)) ? back : value;
  });
}

function clamp(x: Float64Array, { lo, hi }: OptimizationProblem): Float64Array {
  return x.map((value, i) => Math.min(hi[i], Math.max(lo[i], value)));
}

function boxOf(run: Run): CellBox<Candidate> {
  const { lo, hi, scale, random } = run.problem;
  return {
    lo,
    hi,
    scale,
    random,
    stopped: () => run.stopped(),
    rank: (points) => rank(run, points),
    look: (points) => judgeAll(run, points),
    ideal: (at) => run.within(at, lo, hi),
  };
}

/** The best of a batched pattern search and `seeds[0]`. */
function search(box: CellBox<Candidate>, run: Run, seeds: readonly Candidate[]): Candidate {
  const ends = patternSearch(box, seeds.map(({ x }) => x));
  return ends.map(({ x }) => run.judge(x)).reduce((best, end) => better(end, best), seeds[0]);
}

/** The best point of the best cells of foreign code that answers in steps, each of which is solved as a problem of its own. */
function cellsOf(run: Run, box: CellBox<Candidate>, start: Candidate): Candidate {
  const { points, cellAt } = cellSearch(box, [start.x]);
  const inside = points.slice(0, MOST_CELLS).filter(() => !run.stopped()).map((point) => {
    const { lo, hi } = cellAt(point.x);
    return run.within(point, lo, hi).map((x, i) => Math.min(hi[i], Math.max(lo[i], x)));
  });
  return judgeAll(run, [...points.map(({ x }) => x), ...inside]).reduce(
    (best, end) => better(end, best),
    start,
  );
}

/** The points as candidates, best first by violation, then by pulled cost; those that cannot be evaluated are left out. */
function rank(run: Run, points: readonly Float64Array[]): Candidate[] {
  return judgeAll(run, points).map((point) => ({ ...point, cost: run.pulled(point.x, point.cost) }))
    .filter(({ cost }) => Number.isFinite(cost)).sort(byMerit);
}

/** The points as candidates, in their order; those after the end of the time cannot be evaluated. */
function judgeAll(run: Run, points: readonly Float64Array[]): Candidate[] {
  if (!run.foreign) return points.map((x) => run.judge(x));
  run.evaluations += points.length;
  return valuesAt(run.problem.exact, points, () => run.stopped()).map(({ outputs, answers }, k) => (
    { x: points[k], cost: outputs[0], violation: run.violation(outputs), answers }
  ));
}
