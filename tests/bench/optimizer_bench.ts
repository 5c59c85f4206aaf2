/** The optimizer where the bench runs: without a cell, so that what is left is search, solver and tape. */
import optimizer from "../../plugins/optimizer/optimizer.ts";
import { seeded } from "../graph/random_graph.ts";
import { graphProblem, load, plantRun, runOf } from "../plugins/optimizer_problem.ts";
import { linkKiln } from "../strategy/kiln.ts";
import { type BenchRow, percentiles } from "./row.ts";
import { stressedStates } from "./states.ts";

export async function optimizerBench(): Promise<BenchRow[]> {
  return [...await kiln(), ...manyOptima(), forest()];
}

async function kiln(): Promise<BenchRow[]> {
  const linked = await linkKiln();
  const loaded = load(linked.problem);
  const times: number[] = [];
  let starts = 0;
  stressedStates(900, 3).forEach((state, k) => {
    const run = plantRun(linked, loaded, state);
    const began = performance.now();
    const result = optimizer.optimize(run);
    if (k >= 300) times.push(performance.now() - began);
    starts += result.starts!.run;
  });
  const { p50, p99 } = percentiles(times);
  const note = `goal ≤ 0.6; ${(starts / 900).toFixed(2)} starts on average`;
  return [
    { name: "kiln, in process", value: p50, unit: "ms", note },
    { name: "the same, 99th percentile", value: p99, unit: "ms", note: "goal ≤ 5" },
  ];
}

/** Sines of the variables: an optimum every 2π/3. */
function manyOptima(): BenchRow[] {
  const n = 6;
  const loaded = graphProblem(n, 0, (g) => {
    const terms = Array.from({ length: n }, (_, i) => {
      const x = g.variable(i);
      const wave = g.unary("sin", g.binary("mul", g.constant(3), x));
      return g.binary("add", wave, g.binary("mul", g.constant(0.1), g.binary("mul", x, x)));
    });
    return { cost: terms.reduce((sum, term) => g.binary("add", sum, term)) };
  });
  const setting = { x0: new Array(n).fill(2), lo: new Array(n).fill(-4), hi: new Array(n).fill(4) };
  const times: number[] = [];
  let starts = 0;
  for (let seed = 0; seed < 40; seed++) {
    const run = runOf(loaded, { ...setting, seed });
    const began = performance.now();
    const result = optimizer.optimize(run);
    times.push((performance.now() - began) * 64 / result.starts!.run);
    starts += result.starts!.run;
  }
  const note = `goal ≤ 25; ${(starts / 40).toFixed(0)} starts on average, 4,096 optima`;
  return [{ name: "64 starts", value: percentiles(times).p50, unit: "ms", note }];
}

/** Steps of 4 variables, as a forest gives them. */
function forest(): BenchRow {
  const random = seeded(5);
  const trees = Array.from({ length: 100 }, () => ({
    i: Math.floor(4 * random()),
    j: Math.floor(4 * random()),
    cuts: [random(), random()],
    values: [random(), random(), random()],
  }));
  const loaded = graphProblem(4, 0, (g) => {
    const x = g.concat([0, 1, 2, 3].map((i) => g.variable(i)));
    return { cost: g.binary("add", g.slice(g.opaque(0, x, 1), 0, 1), g.linear([1, -1, 0.5, 0], x)) };
  });
  let batches = 0;
  const evaluate = (_: number, batch: Float64Array, count: number) => {
    batches++;
    return Float64Array.from({ length: count }, (_, k) =>
      trees.reduce((sum, { i, j, cuts, values }) => {
        const leaf = batch[k * 4 + i] <= cuts[0] ? 0 : batch[k * 4 + j] <= cuts[1] ? 1 : 2;
        return sum + values[leaf];
      }, 0));
  };
  const half = new Array(4).fill(0.5);
  const setting = {
    x0: half,
    lo: new Array(4).fill(0),
    hi: new Array(4).fill(1),
    scale: new Array(4).fill(0.1),
    evaluate,
  };
  const times = Array.from({ length: 10 }, (_, seed) => {
    const run = runOf(loaded, { ...setting, seed });
    const began = performance.now();
    optimizer.optimize(run);
    return performance.now() - began;
  });
  const note = `goal ≤ 200; ${batches / 10} calls, each about 0.6 ms more over the cell`;
  return { name: "100 trees as foreign code", value: percentiles(times).p50, unit: "ms", note };
}
