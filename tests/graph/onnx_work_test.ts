import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { GraphError } from "../../runtime/graph/expr.ts";
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

/** A field of a message, below 16 and with less than 16 KB in it. */
function field(number: number, content: string | Uint8Array): Uint8Array {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const key = number < 16
    ? [number * 8 + 2]
    : [(number * 8 + 2) % 128 + 128, Math.floor((number * 8 + 2) / 128)];
  return Uint8Array.of(...key, bytes.length % 128 + 128, Math.floor(bytes.length / 128), ...bytes);
}

function message(...fields: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(fields.flatMap((part) => [...part]));
}

Deno.test("lowerOnnx() stops functions that call each other without end, or hundreds of each other", () => {
  const call = (name: string) => field(7, message(field(4, name), field(7, "own")));
  const made = (name: string, calls: readonly string[]) =>
    field(25, message(field(1, name), ...calls.map(call), field(10, "own")));
  const model = writeOnnx({
    name: "m",
    opsets: { "": 17, own: 1 },
    inputs: [{ name: "x", shape: [1, 4] }],
    outputs: [{ name: "y" }],
    nodes: [{ op: "f0", domain: "own", inputs: ["x"], outputs: ["y"] }],
  });
  const many = Array.from({ length: 8 }, (_, i) => made(`f${i}`, new Array(50).fill(`f${i + 1}`)));
  const error = assertThrows(() => lowerOnnx(message(model, ...many)), GraphError);
  assertStringIncludes(error.message, "more than 100000 nodes");
  const circle = lowerOnnx(message(model, made("f0", ["f1"]), made("f1", ["f0"])));
  assertEquals(circle.opaque?.why, "the file defines this operator itself");
});
