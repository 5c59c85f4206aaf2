/** An optimizer of one's own: simulated annealing on the exact problem, with the run's seeded random numbers. */
import { definePlugin, type OptimizationProblem, type OptimizationResult } from "setpoint";

/** A point, how far it is outside a hard limit, and its cost. */
interface Candidate {
  readonly x: Float64Array;
  readonly over: number;
  readonly cost: number;
}

/** Points that are tried at once: foreign code in the problem is asked for all of them in one call. */
const BATCH = 32;

export default definePlugin({
  name: "examples/annealing",
  version: "1.0.0",
  kind: "optimizer",
  sdk: "^1.1.0",
  description: "Simulated annealing: needs values only, and finds its way out of small valleys",
  config: {
    properties: {
      rounds: { type: "integer", minimum: 10, maximum: 100_000, default: 400 },
      warmth: { type: "number", exclusiveMinimum: 0, default: 1, description: "first temperature, in costs" },
    },
  },
  examples: [{ title: "quick", config: { rounds: 100 } }],
  tests: [{
    name: "the deeper of two valleys, from the other one, on a limit",
    // 4x³ − 4x + 0.3 = 0 has the roots −1.0356 and 0.9595
    inputs: { x: 0.96, y: 2 },
    minimize: "(x**2 - 1)**2 + 0.3 * x + y**2",
    limits: [{ formula: "y", lower: 0.5 }],
    outputs: { x: -1.0356, y: 0.5 },
    tolerance: 1e-2,
  }],

  optimize(problem: OptimizationProblem): OptimizationResult {
    const { x0, lo, hi, config = {} } = problem;
    const rounds = Number(config.rounds);
    const inside = (value: number, i: number) => Math.min(hi[i], Math.max(lo[i], value));
    let [at] = judge(problem, [x0.map(inside)]);
    let best = at;
    let round = 0;
    for (; round < rounds && !problem.cancelled() && problem.remaining() > 0; round++) {
      const cold = round / rounds;
      const heat = Number(config.warmth) * (1 - cold) ** 8;
      const near = Array.from({ length: BATCH }, () => {
        const size = 10 ** (-6 * cold * problem.random());
        // half of the variables stay: on the edge of a limit a step of all of them leads outside
        return at.x.map((value, i) =>
          problem.random() < 0.5
            ? value
            : inside(value + size * (hi[i] - lo[i]) * (2 * problem.random() - 1), i)
        );
      });
      for (const next of judge(problem, near)) {
        const worse = next.over > at.over;
        if (better(next, at) || (!worse && problem.random() < Math.exp((at.cost - next.cost) / heat))) {
          at = next;
        }
        if (better(next, best)) best = next;
      }
      // what is left of the time is for the neighbourhood of the best point
      if (cold > 0.5) at = best;
    }
    const status = best.over > 0 ? "infeasible" : round === rounds ? "solved" : "timeout";
    return { status, x: best.x, iterations: round, evaluations: 1 + round * BATCH };
  },
});

/** By limits first, then by cost. */
function better(a: Candidate, b: Candidate): boolean {
  return a.over < b.over || (a.over === b.over && a.cost < b.cost);
}

function judge({ exact, limits }: OptimizationProblem, points: readonly Float64Array[]): Candidate[] {
  const width = exact.outputs;
  const flat = new Float64Array(points.length * exact.variables);
  points.forEach((x, k) => flat.set(x, k * exact.variables));
  const out = new Float64Array(points.length * width);
  const stages = exact.stages(flat, points.length, out);
  for (let batch = stages.next(); batch !== undefined; batch = stages.next()) {
    stages.supply(exact.evaluate!(batch.skill, batch.inputs, batch.count));
  }
  return points.map((x, k) => {
    const outputs = out.subarray(k * width, (k + 1) * width);
    const over = limits.map(({ lower, upper }, j) =>
      Math.max(lower - outputs[1 + j], outputs[1 + j] - upper, 0)
    );
    const known = outputs.every(Number.isFinite);
    return { x, over: known ? Math.max(0, ...over) : Infinity, cost: outputs[0] };
  });
}
