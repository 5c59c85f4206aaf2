import type { OnnxAttributeSpec, OnnxNodeSpec, OnnxTensorSpec } from "../../runtime/graph/onnx_writer.ts";

/** One small model around one operator or one idiom of an exporter. */
export interface OnnxCase {
  readonly name: string;
  readonly opset: number;
  /** Of the input "x"; the first dimension is written as an open batch where it is 1. */
  readonly shape: readonly number[];
  readonly initializers?: readonly OnnxTensorSpec[];
  /** The last one's first output is "y". */
  readonly nodes: readonly OnnxNodeSpec[];
  /** Inputs are drawn from low … high; default −2 … 2. */
  readonly low?: number;
  readonly high?: number;
}

type Attributes = Readonly<Record<string, OnnxAttributeSpec>>;

const float = (value: number): OnnxAttributeSpec => ({ float: value });
const int = (value: number): OnnxAttributeSpec => ({ int: value });
const ints = (...value: number[]): OnnxAttributeSpec => ({ ints: value });

/** y = op(x, …initializers). */
function single(
  op: string,
  shape: readonly number[],
  initializers: readonly OnnxTensorSpec[] = [],
  attributes: Attributes = {},
  more: Partial<OnnxCase> & { readonly domain?: string; readonly label?: string } = {},
): OnnxCase {
  const { domain = "", label = "", ...rest } = more;
  const inputs = ["x", ...initializers.map(({ name }) => name)];
  const nodes = [{ op, domain, inputs, outputs: ["y"], attributes }];
  return { name: `${op}${label && ` ${label}`}`, opset: 17, shape, initializers, nodes, ...rest };
}

function tensor(
  name: string,
  shape: readonly number[],
  data: readonly number[],
  typed = false,
): OnnxTensorSpec {
  return { name, shape, data, typed };
}

function whole(name: string, data: readonly number[], typed = false): OnnxTensorSpec {
  return { name, shape: [data.length], data, type: "int64", typed };
}

function chain(
  name: string,
  opset: number,
  shape: readonly number[],
  initializers: readonly OnnxTensorSpec[],
  nodes: readonly OnnxNodeSpec[],
): OnnxCase {
  return { name, opset, shape, initializers, nodes };
}

const W23 = tensor("w", [2, 3], [1, -0.5, 0.25, 2, 0.75, -1.5]);
const W32 = tensor("w", [3, 2], [1, -0.5, 0.25, 2, 0.75, -1.5]);
const V3 = tensor("v", [3], [0.5, -1.25, 2]);
const UNARY = [
  "Abs",
  "Ceil",
  "Cos",
  "Erf",
  "Exp",
  "Floor",
  "Neg",
  "Reciprocal",
  "Relu",
  "Round",
  "Sigmoid",
  "Sign",
  "Sin",
  "Softplus",
  "Softsign",
  "Tan",
  "Tanh",
  "Elu",
  "Selu",
  "Celu",
  "LeakyRelu",
  "ThresholdedRelu",
  "HardSigmoid",
  "Identity",
  "Dropout",
];

