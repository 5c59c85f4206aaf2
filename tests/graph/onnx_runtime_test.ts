import * as ort from "onnxruntime-web";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Graph } from "../../runtime/graph/expr.ts";
import { lowerOnnx } from "../../runtime/graph/onnx.ts";
import { writeOnnx } from "../../runtime/graph/onnx_writer.ts";
import { compileTape } from "../../runtime/graph/tape.ts";
import { ONNX_CASES, type OnnxCase } from "./onnx_cases.ts";
import { seeded } from "./random_graph.ts";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";

function bytesOf({ name, opset, shape, initializers, nodes }: OnnxCase): Uint8Array {
  return writeOnnx({
    name,
    opsets: { "": opset, "ai.onnx.ml": 3, "com.microsoft": 1 },
    inputs: [{ name: "x", shape: shape[0] === 1 ? ["batch", ...shape.slice(1)] : shape }],
    outputs: [{ name: "y" }],
    initializers,
    nodes,
  });
}

// The first session opens a message port that stays open: before the tests, so that no test leaks it.
await (await ort.InferenceSession.create(bytesOf(ONNX_CASES[0]))).release();

/** What ONNX Runtime and the lowered graph make of the same input. */
async function both(bytes: Uint8Array, shape: readonly number[], input: Float64Array) {
  const model = lowerOnnx(bytes);
  assert(model.opaque === undefined, JSON.stringify(model.opaque));
  const { sources } = model.expression;
  const graph = new Graph();
  const outputs = graph.inline(
    model.expression,
    Array.from({ length: sources }, (_, i) => graph.variable(i)),
  );
  const tape = compileTape(graph, { variables: sources, parameters: 0, outputs });
  const values = new Float64Array(outputs.length);
  tape.value(input, values);
  const session = await ort.InferenceSession.create(bytes);
  try {
    const answer = await session.run({ x: new ort.Tensor("float32", Float32Array.from(input), [...shape]) });
    return {
      values,
      expected: Float64Array.from(answer.y.data as Float32Array),
      dims: answer.y.dims,
      shape: model.outputs[0].shape,
    };
  } finally {
    await session.release();
  }
}

Deno.test("lowerOnnx() agrees with ONNX Runtime on every operator", async (t) => {
  const next = seeded(3);
  for (const entry of ONNX_CASES) {
    await t.step(entry.name, async () => {
      const { low = -2, high = 2, shape } = entry;
      const size = shape.reduce((a, b) => a * b, 1);
      const input = Float64Array.from({ length: size }, () => Math.fround(low + (high - low) * next()));
      const found = await both(bytesOf(entry), shape, input);
      assertEquals([...found.shape], [...found.dims]);
      found.expected.forEach((expected, i) => {
        assertAlmostEquals(found.values[i], expected, 2e-6 + 1e-5 * Math.abs(expected), `element ${i}`);
      });
    });
  }
});

Deno.test("ONNX Runtime gives the golden vectors of the strategies' own models", async () => {
  const models = [
    "kiln/models/kiln_drive_current",
    "kiln/models/calciner_outlet_co",
    "kiln/models/clinker_temperature",
    "tree/models/moisture",
  ];
  for (const path of models) {
    const file = (ending: string) => new URL(`../../strategies/${path}.${ending}`, import.meta.url);
    const { golden, ranges } = JSON.parse(Deno.readTextFileSync(file("metadata.json")));
    const affine = scalersOf(file("scalers.json"), Object.keys(ranges));
    const session = await ort.InferenceSession.create(Deno.readFileSync(file("onnx")));
    for (const { input, output } of golden) {
      const scaled = Float32Array.from(
        input,
        (value: number, i: number) => affine[i].scale * value + affine[i].offset,
      );
      const answer = await session.run({ input: new ort.Tensor("float32", scaled, [1, scaled.length]) });
      const { scale, offset } = affine.at(-1)!;
      const value = ((answer[session.outputNames[0]].data as Float32Array)[0] - offset) / scale;
      assertAlmostEquals(value, output[0], 1e-6 * (1 + 1 / Math.abs(scale)), path);
    }
    await session.release();
  }
});

/** Of each input in order, then of the output; x as it is where there is no file. */
function scalersOf(file: URL, inputs: readonly string[]): { scale: number; offset: number }[] {
  try {
    const { scalers } = JSON.parse(Deno.readTextFileSync(file));
    const names = inputs.map((name) => name.replace("delta_", ""));
    const output = Object.keys(scalers).find((name) => !names.includes(name))!;
    return [...names, output].map((name) => scalers[name]);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return [...inputs, "output"].map(() => ({ scale: 1, offset: 0 }));
  }
}
