/**
 * The built-in optimizer: an interior-point solve of the smooth form on every branch that the box allows, judged by the
 * exact functions. Where foreign code is part of the problem, or no solve converges, a batched pattern search looks for
 * the point, because such code may have no derivatives at all.
 */
import {
  createSolver,
  definePlugin,
  type DenseProblem,
  type DenseSolver,
  type LiftedProblem,
  type OptimizationProblem,
  type OptimizationResult,
  type SolveResult,
} from "setpoint";

/** A point judged by the exact functions. */
interface Candidate {
  readonly x: Float64Array;
  readonly cost: number;
  /** Largest relative excess over a hard limit; 0 where all hold. */
  readonly violation: number;
  /** The solve that found it; none for the start point and for what a search found. */
  readonly solve?: SolveResult;
}

/** An excess that counts as holding: a tenth of what the guard accepts. */
const FEASIBLE = 1e-7;
/** Fall of the cost, relative to max(1, |cost|), below which a point is no better. */
const WORTHWHILE = 1e-9;
/** Weight of Σ((x − x0)/scale)², relative to max(1, |cost|): keeps what buys nothing where it is. */
const PROXIMAL = 1e-7;
/** Distances in thresholds within which a point is tried exactly on the present value, or on a bound. */
const NEAR_PRESENT = 1e-2;
const NEAR_BOUND = 1e-4;
const MOST_SOLVES = 32;
/**
 * Distances that a solve keeps from its conditions, tried in turn while its answer, which may miss a row by a little,
 * lies on the wrong side of one.
 */
const MARGINS = [0, 1e-7, 1e-5];

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
  const foreign = problem.exact.opaques.length > 0;
  let best = foreign ? search(run, [start]) : start;
  const smooth = smoothProblem(problem.lifted, foreign);
  for (const sides of settings(run, best.x)) {
    if (run.stopped() || run.solves.length === MOST_SOLVES) break;
    best = better(run.solve(smooth, sides, best.x), best);
  }
  const converged = run.solves.some(({ status }) => status === SOLVED || status === ACCEPTABLE);
  const searched = foreign || (!converged && !run.provedInfeasible() && !run.stopped());
  if (searched && !foreign) best = search(run, [best, start]);
  return run.conclude(better(polish(run, best), start), searched || converged);
}

/** IPOPT's return codes. */
const SOLVED = 0;
const ACCEPTABLE = 1;
const INFEASIBLE = 2;

class Run {
  readonly problem: OptimizationProblem;
  readonly solves: SolveResult[] = [];
  evaluations = 0;
  readonly #values: Float64Array;
  readonly #rho: number;

