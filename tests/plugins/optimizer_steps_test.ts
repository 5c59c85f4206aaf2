import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { lowerFormula, parseFormula } from "../../runtime/graph/formula.ts";
import { nextAbove } from "../../runtime/graph/forest.ts";
import { lift } from "../../runtime/graph/nonsmooth.ts";
import { compileTape } from "../../runtime/graph/tape.ts";
import { roundHalfEven } from "../../runtime/graph/scalar.ts";
import optimizer from "../../plugins/optimizer/optimizer.ts";
import { randomForest } from "../graph/random_forest.ts";
import { seeded } from "../graph/random_graph.ts";
import { randomSteps } from "../graph/random_steps.ts";
import { graphProblem, load, type Loaded, runOf } from "./optimizer_problem.ts";

/** A cost and limits as formulas of u and v. */
function formulas(cost: string, ...limits: { text: string; lower?: number; upper?: number }[]): Loaded {
  return graphProblem(2, 0, (g) => {
    const lowered = (text: string) =>
      lowerFormula(g, parseFormula(text), (name) => ({ u: g.variable(0), v: g.variable(1) })[name]);
    return {
      cost: lowered(cost),
      limits: limits.map(({ text, lower = -Infinity, upper = Infinity }) => ({
        node: lowered(text),
        lower,
        upper,
      })),
    };
  });
}

const [LO, HI] = [[-2, -2], [4, 4]];

/** The least on a grid of 1/200, which has the jumps of the costs below on it or next to it. */
function onGrid(f: (u: number, v: number) => number): number {
  let best = Infinity;
  for (let i = 0; i <= 1200; i++) {
    for (let j = 0; j <= 1200; j++) best = Math.min(best, f(-2 + i / 200, -2 + j / 200));
  }
  return best;
}

const mod = (a: number, b: number) => a - b * Math.floor(a / b);
const COSTS: readonly (readonly [string, (u: number, v: number) => number])[] = [
  ["(u > 2) * 5 - u + 0 * v", (u) => (u > 2 ? 5 : 0) - u],
  ["(u > 2) * 5 - u + floor(v)", (u, v) => (u > 2 ? 5 : 0) - u + Math.floor(v)],
  ["u * u - 3 * u + round(u) * 0.5", (u) => u * u - 3 * u + 0.5 * roundHalfEven(u)],
  [
    "abs(u - 1.3) + floor(2 * u) * 0.7 + (v - 0.4) * (v - 0.4)",
    (u, v) => Math.abs(u - 1.3) + Math.floor(2 * u) * 0.7 + (v - 0.4) ** 2,
  ],
  ["(u % 1.5) + 0.1 * (u - 3) * (u - 3)", (u) => mod(u, 1.5) + 0.1 * (u - 3) ** 2],
  ["(u // 0.75) * 0.3 - 0.2 * u + v * v", (u, v) => Math.floor(u / 0.75) * 0.3 - 0.2 * u + v * v],
  [
    "floor(u + v) - 0.6 * u - 0.7 * v + 0.05 * u * u + 0.05 * v * v",
    (u, v) => Math.floor(u + v) - 0.6 * u - 0.7 * v + 0.05 * (u * u + v * v),
  ],
  [
    "floor(u * v) + (u - 1.7) * (u - 1.7) + (v - 1.2) * (v - 1.2)",
    (u, v) => Math.floor(u * v) + (u - 1.7) ** 2 + (v - 1.2) ** 2,
  ],
  [
    "ceil(3 * sin(u)) + 0.1 * u + 0.3 * (v - 1) * (v - 1)",
    (u, v) => Math.ceil(3 * Math.sin(u)) + 0.1 * u + 0.3 * (v - 1) ** 2,
  ],
  [
    "(u + v > 3) * 4 + (u < 1) * 2 + floor(u) * 0.1 - u - v",
    (u, v) => (u + v > 3 ? 4 : 0) + (u < 1 ? 2 : 0) + Math.floor(u) * 0.1 - u - v,
  ],
  [
    "floor(3 * (u > 1) + 2 * v) - v + (u - 0.5) * (u - 2)",
    (u, v) => Math.floor((u > 1 ? 3 : 0) + 2 * v) - v + (u - 0.5) * (u - 2),
  ],
  [
    "sin(3 * u) + 0.3 * floor(u * 1.5) * v + 0.2 * v * v",
    (u, v) => Math.sin(3 * u) + 0.3 * Math.floor(u * 1.5) * v + 0.2 * v * v,
  ],
]; // deno-fmt-ignore

