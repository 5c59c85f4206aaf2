import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Graph, GraphError } from "../../runtime/graph/expr.ts";
import { compileTape, Tape } from "../../runtime/graph/tape.ts";
import { type RandomGraph, randomGraph, seeded } from "./random_graph.ts";

const STEP = 1e-3;

interface Sample {
  readonly x: Float64Array;
  readonly p: number[];
}

/** A point where no decision changes within the difference points around it. */
function sampleAwayFromCorners(made: RandomGraph, random: () => number): Sample | undefined {
  for (let attempt = 0; attempt < 60; attempt++) {
    const x = Float64Array.from({ length: made.variables }, () => random() * 3 - 1.5);
    const p = Array.from({ length: made.parameters }, () => random() * 3 - 1.5);
    const { trace } = made.evaluate([...x], p);
    const steady = [...x.keys()].every((i) =>
      [-2, -1, 1, 2].every((k) => made.evaluate([...x.with(i, x[i] + k * STEP)], p).trace === trace)
    );
    if (steady) return { x, p };
  }
  return undefined;
}

/** Fourth-order central differences. */
function differences(f: (x: Float64Array) => ArrayLike<number>, x: Float64Array, i: number): number[] {
  const [a, b, c, d] = [-2, -1, 1, 2].map((k) => f(x.with(i, x[i] + k * STEP)));
  return Array.from(a, (_, k) => (a[k] - 8 * b[k] + 8 * c[k] - d[k]) / (12 * STEP));
}

function assertClose(actual: number, expected: number, tolerance: number, message: string): void {
  assertAlmostEquals(actual, expected, tolerance * Math.max(1, Math.abs(expected)), message);
}

Deno.test("Tape values, gradients, Jacobians and Hessians agree with plain closures and central differences to 1e-6 on 300 random graphs", () => {
  const random = seeded(7);
  let compared = 0;
  for (let seed = 0; seed < 300; seed++) {
    const made = randomGraph(seed, seed % 3 === 0);
    const sample = sampleAwayFromCorners(made, random);
    if (sample === undefined) continue;
    compared++;
    const { x, p } = sample;
    const [n, m] = [made.variables, made.outputs.length];
    const tape = compileTape(made.graph, {
      variables: n,
      parameters: made.parameters,
      outputs: made.outputs,
    });
    tape.setParameters(p);
    const out = new Float64Array(m);
    tape.value(x, out);
    made.evaluate([...x], p).values.forEach((expected, k) =>
      assertClose(out[k], expected, 1e-12, `seed ${seed} value ${k}`)
    );

    const weights = Float64Array.from({ length: m }, () => random() * 2 - 1);
    const [gradient, jacobian, hessian] = [
      new Float64Array(n),
      new Float64Array(m * n),
      new Float64Array(n * n),
    ];
    if (seed % 2 === 0) tape.hessian(x, weights, hessian);
    tape.gradient(x, weights, gradient);
    tape.jacobian(x, 0, m, jacobian);
    tape.hessian(x, weights, hessian);
    for (let i = 0; i < n; i++) {
      const slopes = differences((at) => made.evaluate([...at], p).values, x, i);
      slopes.forEach((slope, k) =>
        assertClose(jacobian[k * n + i], slope, 1e-6, `seed ${seed} jacobian ${k} ${i}`)
      );
      const weighted = slopes.reduce((total, slope, k) => total + weights[k] * slope, 0);
      assertClose(gradient[i], weighted, 1e-6, `seed ${seed} gradient ${i}`);
      const bends = differences(
        (at) => {
          const g = new Float64Array(n);
          tape.gradient(at, weights, g);
          return g;
        },
        x,
        i,
      );
      bends.forEach((bend, j) =>
        assertClose(hessian[i * n + j], bend, 1e-6, `seed ${seed} hessian ${i} ${j}`)
      );
    }
  }
  assert(compared >= 250, `${compared} graphs had a point away from corners`);
});

