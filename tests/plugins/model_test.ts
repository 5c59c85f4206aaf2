import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import type { Json, SkillFile, SkillSpec } from "setpoint";
import plugin from "../../plugins/model/model.ts";
import { type OnnxSpec, writeOnnx } from "../../runtime/graph/onnx_writer.ts";
import { writeTorch, type WrittenTensor } from "../graph/torch_writer.ts";
import { outputsOf, print, problemsOf, skillOf } from "./skill.ts";

/** y0 = x0 + 2·x1, y1 = tanh(y0). */
const NETWORK: OnnxSpec = {
  name: "two",
  inputs: [{ name: "x", shape: ["n", 2] }],
  outputs: [{ name: "y", shape: ["n", 2] }],
  initializers: [{ name: "w", shape: [2, 1], data: [1, 2] }],
  nodes: [
    { op: "MatMul", inputs: ["x", "w"], outputs: ["a"], name: "first" },
    { op: "Tanh", inputs: ["a"], outputs: ["b"] },
    { op: "Concat", inputs: ["a", "b"], outputs: ["y"], attributes: { axis: { int: 1 } } },
  ],
};

function file(name: string, content: Uint8Array | unknown): SkillFile {
  const bytes = content instanceof Uint8Array ? content : new TextEncoder().encode(JSON.stringify(content));
  return { name, sha256: "0".repeat(64), bytes };
}

function scalers(entries: Readonly<Record<string, readonly [number, number]>>): SkillFile {
  const list = Object.entries(entries).map(([name, [scale, offset]]) => [name, { scale, offset }]);
  return file("s.json", { format: "setpoint/scalers/v1", scalers: Object.fromEntries(list) });
}

interface Parts {
  readonly network?: OnnxSpec | Uint8Array;
  readonly scalers?: SkillFile;
  readonly metadata?: unknown;
  readonly config?: Readonly<Record<string, Json>>;
  readonly part?: Partial<SkillSpec>;
}

function spec({ network = NETWORK, scalers, metadata, config = {}, part = {} }: Parts): SkillSpec {
  const model = file("m.onnx", network instanceof Uint8Array ? network : writeOnnx(network));
  const described = metadata === undefined ? undefined : file("d.json", metadata);
  return skillOf({
    inputs: ["delta_a", "p"],
    outputs: ["delta_y", "z"],
    config: {
      model_path: "m.onnx",
      ...(scalers && { scaler_path: "s.json" }),
      ...(described && { metadata_path: "d.json" }),
      ...config,
    },
    files: {
      model_path: model,
      ...(scalers && { scaler_path: scalers }),
      ...(described && { metadata_path: described }),
    },
    variables: {
      delta_a: { type: "Delta", units: "t/h" },
      p: { type: "Predicted", units: "-" },
      delta_y: { type: "Predicted", units: "t/h" },
      z: { type: "Predicted", units: "-" },
    },
    ...part,
  });
}

const lower = (parts: Parts) => plugin.lower!(spec(parts));
const problems = (parts: Parts) => problemsOf(() => lower(parts));

Deno.test("InferenceModel passes values as they are without scalers", () => {
  const lowered = lower({});
  assertEquals(outputsOf(lowered, { delta_a: 0.25, p: 0.5 }), [1.25, Math.tanh(1.25)]);
  assertEquals([lowered.notes, lowered.opaques], [[], undefined]);
});

Deno.test("InferenceModel scales inputs and outputs by the names without delta_, else with it", () => {
  const lowered = lower({
    scalers: scalers({ a: [2, 1], delta_a: [99, 99], p: [0.5, -1], delta_y: [4, 3], z: [0.1, 0] }),
  });
  const [x0, x1] = [2 * 0.3 + 1, 0.5 * 0.7 - 1];
  const found = outputsOf(lowered, { delta_a: 0.3, p: 0.7 });
  assertAlmostEquals(found[0], (x0 + 2 * x1 - 3) / 4, 1e-15);
  assertAlmostEquals(found[1], Math.tanh(x0 + 2 * x1) / 0.1, 1e-14);
});

Deno.test("InferenceModel notes a variable without a scaler beside others that have one", () => {
  const lowered = lower({ scalers: scalers({ a: [2, 1], y: [1, 0], z: [1, 0] }) });
  assertEquals(lowered.notes!.map(print), [
    'inputs.1 Skill "the_skill" has no scaler for "p", which passes as it is',
  ]);
  assertEquals(outputsOf(lowered, { delta_a: 0, p: 3 })[0], 7);
});

Deno.test("InferenceModel feeds predicted inputs, or 0 in their place where it is told to", () => {
  const zero = lower({
    config: { predicted_inputs: "zero" },
    scalers: scalers({ a: [1, 0], p: [1, 0.5], y: [1, 0], z: [1, 0] }),
  });
  assertEquals(zero.sources, [{ variable: "delta_a", role: "value" }]);
  assertEquals(outputsOf(zero, { delta_a: 0.25 })[0], 0.25 + 2 * 0.5);
});