for (const [text, exact] of COSTS) {
  Deno.test(`optimize() of ${text} is as good as a fine grid`, () => {
    const best = onGrid(exact);
    for (const x0 of [[0.3, 0.1], [3.7, -1.2]]) {
      const { status, x } = optimizer.optimize(runOf(formulas(text), { x0, lo: LO, hi: HI }));
      assertEquals(status, "solved");
      assert(exact(x[0], x[1]) <= best + 1e-6, `${exact(x[0], x[1])} at ${x}, grid ${best}`);
    }
  });
}

Deno.test("optimize() ends exactly on the edge of a step, on its cheap side", () => {
  const at = (text: string) =>
    optimizer.optimize(runOf(formulas(text), { x0: [0.3, 0.1], lo: LO, hi: HI })).x;
  assertEquals([...at("(u > 2) * 5 - u + ceil(v - 7)")].slice(0, 1), [2]);
  assertEquals([...at("round(u) * 0.5 - 0.2 * u")].slice(0, 1), [-1.5]);
  const edge = optimizer.optimize(
    runOf(formulas("round(u) * 0.5 - 0.2 * u"), { x0: [0.3, 0.1], lo: LO, hi: HI }),
  );
  assertEquals([...edge.multipliers!.bounds], [0, 0]);
  const [below] = at("floor(u) - 0.5 * u + (u < 3) * 2");
  assert(below < -1 && below > -1 - 1e-8, String(below));
});

Deno.test("optimize() moves no further than the nearest of several cells that cost the same", () => {
  const from = (
    u: number,
    v: number,
  ) => [
    ...optimizer.optimize(
      runOf(formulas("(floor(2 * u) > -3) * 5 + floor(v / 9)"), { x0: [u, v], lo: LO, hi: HI }),
    ).x,
  ];
  const [u, v] = from(3.7, 0.3);
  assert(u < -1 && u > -1 - 1e-8 && v < 0 && v > -1e-8, `${u}, ${v}`);
  assertEquals(from(-1.7, -1.1), [-1.7, -1.1]);
});

Deno.test("optimize() searches steps beside foreign code that is smooth", () => {
  const loaded = graphProblem(2, 0, (g) => {
    const [u, v] = [g.variable(0), g.variable(1)];
    const well = g.slice(g.opaque(0, g.concat([u, v]), 1), 0, 1);
    return { cost: g.binary("add", well, g.unary("floor", g.binary("mul", g.constant(2), u))) };
  });
  const well = (u: number, v: number) => (u - 1.2) ** 2 + (v + 0.3) ** 2;
  const evaluate = (_: number, batch: Float64Array, count: number) =>
    Float64Array.from({ length: count }, (_, k) => well(batch[2 * k], batch[2 * k + 1]));
  const { status, x } = optimizer.optimize(runOf(loaded, { x0: [3, 2], lo: LO, hi: HI, evaluate }));
  assertEquals(status, "solved");
  const best = onGrid((u, v) => well(u, v) + Math.floor(2 * u));
  assert(well(x[0], x[1]) + Math.floor(2 * x[0]) <= best + 0.02, `${x}, grid ${best}`);
});

