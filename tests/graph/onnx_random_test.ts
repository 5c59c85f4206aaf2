import * as ort from "onnxruntime-web";
import { assert } from "@std/assert";
import { Graph } from "../../runtime/graph/expr.ts";
import { lowerOnnx } from "../../runtime/graph/onnx.ts";
import { compileTape, type Tape } from "../../runtime/graph/tape.ts";
import { seeded } from "./random_graph.ts";
import { type RandomOnnx, randomOnnx } from "./random_onnx.ts";

const MODELS = 200;

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "fatal";

const next = seeded(20261121);
const MODEL_LIST = Array.from({ length: MODELS }, () => randomOnnx(next));

// The first session opens a message port that stays open: before the tests, so that no test leaks it.
await (await ort.InferenceSession.create(MODEL_LIST[0].bytes)).release();

function tapeOf({ bytes }: RandomOnnx): Tape {
  const model = lowerOnnx(bytes);
  assert(model.opaque === undefined, JSON.stringify(model.opaque));
  const graph = new Graph();
  const x = Array.from({ length: model.expression.sources }, (_, i) => graph.variable(i));
  const outputs = graph.inline(model.expression, x);
  return compileTape(graph, { variables: x.length, parameters: 0, outputs });
}

function pointOf(inputs: number): Float64Array {
  return Float64Array.from({ length: inputs }, () => Math.fround(4 * next() - 2));
}

Deno.test(`lowerOnnx() agrees with ONNX Runtime to 1e-5 on ${MODELS} random models`, async () => {
  const operators = new Set<string>();
  for (const [i, model] of MODEL_LIST.entries()) {
    model.operators.forEach((op) => operators.add(op));
    const tape = tapeOf(model);
    const session = await ort.InferenceSession.create(model.bytes);
    const rows = Array.from({ length: 5 }, () => pointOf(model.inputs));
    const found: number[][] = [];
    const expected: number[][] = [];
    for (const x of rows) {
      const values = new Float64Array(2);
      tape.value(x, values);
      const answer = await session.run({ x: new ort.Tensor("float32", Float32Array.from(x), [1, x.length]) });
      found.push([...values]);
      expected.push([...answer.y.data as Float32Array]);
    }
    await session.release();
    for (const [row, values] of found.entries()) {
      values.forEach((value, k) => {
        const size = Math.max(...expected.map((list) => Math.abs(list[k])));
        assert(
          Math.abs(value - expected[row][k]) <= 1e-5 * size,
          `model ${i} row ${row}: ${value}, not ${expected[row][k]} (${[...model.operators]})`,
        );
      });
    }
  }
  assert(operators.size >= 30, [...operators].join(" "));
});

Deno.test("derivatives of random models agree with central differences to 1e-6", () => {
  let [compared, skipped] = [0, 0];
  for (const [i, model] of MODEL_LIST.entries()) {
    const tape = tapeOf(model);
    const x = pointOf(model.inputs);
    const n = x.length;
    const weights = Float64Array.of(0.7, -0.4);
    const gradient = (at: Float64Array) => {
      const g = new Float64Array(n);
      tape.gradient(at, weights, g);
      return g;
    };
    const value = (at: Float64Array) => {
      const out = new Float64Array(2);
      tape.value(at, out);
      return Float64Array.of(weights[0] * out[0] + weights[1] * out[1]);
    };
    const own = gradient(x);
    const hessian = new Float64Array(n * n);
    tape.hessian(x, weights, hessian);
    for (let j = 0; j < n; j++) {
      const first = quotient(x, j, value);
      const second = quotient(x, j, gradient);
      if (first === undefined || second === undefined) {
        assert(!model.smooth, `model ${i}: differences of a smooth model disagree`);
        skipped++;
        continue;
      }
      near(own[j], first[0], `model ${i} gradient (${[...model.operators]})`);
      for (let row = 0; row < n; row++) near(hessian[row * n + j], second[row], `model ${i} Hessian`);
      compared++;
    }
  }
  assert(compared > 10 * skipped && compared > 300, `${compared} compared, ${skipped} skipped`);
});

/** d/dx_j by differences of fourth order; undefined where two steps disagree: a corner is in between. */
function quotient(
  x: Float64Array,
  j: number,
  evaluate: (at: Float64Array) => Float64Array,
): Float64Array | undefined {
  const at = (step: number) => evaluate(x.with(j, x[j] + step));
  const slope = (h: number) => {
    const [a, b, c, d] = [at(h), at(-h), at(2 * h), at(-2 * h)];
    return a.map((_, k) => (8 * (a[k] - b[k]) - (c[k] - d[k])) / (12 * h));
  };
  const [coarse, fine] = [slope(1e-3), slope(5e-4)];
  return coarse.every((value, k) => Math.abs(value - fine[k]) <= 1e-7 * (1 + Math.abs(fine[k])))
    ? fine
    : undefined;
}

function near(found: number, expected: number, what: string): void {
  assert(Math.abs(found - expected) <= 1e-6 * (1 + Math.abs(expected)), `${what}: ${found}, not ${expected}`);
}
