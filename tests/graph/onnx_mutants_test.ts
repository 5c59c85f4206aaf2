import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { GraphError } from "../../runtime/graph/expr.ts";
import { lowerOnnx } from "../../runtime/graph/onnx.ts";
import { externalDataNames } from "../../runtime/graph/onnx_external.ts";
import { type OnnxNodeSpec, type OnnxTensorSpec, writeOnnx } from "../../runtime/graph/onnx_writer.ts";
import { compileTape } from "../../runtime/graph/tape.ts";
import { seeded } from "./random_graph.ts";

const FOLDER = new URL("../fixtures/onnx/", import.meta.url);
const MUTANTS = 3000;

Deno.test(`lowerOnnx() makes of ${MUTANTS} mutants of real files an error that it knows, a graph, or an opaque model`, () => {
  const files = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).filter((name) =>
    name.endsWith(".onnx")
  );
  const originals = files.sort().map((name) => Deno.readFileSync(new URL(name, FOLDER)));
  const next = seeded(99);
  let pastHeaders = 0;
  for (let i = 0; i < MUTANTS; i++) {
    const bytes = originals[i % originals.length].slice();
    for (let flips = 1 + Math.floor(3 * next()); flips > 0; flips--) {
      const at = Math.floor(bytes.length * next());
      bytes[at] = next() < 0.5 ? bytes[at] ^ (1 << Math.floor(8 * next())) : Math.floor(256 * next());
    }
    try {
      externalDataNames(bytes);
      const model = lowerOnnx(bytes);
      pastHeaders++;
      if (model.opaque !== undefined) continue;
      const { graph, sources, outputs } = model.expression;
      const tape = compileTape(graph, { variables: 0, parameters: sources, outputs });
      tape.value(new Float64Array(0), new Float64Array(outputs.length));
    } catch (error) {
      assert(error instanceof GraphError, `mutant ${i} of ${files[i % files.length]}: ${error}`);
      if (error.message.startsWith("Cannot lower")) pastHeaders++;
    }
  }
  assert(pastHeaders > 0.3 * MUTANTS, `${pastHeaders} got past the header checks`);
});

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
