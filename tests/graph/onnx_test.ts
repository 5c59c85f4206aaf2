import { assert, assertAlmostEquals, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { GraphError } from "../../runtime/graph/expr.ts";
import { lowerOnnx } from "../../runtime/graph/onnx.ts";
import { readOnnx } from "../../runtime/graph/onnx_reader.ts";
import { tensorData, type TensorProto } from "../../runtime/graph/onnx_tensor.ts";
import {
  type OnnxNodeSpec,
  type OnnxSpec,
  type OnnxTensorSpec,
  writeOnnx,
} from "../../runtime/graph/onnx_writer.ts";
import { compileTape } from "../../runtime/graph/tape.ts";
import { ONNX_CASES } from "./onnx_cases.ts";
import { plainErf, seeded } from "./random_graph.ts";

/** A model from "x" [batch, width] to "y". */
function model(
  width: number,
  nodes: readonly OnnxNodeSpec[],
  initializers: readonly OnnxTensorSpec[] = [],
  more: Partial<OnnxSpec> = {},
): Uint8Array<ArrayBuffer> {
  return writeOnnx({
    name: "test",
    inputs: [{ name: "x", shape: ["batch", width] }],
    outputs: [{ name: "y" }],
    nodes,
    initializers,
    ...more,
  });
}

function node(
  op: string,
  inputs: readonly string[],
  output = "y",
  more: Partial<OnnxNodeSpec> = {},
): OnnxNodeSpec {
  return { op, inputs, outputs: [output], name: `the_${op}`, ...more };
}

function evaluate(bytes: Uint8Array, input: readonly number[], options = {}): number[] {
  const lowered = lowerOnnx(bytes, options);
  assert(lowered.opaque === undefined, JSON.stringify(lowered.opaque));
  const { graph, sources, outputs } = lowered.expression;
  const tape = compileTape(graph, { variables: 0, parameters: sources, outputs });
  tape.setParameters(input);
  const values = new Float64Array(outputs.length);
  tape.value(new Float64Array(0), values);
  return [...values];
}

function refusal(bytes: Uint8Array): string {
  const error = assertThrows(() => lowerOnnx(bytes), GraphError);
  assertEquals(error.code, "ONNX");
  return error.message;
}

function opaque(bytes: Uint8Array): string {
  const lowered = lowerOnnx(bytes);
  assert(lowered.opaque !== undefined, "it was lowered");
  return `${lowered.opaque.node}: ${lowered.opaque.why}`;
}

Deno.test("a network is evaluated in float64 from every encoding of its weights", () => {
  const weights = [0.1, 0.2, 0.3, -0.4, 0.5, -0.6];
  for (const type of ["float", "double"] as const) {
    for (const typed of [false, true]) {
      const initializers: OnnxTensorSpec[] = [
        { name: "w", shape: [2, 3], data: weights, type, typed },
        { name: "b", shape: [2], data: [1, -1], type, typed },
      ];
      const bytes = model(
        3,
        [
          node("Gemm", ["x", "w", "b"], "h", { attributes: { transB: { int: 1 } } }),
          node("Gelu", ["h"]),
        ],
        initializers,
        { opsets: { "": 20 } },
      );
      const stored = type === "double" ? weights : weights.map(Math.fround);
      const input = [0.7, -1.3, 2.1];
      const expected = [0, 1].map((row) => {
        const z = input.reduce((sum, v, j) => sum + stored[row * 3 + j] * v, row === 0 ? 1 : -1);
        return z * (1 + plainErf(z / Math.SQRT2)) / 2;
      });
      evaluate(bytes, input).forEach((value, i) => assertAlmostEquals(value, expected[i], 1e-15));
    }
  }
});

Deno.test("tensorData() decodes small floats and whole numbers", () => {
  const raw = (type: number, bytes: number[], size = bytes.length): TensorProto => ({
    name: "t",
    shape: [size],
    type,
    raw: Uint8Array.from(bytes),
    typed: [],
    external: undefined,
  }); // deno-fmt-ignore
  const none = () => undefined;
  const halves = [0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0xff, 0x7b, 0x55, 0x35];
  assertEquals([...tensorData(raw(10, halves, 5), none).data], [1, -2, 2 ** -24, 65504, 0.333251953125]);
  assertEquals([...tensorData(raw(16, [0x80, 0x3f, 0x20, 0xc1], 2), none).data], [1, -10]);
  assertEquals([...tensorData(raw(3, [255, 1]), none).data], [-1, 1]);
  assertEquals([...tensorData(raw(7, [254, 255, 255, 255, 255, 255, 255, 255], 1), none).data], [-2]);
  assertEquals([...tensorData(raw(9, [0, 7]), none).data], [0, 1]);
  const typed: TensorProto = {
    name: "t",
    shape: [1],
    type: 10,
    raw: undefined,
    typed: [0x3555],
    external: undefined,
  };
  assertEquals([...tensorData(typed, none).data], [0.333251953125]);
  assertThrows(() => tensorData(raw(8, [0]), none), GraphError, "data type 8 is not supported");
  assertThrows(
    () => tensorData(raw(1, [0, 0], 2), none),
    GraphError,
    "it has 2 bytes, its shape [2] needs 8",
  );
  assertThrows(
    () => tensorData({ ...raw(1, []), shape: [1 << 20, 1 << 20] }, none),
    GraphError,
    "expected at most",
  );
  assertThrows(() => tensorData({ ...raw(1, []), shape: [-1] }, none), GraphError, "expected at most");
});

Deno.test("weights beside the model are read from the file that it names, and from no other", () => {
  const bytes = new Uint8Array(new Float32Array([9, 1, 2, 9]).buffer);
  const tensor = (entries: Record<string, string>): TensorProto => ({
    name: "w",
    shape: [2],
    type: 1,
    raw: undefined,
    typed: [],
    external: new Map(Object.entries(entries)),
  }); // deno-fmt-ignore
  const file = (name: string) => name === "w.data" ? bytes : undefined;
  const read = (entries: Record<string, string>) => [...tensorData(tensor(entries), file).data];
  assertEquals(read({ location: "w.data", offset: "4", length: "8" }), [1, 2]);
  const wrong: readonly (readonly [Record<string, string>, string])[] = [
    [{ location: "other" }, "which is not there"],
    [{ location: "../w.data" }, "expected a file name without a folder"],
    [{ location: "/etc/passwd" }, "expected a file name without a folder"],
    [{ location: "" }, "expected a file name without a folder"],
    [{ location: "w.data", offset: "12", length: "8" }, "it has 16 bytes".replace("it", "which")],
    [{ location: "w.data", offset: "-4", length: "8" }, "which has 16 bytes"],
    [{ location: "w.data", offset: "x" }, "which has 16 bytes"],
    [{ location: "w.data" }, "it has 16 bytes, its shape [2] needs 8"],
  ];
  for (const [entries, message] of wrong) assertThrows(() => read(entries), GraphError, message);
});

Deno.test("what normalises and shifts goes into the weights, and Gelu's parts become one operation", () => {
  const parameters = ["g", "o", "m", "v"].map((name): OnnxTensorSpec => ({
    name,
    shape: [2],
    data: [0.5, 2],
  }));
  const initializers: OnnxTensorSpec[] = [
    { name: "w", shape: [3, 2], data: [1, 2, 3, 4, 5, 6] },
    { name: "b", shape: [2], data: [1, 2] },
    ...parameters,
    ...[["half", 0.5], ["one", 1], ["root", Math.SQRT2]].map(([name, value]): OnnxTensorSpec => ({
      name: String(name),
      shape: [],
      data: [Number(value)],
    })),
  ]; // deno-fmt-ignore
  const bytes = model(3, [
    node("MatMul", ["x", "w"], "a"),
    node("Add", ["a", "b"], "c"),
    node("BatchNormalization", ["c", "g", "o", "m", "v"], "d"),
    node("Dropout", ["d"], "e"),
    node("Div", ["e", "root"], "f"),
    node("Erf", ["f"], "g2"),
    node("Add", ["g2", "one"], "h"),
    node("Mul", ["e", "half"], "i"),
    node("Mul", ["i", "h"]),
  ], initializers);
  const lowered = lowerOnnx(bytes);
  assert(lowered.opaque === undefined);
  const { graph, sources, outputs } = lowered.expression;
  assertEquals(compileTape(graph, { variables: 0, parameters: sources, outputs }).outputs, 2);
  const used = new Set<string>();
  const visit = (id: number): void => {
    used.add(graph.nodes[id].op);
    graph.nodes[id].args.forEach(visit);
  };
  outputs.forEach(visit);
  assertEquals([...used].sort(), ["concat", "gelu", "linear", "parameter", "slice"]);
});

Deno.test("softplus and the logarithm of a sigmoid do not overflow, in one operator or in parts", () => {
  const one: OnnxTensorSpec[] = [{ name: "one", shape: [1], data: [1] }];
  const parts = [node("Exp", ["x"], "a"), node("Add", ["one", "a"], "b"), node("Log", ["b"])];
  const points = [-1000, -40, 2, 1000];
  for (const nodes of [[node("Softplus", ["x"])], parts]) {
    const [a, b, c, d] = evaluate(model(4, nodes, one), points);
    assertEquals([a, d], [0, 1000]);
    assertAlmostEquals(b, Math.exp(-40), 1e-30);
    assertAlmostEquals(c, Math.log1p(Math.exp(2)), 1e-15);
  }
  const negative = [node("Sigmoid", ["x"], "a"), node("Log", ["a"])];
  assertEquals(evaluate(model(4, negative), points)[0], -1000);
});

Deno.test("lowerOnnx() takes one row, n inputs of one value, and an open width that is told", () => {
  const twice = [node("Add", ["x", "x"])];
  assertEquals(evaluate(model(2, twice), [1, 2]), [2, 4]);
  const ports = [{ name: "a", shape: ["n", 1] }, { name: "b", shape: ["n"] }, { name: "c", shape: [1, 1] }];
  const joined = [node("Add", ["a", "c"], "d"), node("Mul", ["d", "b"])];
  assertEquals(evaluate(model(1, joined, [], { inputs: ports }), [1, 2, 3]), [8]);
  const open = model(1, twice, [], { inputs: [{ name: "x", shape: ["n", "features"] }] });
  assertStringIncludes(opaque(open), "does not say how many values");
  assertEquals(evaluate(open, [1, 2, 3], { inputs: 3 }), [2, 4, 6]);
});

Deno.test("a reshape to [-1, 1] keeps the order of the outputs", () => {
  const initializers: OnnxTensorSpec[] = [{ name: "s", shape: [2], data: [-1, 1], type: "int64" }];
  const bytes = model(3, [node("Reshape", ["x", "s"])], initializers);
  assertEquals(evaluate(bytes, [1, 2, 3]), [1, 2, 3]);
  const lowered = lowerOnnx(bytes);
  assertEquals(lowered.outputs[0].shape, [3, 1]);
});

Deno.test("a model with a foreign operator stays opaque, and says which node and why", () => {
  const cases: readonly (readonly [Uint8Array, string])[] = [
    [
      model(2, [node("SVMClassifier", ["x"], "y", { domain: "ai.onnx.ml" })]),
      'node "the_SVMClassifier" (ai.onnx.ml.SVMClassifier): this operator',
    ],
    [model(2, [node("NonZero", ["x"])]), 'node "the_NonZero" (NonZero): this operator'],
    [model(2, [node("Add", ["x", "x"])], [], { opsets: { "": 6 } }), "opset 6 is not one of 7 to"],
    [model(2, [node("Gelu", ["x"], "y", { domain: "com.microsoft" })]), 'no opset for "com.microsoft"'],
    [model(2, [node("Reshape", ["x", "x"])]), "its input 2 depends on the model's inputs"],
    [
      model(
        2,
        [node("LinearRegressor", ["x"], "y", {
          domain: "ai.onnx.ml",
          attributes: { coefficients: { floats: [1, 2] }, post_transform: { text: "LOGISTIC" } },
        })],
        [],
        { opsets: { "": 17, "ai.onnx.ml": 1 } },
      ),
      "post_transform is LOGISTIC",
    ],
    [
      model(2, [node("Add", ["x", "x"])], [], { inputs: [{ name: "x", shape: [1, 2], type: "int64" }] }),
      'input "x": it is not a tensor of floating point',
    ],
  ];
  for (const [bytes, message] of cases) assertStringIncludes(opaque(bytes), message);
});

Deno.test("a wrong model is refused with the node that is wrong", () => {
  const w: OnnxTensorSpec = { name: "w", shape: [4, 2], data: [1, 2, 3, 4, 5, 6, 7, 8] };
  const whole = (name: string, data: number[]): OnnxTensorSpec => ({
    name,
    shape: [data.length],
    data,
    type: "int64",
  });
  const cases: readonly (readonly [Uint8Array, string])[] = [
    [new Uint8Array(0), "it is empty"],
    [Uint8Array.of(8, 8), "it has no graph"],
    [new TextEncoder().encode("not a model at all"), "Cannot read the model"],
    [
      model(3, [node("MatMul", ["x", "w"])], [w]),
      'node "the_MatMul" (MatMul): it multiplies shapes [1,3] and [4,2]',
    ],
    [model(3, [node("Add", ["x", "z"])]), 'node "the_Add" (Add): it reads "z", which nothing computes'],
    [
      model(3, [node("Add", ["x", "b"], "a"), node("Neg", ["a"], "b"), node("Neg", ["b"])]),
      "only a later node computes: expected no cycle",
    ],
    [model(3, [node("Neg", ["x"], "z")]), 'nothing computes its output "y"'],
    [model(3, [node("Neg", ["x"], "x"), node("Neg", ["x"])]), 'gives "x" a second value'],
    [model(3, [node("Neg", [])]), "it has 0 inputs, expected at least 1"],
    [model(3, [node("Reshape", ["x", "s"])], [whole("s", [2, 2])]), "it reshapes [1,3] to [2,2]"],
    [
      model(3, [node("Gather", ["x", "s"], "y", { attributes: { axis: { int: 1 } } })], [whole("s", [3])]),
      "takes element 3 of 3",
    ],
    [
      model(3, [node("Concat", ["x"], "y", { attributes: { axis: { int: 5 } } })]),
      "axis 5 is not one of 2 dimensions",
    ],
    [
      model(3, [node("ConstantOfShape", ["s"])], [whole("s", [100_000, 100_000])]),
      "it makes a tensor of shape [100000,100000]",
    ],
    [model(3, [node("Expand", ["x", "s"])], [whole("s", [1_000_000, 3])]), "it makes a tensor of shape"],
    [
      model(3, [node("BatchNormalization", ["x", "s", "s", "s", "s"])], [{
        name: "s",
        shape: [2],
        data: [1, 1],
      }]),
      "its input 2 has 2 values, expected 3",
    ],
    [
      model(3, [node("Add", ["x", "w"])], [{ name: "w", shape: [3], data: [1, 2] }]),
      'tensor "w": it has 8 bytes, its shape [3] needs 12',
    ],
    [
      writeOnnx({ name: "t", opsets: {}, inputs: [], outputs: [{ name: "y" }], nodes: [] }),
      "it names no opset",
    ],
    [writeOnnx({ name: "t", inputs: [], outputs: [], nodes: [] }), "its graph has no outputs"],
  ];
  for (const [bytes, message] of cases) assertStringIncludes(refusal(bytes), message);
});

Deno.test("weights that are not numbers are refused with tensor and node; an infinite bound is none of them", () => {
  const weights = (value: number) => [{ name: "w", shape: [2, 2], data: [1, 2, value, 4] }];
  assertEquals(
    refusal(model(2, [node("MatMul", ["x", "w"])], weights(NaN))),
    'Cannot lower node "the_MatMul" (MatMul): Cannot read tensor "w": value 3 of 4 is NaN, expected numbers',
  );
  assertEquals(
    refusal(model(2, [node("MatMul", ["x", "w"])], weights(-Infinity))),
    'Cannot lower node "the_MatMul" (MatMul): one of its weights is -Infinity, expected finite numbers',
  );
  const bound = [{ name: "low", shape: [], data: [-Infinity] }, { name: "high", shape: [], data: [1] }];
  assertEquals(evaluate(model(2, [node("Clip", ["x", "low", "high"])], bound), [-5, 3]), [-5, 1]);
});

Deno.test("recurrent operators with the batch first give what those with the steps first do", () => {
  const next = seeded(8);
  const random = (name: string, ...shape: number[]) => {
    const data = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * next() - 1);
    return { name, shape, data };
  };
  const [steps, rows, width, size] = [3, 2, 2, 2];
  for (const [op, gates] of [["RNN", 1], ["GRU", 3], ["LSTM", 4]] as const) {
    const states = op === "LSTM" ? ["h", "c"] : ["h"];
    const outputs = ["y", "y_h", ...(op === "LSTM" ? ["y_c"] : [])];
    const weights = [
      ...[random("w", 2, gates * size, width), random("r", 2, gates * size, size)],
      ...states.map((name) => random(name, 2, rows, size)),
    ];
    const build = (layout: number) => {
      const turned = weights.map((tensor) =>
        layout === 0 || !states.includes(tensor.name) ? tensor : turn(tensor)
      );
      return writeOnnx({
        name: "test",
        inputs: [{ name: "x", shape: layout === 0 ? [steps, rows, width] : [rows, steps, width] }],
        outputs: outputs.map((name) => ({ name })),
        initializers: turned,
        nodes: [{
          op,
          inputs: ["x", "w", "r", "", "", ...states],
          outputs,
          attributes: {
            direction: { text: "bidirectional" },
            hidden_size: { int: size },
            layout: { int: layout },
          },
        }],
      });
    };
    const input = Array.from({ length: steps * rows * width }, () => 2 * next() - 1);
    const plain = evaluate(build(0), input);
    const first = evaluate(build(1), turn({ shape: [steps, rows, width], data: input }).data);
    // y as [steps, directions, rows, size] and [rows, steps, directions, size].
    const all = steps * 2 * rows * size;
    for (let i = 0; i < all; i++) {
      const [t, d, b, k] = [Math.floor(i / 8), Math.floor(i / 4) % 2, Math.floor(i / 2) % 2, i % 2];
      assertAlmostEquals(first[((b * steps + t) * 2 + d) * size + k], plain[i], 1e-14);
    }
    for (let end = all; end < plain.length; end += 8) {
      const there = turn({ shape: [2, rows, size], data: plain.slice(end, end + 8) }).data;
      there.forEach((value, i) => assertAlmostEquals(first[end + i], value, 1e-14));
    }
  }
});