Deno.test("Tape gives the same derivatives whatever was asked before, and for a part of the outputs", () => {
  const random = seeded(11);
  for (let seed = 400; seed < 440; seed++) {
    const made = randomGraph(seed);
    const [n, m] = [made.variables, made.outputs.length];
    const spec = { variables: n, parameters: made.parameters, outputs: made.outputs };
    const one = compileTape(made.graph, spec);
    for (let round = 0; round < 4; round++) {
      const x = Float64Array.from({ length: n }, () => random() * 3 - 1.5);
      const weights = Float64Array.from({ length: m }, () => random() - 0.5);
      const fresh = compileTape(made.graph, spec);
      const results = [one, fresh].map((tape) => {
        if (tape === one) {
          tape.value(x, new Float64Array(1));
          tape.jacobian(x, m - 1, 1, new Float64Array(n));
        }
        const parts = [
          new Float64Array(n * n),
          new Float64Array(n),
          new Float64Array(n),
          new Float64Array(m),
        ];
        tape.hessian(x, weights, parts[0]);
        tape.gradient(x, weights, parts[1]);
        tape.jacobian(x, m - 1, 1, parts[2]);
        tape.value(x, parts[3]);
        return parts;
      });
      assertEquals(results[0], results[1], `seed ${seed}`);
    }
  }
});

Deno.test("A 5-5-10-5-1 GELU network in a tape agrees with plain loops to 1e-13", () => {
  const random = seeded(3);
  const widths = [5, 5, 10, 5, 1];
  const layers = widths.slice(1).map((rows, k) => ({
    weight: Array.from({ length: rows }, () => Array.from({ length: widths[k] }, () => random() * 2 - 1)),
    bias: Array.from({ length: rows }, () => random() * 2 - 1),
  }));
  const g = new Graph();
  let node = g.concat([0, 1, 2, 3, 4].map((i) => g.variable(i)));
  layers.forEach(({ weight, bias }, k) => {
    node = g.linear(weight.flat(), node, bias);
    if (k < 3) node = g.unary("gelu", node);
  });
  const tape = compileTape(g, { variables: 5, parameters: 0, outputs: [node] });
  const phi = (u: number) => {
    let [term, total] = [u / Math.SQRT2, 0];
    const y = u / Math.SQRT2;
    for (let k = 0; k < 200; k++) {
      total += term;
      term *= 2 * y * y / (2 * k + 3);
    }
    return 0.5 + Math.exp(-y * y) * total / Math.sqrt(Math.PI);
  };
  for (let round = 0; round < 50; round++) {
    const x = Float64Array.from({ length: 5 }, () => random() * 4 - 2);
    let values = [...x];
    let slopes: number[][] = values.map((_, i) => values.map((_, j) => i === j ? 1 : 0));
    layers.forEach(({ weight, bias }, k) => {
      const sums = weight.map((row, i) => row.reduce((total, w, j) => total + w * values[j], bias[i]));
      const moved = weight.map((row) =>
        slopes[0].map((_, d) => row.reduce((total, w, j) => total + w * slopes[j][d], 0))
      );
      values = k < 3 ? sums.map((u) => u * phi(u)) : sums;
      slopes = k < 3
        ? moved.map((row, i) =>
          row.map((s) =>
            s * (phi(sums[i]) + sums[i] * Math.exp(-sums[i] * sums[i] / 2) / Math.sqrt(2 * Math.PI))
          )
        )
        : moved;
    });
    const [out, gradient] = [new Float64Array(1), new Float64Array(5)];
    tape.value(x, out);
    tape.gradient(x, Float64Array.of(1), gradient);
    assertClose(out[0], values[0], 1e-13, "value");
    slopes[0].forEach((slope, i) => assertClose(gradient[i], slope, 1e-13, `slope ${i}`));
  }
});