Deno.test("optimize() keeps limits on steps, and says infeasible where no cell keeps them", () => {
  const limited = formulas("u + v", { text: "floor(u) + round(v)", lower: 4 }, { text: "u * v", lower: 1 });
  const { status, x } = optimizer.optimize(runOf(limited, { x0: [0.3, 0.1], lo: LO, hi: HI }));
  assertEquals(status, "solved");
  const [u, v] = x;
  assert(Math.floor(u) + roundHalfEven(v) >= 4 && u * v >= 1 - 1e-6);
  let best = Infinity;
  for (let a = -2; a <= 4.0001; a += 1 / 200) {
    for (let b = -2; b <= 4.0001; b += 1 / 200) {
      if (Math.floor(a + 1e-9) + roundHalfEven(b) >= 4 && a * b >= 1) best = Math.min(best, a + b);
    }
  }
  assert(u + v <= best + 1e-6, `${u + v}, grid ${best}`);
  const conflict = formulas("u", { text: "floor(u)", lower: 2 }, { text: "u", upper: 1.9 });
  const none = optimizer.optimize(runOf(conflict, { x0: [0.3, 0.1], lo: LO, hi: HI }));
  assertEquals(none.status, "infeasible");
});

/** A forest of n inputs with slopes, and a second one as a hard limit where `most` is given. */
function forestProblem(n: number, trees: number, depth: number, random: () => number, most?: number) {
  const forest = randomForest(n, trees, depth, random);
  const other = randomForest(n, 4, 3, random);
  const slopes = Array.from({ length: n }, () => 4 * random() - 2);
  const loaded = graphProblem(n, 0, (g) => {
    const x = g.concat(slopes.map((_, i) => g.variable(i)));
    const node = g.trees(other.data, x, 1);
    return {
      cost: g.binary("add", g.trees(forest.data, x, 1), g.linear(slopes, x)),
      limits: most === undefined ? [] : [{ node, lower: -Infinity, upper: most }],
    };
  }, new Array(n).fill(0.1));
  const cost = (x: ArrayLike<number>) =>
    slopes.reduce((sum, slope, i) => sum + slope * x[i], forest.value(x));
  const holds = (x: ArrayLike<number>) => most === undefined || other.value(x) <= most + 1e-6;
  const ends = slopes.map((slope, i) => {
    const cuts = [...new Set([...forest.cuts[i], ...other.cuts[i]])];
    return slope > 0 ? [0, ...cuts.map((cut) => nextAbove(cut, 32))] : [1, ...cuts];
  });
  return { loaded, cost, holds, ends };
}

const unit = (n: number) => ({
  x0: new Array(n).fill(0.5),
  lo: new Array(n).fill(0),
  hi: new Array(n).fill(1),
  scale: new Array(n).fill(0.1),
});

Deno.test("optimize() is at the best of all cells of 60 random forests, with a limit on another forest in every second", () => {
  const random = seeded(41);
  for (let k = 0; k < 60; k++) {
    const n = 1 + k % 3;
    const most = k % 2 === 0 ? undefined : -0.5;
    const { loaded, cost, holds, ends } = forestProblem(
      n,
      [30, 20, 6][n - 1],
      [8, 4, 3][n - 1],
      random,
      most,
    );
    let best = Infinity;
    const visit = (x: number[]) => {
      if (x.length === n) best = holds(x) ? Math.min(best, cost(x)) : best;
      else for (const value of ends[x.length]) visit([...x, value]);
    };
    visit([]);
    const { status, x } = optimizer.optimize(runOf(loaded, unit(n)));
    if (best === Infinity) {
      assertEquals(status, "infeasible", `forest ${k}`);
      continue;
    }
    assertEquals(status, "solved", `forest ${k}`);
    assert(holds(x), `forest ${k}`);
    assert(cost(x) <= best + 1e-6 * Math.max(1, Math.abs(best)), `forest ${k}: ${cost(x)}, best ${best}`);
  }
});

