import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { lowerOnnx } from "../../runtime/graph/onnx.ts";
import { type OnnxNodeSpec, type OnnxTensorSpec, writeOnnx } from "../../runtime/graph/onnx_writer.ts";

/** Why the model stays opaque. */
function whyOpaque(node: OnnxNodeSpec, initializers: readonly OnnxTensorSpec[] = []): string {
  const model = lowerOnnx(writeOnnx({
    name: "m",
    inputs: [{ name: "x", shape: [1, 1, 4] }],
    outputs: [{ name: "y" }],
    initializers,
    nodes: [node],
  }));
  assert(model.opaque !== undefined);
  return model.opaque.why;
}

Deno.test("lowerOnnx() refuses small files that ask for much work", () => {
  const ints = (...list: number[]) => ({ ints: list });
  const window = { kernel_shape: ints(1_000_000), pads: ints(1_000_000, 1_000_000) };
  for (const op of ["MaxPool", "AveragePool"]) {
    assertStringIncludes(
      whyOpaque({ op, inputs: ["x"], outputs: ["y"], attributes: window }),
      "too many elements",
    );
  }
  const zeros = (name: string, shape: number[]) => ({
    name,
    shape,
    data: new Float64Array(shape.reduce((a, b) => a * b, 1)),
  });
  const weights = [zeros("t", [5000, 1, 1]), zeros("w", [1, 4, 1]), zeros("r", [1, 4, 1])];
  const lstm = { op: "LSTM", inputs: ["t", "w", "r"], outputs: ["y"] };
  assertEquals(whyOpaque(lstm, weights), "it takes 5000 steps");
  const body = {
    name: "body",
    inputs: [{ name: "a" }],
    outputs: [{ name: "b" }],
    nodes: [{ op: "Neg", inputs: ["a"], outputs: ["b"] }],
  };
  const scan = { op: "Scan", inputs: ["t"], outputs: ["y"] };
  const attributes = { num_scan_inputs: { int: 1 }, body: { graph: body } };
  assertEquals(whyOpaque({ ...scan, attributes }, [zeros("t", [20_000, 1])]), "it makes 20000 steps");
  // 9,000 × 9,000 rounds, each loop short enough.
  const outer = { ...body, nodes: [{ ...scan, inputs: ["t"], outputs: ["b"], attributes }] };
  const nested = { num_scan_inputs: { int: 1 }, body: { graph: outer } };
  assertStringIncludes(
    whyOpaque({ ...scan, attributes: nested }, [zeros("t", [9000, 1])]),
    "more than 100000 steps",
  );
});