export const ONNX_CASES: readonly OnnxCase[] = [
  ...UNARY.map((op) => single(op, [1, 5])),
  single("HardSwish", [1, 5]),
  single("Mish", [1, 5], [], {}, { opset: 18 }),
  single("Gelu", [1, 5], [], {}, { opset: 20 }),
  single("Gelu", [1, 5], [], { approximate: { text: "tanh" } }, { opset: 20, label: "tanh" }),
  single("Gelu", [1, 5], [], {}, { domain: "com.microsoft", label: "of com.microsoft" }),
  single("Log", [1, 4], [], {}, { low: 0.1, high: 4 }),
  single("Sqrt", [1, 4], [], {}, { low: 0.1, high: 4 }),
  single("Elu", [1, 5], [], { alpha: float(0.3) }, { label: "alpha" }),
  single("Celu", [1, 5], [], { alpha: float(0.4) }, { label: "alpha" }),
  single("LeakyRelu", [1, 5], [], { alpha: float(0.2) }, { label: "alpha" }),
  single("LeakyRelu", [1, 5], [], { alpha: float(1.5) }, { label: "steep" }),
  single("HardSigmoid", [1, 5], [], { alpha: float(0.4), beta: float(0.3) }, { label: "alpha beta" }),
  single("PRelu", [1, 3], [tensor("s", [3], [0.1, 0.5, 0.9])]),
  single("PRelu", [1, 3], [tensor("s", [3], [0.1, 1.5, -2])], {}, { label: "steep" }),

  ...["Add", "Sub", "Mul", "Div", "Min", "Max"].map((op) => single(op, [1, 3], [V3])),
  ...["Add", "Sub", "Mul", "Div"].map((op) =>
    single(op, [1, 2, 3], [tensor("c", [2, 1], [2, -3])], {}, { label: "column" })
  ),
  single("Add", [1, 1], [V3], {}, { label: "one to three" }),
  single("Mul", [1, 2, 1], [tensor("c", [1, 3], [1, 2, 3])], {}, { label: "outer" }),
  single("Pow", [1, 3], [tensor("p", [], [3])]),
  single("Pow", [1, 3], [tensor("p", [3], [2, 0.5, -1])], {}, { low: 0.2, label: "each" }),
  single("Sum", [1, 3], [V3, tensor("c", [1], [2])]),
  single("Mean", [1, 3], [V3, tensor("c", [1], [2])]),
  single("Clip", [1, 4], [tensor("lo", [], [-0.5]), tensor("hi", [], [1])]),
  single("Clip", [1, 4], [tensor("lo", [], [-0.5])], {}, { label: "from below" }),
  chain("Clip from above", 17, [1, 4], [tensor("hi", [], [0.5])], [{
    op: "Clip",
    inputs: ["x", "", "hi"],
    outputs: ["y"],
  }]),
  chain(
    "Where on comparisons",
    17,
    [1, 3],
    [V3],
    ["Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal"].flatMap((op, i, all): OnnxNodeSpec[] => [
      { op, inputs: ["x", "v"], outputs: [`c${i}`] },
      {
        op: "Where",
        inputs: [`c${i}`, i === 0 ? "x" : `s${i - 1}`, "v"],
        outputs: [i === all.length - 1 ? "y" : `s${i}`],
      },
    ]),
  ),
  chain("And Or Not Cast", 17, [1, 3], [V3], [
    { op: "Less", inputs: ["x", "v"], outputs: ["a"] },
    { op: "Greater", inputs: ["x", "v"], outputs: ["b"] },
    { op: "Not", inputs: ["a"], outputs: ["n"] },
    { op: "And", inputs: ["n", "b"], outputs: ["c"] },
    { op: "Or", inputs: ["c", "a"], outputs: ["d"] },
    { op: "Cast", inputs: ["d"], outputs: ["e"], attributes: { to: int(1) } },
    { op: "Mul", inputs: ["e", "x"], outputs: ["y"] },
  ]),

  single("Gemm", [1, 3], [W23, tensor("b", [2], [0.5, -0.25])], { transB: int(1) }),
  single("Gemm", [1, 3], [W32], {}, { label: "without bias" }),
  single("Gemm", [1, 3], [W32, tensor("b", [1, 2], [0.5, -0.25])], { alpha: float(0.5), beta: float(2) }, {
    label: "alpha beta",
  }),
  single("Gemm", [1, 3], [W32, tensor("b", [1], [0.5])], {}, { label: "one bias" }),
  chain("Gemm transA", 17, [1, 3], [tensor("a", [1, 2], [1, 2])], [{
    op: "Gemm",
    inputs: ["x", "a"],
    outputs: ["y"],
    attributes: { transA: int(1) },
  }]),
  single("MatMul", [1, 3], [W32]),
  single("MatMul", [1, 4, 3], [W32], {}, { label: "rows" }),
  single("MatMul", [1, 3], [V3], {}, { label: "vector" }),
  single("MatMul", [1, 2, 3], [tensor("w", [2, 3, 2], [1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6])], {}, {
    label: "batches",
  }),
  chain("MatMul from the left", 17, [1, 3, 2], [W23], [{ op: "MatMul", inputs: ["w", "x"], outputs: ["y"] }]),
  chain("MatMul of two values", 17, [1, 2, 3], [W32], [
    { op: "MatMul", inputs: ["x", "w"], outputs: ["a"] },
    { op: "Transpose", inputs: ["x"], outputs: ["t"], attributes: { perm: ints(0, 2, 1) } },
    { op: "MatMul", inputs: ["t", "a"], outputs: ["y"] },
  ]),
  chain("BatchNormalization behind Gemm", 17, [1, 3], [
    W32,
    tensor("g", [2], [1.5, -2]),
    tensor("o", [2], [0.1, 0.2]),
    tensor("m", [2], [0.3, -0.4]),
    tensor("s", [2], [0.5, 2]),
  ], [
    { op: "Gemm", inputs: ["x", "w"], outputs: ["a"] },
    {
      op: "BatchNormalization",
      inputs: ["a", "g", "o", "m", "s"],
      outputs: ["y"],
      attributes: { epsilon: float(1e-3) },
    },
  ]),
  single(
    "BatchNormalization",
    [1, 2, 3],
    [
      tensor("g", [2], [1.5, -2]),
      tensor("o", [2], [0.1, 0.2]),
      tensor("m", [2], [0.3, -0.4]),
      tensor("s", [2], [0.5, 2]),
    ],
    {},
    { label: "first" },
  ),
  single("LayerNormalization", [1, 4], [
    tensor("g", [4], [1, 2, 3, 4]),
    tensor("o", [4], [0.1, 0.2, 0.3, 0.4]),
  ]),
  single("LayerNormalization", [1, 2, 3], [tensor("g", [3], [1, 2, 3])], { epsilon: float(0.01) }, {
    label: "rows",
  }),

  ...[
    "ReduceSum",
    "ReduceMean",
    "ReduceProd",
    "ReduceMax",
    "ReduceMin",
    "ReduceL1",
    "ReduceL2",
    "ReduceSumSquare",
    "ReduceLogSumExp",
  ].flatMap((op) => {
    const late = op === "ReduceSum";
    const axes = late ? [whole("axes", [1])] : [];
    return [
      single(op, [1, 2, 3], axes, late ? {} : { axes: ints(1) }, { label: "over one axis" }),
      single(op, [1, 2, 3], [], { keepdims: int(0) }, { label: "over all" }),
    ];
  }),
  single("ReduceMean", [1, 2, 3], [whole("axes", [-1, 1], true)], {}, { opset: 18, label: "of opset 18" }),
  single("Softmax", [1, 4]),
  single("Softmax", [1, 2, 3], [], { axis: int(1) }, { label: "along 1" }),
  single("Softmax", [1, 2, 3], [], {}, { opset: 11, label: "of opset 11" }),
  single("LogSoftmax", [1, 4]),

  single("Reshape", [1, 6], [whole("s", [0, 2, -1])]),
  single("Flatten", [1, 2, 3]),
  single("Transpose", [1, 2, 3], [], { perm: ints(2, 0, 1) }),
  single("Transpose", [1, 2, 3], [], {}, { label: "reversed" }),
  single("Squeeze", [1, 1, 3], [whole("axes", [1])]),
  single("Unsqueeze", [1, 3], [whole("axes", [0, -1])]),
  single("Squeeze", [1, 1, 3], [], { axes: ints(1) }, { opset: 11, label: "of opset 11" }),
  single("Expand", [1, 3], [whole("s", [2, 1])]),
  single("Tile", [1, 3], [whole("s", [2, 2])]),
  single("Slice", [1, 6], [
    whole("starts", [4]),
    whole("ends", [-(2 ** 62)]),
    whole("axes", [1]),
    whole("steps", [-2]),
  ]),
  single(
    "Slice",
    [1, 6],
    [whole("starts", [-4]), whole("ends", [2 ** 62]), whole("axes", [1])],
    {},
    { label: "to the end" },
  ),
  single("Slice", [1, 6], [], { starts: ints(1), ends: ints(4), axes: ints(1) }, {
    opset: 9,
    label: "of opset 9",
  }),
  single("Gather", [1, 4], [whole("i", [3, 0, -2])], { axis: int(1) }),
  single("Gather", [1, 2, 3], [{ name: "i", shape: [], data: [1], type: "int64" }], { axis: int(1) }, {
    label: "one",
  }),
  single("Gather", [1, 2, 3], [{ name: "i", shape: [2, 2], data: [0, 2, 1, 1], type: "int64" }], {
    axis: int(2),
  }, { label: "matrix" }),
  chain("Split", 17, [1, 6], [], [
    { op: "Split", inputs: ["x"], outputs: ["a", "b", "c"], attributes: { axis: int(1) } },
    { op: "Concat", inputs: ["c", "a", "b", "a"], outputs: ["y"], attributes: { axis: int(1) } },
  ]),
  chain("Split into unequal parts", 17, [1, 2, 5], [whole("s", [1, 4])], [
    { op: "Split", inputs: ["x", "s"], outputs: ["a", "b"], attributes: { axis: int(2) } },
    { op: "Concat", inputs: ["b", "a"], outputs: ["y"], attributes: { axis: int(-1) } },
  ]),
  chain("Shape arithmetic of an exporter", 17, [1, 2, 3], [whole("zero", [0]), whole("minus", [-1])], [
    { op: "Shape", inputs: ["x"], outputs: ["s"] },
    { op: "Gather", inputs: ["s", "zero"], outputs: ["n"] },
    { op: "Concat", inputs: ["n", "minus"], outputs: ["t"], attributes: { axis: int(0) } },
    { op: "Reshape", inputs: ["x", "t"], outputs: ["y"] },
  ]),
  chain("ConstantOfShape and Constant", 17, [1, 3], [whole("s", [1, 3])], [
    {
      op: "ConstantOfShape",
      inputs: ["s"],
      outputs: ["a"],
      attributes: { value: { tensor: tensor("", [1], [2.5]) } },
    },
    {
      op: "Constant",
      inputs: [],
      outputs: ["b"],
      attributes: { value: { tensor: tensor("", [], [0.5], true) } },
    },
    { op: "Constant", inputs: [], outputs: ["c"], attributes: { value_floats: { floats: [1, 2, 3] } } },
    { op: "Mul", inputs: ["a", "x"], outputs: ["d"] },
    { op: "Add", inputs: ["d", "b"], outputs: ["e"] },
    { op: "Sub", inputs: ["e", "c"], outputs: ["y"] },
  ]),
  chain("Gelu by Erf, divided last", 17, [1, 4], [
    tensor("r", [], [Math.SQRT2]),
    tensor("one", [], [1]),
    tensor("two", [], [2]),
  ], [
    { op: "Div", inputs: ["x", "r"], outputs: ["a"] },
    { op: "Erf", inputs: ["a"], outputs: ["b"] },
    { op: "Add", inputs: ["one", "b"], outputs: ["c"] },
    { op: "Mul", inputs: ["c", "x"], outputs: ["d"] },
    { op: "Div", inputs: ["d", "two"], outputs: ["y"] },
  ]),
  chain("skip connection", 17, [1, 3], [tensor("w", [3, 3], [1, 2, 3, -1, 0.5, 0.25, 0, 1, -1]), V3], [
    { op: "MatMul", inputs: ["x", "w"], outputs: ["a"] },
    { op: "Tanh", inputs: ["a"], outputs: ["b"] },
    { op: "Add", inputs: ["b", "x"], outputs: ["c"] },
    { op: "Add", inputs: ["a", "v"], outputs: ["d"] },
    { op: "Mul", inputs: ["c", "d"], outputs: ["y"] },
  ]),

  single("Scaler", [1, 3], [], { offset: { floats: [1, 2, 3] }, scale: { floats: [0.5, 2, -1] } }, {
    domain: "ai.onnx.ml",
  }),
  single("LinearRegressor", [1, 3], [], {
    coefficients: { floats: [1, 2, 3, -1, 0, 0.5] },
    intercepts: { floats: [0.5, 1] },
    targets: int(2),
  }, { domain: "ai.onnx.ml" }),
  single("Normalizer", [1, 3], [], { norm: { text: "L2" } }, { domain: "ai.onnx.ml" }),
  single("Normalizer", [1, 3], [], { norm: { text: "L1" } }, { domain: "ai.onnx.ml", label: "L1" }),
  single("ArrayFeatureExtractor", [1, 4], [whole("i", [2, 0])], {}, { domain: "ai.onnx.ml" }),
  ...sliding(),
  ...recurrent(),
  chain("Scan along both axes and directions", 16, [1, 3, 4], [
    tensor("s0", [1, 4], [0.1, 0.2, -0.3, 0.4]),
    whole("rows", [-1, 4]),
  ], [
    {
      op: "Scan",
      inputs: ["s0", "x", "x"],
      outputs: ["s", "a", "b"],
      attributes: {
        num_scan_inputs: int(2),
        scan_input_axes: ints(1, -2),
        scan_input_directions: ints(0, 1),
        scan_output_axes: ints(0, 1),
        scan_output_directions: ints(1, 0),
        body: {
          graph: {
            name: "body",
            inputs: ["state", "forth", "back"].map((name) => ({ name, shape: [1, 4] })),
            outputs: ["next", "up", "down"].map((name) => ({ name, shape: [1, 4] })),
            nodes: [
              { op: "Mul", inputs: ["state", "forth"], outputs: ["m"] },
              { op: "Add", inputs: ["m", "back"], outputs: ["next"] },
              { op: "Tanh", inputs: ["next"], outputs: ["up"] },
              { op: "Sub", inputs: ["up", "s0"], outputs: ["down"] },
            ],
          },
        },
      },
    },
    { op: "Reshape", inputs: ["a", "rows"], outputs: ["a2"] },
    { op: "Reshape", inputs: ["b", "rows"], outputs: ["b2"] },
    { op: "Concat", inputs: ["s", "a2", "b2"], outputs: ["y"], attributes: { axis: int(0) } },
  ]),
  single("Normalizer", [1, 3], [], { norm: { text: "MAX" } }, { domain: "ai.onnx.ml", label: "MAX" }),
  ...["LINEAR", "POLY", "RBF", "SIGMOID"].map((kernel) =>
    single("SVMRegressor", [1, 2], [], {
      kernel_type: { text: kernel },
      kernel_params: { floats: [0.3, 0.5, 2] },
      support_vectors: { floats: [1, -1, 0.5, 2, -1.5, 0.25] },
      coefficients: { floats: [1, -2, 0.5] },
      n_supports: int(3),
      rho: { floats: [0.7] },
    }, { domain: "ai.onnx.ml", label: kernel })
  ),
  single("SVMRegressor", [1, 2], [], {
    kernel_type: { text: "LINEAR" },
    kernel_params: { floats: [0.3, 0.5, 2] },
    coefficients: { floats: [1, -2] },
    rho: { floats: [0.7] },
  }, { domain: "ai.onnx.ml", label: "without vectors" }),
  ...["euclidean", "sqeuclidean"].map((metric) =>
    single(
      "CDist",
      [1, 2],
      [tensor("v", [3, 2], [1, -1, 0.5, 2, -1.5, 0.25])],
      { metric: { text: metric } },
      {
        domain: "com.microsoft",
        label: metric,
        low: 3,
        high: 5,
      },
    )
  ),
];