Deno.test("Tape takes one side at a corner, and what select does not choose has no influence", () => {
  const g = new Graph();
  const [x, y] = [g.variable(0), g.variable(1)];
  const outputs = [
    g.binary("min", x, y),
    g.binary("max", x, y),
    g.unary("abs", x),
    g.select(g.binary("lt", x, g.constant(0)), g.constant(2), g.binary("mul", y, g.unary("sqrt", x))),
    g.select(
      g.binary("and", g.binary("lt", g.constant(0), x), g.binary("lt", g.unary("log", x), y)),
      x,
      g.constant(7),
    ),
    g.unary("sqrt", g.binary("max", g.constant(0), x)),
  ];
  const tape = compileTape(g, { variables: 2, parameters: 0, outputs });
  const jacobian = new Float64Array(12);
  tape.jacobian(Float64Array.of(0, 0), 0, 3, jacobian);
  assertEquals([...jacobian.subarray(0, 6)], [1, 0, 1, 0, 1, 0]);

  const x1 = Float64Array.of(-1, 3);
  const out = new Float64Array(6);
  tape.value(x1, out);
  assertEquals([...out], [-1, 3, 1, 2, 7, 0]);
  tape.jacobian(x1, 0, 6, jacobian);
  assertEquals([...jacobian], [1, 0, 0, 1, -1, 0, 0, 0, 0, 0, 0, 0]);
  const [weights, gradient, hessian] = [
    new Float64Array(6).fill(1),
    new Float64Array(2),
    new Float64Array(4),
  ];
  tape.gradient(x1, weights, gradient);
  tape.hessian(x1, weights, hessian);
  assertEquals([[...gradient], [...hessian]], [[0, 1], [0, 0, 0, 0]]);
});

Deno.test("Tape computes with new parameters, and NaN where nothing can be computed", () => {
  const g = new Graph();
  const outputs = [
    g.binary("mul", g.unary("exp", g.parameter(0)), g.variable(0)),
    g.unary("log", g.variable(0)),
    g.parameter(1),
  ];
  const tape = compileTape(g, { variables: 1, parameters: 2, outputs });
  const [x, out, gradient] = [Float64Array.of(2), new Float64Array(3), new Float64Array(1)];
  tape.value(x, out);
  assertEquals([out[0], out[2]], [2, 0]);
  tape.setParameters([1, 5]);
  tape.value(x, out);
  assertEquals([out[0], out[2]], [2 * Math.E, 5]);
  tape.gradient(x, Float64Array.of(1), gradient);
  assertEquals(gradient[0], Math.E);
  tape.value(Float64Array.of(-1), out);
  assertEquals(out[1], NaN);
  tape.value(Float64Array.of(NaN), out);
  assertEquals([...out], [NaN, NaN, 5]);
  assertThrows(() => tape.setParameters([1]), RangeError, "Got 1 parameters, expected 2");
});

Deno.test("compileTape() refuses vectors as outputs and indices beyond the counts", () => {
  const g = new Graph();
  const v = g.concat([g.variable(0), g.variable(3)]);
  assertThrows(
    () => compileTape(g, { variables: 4, parameters: 0, outputs: [v] }),
    GraphError,
    "expected a scalar",
  );
  assertThrows(
    () => compileTape(g, { variables: 3, parameters: 0, outputs: [g.sum(v)] }),
    GraphError,
    "variable 3",
  );
});

Deno.test("Tape.decode() gives an equal tape, and refuses other versions and broken buffers without a crash", () => {
  const made = randomGraph(5);
  const tape = compileTape(made.graph, {
    variables: made.variables,
    parameters: made.parameters,
    outputs: made.outputs,
  });
  const again = Tape.decode(tape.buffer.slice(0));
  const x = new Float64Array(made.variables).fill(0.3);
  const outs = [tape, again].map((t) => {
    const out = new Float64Array(t.outputs);
    t.value(x, out);
    return out;
  });
  assertEquals(outs[0], outs[1]);
  assertEquals(new Uint8Array(again.buffer), new Uint8Array(tape.buffer));

  const newer = tape.buffer.slice(0);
  new Int32Array(newer)[1] = 2;
  assertThrows(() => Tape.decode(newer), GraphError, "Got tape v2, expected v1");
  assertThrows(() => Tape.decode(tape.buffer.slice(0, -8)), GraphError, "length");
  assertThrows(() => Tape.decode(new ArrayBuffer(3)), GraphError);
  const random = seeded(1);
  for (let k = 0; k < 3000; k++) {
    const mutant = tape.buffer.slice(0);
    const words = new Int32Array(mutant);
    words[Math.floor(random() * words.length)] = Math.floor(random() * 200) - 20;
    try {
      const t = Tape.decode(mutant);
      t.gradient(
        new Float64Array(t.variables),
        new Float64Array(t.outputs).fill(1),
        new Float64Array(t.variables),
      );
    } catch (error) {
      assert(error instanceof GraphError, String(error));
    }
  }
});
