/**
 * InferenceModel: a trained model between two affine scalings. Input i is fed as a·v + b, the output is (y − b)/a, with
 * the scaler named like the variable without a leading `delta_`, else with it. The model becomes part of the graph where
 * every operator of it is known, else ONNX Runtime evaluates it.
 */
import {
  definePlugin,
  exportTorch,
  type Expression,
  type GoldenVector,
  Graph,
  GraphError,
  type KnownAnswers,
  type Limit,
  type Lowered,
  type LoweredOnnx,
  lowerOnnx,
  lowerTorch,
  metadataOfJson,
  missedGolden,
  type ModelCheck,
  type ModelMetadata,
  type NodeId,
  type OnnxPort,
  type OpaqueOnnx,
  parseJson,
  readScalers,
  type Scaler,
  scalersOfJson,
  SkillError,
  type SkillFile,
  type SkillProblem,
  type SkillSpec,
  type Source,
  tooLarge,
  TORCH_ACTIVATIONS,
  torchSteps,
} from "setpoint";

/** Share of a threshold that a difference quotient through 32-bit arithmetic steps. */
const STEP = 1 / 16;
/** Cost of leaving a training range by its width, where the range is soft and says no other. */
const RANGE_WEIGHT = 1000;

const PATH = { type: "string", minLength: 1 } as const;
const IDENTITY: Scaler = { scale: 1, offset: 0 };

export default definePlugin({
  name: "builtin/model",
  version: "1.0.0",
  kind: "model",
  description: "A trained model between two affine scalings",
  sdk: "^1.2.0",
  config: {
    properties: {
      model_path: { ...PATH, description: "the model: .onnx, or a state dict (.pth)" },
      model_data_path: { ...PATH, description: "weights of the model in a file of their own" },
      scaler_path: { ...PATH, description: "scalers by variable: .json, or scikit-learn's (.pkl)" },
      metadata_path: { ...PATH, description: "training ranges and golden vectors: .json" },
      model_type: { type: "string", description: "has no effect" },
      predicted_inputs: { type: "string", enum: ["flow", "zero"] },
      range: { type: "string", enum: ["off", "warn", "soft", "hard"] },
      range_weight: { type: "number", minimum: 0 },
      activation: { type: "string", enum: TORCH_ACTIVATIONS },
      output_activation: { type: "string", enum: TORCH_ACTIVATIONS },
      eps: {
        type: "number",
        exclusiveMinimum: 0,
        description: "of BatchNorm1d and LayerNorm in a .pth; 1e-5",
      },
    },
    required: ["model_path"],
  },
  tests: [{
    name: "tanh of a difference between two scalers",
    config: { model_path: "net.onnx", scaler_path: "scalers.json" },
    files: {
      // y = tanh(0.5·x₀ − x₁)
      model_path:
        "base64:CAgSCHNldHBvaW50Om8KFQoBeAoBdxIBehoAIgZNYXRNdWw6AAoQCgF6EgF5GgAiBFRhbmg6ABIDbmV0KhMIAggBEAFCAXdKCAAAAD8AAIC/WhQKAXgSDwoNCAESCQoDEgFuCgIIAmIUCgF5Eg8KDQgBEgkKAxIBbgoCCAFCBAoAEBE=",
      scaler_path:
        '{"format": "setpoint/scalers/v1", "scalers": {"a": {"scale": 2, "offset": 1}, "b": {"scale": 1}, "y": {"scale": 4, "offset": 0.5}}}',
    },
    inputs: { a: 0.25, b: 0.5 },
    outputs: { y: (Math.tanh(0.25) - 0.5) / 4 },
  }],

  lower(skill: SkillSpec): Lowered {
    const problems: SkillProblem[] = [];
    const notes: SkillProblem[] = [];
    // The predecessor's way: its models never saw what another one had predicted.
    const zero = skill.config.predicted_inputs === "zero";
    checkPorts(skill, problems);
    const scalers = scalersOf(skill, problems);
    const metadata = readMetadata(skill, problems);
    let model = readModel(skill, problems);
    if (model !== undefined) checkCounts(skill, model, problems);
    const scaling = scalingOf(skill, scalers, notes);
    const ranges = rangesOf(skill, scaling, metadata);
    const limits = rangeLimits(skill, ranges, zero, problems, notes);
    if (problems.length > 0) throw new SkillError(problems);
    if (model!.opaque === undefined) {
      checkGolden(skill, model!, scaling, metadata.golden);
      const described = build(skill, model!, scaling, zero);
      const heavy = tooLarge(described.expression);
      if (heavy === undefined) {
        const known = metadata.golden.length > 0;
        return {
          ...described,
          limits,
          notes,
          ...(!known && { check: checkOf(skill, model!, scaling, ranges) }),
        };
      }
      model = leftToRuntime(skill, model!, heavy);
    }
    const { node, why } = model!.opaque!;
    const message =
      `Model "${skill.files.model_path.name}" of skill "${skill.name}" runs in ONNX Runtime: ${node}: ${why}`;
    notes.push({ code: "MODEL_OPAQUE", message, path: ["config", "model_path"] });
    return { ...build(skill, model!, scaling, zero, metadata.golden), limits, notes };
  },
});

