/**
 * The built-in optimizer: interior-point solves of the smooth form, judged by the exact functions. The first begins at
 * the present point; others on every setting of the switches that the box allows, and wherever a sample says that the
 * cost need not fall towards the best point so far. What is all but on a corner, limit, bound or the present value is put
 * exactly there. Steps, also those of foreign code, are searched cell by cell.
 */
import {
  AGREEMENT,
  answersInSteps,
  better,
  branchesOf,
  type Candidate,
  type CellBox,
  cellSearch,
  clamp,
  createLiftedSolver,
  createSolver,
  definePlugin,
  ElasticNlp,
  explore,
  type HeldBox,
  holds,
  Judge,
  landed,
  LiftedNlp,
  type LiftedProblem,
  type LiftedSolver,
  type LocalEnd,
  type LocalSearch,
  type OptimizationProblem,
  type OptimizationResult,
  patternSearch,
  polish,
  type Restored,
  restored,
  type SearchOptions,
  SOLVED,
  type SolveResult,
  type Start,
  type StepSearch,
  stepSearch,
  withAnswers,
  worse,
} from "setpoint";

/** Cells of foreign code in steps that are solved. */
const MOST_CELLS = 3;
/** Calls of foreign code an allowed iteration, after which a solve ends: next to where nothing is answered it would go on asking. */
const MOST_CALLS = 3;

