import { assert, assertEquals } from "@std/assert";
import optimizer from "../../plugins/optimizer/optimizer.ts";
import { seeded } from "../graph/random_graph.ts";
import { graphProblem, type Loaded, runOf } from "./optimizer_problem.ts";

type Tree = { readonly value: number } | {
  readonly feature: number;
  readonly cut: number;
  readonly below: Tree;
  readonly above: Tree;
};

function randomTree(n: number, depth: number, random: () => number): Tree {
  if (depth === 0) return { value: 4 * random() - 2 };
  const feature = Math.floor(n * random());
  const cut = Math.fround(random());
  return { feature, cut, below: randomTree(n, depth - 1, random), above: randomTree(n, depth - 1, random) };
}

function predict(tree: Tree, x: ArrayLike<number>): number {
  if ("value" in tree) return tree.value;
  return predict(Math.fround(x[tree.feature]) <= tree.cut ? tree.below : tree.above, x);
}

function cutsOf(tree: Tree, feature: number): number[] {
  if ("value" in tree) return [];
  const own = tree.feature === feature ? [tree.cut] : [];
  return [...own, ...cutsOf(tree.below, feature), ...cutsOf(tree.above, feature)];
}

/** The next 32-bit float. */
function after(value: number): number {
  const bits = new Int32Array(Float32Array.of(value).buffer);
  bits[0]++;
  return new Float32Array(bits.buffer)[0];
}

/** Foreign code of n inputs, plus a slope for every variable. */
function withSlopes(slopes: readonly number[]): Loaded {
  return graphProblem(slopes.length, 0, (g) => {
    const x = g.concat(slopes.map((_, i) => g.variable(i)));
    return { cost: g.binary("add", g.slice(g.opaque(0, x, 1), 0, 1), g.linear(slopes, x)) };
  });
}

function counted(f: (x: Float64Array) => number) {
  const calls = { batches: 0, points: 0 };
  const evaluate = (_: number, batch: Float64Array, count: number) => {
    calls.batches++;
    calls.points += count;
    const n = batch.length / count;
    return Float64Array.from({ length: count }, (_, k) => f(batch.subarray(k * n, (k + 1) * n)));
  };
  return { calls, evaluate };
}

Deno.test("optimize() is at the best of all cells of 12 random forests, with fewer than 60 calls", () => {
  const random = seeded(21);
  for (let k = 0; k < 12; k++) {
    const trees = Array.from({ length: 12 }, () => randomTree(3, 3, random));
    const forest = (x: ArrayLike<number>) => trees.reduce((sum, tree) => sum + predict(tree, x), 0);
    const slopes = Array.from({ length: 3 }, () => 4 * random() - 2);
    const { calls, evaluate } = counted(forest);
    const setting = { x0: [0.5, 0.5, 0.5], lo: [0, 0, 0], hi: [1, 1, 1], scale: [0.1, 0.1, 0.1], evaluate };
    const { status, x } = optimizer.optimize(runOf(withSlopes(slopes), setting));
    const cost = (p: ArrayLike<number>) =>
      forest(p) + slopes.reduce((sum, slope, i) => sum + slope * p[i], 0);
    const ends = slopes.map((slope, i) => {
      const cuts = [...new Set(trees.flatMap((tree) => cutsOf(tree, i)))];
      return slope > 0 ? [0, ...cuts.map(after)] : [1, ...cuts];
    });
    let best = Infinity;
    for (const a of ends[0]) {
      for (const b of ends[1]) for (const c of ends[2]) best = Math.min(best, cost([a, b, c]));
    }
    assertEquals(status, "solved");
    assert(cost(x) <= best + 1e-3 * Math.abs(best), `forest ${k}: ${cost(x)}, best ${best}`);
    assert(calls.batches < 60, `${calls.batches} calls of ${calls.points} points`);
  }
});

