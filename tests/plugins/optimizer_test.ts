import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Graph, NodeId } from "../../runtime/graph/expr.ts";
import { lowerFormula, parseFormula } from "../../runtime/graph/formula.ts";
import { lift } from "../../runtime/graph/nonsmooth.ts";
import { compileTape } from "../../runtime/graph/tape.ts";
import optimizer from "../../plugins/optimizer/optimizer.ts";
import type { OptimizationProblem } from "../../plugins/sdk.ts";
import { randomCorners } from "../graph/random_corners.ts";
import { seeded } from "../graph/random_graph.ts";
import { graphProblem, load, type Loaded, runOf, type Setting } from "./optimizer_problem.ts";

type Closure = (x: readonly number[]) => number;

/** The least value on a grid, then on ever finer ones around the best points: knows nothing of corners or slopes. */
function zoomed(f: Closure, lo: readonly number[], hi: readonly number[], points: number): number {
  const around = (center: readonly number[], width: number) =>
    lo.map((low, i) => {
      const half = (hi[i] - low) * width;
      return Array.from(
        { length: points },
        (_, k) => Math.min(hi[i], Math.max(low, center[i] - half + 2 * half * k / (points - 1))),
      );
    });
  const product = (axes: readonly number[][]) =>
    axes.reduce<number[][]>((all, axis) => all.flatMap((point) => axis.map((x) => [...point, x])), [[]]);
  let best = product(around(lo.map((low, i) => (low + hi[i]) / 2), 0.5)).map((x) => ({ x, cost: f(x) }))
    .sort((a, b) => a.cost - b.cost).slice(0, 8);
  for (let width = 1.5 / points; width > 1e-7; width *= 3 / points) {
    const next = best.flatMap(({ x }) => product(around(x, width))).map((x) => ({ x, cost: f(x) }));
    best = [...best, ...next].sort((a, b) => a.cost - b.cost).slice(0, 2);
  }
  return best[0].cost;
}

function corners(seed: number): { readonly loaded: Loaded; readonly exact: Closure; readonly n: number } {
  const { graph, variables, cost, exact } = randomCorners(seed);
  const loaded = load({
    exact: compileTape(graph, { variables, parameters: 0, outputs: [cost] }).buffer,
    lifted: lift({ graph, variables, parameters: 0, cost, limits: [], scale: new Array(variables).fill(1) }),
    limits: [],
  });
  return { loaded, exact, n: variables };
}

Deno.test("optimize() is as good as zooming grids on 60 random costs full of corners and jumps, and never above the start", () => {
  const random = seeded(4);
  for (let seed = 500; seed < 560; seed++) {
    const { loaded, exact, n } = corners(seed);
    const x0 = Array.from({ length: n }, () => random() * 4 - 2);
    const [lo, hi] = [new Array(n).fill(-2), new Array(n).fill(2)];
    const { x, status } = optimizer.optimize(runOf(loaded, { x0, lo, hi }));
    const cost = exact([...x]);
    const best = zoomed(exact, lo, hi, n === 2 ? 41 : 17);
    assert(x.every((value, i) => value >= lo[i] && value <= hi[i]));
    assert(cost <= exact(x0), `${seed}: ${cost}, ${exact(x0)} at the start`);
    assert(cost <= best + 1e-4 * Math.max(1, Math.abs(best)), `${seed}: ${cost}, best ${best}`);
    assert(status === "solved" || status === "acceptable", status);
  }
});

/** A network of 8 tanh units with a kink: many local optima. */
function network(n: number, random: () => number): { build: (g: Graph) => NodeId; value: Closure } {
  const draw = (count: number, size: number) =>
    Float64Array.from({ length: count }, () => size * (2 * random() - 1));
  const [inner, bias, outer] = [draw(8 * n, 3), draw(8, 1), draw(8, 2)];
  return {
    build(g) {
      const x = g.concat(Array.from({ length: n }, (_, i) => g.variable(i)));
      const y = g.linear(outer, g.unary("tanh", g.linear(inner, x, bias)));
      const kink = g.unary("abs", g.binary("sub", g.variable(0), g.constant(0.25)));
      return g.binary("add", y, g.binary("mul", g.constant(0.5), kink));
    },
    value(x) {
      let sum = 0.5 * Math.abs(x[0] - 0.25);
      for (let k = 0; k < 8; k++) {
        sum += outer[k] * Math.tanh(x.reduce((total, value, i) => total + inner[k * n + i] * value, bias[k]));
      }
      return sum;
    },
  };
}