/** With the first two dimensions exchanged. */
function turn<T extends { readonly shape: readonly number[]; readonly data: readonly number[] }>(tensor: T) {
  const [a, b, c] = tensor.shape;
  const data = tensor.data.map((_, i) => {
    const [p, q, k] = [Math.floor(i / (a * c)), Math.floor(i / c) % a, i % c];
    return tensor.data[(q * b + p) * c + k];
  });
  return { ...tensor, shape: [b, a, c], data };
}

Deno.test("many nodes that each make a large tensor are stopped", () => {
  const nodes: OnnxNodeSpec[] = [node("ConstantOfShape", ["s"], "v0")];
  for (let i = 1; i < 200; i++) nodes.push(node("Neg", [`v${i - 1}`], `v${i}`));
  const bytes = model(1, [...nodes, node("Neg", ["v199"])], [{
    name: "s",
    shape: [1],
    data: [500_000],
    type: "int64",
  }]);
  assertStringIncludes(refusal(bytes), "its tensors have more than");
});

Deno.test("readOnnx() skips what it does not know and takes the newer of two opsets", () => {
  const bytes = model(1, [node("Neg", ["x"])], [], {
    metadata: { author: "somebody", note: "x".repeat(500) },
  });
  // One more opset_import of the default domain: field 8, {version: 21}.
  const twice = new Uint8Array([...bytes, 0x42, 2, 0x10, 21]);
  assertEquals(readOnnx(twice).opsets.get(""), 21);
  assertEquals(evaluate(twice, [3]), [-3]);
});