Deno.test("optimize() finds the deepest well of smooth foreign code in 32 bits", () => {
  const well = (x: ArrayLike<number>) =>
    Math.fround(Math.sin(3 * x[0]) + 0.1 * x[0] ** 2 + (x[1] - 0.4) ** 2);
  const { calls, evaluate } = counted(well);
  const setting = { x0: [3.5, -2], lo: [-5, -3], hi: [5, 3], evaluate };
  const { status, x, starts } = optimizer.optimize(runOf(withSlopes([0, 0]), setting));
  let best = Infinity;
  for (let u = -5; u <= 5; u += 1e-3) best = Math.min(best, Math.sin(3 * u) + 0.1 * u * u);
  assert(status === "solved" || status === "acceptable", status);
  assert(well(x) <= best + 1e-4, `${well(x)}, best ${best}`);
  assert(starts!.run > 1 && starts!.agreed >= 1, JSON.stringify(starts));
  assert(calls.batches < 400, String(calls.batches));
});

Deno.test("optimize() asks smooth foreign code in few calls, also where it answers nothing on one side of the present point", () => {
  const bowl = (x: ArrayLike<number>) => (x[0] - 2) ** 2 + x[1] ** 2;
  const from = (least: number, x: ArrayLike<number>) => (x[0] < least ? NaN : bowl(x));
  for (const [least, best, most] of [[-Infinity, 0, 40], [1, 0, 40], [3, 1, 400]]) {
    for (const x0 of [[Math.max(1, least), 0.3], [Math.max(1, least) + 5e-4, 0.3], [4, 3]]) {
      const { calls, evaluate } = counted((x) => from(least, x));
      const setting = { x0, lo: [-5, -5], hi: [5, 5], evaluate };
      const { status, x } = optimizer.optimize(runOf(withSlopes([0, 0]), setting));
      assertEquals(status, "solved");
      assert(from(least, x) <= best + 1e-4, `${from(least, x)}, best ${best}`);
      assert(calls.batches < most, `from ${least}: ${calls.batches} calls of ${calls.points} points`);
    }
  }
});

Deno.test("optimize() leaves a variable where it is that smooth foreign code does not depend on, however its bounds lie", () => {
  for (const [noise, y0, lo, hi] of [[0, 1, -4, 4], [0, 1, 0.9, 4], [1e-9, -2, -3, 9], [1e-9, 0, -9, 1]]) {
    let turn = 0;
    const { evaluate } = counted((x) => (x[0] - 1.3) ** 2 + noise * (turn++ % 3 - 1));
    const setting = { x0: [3, y0], lo: [-5, lo], hi: [5, hi], evaluate };
    const { status, x } = optimizer.optimize(runOf(withSlopes([0, 0]), setting));
    assert(status === "solved" || status === "acceptable", status);
    assert(Math.abs(x[0] - 1.3) < 1e-2, String(x[0]));
    assertEquals(x[1], y0);
  }
});

Deno.test("optimize() keeps the best point when foreign code fails on the way", () => {
  const { calls, evaluate } = counted(([a, b]) => Math.floor(8 * a) + Math.floor(8 * b));
  for (const last of [1, 2, 3, 8]) {
    calls.batches = 0;
    const failing = (skill: number, batch: Float64Array, count: number) => {
      if (calls.batches >= last) throw new Error("died");
      return evaluate(skill, batch, count);
    };
    const setting = { x0: [0.9, 0.9], lo: [0, 0], hi: [1, 1], scale: [0.1, 0.1], evaluate: failing };
    const { x } = optimizer.optimize(runOf(withSlopes([0, 0]), setting));
    assert(Math.floor(8 * x[0]) + Math.floor(8 * x[1]) <= 14);
  }
});

Deno.test("optimize() with foreign code stops at its deadline within one batch", () => {
  const random = seeded(3);
  const trees = Array.from({ length: 6 }, () => randomTree(2, 4, random));
  let time = 0;
  const { evaluate } = counted((x) => trees.reduce((sum, tree) => sum + predict(tree, x), 0));
  const slow = (skill: number, batch: Float64Array, count: number) => {
    time += 10;
    return evaluate(skill, batch, count);
  };
  for (const deadlineMs of [5, 45, 95]) {
    time = 0;
    const setting = { x0: [0.5, 0.5], lo: [0, 0], hi: [1, 1], scale: [0.1, 0.1], evaluate: slow, deadlineMs };
    optimizer.optimize(runOf(withSlopes([1, -1]), { ...setting, now: () => time }));
    assert(time <= deadlineMs + 100, `${time} of ${deadlineMs}`);
  }
});
