/** The optimizer where the bench runs: without a cell, so that what is left is search, solver and tape. */
import optimizer from "../../plugins/optimizer/optimizer.ts";
import type { Graph, NodeId } from "../../runtime/graph/expr.ts";
import { randomForest } from "../graph/random_forest.ts";
import { seeded } from "../graph/random_graph.ts";
import { graphProblem, load, plantRun, runOf } from "../plugins/optimizer_problem.ts";
import { linkKiln } from "../strategy/kiln.ts";
import { type BenchRow, percentiles } from "./row.ts";
import { stressedStates } from "./states.ts";

export async function optimizerBench(): Promise<BenchRow[]> {
  return [...await kiln(), ...manyOptima(), ...forests()];
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

/** 100 trees of 4 variables as foreign code, and of 8 as part of the graph. */
function forests(): BenchRow[] {
  const [four, eight] = [4, 8].map((n) => randomForest(n, 100, n === 4 ? 2 : 4, seeded(5)));
  let batches = 0;
  const evaluate = (_: number, batch: Float64Array, count: number) => {
    batches++;
    const n = batch.length / count;
    return Float64Array.from({ length: count }, (_, k) => four.value(batch.subarray(k * n, (k + 1) * n)));
  };
  const timed = (n: number, trees: (g: Graph, x: NodeId) => NodeId) => {
    const slopes = Array.from({ length: n }, (_, i) => [1, -1, 0.5, 0][i % 4]);
    const loaded = graphProblem(n, 0, (g) => {
      const x = g.concat(slopes.map((_, i) => g.variable(i)));
      return { cost: g.binary("add", trees(g, x), g.linear(slopes, x)) };
    }, new Array(n).fill(0.1));
    const all = (value: number) => new Array(n).fill(value);
    const setting = { x0: all(0.5), lo: all(0), hi: all(1), scale: all(0.1), evaluate };
    return percentiles(Array.from({ length: 10 }, (_, seed) => {
      const run = runOf(loaded, { ...setting, seed });
      const began = performance.now();
      optimizer.optimize(run);
      return performance.now() - began;
    })).p50;
  };
  const foreign = timed(4, (g, x) => g.slice(g.opaque(0, x, 1), 0, 1));
  const note = `goal ≤ 200; ${batches / 10} calls, each about 0.6 ms more over the cell`;
  return [
    { name: "100 trees as foreign code, 4 variables", value: foreign, unit: "ms", note },
    {
      name: "100 trees in the graph, 4 variables",
      value: timed(4, (g, x) => g.trees(four.data, x, 1)),
      unit: "ms",
      note: "goal ≤ 15; all cells ruled out or solved",
    },
    {
      name: "100 trees in the graph, 8 variables",
      value: timed(8, (g, x) => g.trees(eight.data, x, 1)),
      unit: "ms",
      note: "goal ≤ 40",
    },
  ];
}