/** What the referee compares. */
function checkOf(
  skill: SkillSpec,
  { expression }: LoweredOnnx,
  scaling: Scaling,
  ranges: readonly (readonly [number, number] | undefined)[],
): ModelCheck {
  const onnx = isTorch(skill.files.model_path) ? torchAsOnnx(skill) : undefined;
  return { file: "model_path", ...(onnx && { onnx }), expression, ...trainingRange(skill, scaling, ranges) };
}

/** A model whose graph nobody would take. */
function leftToRuntime(skill: SkillSpec, { inputs, outputs }: LoweredOnnx, why: string): OpaqueOnnx {
  if (!isTorch(skill.files.model_path)) {
    return { inputs, outputs, opaque: { node: "all of it", op: "", why } };
  }
  const message = `Cannot use "${skill.files.model_path.name}" of skill "${skill.name}": ${why}; ` +
    'expected a smaller network, or the .onnx file that "deno task model:import" makes of it';
  throw new SkillError([{ code: "MODEL_INVALID", message, path: ["config", "model_path"] }]);
}

function checkPorts({ name, ...skill }: SkillSpec, problems: SkillProblem[]): void {
  for (const what of ["inputs", "outputs"] as const) {
    if (skill[what].length > 0) continue;
    problems.push({ message: `Cannot run skill "${name}" without ${what}`, path: [what] });
  }
}

function readModel(skill: SkillSpec, problems: SkillProblem[]): LoweredOnnx | OpaqueOnnx | undefined {
  const file = skill.files.model_path;
  if (file === undefined) {
    const message = `Cannot run skill "${skill.name}" without "model_path"`;
    problems.push({ code: "FILE_MISSING", message, path: ["config"] });
    return undefined;
  }
  try {
    return isTorch(file) ? torchModel(skill, file) : onnxModel(skill, file);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    refuseFile(skill, "MODEL_INVALID", "model_path", error.message, problems);
  }
}

function onnxModel(skill: SkillSpec, { bytes }: SkillFile): LoweredOnnx | OpaqueOnnx {
  const data = skill.files.model_data_path;
  const externalFile = (name: string) =>
    data !== undefined && baseName(data.name) === name
      ? data.bytes
      : skill.files[`model_path:${name}`]?.bytes;
  return lowerOnnx(bytes, { inputs: skill.inputs.length, externalFile });
}

/** A state dict does not tell its activations. */
function torchModel(skill: SkillSpec, { bytes }: SkillFile): LoweredOnnx {
  const expression = lowerTorch(bytes, torchOptions(skill));
  const port = (name: string, length: number) => [{ name, shape: [1, length], length }];
  return {
    inputs: port("input", expression.sources),
    outputs: port("output", expression.outputs.length),
    expression,
  };
}