export default definePlugin({
  name: "setpoint/interior-point",
  version: "1.0.0",
  kind: "optimizer",
  sdk: "^1.1.0",
  description: "Interior-point solves from many starts, judged by the exact functions",
  config: {
    properties: {
      max_iterations: {
        type: "integer",
        minimum: 1,
        maximum: 100_000,
        description: "most iterations of one solve, from 1; default 500, with foreign code 40",
      },
      tolerance: {
        type: "number",
        exclusiveMinimum: 0,
        maximum: 1,
        description: "of convergence, relative, above 0; default 1e-7, with foreign code 1e-6",
      },
    },
  },
  examples: [{ title: "in a hurry", config: { max_iterations: 50, tolerance: 1e-4 } }],
  tests: [{
    name: "the valley of Rosenbrock",
    inputs: { x: -1.2, y: 1 },
    minimize: "100 * (y - x**2)**2 + (1 - x)**2",
    outputs: { x: 1, y: 1 },
    cost: 0,
  }],
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
  const smooth = !stepped && (problem.lifted.steps === undefined || run.foreign);
  if (smooth) best = explore(run, best);
  else best = stepped ? cellsOf(run, box, best) : run.searchSteps(best);
  const present = run.foreign ? start : run.judge(start.x);
  // beside foreign code steps are held where a solve begins, and searched by nobody
  const unsearched = run.foreign ? problem.lifted.steps !== undefined : !run.knowsSteps();
  const doubt = problem.lifted.inexact > 0 || unsearched || !holds(best) || !stepped && !run.converged();
  if (doubt && !run.stopped()) best = search(box, run, [best, present]);
  if (!holds(best) && !(smooth && !run.foreign) && !run.stopped()) {
    best = restored(run, branchesOf(run), [best, present]);
  }
  const end = polish(run, best);
  // where nothing holds, the end breaks the worst limit no more than the present point does, and others less
  const chosen = holds(end) || holds(present) || worse(end, present) ? better(end, present) : end;
  return run.conclude(chosen, stepped || doubt || run.converged());
}

const NO_POINT = {
  timeout: "Out of time before a point was found that holds every limit",
  failed: "The cost cannot be computed anywhere that was tried",
  infeasible: "No point within the bounds holds every limit",
};
/** IPOPT's return code of a solve that came near its end. */
const ACCEPTABLE = 1;

class Run extends Judge implements LocalSearch {
  readonly solves: LocalEnd[] = [];
  /** Exact costs where the solves ended; NaN where a limit is broken. */
  readonly ends: number[] = [];
  readonly #memory: Memory;
  /** What a search through steps did. */
  #search?: StepSearch;
  /** Calls of foreign code in the present solve. */
  #calls = 0;

  constructor(problem: OptimizationProblem) {
    super(problem);
    const { lifted } = problem;
    this.#memory = memoryOf(lifted);
    const { evaluate } = lifted.tape;
    if (!this.foreign || evaluate === undefined) return;
    lifted.tape.evaluate = (...asked) => {
      this.#calls++;
      return evaluate(...asked);
    };
  }

  converged(): boolean {
    return this.solves.some(({ status }) => status === SOLVED || status === ACCEPTABLE);
  }

  /** Whether a search through steps knew all their cells. */
  knowsSteps(): boolean {
    return this.#search?.known ?? true;
  }

  /** The best cell of the steps, with the rest of the cost at its least in it. */
  searchSteps(start: Candidate): Candidate {
    this.#search = stepSearch(this, start, (box, from) => this.#end(this.#solveWithin(box, from), from));
    return this.#search.best;
  }

  #solveWithin({ lo, hi, held }: HeldBox, from: Float64Array): LocalEnd {
    const { lifted } = this.problem;
    const sides = lifted.sidesAt(from.map(this.toZ));
    lifted.hold(held);
    return { ...this.#run(sides, lo, hi, from), held };
  }

  /** One solve, begun at `from`; gives the point where it ended, on its corners where the solver left it beside them. */
  solve({ sides, from, bold }: Start): Candidate {
    const { lo, hi, lifted } = this.problem;
    lifted.holdAt(from);
    return this.#end(this.#run(sides, lo, hi, from, bold), from);
  }

  #run(
    sides: Uint8Array,
    lo: Float64Array,
    hi: Float64Array,
    from: Float64Array,
    bold = false,
  ): LocalEnd {
    const { solver, smooth } = this.#memory;
    this.problem.lifted.setSides(sides);
    smooth.begin(lo.map(this.toZ), hi.map(this.toZ), from.map(this.toZ));
    const options = this.#options();
    if (bold) options.obj_scaling_factor *= BOLD;
    this.#calls = 0;
    return { ...copied(solver.solve(options)), sides };
  }

  #end(kept: LocalEnd, from: Float64Array): Candidate {
    this.solves.push(kept);
    this.evaluations += kept.iterations;
    const x = this.toX(kept.x);
    let end = x.every(Number.isFinite) ? this.judge(x, kept) : this.judge(clamp(from, this.problem));
    const said = kept.objective - this.pulled(end.x, end.cost);
    const astray = !(Math.abs(said) <= AGREEMENT * this.unit);
    if ((astray || !holds(end)) && end.solve !== undefined) end = landed(this, end);
    this.ends.push(holds(end) ? end.cost : NaN);
    return end;
  }

  restore({ sides, from }: Start, allowed?: Float64Array): Restored {
    const { lifted, limits, lo, hi } = this.problem;
    const { violation } = this.judge(from);
    const elastic = this.#memory.elastic ??= new ElasticNlp(lifted);
    lifted.holdAt(from);
    lifted.setSides(sides);
    const [low, high, z] = [lo, hi, from].map((each) => each.map(this.toZ));
    elastic.begin(low, high, z, Math.min(violation, 1e6), this.leastUnits, allowed);
    const options = { ...this.#options(), obj_scaling_factor: 1 };
    const { x, iterations, mult_g } = createSolver(elastic.n, elastic.m).solve(elastic, options);
    this.evaluations += iterations;
    const idle = elastic.idle(mult_g, limits.length, IDLE);
    return { end: this.judge(this.toX(x)), excess: x[elastic.n - 1], idle };
  }

  /** Where between `lo` and `hi` the cost is least while foreign code answers as at `at`. */
  within({ x, answers }: Candidate, lo: Float64Array, hi: Float64Array): Float64Array {
    const { lifted } = this.problem;
    return withAnswers(lifted.tape, answers, () => {
      const { solver, smooth } = this.#memory;
      lifted.holdAt(x);
      lifted.setSides(lifted.sidesAt(x.map(this.toZ)));
      smooth.begin(lo.map(this.toZ), hi.map(this.toZ), x.map(this.toZ));
      return this.snapped(this.toX(solver.solve(this.#options()).x));
    });
  }

  #options() {
    const { options, config, now } = this.problem;
    // the strategy's own word is nearer to the problem than the deployment's
    const given = { ...options, ...config } as SearchOptions;
    const max_iter = given.max_iterations ?? (this.foreign ? 40 : 500);
    const tol = given.tolerance ?? (this.foreign ? 1e-6 : 1e-7);
    const max_wall_time = Math.max(1e-3, this.problem.remaining() / 1000);
    return {
      ...NEARBY,
      ...(this.foreign && NOISY),
      obj_scaling_factor: 1 / this.unit,
      max_iter,
      tol,
      max_wall_time,
      now,
      cancelled: () => this.problem.cancelled() || this.#calls >= MOST_CALLS * max_iter,
    };
  }

  /** @param settled Whether a solve or a search came to its end. */
  conclude(best: Candidate, settled: boolean): OptimizationResult {
    if (holds(best)) {
      const said = this.solves.map(({ message }) => message).join("; ");
      if (!settled) return this.result(this.stopped() ? "timeout" : "failed", best, said);
      return this.result(
        best.solve?.status === ACCEPTABLE ? "acceptable" : "solved",
        best,
        this.#leftOpen(best),
      );
    }
    const status = this.stopped() ? "timeout" : Number.isNaN(best.cost) ? "failed" : "infeasible";
    return this.result(status, best, NO_POINT[status]);
  }

  /** What a search through steps did not look at. */
  #leftOpen({ cost }: Candidate): string | undefined {
    if (this.#search === undefined || this.#search.complete) return undefined;
    const { boxes, solved, bound } = this.#search;
    const least = bound < cost
      ? `a cost down to ${Number(bound.toPrecision(6))} is not ruled out`
      : "not all cells are known";
    return `The best of ${boxes} boxes of steps and ${solved} solved cells; ${least}`;
  }

  result(status: OptimizationResult["status"], best: Candidate, message?: string): OptimizationResult {
    const iterations = this.solves.reduce((sum, each) => sum + each.iterations, 0);
    const solve = best.solve ?? this.#solveAt(best.x);
    const multipliers = solve && this.#multipliers(solve, best.x);
    const starts = this.ends.length > 0 ? { run: this.ends.length, agreed: this.agreed(best) } : undefined;
    return { status, x: best.x, iterations, evaluations: this.evaluations, message, multipliers, starts };
  }

  /** How many solves ended at the cost of the best. */
  agreed({ cost }: Candidate): number {
    return this.ends.filter((end) => end <= cost + AGREEMENT * this.unit).length;
  }

  /** A solve that ended at a point which was known before, such as the present one: it knows what limits are worth there. */
  #solveAt(x: Float64Array): LocalEnd | undefined {
    const { scale } = this.problem;
    return this.solves.find(({ x: z, status }) =>
      status === SOLVED && this.toX(z).every((end, i) => Math.abs(end - x[i]) <= BESIDE * scale[i])
    );
  }

  #multipliers(
    { mult_x_L, mult_x_U, mult_g, held }: LocalEnd,
    x: Float64Array,
  ): OptimizationResult["multipliers"] {
    const { lifted, limits: hard, scale, lo, hi } = this.problem;
    // the edge of a cell is no bound of a variable
    const priced = (i: number) =>
      held === undefined || Math.min(x[i] - lo[i], hi[i] - x[i]) <= BESIDE * scale[i];
    const bounds = scale.map((unit, i) => (priced(i) ? (mult_x_L[i] + mult_x_U[i]) / unit : 0));
    const limits = new Float64Array(hard.length);
    lifted.rows.forEach(({ limit, unit = 1 }, row) => {
      if (limit >= 0) limits[limit] += Math.abs(mult_g[row]) / unit;
    });
    return { bounds, limits };
  }
}