Deno.test("optimize() finds the best of many local optima in 25 random networks, and says how many starts agreed", () => {
  const random = seeded(8);
  let [missed, several] = [0, 0];
  for (let k = 0; k < 25; k++) {
    const n = 2 + k % 2;
    const { build, value } = network(n, random);
    const loaded = graphProblem(n, 0, (g) => ({ cost: build(g) }));
    const [lo, hi] = [new Array(n).fill(-1.5), new Array(n).fill(1.5)];
    const x0 = lo.map(() => 3 * random() - 1.5);
    const { x, starts } = optimizer.optimize(runOf(loaded, { x0, lo, hi }));
    if (value([...x]) > zoomed(value, lo, hi, n === 2 ? 41 : 21) + 1e-4) missed++;
    assert(starts!.agreed >= 1 && starts!.agreed <= starts!.run, JSON.stringify(starts));
    if (starts!.run > 3) several++;
  }
  assertEquals(missed, 0);
  assert(several >= 5);
});

const BOX = { x0: [3, 1], lo: [0, -4], hi: [10, 4] };

function twoVariables(cost: (g: Graph, x: NodeId, y: NodeId) => NodeId): Loaded {
  return graphProblem(2, 0, (g) => ({ cost: cost(g, g.variable(0), g.variable(1)) }));
}

/** Sums of tanh, of all variables: a graph and the same as a closure. */
function randomNet(g: Graph, n: number, random: () => number): { id: NodeId; value: Closure } {
  const hidden = Array.from({ length: 6 }, () => ({
    slopes: Array.from({ length: n }, () => 3 * random() - 1.5),
    shift: 2 * random() - 1,
    weight: 2 * random() - 1,
  }));
  const x = g.concat(Array.from({ length: n }, (_, i) => g.variable(i)));
  const terms = hidden.map(({ slopes, shift, weight }) =>
    g.binary("mul", g.constant(weight), g.unary("tanh", g.linear(slopes, x, [shift])))
  );
  return {
    id: terms.reduce((sum, term) => g.binary("add", sum, term)),
    value: (at) =>
      hidden.reduceRight(
        (sum, { slopes, shift, weight }) =>
          sum + weight * Math.tanh(slopes.reduce((part, slope, i) => part + slope * at[i], shift)),
        0,
      ),
  };
}

/** A network as a formula. */
function netText(names: readonly string[], number: (size: number) => string): string {
  const unit = () => {
    const weight = number(1);
    return `${weight} * tanh(${names.map((name) => `${number(1.2)} * ${name}`).join(" + ")} + ${number(1)})`;
  };
  return Array.from({ length: 8 }, unit).join(" + ");
}

Deno.test("optimize() goes on where settings of the switches have optima of their own, and a sample shows none of them", () => {
  const names = ["p", "q", "r", "s", "t"];
  const all = (value: number) => names.map(() => value);
  // the best that is known
  for (const [seed, best] of [[10, -4.1597053], [12, -4.7794273]]) {
    const random = seeded(seed);
    const number = (size: number) => ((2 * random() - 1) * size).toFixed(2);
    const [y, h, r] = [0, 1, 2].map(() => netText(names, number));
    const text = `-4 * (${y}) * min(1, ${h} + 0.8) + 2 * abs(${r} - (${y})) + max(0, ${h}, p - 0.5)` +
      " + min(0.6, abs(q)) + 0.2 * abs(s - 0.3)";
    const loaded = graphProblem(names.length, 0, (g) => ({
      cost: lowerFormula(g, parseFormula(text), (name) => g.variable(names.indexOf(name))),
    }));
    const setting = { x0: all(0.3), lo: all(-1), hi: all(1), scale: all(0.5) };
    const { x } = optimizer.optimize(runOf(loaded, setting));
    const cost = new Float64Array(1);
    loaded.exact.value(x, cost);
    assert(cost[0] <= best + 1e-3, `${seed}: ${cost[0]}, best ${best}`);
  }
});