/** The least on a grid, then on ever finer ones around the best points. */
function zoomed(f: (x: readonly number[]) => number): number {
  const around = (x: readonly number[], width: number, points: number) =>
    Array.from({ length: (2 * points + 1) ** 2 }, (_, k) => {
      const steps = [k % (2 * points + 1), Math.floor(k / (2 * points + 1))];
      const at = x.map((value, i) => Math.min(2, Math.max(-2, value + width * (steps[i] - points) / points)));
      return { x: at, cost: f(at) };
    });
  let best = around([0, 0], 2, 75).sort((a, b) => a.cost - b.cost).slice(0, 12);
  for (let width = 0.04; width > 1e-7; width *= 0.35) {
    best = [...best, ...best.slice(0, 4).flatMap(({ x }) => around(x, width, 4))].sort((a, b) =>
      a.cost - b.cost
    )
      .slice(0, 4);
  }
  return best[0].cost;
}

Deno.test("optimize() is as good as zooming grids on 79 of 80 random costs of steps, half of them with a limit of steps", () => {
  let missed = 0;
  for (let seed = 0; seed < 80; seed++) {
    const { graph, cost, limit } = randomSteps(seed);
    const limits = seed % 2 === 0 ? [] : [{ node: limit.id, lower: -Infinity, upper: 0.5 }];
    const outputs = [cost.id, ...limits.map(({ node }) => node)];
    const loaded = load({
      exact: compileTape(graph, { variables: 2, parameters: 1, outputs }).buffer,
      lifted: lift({ graph, variables: 2, parameters: 1, cost: cost.id, limits, scale: [0.1, 0.1] }),
      limits,
    });
    const random = seeded(seed + 1);
    const parameters = [0.5 + random()];
    const x0 = [4 * random() - 2, 4 * random() - 2];
    const setting = { x0, lo: [-2, -2], hi: [2, 2], scale: [0.1, 0.1], parameters };
    const { status, x } = optimizer.optimize(runOf(loaded, setting));
    const best = zoomed(([u, v]) => {
      const at = [u, v, parameters[0]];
      return limits.length > 0 && limit.value(at) > 0.5 ? Infinity : cost.value(at);
    });
    const found = new Float64Array(outputs.length);
    loaded.exact.value(x, found);
    if (best === Infinity) {
      assertEquals(status, "infeasible", String(seed));
      continue;
    }
    assert(limits.length === 0 || found[1] <= 0.5 + 1e-6, `${seed}: limit ${found[1]}`);
    if (found[0] > best + 1e-4 * Math.max(1, Math.abs(best))) missed++;
  }
  assert(missed <= 1, `${missed} missed`);
});

Deno.test("optimize() goes on from other points where steps of a network leave much that is not ruled out", () => {
  const random = seeded(14);
  const names = ["s", "t", "u", "v"];
  const all = (value: number) => names.map(() => value);
  const number = (size: number) => ((2 * random() - 1) * size).toFixed(2);
  const unit = () => {
    const weight = number(1);
    return `${weight} * tanh(${names.map((name) => `${number(2)} * ${name}`).join(" + ")} + ${number(1)})`;
  };
  const y = Array.from({ length: 8 }, unit).join(" + ");
  const text = `(2 if ${y} < 0.3 else 3.5) * (${y}) + ceil((u + v) / 2) - 0.8 * (u + v)` +
    ` - (1 if ${y} > 0.5 and ${y} < 0.8 else 0) + 2 * abs(t - round(t)) + (t if t > s else 2 * s)`;
  const loaded = graphProblem(names.length, 0, (g) => ({
    cost: lowerFormula(g, parseFormula(text), (name) => g.variable(names.indexOf(name))),
  }));
  const setting = { x0: all(0.3), lo: all(-1), hi: all(1), scale: all(0.5) };
  const { x } = optimizer.optimize(runOf(loaded, setting));
  const cost = new Float64Array(1);
  loaded.exact.value(x, cost);
  assert(cost[0] <= -3.4227484 + 1e-3, String(cost[0]));
});