function torchOptions({ config }: SkillSpec) {
  const [activation, outputActivation] = [config.activation, config.output_activation].map((value) =>
    TORCH_ACTIVATIONS.find((known) => known === value)
  );
  return {
    ...(activation && { activation }),
    ...(outputActivation && { outputActivation }),
    ...(typeof config.eps === "number" && { eps: config.eps }),
  };
}

/** What ONNX Runtime can be asked about. */
function torchAsOnnx(skill: SkillSpec): Uint8Array {
  return exportTorch(torchSteps(skill.files.model_path.bytes, torchOptions(skill)), skill.name);
}

/** A zip archive, or a pickle: an ONNX file starts with neither. */
function isTorch({ bytes }: SkillFile): boolean {
  return bytes[0] === 0x80 || (bytes[0] === 0x50 && bytes[1] === 0x4b);
}

function checkCounts(skill: SkillSpec, model: LoweredOnnx | OpaqueOnnx, problems: SkillProblem[]): void {
  for (const what of ["inputs", "outputs"] as const) {
    const ports = model[what];
    const expected = skill[what].length;
    if (what === "outputs" && ports.some((port) => port.length === undefined)) continue;
    const count = ports.reduce((sum, port) => sum + (port.length ?? NaN), 0);
    const rows = what === "inputs" ? ports.every(isRow) : ports.every(isList);
    if (count === expected && rows && (ports.length === 1 || ports.every((port) => port.length === 1))) {
      continue;
    }
    const has = ports.length === 0
      ? "none"
      : ports.slice(0, 8).map((port) => `"${port.name}" [${port.shape.map(dimension)}]`).join(", ");
    problems.push({
      code: "MODEL_SHAPE",
      message:
        `Cannot use model "${skill.files.model_path.name}" of skill "${skill.name}": its ${what} are ${has}; expected ${expected} value${
          expected === 1 ? "" : "s"
        } as one [batch, ${expected}]${expected === 1 ? "" : ` or ${expected} of one value`}, for ${
          skill[what].join(", ")
        }`,
      path: ["config", "model_path"],
    });
  }
}

/** [1, n], [n]: what lies in the batch dimension is not an input. */
function isRow({ shape, length }: OnnxPort): boolean {
  return shape.at(-1) === length || length === 1;
}

/** One dimension has all values, so that their order is certain. */
function isList({ shape }: OnnxPort): boolean {
  return shape.filter((dimension) => dimension !== 1).length <= 1;
}

function dimension(size: number): string {
  return size < 0 ? "?" : String(size);
}

function scalersOf(skill: SkillSpec, problems: SkillProblem[]): ReadonlyMap<string, Scaler> {
  const file = skill.files.scaler_path;
  if (file === undefined) return new Map();
  const refuse = (reason: string) =>
    void refuseFile(skill, "SCALER_INVALID", "scaler_path", reason, problems);
  const content = parseJson(file.bytes);
  try {
    return content === undefined ? readScalers(file.bytes) : scalersOfJson(content, refuse);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    refuse(error.message);
    return new Map();
  }
}

function readMetadata(skill: SkillSpec, problems: SkillProblem[]): ModelMetadata {
  const nothing = { ranges: new Map(), golden: [] };
  const file = skill.files.metadata_path;
  if (file === undefined) return nothing;
  const refuse = (reason: string) =>
    void refuseFile(skill, "MODEL_INVALID", "metadata_path", reason, problems);
  const content = parseJson(file.bytes);
  if (content === undefined) {
    refuse("it is not JSON");
    return nothing;
  }
  // The predecessor's metadata name no format and say nothing that is needed.
  if (content.format === undefined && skill.legacy) return nothing;
  return metadataOfJson(content, { inputs: skill.inputs.length, outputs: skill.outputs.length }, refuse);
}

