import * as ort from "onnxruntime-web";
import { assert } from "@std/assert";
import { Graph } from "../../runtime/graph/expr.ts";
import { lowerOnnx } from "../../runtime/graph/onnx.ts";
import { compileTape, type Tape } from "../../runtime/graph/tape.ts";
import { compareDerivatives } from "./differences.ts";
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
  assert(operators.size >= 60, [...operators].join(" "));
});

Deno.test("derivatives of random models agree with central differences to 1e-6", () => {
  let [compared, skipped] = [0, 0];
  for (const [i, model] of MODEL_LIST.entries()) {
    const what = `model ${i} (${[...model.operators]})`;
    const found = compareDerivatives(tapeOf(model), pointOf(model.inputs), what);
    assert(!model.smooth || found.skipped === 0, `${what}: differences of a smooth model disagree`);
    compared += found.compared;
    skipped += found.skipped;
  }
  assert(compared > 10 * skipped && compared > 300, `${compared} compared, ${skipped} skipped`);
});