Deno.test("optimize() sends scaled variables, formulas and another model's output through a forest", () => {
  const random = seeded(42);
  for (let k = 0; k < 6; k++) {
    const forest = randomForest(3, 10, 3, random);
    const loaded = graphProblem(2, 0, (g) => {
      const [u, v] = [g.variable(0), g.variable(1)];
      const scaled = g.binary("div", g.binary("add", u, g.constant(2)), g.constant(6));
      const falling = g.unary("sigmoid", g.unary("neg", v));
      const mixed = g.unary("tanh", g.linear([0.2, 0.15], g.concat([u, v]), [0.3]));
      const trees = g.trees(forest.data, g.concat([scaled, falling, mixed]), 1);
      const rest = g.binary("mul", g.constant(0.05), g.binary("mul", v, g.binary("sub", v, u)));
      return { cost: g.binary("add", trees, rest) };
    });
    const exact = (u: number, v: number) =>
      forest.value([(u + 2) / 6, 1 / (1 + Math.exp(v)), Math.tanh(0.2 * u + 0.15 * v + 0.3)]) +
      0.05 * v * (v - u);
    const { status, x } = optimizer.optimize(runOf(loaded, { x0: [0.3, 0.1], lo: LO, hi: HI }));
    assertEquals(status, "solved");
    const best = onGrid(exact);
    assert(exact(x[0], x[1]) <= best + 1e-4, `${k}: ${exact(x[0], x[1])}, grid ${best}`);
  }
});

/** The best of many random starts, each improved cell by cell along the axes until nothing is gained. */
function descents(
  n: number,
  cost: (x: ArrayLike<number>) => number,
  ends: number[][],
  starts: number,
  random: () => number,
) {
  let best = Infinity;
  for (let k = 0; k < starts; k++) {
    let x = Array.from({ length: n }, random);
    let at = cost(x);
    for (let gained = true; gained;) {
      gained = false;
      for (let i = 0; i < n; i++) {
        for (const value of ends[i]) {
          const next = cost(x.with(i, value));
          if (next < at - 1e-9) [x, at, gained] = [x.with(i, value), next, true];
        }
      }
    }
    best = Math.min(best, at);
  }
  return best;
}

Deno.test("optimize() of large forests is as good as 30 random descents, and says what is not ruled out", () => {
  const random = seeded(43);
  for (const [n, trees, depth] of [[4, 100, 4], [6, 60, 5], [8, 100, 3]]) {
    const { loaded, cost, ends } = forestProblem(n, trees, depth, random);
    const { status, x, message } = optimizer.optimize(runOf(loaded, unit(n)));
    const best = descents(n, cost, ends, 30, random);
    assertEquals(status, "solved");
    if (n === 8) assertStringIncludes(message!, "not ruled out");
    assert(cost(x) <= best + 1e-6, `${n}: ${cost(x)}, descents ${best}`);
  }
});

Deno.test("optimize() of forests of 8 variables is as good as 100 random descents", () => {
  const random = seeded(45);
  for (let k = 0; k < 4; k++) {
    const { loaded, cost, ends } = forestProblem(8, 100, 4, random);
    const { x } = optimizer.optimize(runOf(loaded, unit(8)));
    const best = descents(8, cost, ends, 100, seeded(1_000 + k));
    assert(cost(x) <= best + 1e-6, `${k}: ${cost(x)}, descents ${best}`);
  }
});

Deno.test("optimize() of a large forest ends at its deadline and at a cancel with the best point so far", () => {
  const { loaded, cost } = forestProblem(8, 200, 8, seeded(44));
  const setting = unit(8);
  for (const [budget, least] of [[3, 0], [40, 0], [400, 0], [4000, 1]]) {
    let ticks = 0;
    const run = runOf(loaded, { ...setting, now: () => ticks++, deadlineMs: budget });
    const { x } = optimizer.optimize(run);
    assert(ticks - budget < 60, `${ticks} looks at the clock of ${budget}`);
    assert(cost(x) <= cost(setting.x0) - least);
  }
  const cancelled = optimizer.optimize(runOf(loaded, { ...setting, cancelled: () => true }));
  assert(cost(cancelled.x) <= cost(setting.x0));
});