Deno.test("InferenceModel refuses another count of inputs or outputs, naming file, what it has and what is expected", () => {
  const one = problems({ part: { inputs: ["p"], outputs: ["z"] } });
  assertEquals(one, [
    'MODEL_SHAPE config.model_path Cannot use model "m.onnx" of skill "the_skill": its inputs are "x" [1,2]; expected 1 value as one [batch, 1], for p',
    'MODEL_SHAPE config.model_path Cannot use model "m.onnx" of skill "the_skill": its outputs are "y" [1,2]; expected 1 value as one [batch, 1], for z',
  ]);
  const batch = {
    ...NETWORK,
    inputs: [{ name: "x", shape: [2, 1] }],
    nodes: [{ op: "Flatten", inputs: ["x"], outputs: ["y"], attributes: { axis: { int: 0 } } }],
  };
  assertStringIncludes(
    problems({ network: batch })[0],
    'its inputs are "x" [2,1]; expected 2 values as one [batch, 2] or 2 of one value',
  );
  const uneven = { ...NETWORK, inputs: [{ name: "x", shape: ["n", 2] }, { name: "q", shape: ["n", 1] }] };
  assertStringIncludes(problems({ network: uneven })[0], 'its inputs are "x" [1,2], "q" [1,1]; expected 2');
});

Deno.test("InferenceModel names the file and the node of a model that is wrong", () => {
  const wrong = { ...NETWORK, initializers: [{ name: "w", shape: [3, 1], data: [1, 2, 3] }] };
  assertEquals(problems({ network: wrong }), [
    'MODEL_INVALID config.model_path Cannot use "m.onnx" of skill "the_skill": Cannot lower node "first" (MatMul): it multiplies shapes [1,2] and [3,1]',
  ]);
  assertStringIncludes(
    problems({ network: new Uint8Array([1, 2, 3]) })[0],
    'Cannot use "m.onnx" of skill "the_skill": Cannot read the model',
  );
});

Deno.test("InferenceModel leaves a model that cannot be lowered to ONNX Runtime", () => {
  const forest = {
    ...NETWORK,
    nodes: [{
      op: "TreeEnsembleRegressor",
      domain: "ai.onnx.ml",
      inputs: ["x"],
      outputs: ["y"],
      name: "forest",
    }],
  };
  const lowered = lower({
    network: forest,
    scalers: scalers({ a: [2, 1], p: [0.5, 0], y: [4, 1], z: [1, 0] }),
    part: {
      variables: {
        a: { type: "Operative", units: "t/h", threshold: 8 },
        delta_a: { type: "Delta", units: "t/h" },
        p: { type: "Predicted", units: "-" },
        delta_y: { type: "Predicted", units: "t/h" },
        z: { type: "Predicted", units: "-" },
      },
    },
  });
  assertEquals(lowered.opaques, [{
    engine: "onnx",
    file: "model_path",
    inputs: 2,
    outputs: 2,
    steps: [1, 0],
  }]);
  assertStringIncludes(
    print(lowered.notes![0]),
    'runs in ONNX Runtime: node "forest" (ai.onnx.ml.TreeEnsembleRegressor)',
  );
  assert(
    lowered.expression.graph.nodes.some((node) =>
      node.op === "opaque" && node.index === 0 && node.length === 2
    ),
  );
});

/** 2 → 600 → 900 → 2: more weights than fit into the graph that a skill may have. */
const WIDE: readonly (readonly [number, number])[] = [[2, 600], [600, 900], [900, 2]];

Deno.test("InferenceModel leaves a network that is too large for a graph to ONNX Runtime, and refuses a .pth of its size", () => {
  const initializers = WIDE.map((shape, k) => ({
    name: `w${k}`,
    shape,
    data: new Float32Array(shape[0] * shape[1]).fill(1e-3),
  }));
  const nodes = WIDE.map((_, k) => ({
    op: "MatMul",
    inputs: [k === 0 ? "x" : `v${k}`, `w${k}`],
    outputs: [k === 2 ? "y" : `v${k + 1}`],
  }));
  const { opaques, notes, check } = lower({ network: { ...NETWORK, initializers, nodes } });
  assertEquals([opaques!.length, check], [1, undefined]);
  assertStringIncludes(print(notes![0]), "runs in ONNX Runtime: all of it: its graph has 43");
  const weights = WIDE.map(([inputs, outputs], k): [string, WrittenTensor] => [
    `${2 * k}.weight`,
    { shape: [outputs, inputs], data: new Float32Array(inputs * outputs) },
  ]);
  assertStringIncludes(
    problems({ network: writeTorch(Object.fromEntries(weights)) })[0],
    "expected at most 4194304; expected a smaller network, or the .onnx file",
  );
});