Deno.test("optimize() stays clear of the edge of a jump that others may compute in another order", () => {
  const random = seeded(78);
  for (let k = 0; k < 20; k++) {
    let net: Closure = () => NaN;
    const most = 0.4 * random() - 0.2;
    const loaded = graphProblem(3, 0, (g) => {
      const { id, value } = randomNet(g, 3, random);
      net = value;
      const jump = g.select(g.binary("le", id, g.constant(most)), g.constant(0), g.constant(50));
      return { cost: g.binary("sub", jump, id) };
    });
    const { x } = optimizer.optimize(runOf(loaded, { x0: [0.1, 0.2, 0.3], lo: [-2, -2, -2], hi: [2, 2, 2] }));
    assert(net([...x]) < most - 1e-12 && net([...x]) > most - 1e-6, `${k}: ${net([...x])}, at most ${most}`);
  }
});

Deno.test("optimize() ends exactly on a bound, on corners that are written as numbers, and where it began", () => {
  const kink = (g: Graph, x: NodeId, at: number, slope: number) =>
    g.binary("mul", g.constant(slope), g.unary("abs", g.binary("sub", x, g.constant(at))));
  const both = twoVariables((g, x, y) => g.binary("add", kink(g, x, 5.3, 2), kink(g, y, -0.7, 0.01)));
  assertEquals([...optimizer.optimize(runOf(both, BOX)).x], [5.3, -0.7]);
  const bound = twoVariables((g, x, y) => g.binary("sub", kink(g, y, 1, 1), x));
  assertEquals([...optimizer.optimize(runOf(bound, BOX)).x], [10, 1]);
  const flat = twoVariables((g, x) => kink(g, x, 7.1, 3));
  assertEquals([...optimizer.optimize(runOf(flat, BOX)).x], [7.1, 1]);
  const ramp = twoVariables((g, x, y) => {
    const rise = g.binary("div", g.binary("sub", x, g.constant(2)), g.constant(4.6));
    const score = g.binary("min", g.constant(1), rise);
    return g.binary("sub", g.binary("add", g.binary("mul", x, g.constant(0.1)), kink(g, y, 1, 1)), score);
  });
  assertEquals([...optimizer.optimize(runOf(ramp, BOX)).x], [6.6, 1]);
});

Deno.test("optimize() goes to the edge of a jump, and stays on its cheap side", () => {
  const jump = (op: "lt" | "le") =>
    twoVariables((g, x) =>
      g.binary("sub", g.select(g.binary(op, x, g.constant(6.2)), g.constant(0), g.constant(50)), x)
    );
  assertEquals([...optimizer.optimize(runOf(jump("le"), BOX)).x], [6.2, 1]);
  const [x, y] = optimizer.optimize(runOf(jump("lt"), BOX)).x;
  assert(x < 6.2 && x > 6.2 - 1e-6, String(x));
  assertEquals(y, 1);
});

function limited(limits: (g: Graph) => { node: NodeId; lower: number; upper: number }[]): Loaded {
  return graphProblem(2, 0, (g) => ({
    cost: g.binary("add", g.variable(0), g.variable(1)),
    limits: limits(g),
  }));
}

Deno.test("optimize() says infeasible only with the point of least violation, found by a grid too", () => {
  const conflict = limited((g) => {
    const [x, y] = [g.variable(0), g.variable(1)];
    const product = g.binary("mul", x, g.unary("exp", g.binary("mul", g.constant(0.3), y)));
    return [{ node: g.binary("add", x, y), lower: -Infinity, upper: 2 }, {
      node: product,
      lower: 9,
      upper: 12,
    }];
  });
  const violation: Closure = ([x, y]) =>
    Math.max(0, (x + y - 2) / 2, (9 - x * Math.exp(0.3 * y)) / 9, (x * Math.exp(0.3 * y) - 12) / 12);
  const { status, x, message } = optimizer.optimize(runOf(conflict, BOX));
  assertEquals(status, "infeasible");
  assertStringIncludes(message!, "holds every limit");
  const least = zoomed(violation, BOX.lo, BOX.hi, 41);
  assert(least > 0.1);
  assert(violation([...x]) <= least + 1e-5, `${violation([...x])}, least ${least}`);
});

