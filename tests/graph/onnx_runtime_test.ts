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