/** Convolutions, pooling and padding. */
function sliding(): OnnxCase[] {
  const wave = (count: number) => Array.from({ length: count }, (_, i) => Math.sin(1 + 2.3 * i));
  const kernel = (...shape: number[]) => tensor("w", shape, wave(shape.reduce((a, b) => a * b, 1)));
  const pads = (mode: string, amounts: number[], value?: number) =>
    single(
      "Pad",
      [1, 2, 4],
      [whole("p", amounts), ...value === undefined ? [] : [tensor("v", [], [value])]],
      {
        mode: { text: mode },
      },
      { label: `${mode} ${amounts}` },
    );
  return [
    single("Conv", [1, 2, 7], [kernel(4, 2, 3), tensor("b", [4], wave(4))]),
    single("Conv", [1, 2, 7], [kernel(4, 1, 3)], {
      group: int(2),
      pads: ints(2, 1),
      strides: ints(2),
      dilations: ints(2),
    }, { label: "in groups" }),
    ...["SAME_UPPER", "SAME_LOWER", "VALID"].map((mode) =>
      single("Conv", [1, 1, 6], [kernel(2, 1, 4)], { auto_pad: { text: mode }, strides: ints(2) }, {
        label: mode,
      })
    ),
    single("Conv", [1, 2, 4, 5], [kernel(3, 2, 2, 3)], { pads: ints(0, 1, 1, 0) }, { label: "of images" }),
    single("AveragePool", [1, 2, 6], [], { kernel_shape: ints(3), strides: ints(2), pads: ints(1, 1) }),
    single("AveragePool", [1, 2, 6], [], {
      kernel_shape: ints(3),
      pads: ints(1, 1),
      count_include_pad: int(1),
    }, { label: "with its border" }),
    single("MaxPool", [1, 2, 6], [], { kernel_shape: ints(3), strides: ints(2), pads: ints(1, 1) }),
    single("MaxPool", [1, 1, 4, 4], [], { kernel_shape: ints(2, 2) }, { label: "of images" }),
    single("GlobalAveragePool", [1, 2, 5]),
    single("GlobalMaxPool", [1, 2, 5]),
    pads("constant", [0, 1, 2, 0, 0, 1]),
    pads("constant", [0, 0, -1, 0, 1, 0], 1.5),
    pads("edge", [0, 1, 2, 0, 0, 1]),
    pads("reflect", [0, 1, 2, 0, 0, 3]),
  ];
}