  constructor(problem: OptimizationProblem) {
    const { exact, lifted, parameters, x0 } = problem;
    this.problem = problem;
    this.#values = new Float64Array(1 + problem.limits.length);
    exact.evaluateError = undefined;
    exact.value(x0, this.#values);
    this.#rho = PROXIMAL * Math.max(1, Math.abs(this.#values[0]) || 0);
    lifted.setRun({ parameters, x0, rho: this.#rho, looseMargin: MARGINS[0] });
  }

  stopped(): boolean {
    return this.problem.cancelled() || this.problem.remaining() <= 0;
  }

  judge(x: Float64Array, solve?: SolveResult): Candidate {
    this.problem.exact.value(x, this.#values);
    this.evaluations++;
    return { x, cost: this.#values[0], violation: this.violation(this.#values, 0), solve };
  }

  /** @param at Where in `outputs` the point's own begin. */
  violation(outputs: Float64Array, at: number): number {
    let worst = 0;
    this.problem.limits.forEach(({ lower, upper }, k) => {
      const value = outputs[at + 1 + k];
      if (Number.isNaN(value)) worst = Infinity;
      else if (value < lower) worst = Math.max(worst, (lower - value) / Math.max(1, Math.abs(lower)));
      else if (value > upper) worst = Math.max(worst, (value - upper) / Math.max(1, Math.abs(upper)));
    });
    return worst;
  }

  /** The exact cost and the pull towards the present point, which the smooth form has too. */
  pulled(x: Float64Array, cost: number): number {
    const { x0, scale } = this.problem;
    let moved = 0;
    for (let i = 0; i < x0.length; i++) moved += ((x[i] - x0[i]) / scale[i]) ** 2;
    return cost + this.#rho * moved;
  }

  /** Solves with the switches at `sides`, begun at `from`. */
  solve(smooth: SmoothProblem, sides: Uint8Array, from: Float64Array): Candidate {
    const { lifted, parameters, x0 } = this.problem;
    lifted.setSides(sides);
    let best = this.#solve(smooth, from);
    let last = best;
    const margin = (looseMargin: number) =>
      lifted.setRun({
        parameters,
        x0,
        rho: this.#rho,
        looseMargin,
        strictMargin: Math.max(1e-9, looseMargin),
      });
    for (const wider of MARGINS.slice(1)) {
      if (this.stopped() || !this.#strayed(last, sides)) break;
      margin(wider);
      last = this.#solve(smooth, last.x);
      best = better(last, best);
    }
    margin(MARGINS[0]);
    return best;
  }

  /** Whether a converged solve ended on the wrong side of a condition that matters. */
  #strayed({ x, solve }: Candidate, sides: Uint8Array): boolean {
    if (sides.length === 0 || (solve?.status !== SOLVED && solve?.status !== ACCEPTABLE)) return false;
    const { lifted, x0, scale } = this.problem;
    const relevant = lifted.relevant();
    const found = lifted.sidesAt(x.map((value, i) => (value - x0[i]) / scale[i]));
    return sides.some((side, k) => relevant[k] === 1 && found[k] !== side);
  }

  #solve(smooth: SmoothProblem, from: Float64Array): Candidate {
    const { problem } = this;
    const { x0, lo, hi, scale } = problem;
    smooth.begin((x, i) => (x - x0[i]) / scale[i], { lo, hi, from });
    const { max_iterations: max_iter = 500, tolerance: tol = 1e-8 } = problem.options;
    const result = smooth.solver.solve(smooth.problem, {
      max_iter,
      tol,
      max_wall_time: Math.max(1e-3, problem.remaining() / 1000),
      now: problem.now,
      cancelled: problem.cancelled,
    });
    const kept = {
      ...result,
      mult_x_L: result.mult_x_L.slice(),
      mult_x_U: result.mult_x_U.slice(),
      mult_g: result.mult_g.slice(),
    };
    this.solves.push(kept);
    this.evaluations += result.iterations;
    const x = clamp(x0.map((start, i) => start + scale[i] * result.x[i]), problem);
    return x.every(Number.isFinite) ? this.judge(x, kept) : this.judge(clamp(from, problem));
  }

  provedInfeasible(): boolean {
    return this.solves.length > 0 && this.solves.every(({ status }) => status === INFEASIBLE);
  }

  /** @param settled Whether a solve or a search came to its end. */
  conclude(best: Candidate, settled: boolean): OptimizationResult {
    if (holds(best)) {
      if (!settled) return this.result(this.stopped() ? "timeout" : "failed", best, this.#said());
      return this.result(best.solve?.status === ACCEPTABLE ? "acceptable" : "solved", best);
    }
    if (this.stopped()) {
      return this.result("timeout", best, "Out of time before a point was found that holds every limit");
    }
    if (Number.isNaN(best.cost)) {
      return this.result("failed", best, "The cost cannot be computed anywhere that was tried");
    }
    return this.result("infeasible", best, "No point within the bounds holds every limit");
  }

  result(status: OptimizationResult["status"], best: Candidate, message?: string): OptimizationResult {
    const iterations = this.solves.reduce((sum, solve) => sum + solve.iterations, 0);
    const multipliers = best.solve && this.#multipliers(best.solve);
    return { status, x: best.x, iterations, evaluations: this.evaluations, message, multipliers };
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

  #said(): string {
    return this.solves.map(({ message }) => message).join("; ");
  }
}

/** The lifted problem in the form of the solver, with its memory. */
interface SmoothProblem {
  readonly solver: DenseSolver;
  readonly problem: DenseProblem;
  /** @param toZ From plant units to the solver's. */
  begin(
    toZ: (x: number, i: number) => number,
    box: { lo: Float64Array; hi: Float64Array; from: Float64Array },
  ): void;
}

const smoothProblems = new WeakMap<LiftedProblem, SmoothProblem>();

/** Made once a lifted problem, so that a run allocates nothing. Foreign code has no second derivatives. */
function smoothProblem(lifted: LiftedProblem, foreign: boolean): SmoothProblem {
  const known = smoothProblems.get(lifted);
  if (known !== undefined) return known;
  const { tape, size, rows } = lifted;
  const m = rows.length;
  const [x0, xl, xu] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
  const cost = new Float64Array(1);
  const outputs = new Float64Array(1 + m);
  const first = Float64Array.of(1);
  const weights = new Float64Array(1 + m);
  const problem: DenseProblem = {
    n: size,
    m,
    x0,
    xl,
    xu,
    gl: Float64Array.from(rows, ({ lower }) => lower),
    gu: Float64Array.from(rows, ({ upper }) => upper),
    objective(v) {
      tape.value(v, cost);
      return cost[0];
    },
    gradient(v, g) {
      tape.gradient(v, first, g);
      return g.every(Number.isFinite);
    },
    constraints(v, c) {
      tape.value(v, outputs);
      c.set(outputs.subarray(1));
      return c.every(Number.isFinite);
    },
    jacobian(v, values) {
      tape.jacobian(v, 1, m, values);
      return values.every(Number.isFinite);
    },
    ...(!foreign && {
      hessian(v: Float64Array, sigma: number, lambda: Float64Array, values: Float64Array) {
        weights[0] = sigma;
        weights.set(lambda, 1);
        tape.hessian(v, weights, values);
        return values.every(Number.isFinite);
      },
    }),
  };
  const smooth: SmoothProblem = {
    solver: createSolver(size, m),
    problem,
    begin(toZ, { lo, hi, from }) {
      from.forEach((x, i) => x0[i] = toZ(x, i));
      lifted.start(x0);
      lifted.bounds(lo.map(toZ), hi.map(toZ), x0, xl, xu);
    },
  };
  smoothProblems.set(lifted, smooth);
  return smooth;
}

/** Settings of the switches that the box allows and that differ in what matters, from the one at `x` outwards. */
function* settings({ problem }: Run, x: Float64Array): Generator<Uint8Array> {
  const { lifted, x0, lo, hi, scale } = problem;
  if (lifted.branches.length === 0) return yield new Uint8Array(0);
  const toZ = (value: number, i: number) => (value - x0[i]) / scale[i];
  const allowed = lifted.branchSides(lo.map(toZ), hi.map(toZ));
  const first = lifted.sidesAt(x.map(toZ)).map((side, k) =>
    allowed[k] === "true" ? 1 : allowed[k] === "false" ? 0 : side
  );
  const seen = new Set<string>();
  const waiting = [first];
  for (let sides = waiting.shift(); sides !== undefined; sides = waiting.shift()) {
    lifted.setSides(sides);
    const relevant = lifted.relevant();
    const key = sides.map((side, k) => (relevant[k] === 1 ? side : 2)).join("");
    if (seen.has(key)) continue;
    seen.add(key);
    yield sides;
    sides.forEach((side, k) => {
      if (relevant[k] === 1 && allowed[k] === "undecided") waiting.push(sides.with(k, 1 - side));
    });
  }
}

/**
 * Puts what is all but on the present value or on a bound exactly there, and back to the present value what buys nothing
 * by itself: a barrier keeps its distance, and a setpoint that buys nothing is not to be touched.
 */
function polish(run: Run, best: Candidate): Candidate {
  const { x0, lo, hi, scale } = run.problem;
  if (!holds(best)) return best;
  const home = clamp(x0, run.problem);
  const snapped = best.x.map((x, i) => {
    if (Math.abs(x - x0[i]) <= NEAR_PRESENT * scale[i]) return home[i];
    return [lo[i], hi[i]].find((bound) => Math.abs(x - bound) <= NEAR_BOUND * scale[i]) ?? x;
  });
  const allowed = best.cost + WORTHWHILE * Math.max(1, Math.abs(best.cost));
  let at = best;
  const attempt = (x: Float64Array) => {
    const next = run.judge(x, best.solve);
    if (!(holds(next) && next.cost <= allowed)) return false;
    at = next;
    return true;
  };
  if (!attempt(snapped)) {
    snapped.forEach((x, i) => {
      if (x !== at.x[i]) attempt(at.x.with(i, x));
    });
  }
  home.forEach((x, i) => {
    if (x !== at.x[i]) attempt(at.x.with(i, x));
  });
  return at;
}

/** Feasible before infeasible, then by cost, or by violation. A difference that is not worthwhile keeps `b`. */
function better(a: Candidate | undefined, b: Candidate): Candidate {
  if (a === undefined) return b;
  const aHolds = holds(a);
  const bHolds = holds(b);
  if (aHolds !== bHolds) return aHolds ? a : b;
  if (!aHolds) return a.violation < b.violation || Number.isNaN(b.cost) ? a : b;
  return a.cost < b.cost - WORTHWHILE * Math.max(1, Math.abs(b.cost)) ? a : b;
}

function holds({ cost, violation }: Candidate): boolean {
  return violation <= FEASIBLE && Number.isFinite(cost);
}

function clamp(x: Float64Array, { lo, hi }: OptimizationProblem): Float64Array {
  return x.map((value, i) => Math.min(hi[i], Math.max(lo[i], value)));
}

/**
 * Batched pattern search: a low-discrepancy sample of the box, then from the best points steps of all sizes along every
 * axis and in random directions. Needs values only, so foreign code may be piecewise constant.
 */
function search(run: Run, seeds: readonly Candidate[]): Candidate {
  const n = run.problem.x0.length;
  const sampled = rank(run, [...seeds.map(({ x }) => x), ...sample(run.problem, 128 * Math.min(n, 8))]);
  let best = seeds[0];
  for (const elite of sampled.slice(0, ELITES)) {
    let at = elite;
    let failures = 0;
    for (let round = 0; round < ROUNDS && failures < 2 && !run.stopped(); round++) {
      const next = rank(run, [at.x, ...steps(run.problem, at.x)])[0];
      failures = next.x === at.x ? failures + 1 : 0;
      at = next;
    }
    best = better(run.judge(at.x), best);
    if (run.stopped()) break;
  }
  return best;
}

const ELITES = 4;
const ROUNDS = 60;
const BATCH = 1024;

/** The points as candidates, best first by violation, then by pulled cost; those that cannot be evaluated are left out. */
function rank(run: Run, points: readonly Float64Array[]): Candidate[] {
  const { exact } = run.problem;
  const n = exact.variables;
  const width = exact.outputs;
  const ranked: Candidate[] = [];
  for (let from = 0; from < points.length && (from === 0 || !run.stopped()); from += BATCH) {
    const some = points.slice(from, from + BATCH);
    const flat = new Float64Array(some.length * n);
    some.forEach((x, k) => flat.set(x, k * n));
    const out = new Float64Array(some.length * width);
    evaluate(run, flat, some.length, out);
    some.forEach((x, k) => {
      const cost = run.pulled(x, out[k * width]);
      if (Number.isFinite(cost)) ranked.push({ x, cost, violation: run.violation(out, k * width) });
    });
  }
  run.evaluations += points.length;
  return ranked.sort((a, b) => (holds(a) && holds(b) ? 0 : a.violation - b.violation) || a.cost - b.cost);
}

/** Values at many points; all points of one foreign call are one batch. */
function evaluate(run: Run, points: Float64Array, count: number, out: Float64Array): void {
  const { exact } = run.problem;
  const stages = exact.stages(points, count, out);
  for (let batch = stages.next(); batch !== undefined; batch = stages.next()) {
    stages.supply(exact.evaluate!(batch.skill, batch.inputs, batch.count));
  }
}

/** Steps of 2^0 … 2^−24 of the range along each axis, both ways, and 8 random directions at every third size. */
function steps({ lo, hi, random }: OptimizationProblem, x: Float64Array): Float64Array[] {
  const points: Float64Array[] = [];
  const moved = (step: (i: number) => number) =>
    x.map((value, i) => Math.min(hi[i], Math.max(lo[i], value + step(i) * (hi[i] - lo[i]))));
  for (let size = 1, k = 0; k <= 24; size /= 2, k++) {
    for (let axis = 0; axis < x.length; axis++) {
      points.push(moved((i) => (i === axis ? size : 0)), moved((i) => (i === axis ? -size : 0)));
    }
    if (k % 3 !== 0 || x.length < 2) continue;
    for (let direction = 0; direction < 8; direction++) points.push(moved(() => size * (2 * random() - 1)));
  }
  return points;
}

/** `count` points of the box: Kronecker's sequence with the generalised golden ratio, from a random origin; then its corners. */
function sample({ lo, hi, random }: OptimizationProblem, count: number): Float64Array[] {
  const n = lo.length;
  let ratio = 2;
  for (let k = 0; k < 40; k++) ratio = (1 + ratio) ** (1 / (n + 1));
  const origin = Float64Array.from(lo, random);
  const points = Array.from(
    { length: count },
    (_, k) => lo.map((low, i) => low + (hi[i] - low) * ((origin[i] + (k + 1) * ratio ** -(i + 1)) % 1)),
  );
  for (let corner = 0; n <= 6 && corner < 2 ** n; corner++) {
    points.push(lo.map((low, i) => (corner >> i & 1 ? hi[i] : low)));
  }
  return points;
}
