/** The best of many solves from random points on every branch, judged by the exact functions. */
import type { Lifted } from "../../runtime/graph/nonsmooth.ts";
import { LiftedProblem } from "../../runtime/graph/lifted.ts";
import { createSolver, type DenseProblem } from "../../runtime/solver/mod.ts";
import { searchBounds } from "../../runtime/strategy/bounds.ts";
import type { LinkedStrategy } from "../../runtime/strategy/linked.ts";
import { Plant } from "../strategy/plant.ts";
import type { State } from "./open_kernel.ts";

/** For strategies without hard limits and few branches. */
export class RandomStarts {
  readonly #linked: LinkedStrategy;
  readonly #lifted: LiftedProblem;
  readonly #problem: DenseProblem;
  readonly #solver;

  constructor(linked: LinkedStrategy) {
    if (linked.rows.length > 0) throw new RangeError("Expected a strategy without hard limits");
    this.#linked = linked;
    this.#lifted = new LiftedProblem(linked.problem.lifted as Lifted);
    const { size, rows, tape } = this.#lifted;
    const outputs = new Float64Array(1 + rows.length);
    const weights = new Float64Array(1 + rows.length);
    this.#solver = createSolver(size, rows.length);
    this.#problem = {
      n: size,
      m: rows.length,
      x0: new Float64Array(size),
      xl: new Float64Array(size),
      xu: new Float64Array(size),
      gl: Float64Array.from(rows, ({ lower }) => lower),
      gu: Float64Array.from(rows, ({ upper }) => upper),
      objective(v) {
        tape.value(v, outputs);
        return outputs[0];
      },
      gradient(v, g) {
        tape.gradient(v, Float64Array.of(1), g);
        return true;
      },
      constraints(v, c) {
        tape.value(v, outputs);
        c.set(outputs.subarray(1));
        return true;
      },
      jacobian(v, values) {
        tape.jacobian(v, 1, rows.length, values);
        return true;
      },
      hessian(v, sigma, lambda, values) {
        weights[0] = sigma;
        weights.set(lambda, 1);
        tape.hessian(v, weights, values);
        return true;
      },
    };
  }

  /** The lowest exact cost that `solves` solves find, half of them with each switch at 0 and at 1. */
  best(state: State, solves: number, random: () => number): number {
    const plant = new Plant(this.#linked, state);
    const { lower, upper } = searchBounds(this.#linked, plant.measured, plant.x0);
    const { search, scale } = this.#linked;
    const toZ = (value: number, i: number) => (value - plant.x0[i]) / scale[i];
    const [lo, hi] = [lower.map(toZ), upper.map(toZ)];
    const lifted = this.#lifted;
    const { x0, xl, xu } = this.#problem;
    // a solve may miss a row by 1e-8, which on the wrong side of a jump is worth nothing
    lifted.setRun({
      parameters: plant.measured,
      x0: plant.x0,
      rho: 0,
      looseMargin: 1e-7,
      strictMargin: 1e-7,
    });
    const settings = 2 ** lifted.branches.length;
    let best = Infinity;
    for (let k = 0; k < solves; k++) {
      lifted.setSides(lifted.branches.map((_, bit) => (k % settings) >> bit & 1));
      lo.forEach((low, i) => x0[i] = low + (hi[i] - low) * random());
      lifted.start(x0);
      lifted.bounds(lo, hi, x0, xl, xu);
      const { x } = this.#solver.solve(this.#problem, { max_iter: 200, tol: 1e-8 });
      const point = Object.fromEntries(search.map(({ name }, i) => {
        const value = plant.x0[i] + scale[i] * x[i];
        return [name, Math.min(upper[i], Math.max(lower[i], value))];
      }));
      const [cost] = plant.outputs(point);
      if (cost < best) best = cost;
    }
    return best;
  }
}

/** The lowest exact cost of a search that knows values only: random points, then ever smaller steps from the best. */
export function searched(linked: LinkedStrategy, state: State, random: () => number, tries: number): number {
  const plant = new Plant(linked, state);
  const { lower, upper } = searchBounds(linked, plant.measured, plant.x0);
  const n = linked.search.length;
  const costAt = (x: Float64Array) =>
    plant.outputs(Object.fromEntries(linked.search.map(({ name }, i) => [name, x[i]])))[0];
  let at = plant.x0.slice();
  let best = costAt(at);
  for (let k = 0; k < tries; k++) {
    const width = k < tries / 4 ? 1 : 10 ** (-5 * (k / tries - 0.25));
    const x = at.map((value, i) => {
      if (width < 1 && random() < 1 - 2 / n) return value;
      const step = width === 1
        ? random()
        : (value - lower[i]) / (upper[i] - lower[i]) + (random() - 0.5) * width;
      return lower[i] + (upper[i] - lower[i]) * Math.min(1, Math.max(0, step));
    });
    const cost = costAt(x);
    if (cost < best) [at, best] = [x, cost];
  }
  return best;
}
