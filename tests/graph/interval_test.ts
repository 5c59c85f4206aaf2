import { assert, assertEquals } from "@std/assert";
import { Graph, type NodeId } from "../../runtime/graph/expr.ts";
import { BINARY_OPS, UNARY_OPS } from "../../runtime/graph/ops.ts";
import { compileTape } from "../../runtime/graph/tape.ts";
import { randomGraph, seeded } from "./random_graph.ts";

function boundsOf(build: (g: Graph, x: NodeId[]) => NodeId, lo: number[], hi: number[]): [number, number] {
  const g = new Graph();
  const node = build(g, lo.map((_, i) => g.variable(i)));
  const tape = compileTape(g, { variables: lo.length, parameters: 0, outputs: [node] });
  const { lower, upper } = tape.intervals(Float64Array.from(lo), Float64Array.from(hi));
  return [lower[0], upper[0]];
}

/** Ends that matter to some rule: zero, whole numbers, crests, and plain ones. */
function end(random: () => number): number {
  const special = [0, 1, -1, 0.5, 2, -2, Math.PI / 2, -Math.PI, 1e-3, -0.75, 30, -30];
  return random() < 0.5 ? special[Math.floor(random() * special.length)] : random() * 12 - 6;
}

Deno.test("Intervals of every operation hold every value in the box", () => {
  const random = seeded(1);
  const ops = [...UNARY_OPS.map((op) => [op, 1] as const), ...BINARY_OPS.map((op) => [op, 2] as const)];
  for (const [op, count] of ops) {
    const g = new Graph();
    const x = [g.variable(0), g.variable(1)];
    const node = count === 1 ? g.unary(op as "neg", x[0]) : g.binary(op as "add", x[0], x[1]);
    const tape = compileTape(g, { variables: 2, parameters: 0, outputs: [node] });
    const out = new Float64Array(1);
    for (let box = 0; box < 400; box++) {
      const ends = [[end(random), end(random)], [end(random), end(random)]].map((pair) =>
        pair.sort((a, b) => a - b)
      );
      if (random() < 0.3) ends[1][1] = ends[1][0];
      const { lower, upper } = tape.intervals(
        Float64Array.of(ends[0][0], ends[1][0]),
        Float64Array.of(ends[0][1], ends[1][1]),
      );
      for (let k = 0; k < 40; k++) {
        const at = ends.map(([from, to]) =>
          k < 4 ? (random() < 0.5 ? from : to) : from + (to - from) * random()
        );
        tape.value(Float64Array.from(at), out);
        if (!Number.isFinite(out[0])) continue;
        assert(
          out[0] >= lower[0] && out[0] <= upper[0],
          `${op}(${at}) = ${out[0]} is outside ${lower[0]} … ${upper[0]}`,
        );
      }
    }
  }
});

Deno.test("Intervals of 200 random graphs hold the values of points in the box, and close in on them", () => {
  const random = seeded(2);
  for (let seed = 0; seed < 200; seed++) {
    const continuous = seed % 2 === 0;
    const made = randomGraph(seed, continuous);
    const tape = compileTape(made.graph, {
      variables: made.variables,
      parameters: made.parameters,
      outputs: made.outputs,
    });
    tape.setParameters(Array.from({ length: made.parameters }, () => random()));
    const centre = Float64Array.from({ length: made.variables }, () => random() * 3 - 1.5);
    const out = new Float64Array(made.outputs.length);
    for (const radius of [1, 0.1, 0]) {
      const { lower, upper } = tape.intervals(centre.map((c) => c - radius), centre.map((c) => c + radius));
      for (let k = 0; k < 20; k++) {
        tape.value(centre.map((c) => c + radius * (random() * 2 - 1)), out);
        out.forEach((value, i) =>
          assert(value >= lower[i] && value <= upper[i], `seed ${seed} radius ${radius}`)
        );
      }
      if (radius === 0) {
        out.forEach((_, i) => assert(upper[i] - lower[i] < 1e-6, `seed ${seed}: ${lower[i]} … ${upper[i]}`));
      }
    }
  }
});

Deno.test("Intervals decide comparisons and follow only the branch that can be taken", () => {
  const choose = (g: Graph, [x]: NodeId[]) =>
    g.select(g.binary("lt", x, g.constant(2)), g.unary("exp", x), g.unary("neg", g.unary("exp", x)));
  assert(boundsOf(choose, [0], [1])[0] > 0.99);
  assert(boundsOf(choose, [3], [4])[1] < -20);
  assertEquals(boundsOf((g, [x]) => g.binary("lt", x, g.constant(2)), [1], [2]), [0, 1]);
  assertEquals(boundsOf((g, [x]) => g.binary("mul", x, x), [-1], [2])[0], 0);
  assertEquals(boundsOf((g, [x, y]) => g.binary("div", x, y), [1, -1], [1, 1]), [-Infinity, Infinity]);
});
