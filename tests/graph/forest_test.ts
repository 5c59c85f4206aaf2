import { assert, assertEquals, assertThrows } from "@std/assert";
import { Graph, GraphError } from "../../runtime/graph/expr.ts";
import { decodeExpression, encodeExpression } from "../../runtime/graph/expression.ts";
import { type Branch, encodeForest, Forest, nextAbove, nextBelow } from "../../runtime/graph/forest.ts";
import { compileTape, Tape } from "../../runtime/graph/tape.ts";
import { randomForest } from "./random_forest.ts";
import { seeded } from "./random_graph.ts";

Deno.test("trees() agrees with plain closures at random points, on every threshold and one number beside it", () => {
  const random = seeded(31);
  for (const bits of [32, 64] as const) {
    const forest = randomForest(3, 6, 4, random, bits);
    const graph = new Graph();
    const x = graph.concat([0, 1, 2].map((i) => graph.variable(i)));
    const outputs = [graph.trees(forest.data, x, 1)];
    const tape = Tape.decode(compileTape(graph, { variables: 3, parameters: 0, outputs }).buffer);
    const out = new Float64Array(1);
    const check = (point: number[]) => {
      tape.value(Float64Array.from(point), out);
      assert(Math.abs(out[0] - forest.value(point)) <= 1e-12, `${bits}: ${out[0]} at ${point}`);
    };
    for (let k = 0; k < 200; k++) check([random(), random(), random()]);
    forest.cuts.forEach((cuts, i) => {
      for (const cut of cuts) {
        for (const value of [cut, nextAbove(cut, bits), nextBelow(cut, bits), nextAbove(cut, 64)]) {
          check([random(), random(), random()].with(i, value));
        }
      }
    });
  }
});

Deno.test("bound() holds on random boxes, and is exact for one tree", () => {
  const random = seeded(32);
  for (let round = 0; round < 40; round++) {
    const count = round % 2 === 0 ? 1 : 5;
    const { data, value } = randomForest(2, count, 4, random);
    const forest = new Forest(data, 2, 1);
    const [a, b, c, d] = [random(), random(), random(), random()];
    const lower = Float64Array.of(Math.min(a, b), Math.min(c, d), 0);
    const upper = Float64Array.of(Math.max(a, b), Math.max(c, d), 0);
    const [lo, hi] = [lower.slice(), upper.slice()];
    forest.bound(lower, upper, 0, 2);
    let [least, most] = [Infinity, -Infinity];
    for (let k = 0; k < 4000; k++) {
      const at = value([lo[0] + (hi[0] - lo[0]) * random(), lo[1] + (hi[1] - lo[1]) * random()]);
      [least, most] = [Math.min(least, at), Math.max(most, at)];
    }
    assert(lower[2] <= least + 1e-12 && upper[2] >= most - 1e-12, `${lower[2]} ${least} ${most} ${upper[2]}`);
    // a leaf that is wider than a hundredth of the box is met by 4,000 points
    if (count === 1 && hi[0] - lo[0] > 0.3) assert(upper[2] - lower[2] <= 2);
  }
});

const leaf = (weight: number, output = 0): Branch => ({ kind: "leaf", weights: [{ output, weight }] });
const split = (feature: number, threshold: number): Branch => ({
  kind: "le",
  feature,
  threshold,
  missing: false,
  yes: () => leaf(1),
  no: () => leaf(2),
});

Deno.test("a forest that is broken is refused, whatever its numbers are", () => {
  const good = encodeForest({
    bits: 32,
    aggregate: "SUM",
    base: [0.5],
    trees: [split(0, 0.25), split(1, 4)],
  });
  assertEquals(new Forest(good, 2, 1).leaves, 4);
  assertThrows(() => new Forest(good, 1, 1), GraphError, "element 1");
  assertThrows(() => new Forest(good, 2, 2), GraphError, "length");
  assertThrows(() => new Forest(good.slice(0, -2), 2, 1), GraphError, "length");
  assertThrows(() => new Forest(good.with(0, 16), 2, 1), GraphError, "16 bits");
  assertThrows(() => new Forest(good.with(2, 1e9), 2, 1), GraphError);
  assertThrows(() => new Forest(good.with(6, NaN), 2, 1), GraphError, "node 0");
  const endless: Branch = { ...split(0, 1), yes: () => endless } as Branch;
  assertThrows(
    () => encodeForest({ bits: 64, aggregate: "SUM", base: [0], trees: [endless] }, 1000),
    GraphError,
    "1000",
  );
  const random = seeded(33);
  const v = new Float64Array(3);
  let read = 0;
  for (let k = 0; k < 20_000; k++) {
    const mutant = good.slice();
    for (let i = 0; i < 1 + k % 3; i++) {
      const at = Math.floor(mutant.length * random());
      mutant[at] =
        [mutant[at] + 1, mutant[at] - 1, mutant[at] * 2, -1, 2 ** 40 * random()][Math.floor(5 * random())];
    }
    try {
      const forest = new Forest(mutant, 2, 1);
      forest.evaluate(v, 0, 2);
      forest.bound(v.slice(), v.slice(), 0, 2);
      read++;
    } catch (error) {
      assert(error instanceof GraphError, String(error));
    }
  }
  assert(read > 1000, String(read));
});

Deno.test("a forest crosses a process as part of an expression, and is folded where its inputs are known", () => {
  const { data, value } = randomForest(2, 4, 3, seeded(34));
  const graph = new Graph();
  const outputs = [graph.trees(data, graph.concat([graph.parameter(0), graph.parameter(1)]), 1)];
  const { graph: copy, outputs: copied } = decodeExpression(encodeExpression({ graph, sources: 2, outputs }));
  const there = new Graph();
  const [known] = there.inline({ graph: copy, sources: 2, outputs: copied }, [
    there.constant(0.3),
    there.constant(0.6),
  ]);
  assertEquals(there.nodes[known].op, "constant");
  assert(Math.abs(there.nodes[known].data![0] - value([0.3, 0.6])) < 1e-12);
});