function refuseFile(
  skill: SkillSpec,
  code: string,
  key: string,
  reason: string,
  problems: SkillProblem[],
): void {
  const message = `Cannot use "${skill.files[key].name}" of skill "${skill.name}": ${reason}`;
  problems.push({ code, message, path: ["config", key] });
}

/** The scaling of each input, then of each output. */
interface Scaling {
  readonly inputs: readonly Scaler[];
  readonly outputs: readonly Scaler[];
}

function scalingOf(skill: SkillSpec, scalers: ReadonlyMap<string, Scaler>, notes: SkillProblem[]): Scaling {
  const find = (what: "inputs" | "outputs") =>
    skill[what].map((variable, i) => {
      const found = scalers.get(plainName(variable)) ?? scalers.get(variable);
      if (found === undefined && scalers.size > 0) {
        const message = `Skill "${skill.name}" has no scaler for "${variable}", which passes as it is`;
        notes.push({ message, path: [what, i], variable });
      }
      return found ?? IDENTITY;
    });
  return { inputs: find("inputs"), outputs: find("outputs") };
}

/** @param golden Kept for ONNX Runtime, where the model is opaque. */
function build(
  skill: SkillSpec,
  model: LoweredOnnx | OpaqueOnnx,
  scaling: Scaling,
  zero: boolean,
  golden: readonly GoldenVector[] = [],
): Lowered {
  const graph = new Graph();
  const sources: Source[] = [];
  const places = new Map<string, NodeId>();
  const scaled = skill.inputs.map((variable, i) => {
    const predicted = zero && skill.variables[variable].type === "Predicted";
    if (!predicted && !places.has(variable)) {
      places.set(variable, graph.parameter(sources.push({ variable, role: "value" }) - 1));
    }
    const { scale, offset } = scaling.inputs[i];
    const value = predicted ? graph.constant(0) : places.get(variable)!;
    return graph.binary("add", graph.binary("mul", value, graph.constant(scale)), graph.constant(offset));
  });
  const raw = model.opaque === undefined
    ? graph.inline(model.expression, scaled)
    : foreignOutputs(graph, graph.concat(scaled), skill.outputs.length);
  const outputs = raw.map((y, k) => {
    const { scale, offset } = scaling.outputs[k];
    return graph.binary("div", graph.binary("sub", y, graph.constant(offset)), graph.constant(scale));
  });
  const expression: Expression = { graph, sources: sources.length, outputs };
  if (model.opaque === undefined) return { expression, sources };
  const steps = skill.inputs.map((variable, i) =>
    stepOf(skill, variable) * Math.abs(scaling.inputs[i].scale)
  );
  const opaque = {
    engine: "onnx",
    file: "model_path",
    inputs: scaled.length,
    outputs: outputs.length,
    steps,
    ...(golden.length > 0 && { golden: readings(scaling, golden) }),
  } as const;
  return { expression, sources, opaques: [opaque] };
}

function foreignOutputs(graph: Graph, input: NodeId, count: number): NodeId[] {
  const answer = graph.opaque(0, input, count);
  return Array.from({ length: count }, (_, k) => graph.slice(answer, k, 1));
}

/** 0, the caller's default, where neither the variable nor the one that it is a difference of has a threshold. */
function stepOf({ variables }: SkillSpec, name: string): number {
  return (variables[name]?.threshold ?? variables[plainName(name)]?.threshold ?? 0) * STEP;
}

/** Golden vectors are in the units of the variables, or in the scaled numbers of the model itself. */
function checkGolden(
  skill: SkillSpec,
  model: LoweredOnnx,
  scaling: Scaling,
  golden: readonly GoldenVector[],
): void {
  if (golden.length === 0) return;
  const { expression, sources } = build(skill, model, scaling, false);
  const missed = missedGolden(
    expression,
    golden,
    sources.map((source) => skill.inputs.indexOf(source.variable)),
  );
  if (missed === undefined || missedGolden(model.expression, golden) === undefined) return;
  const message =
    `Cannot use model "${skill.files.model_path.name}" of skill "${skill.name}": for golden vector ${
      missed.vector + 1
    } of "${skill.files.metadata_path.name}" it gives ${missed.got}, expected ${missed.expected}`;
  throw new SkillError([{ code: "MODEL_INVALID", message, path: ["config", "model_path"] }]);
}

