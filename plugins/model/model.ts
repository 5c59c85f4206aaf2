/**
 * InferenceModel: a trained model between two affine scalings. Input i is fed as a·v + b, the output is (y − b)/a, with
 * the scaler named like the variable without a leading `delta_`, else with it. The model becomes part of the graph where
 * every operator of it is known, else ONNX Runtime evaluates it.
 */
import {
  compileTape,
  definePlugin,
  didYouMean,
  type Expression,
  Graph,
  GraphError,
  type Limit,
  type Lowered,
  type LoweredOnnx,
  lowerOnnx,
  lowerTorch,
  type NodeId,
  type OnnxPort,
  type OpaqueOnnx,
  readScalers,
  SkillError,
  type SkillFile,
  type SkillProblem,
  type SkillSpec,
  type Source,
  TORCH_ACTIVATIONS,
} from "setpoint";

const KEYS = [
  "model_path",
  "scaler_path",
  "metadata_path",
  "model_data_path",
  "model_type",
  "predicted_inputs",
  "range",
  "activation",
  "output_activation",
];
const SCALERS = "setpoint/scalers/v1";
const METADATA = "setpoint/model/v1";
/** Golden vectors may differ by so much of their spread, and of their size (they may come from 32-bit arithmetic). */
const GOLDEN_SPREAD = 1e-5;
const GOLDEN_SIZE = 1e-6;
const MAX_GOLDEN = 10_000;
/** Share of a threshold that a difference quotient through 32-bit arithmetic steps. */
const STEP = 1 / 16;
/** Cost of leaving a training range by its width, where the range is soft. */
const RANGE_WEIGHT = 1000;

const CHOICES: readonly (readonly [string, readonly string[]])[] = [
  ["predicted_inputs", ["flow", "zero"]],
  ["range", ["off", "soft", "hard"]],
  ["activation", TORCH_ACTIVATIONS],
  ["output_activation", TORCH_ACTIVATIONS],
];

interface Affine {
  readonly scale: number;
  readonly offset: number;
}

interface Golden {
  readonly input: readonly number[];
  readonly output: readonly number[];
}

interface Metadata {
  readonly ranges: ReadonlyMap<string, readonly [number, number]>;
  readonly golden: readonly Golden[];
}

const IDENTITY: Affine = { scale: 1, offset: 0 };

export default definePlugin({
  name: "builtin/model",
  version: "1.0.0",
  kind: "model",
  description: "A trained model between two affine scalings",
  sdk: "^1.0.0",
  config: {
    properties: {
      ...Object.fromEntries(KEYS.map((key) => [key, { type: "string" as const }])),
      ...Object.fromEntries(
        CHOICES.map(([key, choices]) => [key, { type: "string" as const, enum: choices }]),
      ),
    },
    required: ["model_path"],
  },

  lower(skill: SkillSpec): Lowered {
    const problems: SkillProblem[] = [];
    const notes: SkillProblem[] = [];
    const zero = readSettings(skill, problems);
    const scalers = scalersOf(skill, problems);
    const metadata = readMetadata(skill, problems);
    const model = readModel(skill, problems);
    if (model !== undefined) checkCounts(skill, model, problems);
    const limits = rangeLimits(skill, metadata, notes);
    if (problems.length > 0) throw new SkillError(problems);
    const scaling = scalingOf(skill, scalers, notes);
    if (model!.opaque !== undefined) {
      const { node, why } = model!.opaque;
      const message =
        `Model "${skill.files.model_path.name}" of skill "${skill.name}" runs in ONNX Runtime: ${node}: ${why}`;
      notes.push({ message, path: ["config", "model_path"] });
      return { ...build(skill, model!, scaling, zero), limits, notes };
    }
    checkGolden(skill, model!, scaling, metadata.golden);
    const lowered = { ...build(skill, model!, scaling, zero), limits, notes };
    if (metadata.golden.length > 0 || isTorch(skill.files.model_path)) return lowered;
    const range = trainingRange(skill, scaling, metadata);
    return { ...lowered, check: { file: "model_path", expression: model!.expression, ...range } };
  },
});