Deno.test("InferenceModel checks golden vectors, in units or scaled", () => {
  const used = scalers({ a: [2, 1], p: [1, 0], y: [4, 3], z: [1, 0] });
  const inUnits = [[0.3, 0.2], [0.1, -0.4]].map((input) => {
    const sum = 2 * input[0] + 1 + 2 * input[1];
    return { input, output: [(sum - 3) / 4, Math.tanh(sum)] };
  });
  const scaled = [[0.3, 0.2], [0.1, -0.4]].map((input) => {
    const sum = input[0] + 2 * input[1];
    return { input, output: [Math.fround(sum), Math.fround(Math.tanh(sum))] };
  });
  const format = "setpoint/model/v1";
  lower({ scalers: used, metadata: { format, golden: inUnits } });
  lower({ scalers: used, metadata: { format, golden: scaled } });
  const wrong = inUnits.map(({ input, output }) => ({ input, output: [output[0] + 1e-4, output[1]] }));
  assertStringIncludes(
    problems({ scalers: used, metadata: { format, golden: wrong } })[0],
    'MODEL_INVALID config.model_path Cannot use model "m.onnx" of skill "the_skill": for golden vector 1 of "d.json" it gives',
  );
});

Deno.test("InferenceModel keeps the ranges of its inputs as the strategy says, from metadata or else the scalers", () => {
  const metadata = { format: "setpoint/model/v1", ranges: { a: [-4, 4], p: [0, 1] } };
  const limitsOf = (parts: Parts) =>
    lower(parts).limits!.map(({ variable, mode, lower, upper, weight, training }) => [
      variable,
      ...[mode, lower, upper, weight],
      training,
    ]);
  assertEquals(limitsOf({ metadata, config: { range: "hard" } }), [
    ["delta_a", "hard", -4, 4, 1000, true],
    ["p", "hard", 0, 1, 1000, true],
  ]);
  assertEquals(limitsOf({ metadata }).map(([, mode]) => mode), ["score", "score"]);
  assertEquals(limitsOf({ metadata, config: { range: "off" } }), []);
  const ranged = file("s.json", {
    format: "setpoint/scalers/v1",
    scalers: {
      a: { scale: 1, min: -1, max: 2 },
      p: { scale: 1, min: 3, max: 4 },
      y: { scale: 1 },
      z: { scale: 1 },
    },
  });
  const own = { ...metadata, ranges: { a: [-4, 4] } };
  assertEquals(limitsOf({ metadata: own, scalers: ranged, config: { range: "soft", range_weight: 7 } }), [
    ["delta_a", "soft", -4, 4, 7, true],
    ["p", "soft", 3, 4, 7, true],
  ]);
  // What is fed 0 whatever it is has no range.
  assertEquals(limitsOf({ metadata, config: { range: "hard", predicted_inputs: "zero" } }).length, 1);
});

Deno.test("InferenceModel says which inputs have no range to keep, and refuses to keep none at all", () => {
  const metadata = { format: "setpoint/model/v1", ranges: { a: [-4, 4] } };
  const [note] = lower({ metadata, config: { range: "hard" } }).notes!;
  assertStringIncludes(
    print(note),
    'RANGE_UNKNOWN config Skill "the_skill" has no training range of "p" to keep',
  );
  assertStringIncludes(
    problems({ config: { range: "soft" } })[0],
    'no training range of "delta_a", "p" to keep',
  );
});

Deno.test("InferenceModel refuses wrong scalers, metadata and settings, all at once", () => {
  const cases: readonly (readonly [Parts, string])[] = [
    [
      { scalers: file("s.json", { format: "x", scalers: {} }) },
      'SCALER_INVALID config.scaler_path Cannot use "s.json" of skill "the_skill": its format is "x"',
    ],
    [
      { scalers: file("s.json", { format: "setpoint/scalers/v1", scalers: { a: { scale: 0, offset: 1 } } }) },
      '"a" is {"scale":0,"offset":1}, expected',
    ],
    [{ scalers: file("s.json", { format: "setpoint/scalers/v1" }) }, 'it has no "scalers"'],
    [
      { scalers: file("s.pkl", new Uint8Array([0x80, 4, 0x8c, 200])) },
      'SCALER_INVALID config.scaler_path Cannot use "s.pkl"',
    ],
    [
      { metadata: { format: "setpoint/model/v1", ranges: { a: [3, 1] } } },
      'the range of "a" is [3,1], expected [low, high]',
    ],
    [
      { metadata: { format: "setpoint/model/v1", golden: [{ input: [1], output: [1, 2] }] } },
      "golden vector 1 has not 2 inputs and 2 outputs",
    ],
    [{ metadata: { skill: "x" } }, "its format is undefined"],
    [
      {
        scalers: file("s.json", {
          format: "setpoint/scalers/v1",
          scalers: { a: { scale: 1, offset: 1, min: 3, max: 2 } },
        }),
      },
      'the range of "a" is [3,2], expected "min" below "max"',
    ],
    [
      { part: { files: {}, config: {} } },
      'FILE_MISSING config Cannot run skill "the_skill" without "model_path"',
    ],
  ];
  for (const [parts, message] of cases) {
    const found = problems(parts);
    assert(found.some((line) => line.includes(message)), `${message}\n${found.join("\n")}`);
  }
  const both = { scalers: file("s.json", { format: "x", scalers: {} }), metadata: { format: 1 } };
  assertEquals(problems(both).length, 2);
  assertEquals(lower({ metadata: { skill: "x" }, part: { legacy: true } }).notes, []);
});
