/** Multipliers against what another bound or limit makes of the best cost. */
import { assert } from "@std/assert";
import optimizer from "../../plugins/optimizer/optimizer.ts";
import { seeded } from "../graph/random_graph.ts";
import { graphProblem, type Loaded, runOf } from "./optimizer_problem.ts";

const STEP = 1e-4;

/** A bowl with a corner, a curved limit of at most `upper`, and a cost in units of `size`. */
function plant(n: number, seed: number, size: number, upper: number): Loaded {
  const random = seeded(seed);
  const draw = () => 2 * random() - 1;
  return graphProblem(n, 0, (g) => {
    let [cost, limited] = [g.constant(0), g.constant(0)];
    for (let i = 0; i < n; i++) {
      const apart = g.binary("sub", g.variable(i), g.constant(2 * draw()));
      cost = g.binary("add", cost, g.binary("mul", g.constant(1 + random()), g.binary("mul", apart, apart)));
      const wave = g.unary("exp", g.binary("mul", g.constant(draw()), g.variable(i)));
      limited = g.binary("add", limited, wave);
    }
    const kink = g.unary("abs", g.binary("sub", g.variable(0), g.constant(draw())));
    cost = g.binary("mul", g.constant(size), g.binary("add", cost, kink));
    return { cost, limits: [{ node: limited, lower: -Infinity, upper }] };
  });
}

Deno.test("multipliers lie between the finite differences of the best cost on 40 random plants, in every unit of the cost", () => {
  let [bounds, limits] = [0, 0];
  for (let seed = 0; seed < 40; seed++) {
    const n = 2 + seed % 3;
    const size = [1, 1e-3, 1e4][seed % 3];
    const lo = new Array(n).fill(-0.8);
    const hi = new Array(n).fill(0.7);
    const best = (upper: number, high: readonly number[]) => {
      const loaded = plant(n, seed, size, upper);
      const result = optimizer.optimize(runOf(loaded, { x0: new Array(n).fill(-0.1), lo, hi: high }));
      const out = new Float64Array(2);
      loaded.exact.value(result.x, out);
      return { ...result, cost: out[0], limited: out[1] };
    };
    const upper = 0.95 * n;
    const at = best(upper, hi);
    assert(at.status === "solved" && at.multipliers !== undefined, `${seed}: ${at.status} ${at.message}`);
    const check = (price: number, more: number, less: number, what: string) => {
      const [gain, loss] = [(at.cost - more) / STEP, (less - at.cost) / STEP];
      const slack = 2e-2 * Math.max(Math.abs(gain), Math.abs(loss)) + 1e-2 * size;
      assert(
        price >= gain - slack && price <= loss + slack,
        `${seed}, ${what}: ${price}, ${gain} to ${loss}`,
      );
    };
    const wider = (i: number, by: number) => hi.with(i, hi[i] + by);
    for (let i = 0; i < n; i++) {
      if (at.x[i] !== hi[i]) continue;
      bounds++;
      const [more, less] = [STEP, -STEP].map((by) => best(upper, wider(i, by)).cost);
      check(at.multipliers.bounds[i], more, less, `bound ${i}`);
    }
    if (Math.abs(at.limited - upper) > 1e-6) continue;
    limits++;
    const [more, less] = [STEP, -STEP].map((by) => best(upper + by, hi).cost);
    check(at.multipliers.limits[0], more, less, "limit");
  }
  assert(bounds >= 10 && limits >= 8, `${bounds} bounds, ${limits} limits`);
});

Deno.test("a plant that is at its best already still tells what its limits are worth", () => {
  const loaded = graphProblem(2, 0, (g) => ({
    cost: g.binary("add", g.binary("mul", g.constant(-3), g.variable(0)), g.variable(1)),
  }));
  const { x, multipliers } = optimizer.optimize(runOf(loaded, { x0: [1, 0], lo: [0, 0], hi: [1, 5] }));
  assert(x[0] === 1 && x[1] === 0);
  assert(Math.abs(multipliers!.bounds[0] - 3) < 1e-5 && Math.abs(multipliers!.bounds[1] - 1) < 1e-5);
});