/** Starts at the present point are good, and a cycle is worth few iterations: the barrier begins low, near the bounds. */
const PUSH = { bound_push: 1e-3, bound_frac: 1e-3, slack_bound_push: 1e-3, slack_bound_frac: 1e-3 };
const NEARBY = { mu_init: 1e-4, ...PUSH };

/** Distance from the end of a solve, in units of movement, at which its multipliers are believed. */
const BESIDE = 1e-3;

/** Multiplier of a limit, of 1 for all together, up to which the least violation does not depend on it. */
const IDLE = 1e-3;

/** How much more the cost weighs in bold solves. */
const BOLD = 100;

/** Beside the noise of 32-bit models an optimum is not to be told any better. */
const NOISY = { acceptable_tol: 1e-3, acceptable_iter: 2 };

/** What is made once a lifted problem, so that a run allocates little. */
interface Memory {
  readonly solver: LiftedSolver;
  readonly smooth: LiftedNlp;
  elastic?: ElasticNlp;
}

const memories = new WeakMap<LiftedProblem, Memory>();

function memoryOf(lifted: LiftedProblem): Memory {
  let memory = memories.get(lifted);
  if (memory === undefined) {
    const smooth = new LiftedNlp(lifted);
    memory = { solver: createLiftedSolver(smooth), smooth };
    memories.set(lifted, memory);
  }
  return memory;
}

function copied(result: SolveResult): SolveResult {
  const { x, mult_x_L: lower, mult_x_U: upper, mult_g: rows } = result;
  return { ...result, x: x.slice(), mult_x_L: lower.slice(), mult_x_U: upper.slice(), mult_g: rows.slice() };
}

function boxOf(run: Run): CellBox<Candidate> {
  const { lo, hi, scale, random } = run.problem;
  return {
    lo,
    hi,
    scale,
    random,
    stopped: () => run.stopped(),
    rank: (points) => run.rank(points),
    look: (points) => run.judgeAll(points),
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
  return run.judgeAll([...points.map(({ x }) => x), ...inside]).reduce(
    (best, end) => better(end, best),
    start,
  );
}