/** Whether Predicted inputs are fed 0, as the predecessor did. */
function readSettings(skill: SkillSpec, problems: SkillProblem[]): boolean {
  const { config, name, legacy } = skill;
  for (const key of Object.keys(config)) {
    if (KEYS.includes(key) || legacy) continue;
    problems.push({
      code: "UNKNOWN_KEY",
      message: `Cannot use key "${key}" of skill "${name}"${didYouMean(key, KEYS)}; expected one of ${
        KEYS.join(", ")
      }`,
      path: ["config", key],
    });
  }
  for (const what of ["inputs", "outputs"] as const) {
    if (skill[what].length === 0) {
      problems.push({ message: `Cannot run skill "${name}" without ${what}`, path: [what] });
    }
  }
  for (const [key, known] of CHOICES) {
    const value = config[key];
    if (value === undefined || known.includes(value as string)) continue;
    problems.push({
      message: `Cannot use ${JSON.stringify(value)} as "${key}" of skill "${name}": expected ${
        known.join(" or ")
      }`,
      path: ["config", key],
    });
  }
  return config.predicted_inputs === "zero";
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
function torchModel({ config }: SkillSpec, { bytes }: SkillFile): LoweredOnnx {
  const [activation, outputActivation] = [config.activation, config.output_activation].map((value) =>
    TORCH_ACTIVATIONS.find((known) => known === value)
  );
  const expression = lowerTorch(bytes, {
    ...(activation && { activation }),
    ...(outputActivation && { outputActivation }),
  });
  const port = (name: string, length: number) => [{ name, shape: [1, length], length }];
  return {
    inputs: port("input", expression.sources),
    outputs: port("output", expression.outputs.length),
    expression,
  };
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

function scalersOf(skill: SkillSpec, problems: SkillProblem[]): ReadonlyMap<string, Affine> {
  const file = skill.files.scaler_path;
  if (file === undefined) return new Map();
  const refuse = (reason: string) =>
    void refuseFile(skill, "SCALER_INVALID", "scaler_path", reason, problems);
  const content = parseJson(file);
  try {
    return content === undefined ? readScalers(file.bytes) : jsonScalers(content, refuse);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    refuse(error.message);
    return new Map();
  }
}

function jsonScalers(
  content: Record<string, unknown>,
  refuse: (reason: string) => void,
): Map<string, Affine> {
  const scalers = new Map<string, Affine>();
  if (content.format !== SCALERS) {
    refuse(`its format is ${JSON.stringify(content.format)}, expected "${SCALERS}"`);
  } else if (!isObject(content.scalers)) refuse('it has no "scalers"');
  else {
    for (const [name, entry] of Object.entries(content.scalers)) {
      const { scale, offset = 0 } = isObject(entry) ? entry : {};
      if (!isFinite(scale) || !isFinite(offset) || scale === 0) {
        refuse(
          `"${name}" is ${JSON.stringify(entry)}, expected {"scale": a, "offset": b} with finite a ≠ 0 and b`,
        );
      } else scalers.set(name, { scale, offset });
    }
  }
  return scalers;
}

function readMetadata(skill: SkillSpec, problems: SkillProblem[]): Metadata {
  const ranges = new Map<string, readonly [number, number]>();
  const golden: Golden[] = [];
  const file = skill.files.metadata_path;
  const refuse = (reason: string) =>
    void refuseFile(skill, "MODEL_INVALID", "metadata_path", reason, problems);
  if (file === undefined) return { ranges, golden };
  const content = parseJson(file);
  if (content === undefined) refuse("it is not JSON");
  // The predecessor's metadata name no format and say nothing that is needed.
  else if (content.format === undefined && skill.legacy) return { ranges, golden };
  else if (content.format !== METADATA) {
    refuse(`its format is ${JSON.stringify(content.format)}, expected "${METADATA}"`);
  } else {
    for (const [name, range] of Object.entries(isObject(content.ranges) ? content.ranges : {})) {
      if (isNumbers(range, 2) && range[0] <= range[1]) ranges.set(name, [range[0], range[1]]);
      else refuse(`the range of "${name}" is ${JSON.stringify(range)}, expected [low, high]`);
    }
    const list = content.golden ?? [];
    if (!Array.isArray(list) || list.length > MAX_GOLDEN) {
      refuse(`"golden" is no list of at most ${MAX_GOLDEN}`);
    } else {
      list.forEach((entry: unknown, i) => {
        const { input, output } = isObject(entry) ? entry : {};
        if (isNumbers(input, skill.inputs.length) && isNumbers(output, skill.outputs.length)) {
          golden.push({ input, output });
        } else {refuse(
            `golden vector ${
              i + 1
            } has not ${skill.inputs.length} inputs and ${skill.outputs.length} outputs`,
          );}
      });
    }
  }
  return { ranges, golden };
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
  readonly inputs: readonly Affine[];
  readonly outputs: readonly Affine[];
}

function scalingOf(skill: SkillSpec, scalers: ReadonlyMap<string, Affine>, notes: SkillProblem[]): Scaling {
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

function build(skill: SkillSpec, model: LoweredOnnx | OpaqueOnnx, scaling: Scaling, zero: boolean): Lowered {
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
  golden: readonly Golden[],
): void {
  if (golden.length === 0) return;
  const inUnits = worstGolden(build(skill, model, scaling, false), skill, golden);
  const plain: Scaling = {
    inputs: skill.inputs.map(() => IDENTITY),
    outputs: skill.outputs.map(() => IDENTITY),
  };
  const scaled = worstGolden(build(skill, model, plain, false), skill, golden);
  if (inUnits === undefined || scaled === undefined) return;
  const message =
    `Cannot use model "${skill.files.model_path.name}" of skill "${skill.name}": for golden vector ${
      inUnits.vector + 1
    } of "${skill.files.metadata_path.name}" it gives ${inUnits.got}, expected ${inUnits.expected}`;
  throw new SkillError([{ code: "MODEL_INVALID", message, path: ["config", "model_path"] }]);
}

/** The first vector that the model misses. */
function worstGolden(
  { expression, sources }: Lowered,
  { inputs, outputs }: SkillSpec,
  golden: readonly Golden[],
): { vector: number; got: number; expected: number } | undefined {
  const tape = compileTape(expression.graph, {
    variables: 0,
    parameters: sources.length,
    outputs: expression.outputs,
  });
  const values = new Float64Array(outputs.length);
  const tolerances = outputs.map((_, k) => {
    const list = golden.map((entry) => entry.output[k]);
    const [low, high] = [list.reduce((a, b) => Math.min(a, b)), list.reduce((a, b) => Math.max(a, b))];
    const size = Math.max(Math.abs(low), Math.abs(high));
    return GOLDEN_SPREAD * (high > low ? high - low : size) + GOLDEN_SIZE * size + Number.EPSILON;
  });
  for (const [vector, { input, output }] of golden.entries()) {
    tape.setParameters(sources.map((source) => input[inputs.indexOf(source.variable)]));
    tape.value(new Float64Array(0), values);
    const k = output.findIndex((expected, i) => !(Math.abs(values[i] - expected) <= tolerances[i]));
    if (k >= 0) return { vector, got: values[k], expected: output[k] };
  }
}

/** The ranges that the model was trained in, as limits of its inputs, where the strategy asks for them. */
function rangeLimits(skill: SkillSpec, { ranges }: Metadata, notes: SkillProblem[]): Limit[] {
  const mode = skill.config.range;
  if (mode !== "soft" && mode !== "hard") return [];
  if (ranges.size === 0) {
    const message =
      `Skill "${skill.name}" has no range to keep: expected "metadata_path" with the ranges of its inputs`;
    notes.push({ message });
  }
  return skill.inputs.flatMap((variable) => {
    const range = ranges.get(variable) ?? ranges.get(plainName(variable));
    if (range === undefined) return [];
    const [lower, upper] = range;
    const physical = { physicalLower: lower, physicalUpper: upper };
    return [{ variable, mode, lower, upper, ...physical, weight: RANGE_WEIGHT, priority: 0 }];
  });
}

/** In the model's own numbers, as its scalers make them; −1 … 1 where nothing is known. */
function trainingRange({ inputs, variables }: SkillSpec, scaling: Scaling, { ranges }: Metadata) {
  const sides = inputs.map((name, i) => {
    const { min, max } = variables[name] ?? {};
    const declared = min !== undefined && max !== undefined ? [min, max] as const : undefined;
    const range = ranges.get(name) ?? ranges.get(plainName(name)) ?? declared;
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

function parseJson({ bytes }: SkillFile): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return isObject(value) ? value : {};
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isFinite(value: unknown): value is number {
  return Number.isFinite(value);
}

function isNumbers(value: unknown, length: number): value is number[] {
  return Array.isArray(value) && value.length === length && value.every(isFinite);
}