Deno.test("optimize() finds a small feasible corner that is far from the present point", () => {
  const small = limited((g) => {
    const [x, y] = [g.variable(0), g.variable(1)];
    const wave = g.binary("mul", g.unary("sin", x), g.unary("cos", g.binary("mul", g.constant(2), y)));
    return [{ node: wave, lower: 0.98, upper: Infinity }];
  });
  const { status, x } = optimizer.optimize(runOf(small, BOX));
  assertEquals(status, "solved");
  assert(Math.sin(x[0]) * Math.cos(2 * x[1]) >= 0.98 - 1e-6);
  const best = zoomed(
    ([a, b]) => (Math.sin(a) * Math.cos(2 * b) >= 0.98 ? a + b : 1e9),
    BOX.lo,
    BOX.hi,
    201,
  );
  assert(x[0] + x[1] <= best + 1e-3, `${x[0] + x[1]}, best ${best}`);
});

Deno.test("optimize() gives the same answer to the same seed", () => {
  const { build } = network(3, seeded(77));
  const loaded = graphProblem(3, 0, (g) => ({ cost: build(g) }));
  const setting: Setting = { x0: [0, 0, 0], lo: [-1, -1, -1], hi: [1, 1, 1], seed: 5 };
  assertEquals(optimizer.optimize(runOf(loaded, setting)), optimizer.optimize(runOf(loaded, setting)));
});

Deno.test("optimize() needs one start where the cost is a bowl", () => {
  const bowl = twoVariables((g, x, y) => g.binary("add", g.binary("mul", x, x), g.binary("mul", y, y)));
  assertEquals(optimizer.optimize(runOf(bowl, BOX)).starts, { run: 1, agreed: 1 });
});

Deno.test("optimize() goes all the way down a cost that spans 400 orders of magnitude, and no move is lost beside it", () => {
  const steep = twoVariables((g, x, y) =>
    g.binary("add", g.unary("exp", g.binary("mul", g.constant(500), x)), y)
  );
  for (
    const [x0, lo, hi] of [[1, 0, 2], [1, 0.9, 1.1], [0.5, -0.5, 1.5], [1.4, 0.4, 2.4], [0, -1, 1]]
  ) {
    const { status, x } = optimizer.optimize(runOf(steep, { x0: [x0, 1], lo: [lo, 0], hi: [hi, 2] }));
    assertEquals(status, "solved");
    const [cost, best] = [500 * x[0], 500 * lo];
    if (lo >= 0) assert(cost - best < 1e-3, `from ${x0}: ${x}`);
    else assert(Math.exp(cost) + x[1] < 1e-3, `from ${x0}: ${x}`);
  }
});

Deno.test("optimize() keeps limits of parts per million as well as those of tons, and says which cannot hold", () => {
  const limitedTo = (upper: number, unit: number) =>
    graphProblem(2, 0, (g) => {
      const squares = [0, 1].map((i) => g.binary("mul", g.variable(i), g.variable(i)));
      const node = g.binary("mul", g.constant(unit), g.binary("add", squares[0], squares[1]));
      const cost = g.unary("neg", g.binary("add", g.variable(0), g.variable(1)));
      return { cost, limits: [{ node, lower: -Infinity, upper: upper * unit }] };
    });
  for (const unit of [1e-9, 1e-6, 1e-3, 1, 1e6]) {
    const setting = { x0: [1.5, 2], lo: [1, 1], hi: [3, 3] };
    const { status, x, multipliers } = optimizer.optimize(runOf(limitedTo(4.5, unit), setting));
    assertEquals(status, "solved", String(unit));
    const squares = x[0] ** 2 + x[1] ** 2;
    assert(squares <= 4.5 * (1 + 1e-6) && squares > 4.5 * (1 - 1e-4), `${unit}: ${squares}`);
    // d(x + y) / d(unit·(x² + y²))
    const price = multipliers!.limits[0] * unit;
    assert(Math.abs(price - 1 / 3) < 1e-3, `${unit}: ${price}`);
    const never = optimizer.optimize(runOf(limitedTo(1.5, unit), setting));
    assertEquals(never.status, "infeasible", String(unit));
    assert(Math.hypot(never.x[0] - 1, never.x[1] - 1) < 1e-4, `${unit}: ${never.x}`);
  }
});