/** Every output of each kind, in each direction. */
function recurrent(): OnnxCase[] {
  const list: OnnxCase[] = [];
  for (const [op, gates] of [["RNN", 1], ["GRU", 3], ["LSTM", 4]] as const) {
    for (const [direction, ways] of [["forward", 1], ["reverse", 1], ["bidirectional", 2]] as const) {
      const wave = (name: string, shape: number[]) =>
        tensor(
          name,
          shape,
          Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 1.7)),
        );
      const first = op === "LSTM" ? ["h", "c"] : ["h"];
      list.push(chain(`${op} ${direction}`, 17, [1, 8], [
        whole("steps", [4, 1, 2]),
        whole("flat", [1, -1]),
        wave("w", [ways, gates * 3, 2]),
        wave("r", [ways, gates * 3, 3]),
        wave("b", [ways, gates * 6]),
        ...first.map((name) => wave(name, [ways, 1, 3])),
      ], [
        { op: "Reshape", inputs: ["x", "steps"], outputs: ["t"] },
        {
          op,
          inputs: ["t", "w", "r", "b", "", ...first],
          outputs: ["o", "p", ...op === "LSTM" ? ["q"] : []],
          attributes: {
            hidden_size: int(3),
            direction: { text: direction },
            ...op === "GRU" && { linear_before_reset: int(ways - 1) },
            ...op === "RNN" && { activations: { texts: ["Relu", "Tanh"].slice(0, ways) } },
          },
        },
        ...["o", "p", ...op === "LSTM" ? ["q"] : []].map((name) => ({
          op: "Reshape",
          inputs: [name, "flat"],
          outputs: [`${name}1`],
        })),
        {
          op: "Concat",
          inputs: ["o1", "p1", ...op === "LSTM" ? ["q1"] : []],
          outputs: ["y"],
          attributes: { axis: int(1) },
        },
      ]));
    }
  }
  return list;
}