/** Golden vectors in the numbers of the model itself, as if they were in units and as they are. */
function readings({ inputs, outputs }: Scaling, golden: readonly GoldenVector[]): KnownAnswers[] {
  const flat = (rows: readonly (readonly number[])[], scalers?: readonly Scaler[]) =>
    Float64Array.from(
      rows.flatMap((row) =>
        row.map((value, i) => scalers === undefined ? value : scalers[i].scale * value + scalers[i].offset)
      ),
    );
  const [given, answered] = [golden.map(({ input }) => input), golden.map(({ output }) => output)];
  const count = golden.length;
  return [
    { batch: flat(given, inputs), answers: flat(answered, outputs), count },
    { batch: flat(given), answers: flat(answered), count },
  ];
}

/** What the metadata, else the scaler, say that an input was trained with, in its units. */
function rangesOf(
  skill: SkillSpec,
  scaling: Scaling,
  { ranges }: ModelMetadata,
): (readonly [number, number] | undefined)[] {
  return skill.inputs.map((name, i) => {
    const { min, max } = scaling.inputs[i];
    const scaled = min !== undefined && max !== undefined ? [min, max] as const : undefined;
    return ranges.get(name) ?? ranges.get(plainName(name)) ?? scaled;
  });
}

/** The ranges that the model was trained in, as limits of its inputs; those that are fed 0 have none. */
function rangeLimits(
  skill: SkillSpec,
  ranges: readonly (readonly [number, number] | undefined)[],
  zero: boolean,
  problems: SkillProblem[],
  notes: SkillProblem[],
): Limit[] {
  const { range = "warn", range_weight: weight = RANGE_WEIGHT } = skill.config;
  const kept = range === "soft" || range === "hard";
  const fed = skill.inputs.flatMap((variable, i) => {
    return zero && skill.variables[variable]?.type === "Predicted" ? [] : [{ variable, range: ranges[i] }];
  });
  const unknown = fed.filter((input) => input.range === undefined).map(({ variable }) => variable);
  if (kept && unknown.length > 0) {
    const message = `Skill "${skill.name}" has no training range of ${
      unknown.map((name) => `"${name}"`).join(", ")
    } to keep: expected it in the "ranges" of "metadata_path", or from a scaler that knows it`;
    if (unknown.length === fed.length) problems.push({ message, path: ["config"] });
    else notes.push({ code: "RANGE_UNKNOWN", message, path: ["config"] });
  }
  if (range === "off") return [];
  const mode = range === "soft" || range === "hard" ? range : "score";
  return fed.flatMap(({ variable, range }) => {
    if (range === undefined) return [];
    const [lower, upper] = range;
    const physical = { physicalLower: lower, physicalUpper: upper };
    const importance = { weight: Number(weight), priority: 0 };
    return [{ variable, mode, lower, upper, ...physical, ...importance, training: true }];
  });
}

/** In the model's own numbers, as its scalers make them; −1 … 1 where nothing is known. */
function trainingRange(
  { inputs, variables }: SkillSpec,
  scaling: Scaling,
  ranges: readonly (readonly [number, number] | undefined)[],
) {
  const sides = inputs.map((name, i) => {
    const { min, max } = variables[name] ?? {};
    const declared = min !== undefined && max !== undefined ? [min, max] as const : undefined;
    const range = ranges[i] ?? declared;
    const { scale, offset } = scaling.inputs[i];
    return range === undefined ? [-1, 1] : range.map((value) => scale * value + offset).sort((a, b) => a - b);
  });
  return { lower: sides.map(([low]) => low), upper: sides.map(([, high]) => high) };
}

function plainName(name: string): string {
  return name.replace(/^delta_/, "");
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