/** Calls of `now` until the answer came, after time had run out. */
function overshoot(loaded: Loaded, setting: Setting, budget: number) {
  let ticks = 0;
  const problem: OptimizationProblem = runOf(loaded, { ...setting, now: () => ticks++, deadlineMs: budget });
  const result = optimizer.optimize(problem);
  return { result, late: ticks - budget };
}

Deno.test("optimize() stops at its deadline with the best point so far, and at a cancel", () => {
  for (let seed = 500; seed < 520; seed++) {
    const { loaded, exact, n } = corners(seed);
    const setting = { x0: new Array(n).fill(0.7), lo: new Array(n).fill(-2), hi: new Array(n).fill(2) };
    for (const budget of [1, 30, 200]) {
      const { result, late } = overshoot(loaded, setting, budget);
      assert(exact([...result.x]) <= exact(setting.x0));
      assert(late < 40, `${seed}: ${late} looks at the clock after the end of ${budget}`);
    }
    const cancelled = optimizer.optimize(runOf(loaded, { ...setting, cancelled: () => true }));
    assert(exact([...cancelled.x]) <= exact(setting.x0));
  }
});

Deno.test("optimize() takes max_iterations from the strategy's config before the deployment's", () => {
  const valley = graphProblem(2, 0, (g) => {
    const [x, y] = [g.variable(0), g.variable(1)];
    const bend = g.binary("sub", y, g.binary("mul", x, x));
    const rest = g.binary("sub", g.constant(1), x);
    const steep = g.binary("mul", g.constant(100), g.binary("mul", bend, bend));
    return { cost: g.binary("add", steep, g.binary("mul", rest, rest)) };
  });
  const iterationsOf = (more: Partial<OptimizationProblem>) => {
    const run = runOf(valley, { x0: [-1.2, 1], lo: [-5, -5], hi: [5, 5] });
    const { iterations, starts } = optimizer.optimize({ ...run, ...more });
    return iterations / starts!.run;
  };
  const options = { max_iterations: 7 };
  assert(iterationsOf({}) > 10);
  assert(iterationsOf({ options }) <= 7);
  assert(iterationsOf({ options, config: { max_iterations: 2 } }) <= 2);
});

Deno.test("optimize() brings every limit as near as it goes, also beside one that can give no more", () => {
  // limit 0 cannot be mended at all; 1 and 2 pull y both ways; 3 holds
  const loaded = graphProblem(3, 0, (g) => ({
    cost: g.unary("neg", g.variable(0)),
    limits: [
      { node: g.binary("add", g.constant(8), g.binary("mul", g.constant(0), g.variable(0))), upper: 4 },
      { node: g.variable(0), upper: 4 },
      { node: g.variable(1), upper: 1 },
      { node: g.variable(1), lower: 2 },
      { node: g.variable(2), upper: 0.5 },
    ].map(({ lower = -Infinity, upper = Infinity, node }) => ({ node, lower, upper })),
  }));
  const { status, x } = optimizer.optimize(
    runOf(loaded, { x0: [8, 0, 0.7], lo: [7, -5, 0], hi: [9, 5, 1] }),
  );
  assertEquals(status, "infeasible");
  // the excess of y is the same beyond 1 and below 2, relative to the larger of 1 and the limit: (y − 1)/1 = (2 − y)/2
  [7, 4 / 3].forEach((value, i) => assert(Math.abs(x[i] - value) < 1e-4, `${x}`));
  assert(x[2] <= 0.5 + 1e-6, `${x}`);
});