Deno.test("10,000 mutated models end in a graph, an opaque model or a GraphError", () => {
  const next = seeded(17);
  const pick = (count: number) => Math.floor(next() * count);
  const files = ONNX_CASES.map(({ name, opset, shape, initializers, nodes }) =>
    writeOnnx({
      name,
      opsets: { "": opset, "ai.onnx.ml": 3, "com.microsoft": 1 },
      inputs: [{ name: "x", shape: ["batch", ...shape.slice(1)] }],
      outputs: [{ name: "y" }],
      initializers,
      nodes,
    })
  );
  let past = 0;
  for (let round = 0; round < 10_000; round++) {
    const bytes = files[pick(files.length)].slice();
    for (let edits = next() < 0.7 ? 1 : 3; edits > 0; edits--) {
      const at = pick(bytes.length);
      if (next() < 0.9) bytes[at] = next() < 0.5 ? pick(256) : bytes[at] ^ (1 << pick(8));
      else bytes.copyWithin(at, pick(bytes.length));
    }
    const file = next() < 0.03 ? bytes.subarray(0, pick(bytes.length)) : bytes;
    try {
      const lowered = lowerOnnx(file);
      past++;
      if (lowered.opaque !== undefined) continue;
      const { graph, sources, outputs } = lowered.expression;
      if (outputs.length > 0 && outputs.length < 1000) {
        compileTape(graph, { variables: 0, parameters: sources, outputs });
      }
    } catch (error) {
      assert(error instanceof GraphError, `round ${round}: ${(error as Error).stack}`);
      if (!error.message.startsWith("Cannot read the model")) past++;
    }
  }
  assert(past > 3000, `${past} mutants were past the reader`);
});
