/**
 * ONNX models as graphs: each operator that the tables know becomes nodes in float64, with one row as the batch. A model
 * with any other operator stays opaque, with the reason.
 */
import { type Expression, Graph, type NodeId } from "./expr.ts";
import { GraphError } from "./graph_error.ts";
import { OnnxCall, type OnnxRule } from "./onnx_call.ts";
import { ELEMENTWISE_RULES } from "./onnx_elementwise.ts";
import { LINEAR_RULES } from "./onnx_linear.ts";
import { CONVOLUTION_RULES } from "./onnx_convolution.ts";
import { GATHER_RULES } from "./onnx_gather.ts";
import { KERNEL_RULES } from "./onnx_kernel.ts";
import {
  type GraphProto,
  type NodeProto,
  type OnnxModel,
  type PortProto,
  printNode,
  readOnnx,
} from "./onnx_reader.ts";
import { NORMALIZATION_RULES } from "./onnx_normalization.ts";
import { ATTENTION_RULES } from "./onnx_attention.ts";
import { BRANCH_RULES } from "./onnx_branch.ts";
import { EINSUM_RULES } from "./onnx_einsum.ts";
import { ORDER_RULES } from "./onnx_order.ts";
import { RECURRENT_RULES } from "./onnx_recurrent.ts";
import { REDUCE_RULES } from "./onnx_reduce.ts";
import { SCAN_RULES } from "./onnx_scan.ts";
import { OnnxScope } from "./onnx_scope.ts";
import { SCATTER_RULES } from "./onnx_scatter.ts";
import { SHAPE_RULES } from "./onnx_shape.ts";
import { type ExternalFile, isFloatType, tensorData, type TensorProto } from "./onnx_tensor.ts";
import { TRANSPOSED_RULES } from "./onnx_transposed.ts";
import { TREE_RULES } from "./onnx_trees.ts";
import { NotLowerable, OnnxBuilder, type OnnxValue, sizeOf } from "./onnx_value.ts";

/** Operators of other domains by "domain:name", ONNX's own by name. */
const RULES: ReadonlyMap<string, OnnxRule> = new Map(Object.entries({
  ...ELEMENTWISE_RULES,
  ...LINEAR_RULES,
  ...NORMALIZATION_RULES,
  ...EINSUM_RULES,
  ...ATTENTION_RULES,
  ...REDUCE_RULES,
  ...CONVOLUTION_RULES,
  ...TRANSPOSED_RULES,
  ...RECURRENT_RULES,
  ...SCAN_RULES,
  ...BRANCH_RULES,
  ...KERNEL_RULES,
  ...TREE_RULES,
  ...SHAPE_RULES,
  ...GATHER_RULES,
  ...SCATTER_RULES,
  ...ORDER_RULES,
  "com.microsoft:Gelu": ELEMENTWISE_RULES.Gelu,
}));

/** Nodes that are lowered, those of a loop's body as often as it runs. */
const MAX_STEPS = 100_000;
/** As onnx.proto numbers data types. */
const DOUBLE = 11;
const OLDEST_OPSET = 7;
const NEWEST_OPSET = 25;
const MAX_ONNX_BYTES = 64 * 1024 * 1024;

/** A model's input or output for one row. */
export interface OnnxPort {
  readonly name: string;
  /** Without the batch dimension's meaning: it is 1 here. */
  readonly shape: readonly number[];
  /** Number of values; undefined where the file does not say. */
  readonly length: number | undefined;
}

export interface OnnxOptions {
  /** How many values the inputs have together: fills one dimension that the file leaves open. */
  readonly inputs?: number;
  /** Files beside the model that hold its weights. Default: none is there. */
  readonly externalFile?: ExternalFile;
  /** Told of each node that was lowered, with the shapes of its outputs; of a loop's body in every round. */
  readonly onNode?: (node: NodeProto, shapes: readonly (readonly number[])[]) => void;
}

export interface LoweredOnnx {
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  /** Sources: all values of all inputs, in order; outputs: all values of all outputs, in order, scalars. */
  readonly expression: Expression;
  readonly opaque?: undefined;
}

/** A model that is right as far as it was read, but cannot become a graph. */
export interface OpaqueOnnx {
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  readonly opaque: { readonly node: string; readonly op: string; readonly why: string };
}

/**
 * Reads and lowers an ONNX file.
 * @throws {GraphError} ONNX if the file is no ONNX model or contradicts itself; the message names the node.
 */
export function lowerOnnx(bytes: Uint8Array, options: OnnxOptions = {}): LoweredOnnx | OpaqueOnnx {
  if (bytes.length > MAX_ONNX_BYTES) {
    throw new GraphError(
      "ONNX",
      `Cannot read the model: it has ${bytes.length} bytes, expected ${MAX_ONNX_BYTES} at most`,
    );
  }
  const model = readOnnx(bytes);
  const inputs = inputPorts(model.inputs, options.inputs);
  const outputs = model.outputs.map((port) => portOf(port, undefined));
  const reason = findOpaque(model, inputs);
  return reason === undefined
    ? new Lowering(model, inputs, outputs, options).run()
    : { inputs, outputs, opaque: reason };
}

/** Which node cannot become a graph: the innermost, where it is inside a loop. */
class OpaqueNode extends NotLowerable {
  readonly node: NodeProto;
  constructor(node: NodeProto, message: string) {
    super(message);
    this.node = node;
  }
}

class Lowering {
  readonly #model: OnnxModel;
  readonly #inputs: readonly OnnxPort[];
  readonly #outputs: readonly OnnxPort[];
  readonly #externalFile: ExternalFile;
  readonly #onNode: OnnxOptions["onNode"];
  readonly #build = new OnnxBuilder(new Graph());
  #steps = 0;

  constructor(
    model: OnnxModel,
    inputs: readonly OnnxPort[],
    outputs: readonly OnnxPort[],
    options: OnnxOptions,
  ) {
    this.#model = model;
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.#externalFile = options.externalFile ?? (() => undefined);
    this.#onNode = options.onNode;
  }

  run(): LoweredOnnx | OpaqueOnnx {
    const scope = new OnnxScope(this.#model, (tensor) => this.#known(tensor));
    const sources = this.#addInputs(scope);
    try {
      this.#addNodes(scope);
    } catch (error) {
      if (!(error instanceof OpaqueNode)) throw error;
      const { node, message } = error;
      return {
        inputs: this.#inputs,
        outputs: this.#outputs,
        opaque: { node: printNode(node), op: node.op, why: message },
      };
    }
    const ids: NodeId[] = [];
    const outputs = this.#outputs.map(({ name }): OnnxPort => {
      const value = scope.value(name);
      if (value === undefined) {
        throw new GraphError("ONNX", `Cannot lower the model: nothing computes its output "${name}"`);
      }
      const length = sizeOf(value.shape);
      const id = length === 0 ? -1 : this.#build.node(value);
      for (let i = 0; i < length; i++) ids.push(this.#build.graph.slice(id, i, 1));
      return { name, shape: value.shape, length };
    });
    return { inputs: this.#inputs, outputs, expression: { graph: this.#build.graph, sources, outputs: ids } };
  }

  #addInputs(scope: OnnxScope): number {
    let sources = 0;
    for (const { name, shape, length } of this.#inputs) {
      const parts = Array.from({ length: length! }, () => this.#build.graph.parameter(sources++));
      scope.define(name, this.#build.wrap(shape, this.#build.graph.concat(parts)));
    }
    return sources;
  }

  #addNodes(scope: OnnxScope): void {
    for (const node of scope.graph.nodes) {
      try {
        this.#addNode(scope, node);
      } catch (error) {
        if (error instanceof NotLowerable && !(error instanceof OpaqueNode)) {
          throw new OpaqueNode(node, error.message);
        }
        throw error instanceof GraphError ? named(node, error) : error;
      }
    }
  }

  #addNode(scope: OnnxScope, node: NodeProto): void {
    // A loop inside a loop multiplies: small files must not ask for much time.
    if (++this.#steps > MAX_STEPS) throw new NotLowerable(`the model has more than ${MAX_STEPS} steps`);
    const rule = RULES.get(node.domain === "" ? node.op : `${node.domain}:${node.op}`)!;
    const inputs = node.inputs.map((name) => name === "" ? undefined : scope.read(name));
    const opset = this.#model.opsets.get(node.domain) ?? 1;
    const call = new OnnxCall(this.#build, node, opset, inputs, {
      tensor: (tensor) => tensorData(tensor, this.#externalFile),
      double: this.#model.inputs.some(({ type }) => type === DOUBLE),
      body: (graph, values) => this.#runBody(scope, graph, values),
    });
    const result = rule(call);
    const outputs = "shape" in result ? [result] : result;
    this.#onNode?.(node, outputs.map(({ shape }) => shape));
    node.outputs.forEach((name, i) => {
      if (name === "") return;
      if (outputs[i] !== undefined) scope.define(name, outputs[i]);
      else if (scope.isRead(name)) throw new NotLowerable(`its output ${i + 1} is not supported`);
    });
  }

  #runBody(outer: OnnxScope, graph: GraphProto, inputs: readonly OnnxValue[]): OnnxValue[] {
    if (graph.inputs.length !== inputs.length) {
      throw new GraphError("ONNX", `its body takes ${graph.inputs.length} inputs, expected ${inputs.length}`);
    }
    const scope = new OnnxScope(graph, (tensor) => this.#known(tensor), outer);
    graph.inputs.forEach(({ name }, i) => scope.define(name, inputs[i]));
    this.#addNodes(scope);
    return graph.outputs.map(({ name }) => scope.read(name));
  }

  #known(tensor: TensorProto): OnnxValue {
    const { shape, data, integer } = tensorData(tensor, this.#externalFile);
    const bad = data.findIndex(Number.isNaN);
    if (bad >= 0) {
      const place = `value ${bad + 1} of ${data.length}`;
      throw new GraphError("ONNX", `Cannot read tensor "${tensor.name}": ${place} is NaN, expected numbers`);
    }
    return this.#build.known(shape, data, integer);
  }
}

function named(node: NodeProto, error: GraphError): GraphError {
  return new GraphError("ONNX", `Cannot lower ${printNode(node)}: ${error.message}`);
}

/** What can be seen without computing: an operator that no table has, an input that is no vector of numbers. */
function findOpaque(model: OnnxModel, inputs: readonly OnnxPort[]): OpaqueOnnx["opaque"] | undefined {
  const unknown = findUnknown(model, model);
  if (unknown !== undefined) return unknown;
  for (const [i, port] of model.inputs.entries()) {
    const op = "input";
    const node = `input "${port.name}"`;
    if (!isFloatType(port.type)) return { node, op, why: "it is not a tensor of floating point numbers" };
    if (inputs[i].length === undefined) {
      return { node, op, why: "the file does not say how many values it has" };
    }
  }
}

function findUnknown(model: OnnxModel, graph: GraphProto): OpaqueOnnx["opaque"] | undefined {
  for (const node of graph.nodes) {
    const why = refusal(model, node);
    if (why !== undefined) return { node: printNode(node), op: node.op, why };
    for (const { graph: body } of node.attributes.values()) {
      const inside = body && findUnknown(model, body);
      if (inside !== undefined) return inside;
    }
  }
}

/** Why an operator cannot be lowered whatever its inputs are; undefined where it may be. */
export function refusal(model: OnnxModel, node: NodeProto): string | undefined {
  const key = node.domain === "" ? node.op : `${node.domain}:${node.op}`;
  if (model.functions.has(`${node.domain}:${node.op}`)) return "the file defines this operator itself";
  if (!RULES.has(key)) return "this operator has no derivatives here";
  const opset = model.opsets.get(node.domain);
  if (opset === undefined) return `the file names no opset for "${node.domain}"`;
  if (node.domain === "" && (opset < OLDEST_OPSET || opset > NEWEST_OPSET)) {
    return `opset ${opset} is not one of ${OLDEST_OPSET} to ${NEWEST_OPSET}`;
  }
}

function inputPorts(ports: readonly PortProto[], expected: number | undefined): OnnxPort[] {
  const known = ports.map((port) => portOf(port, undefined));
  const open = known.filter((port) => port.length === undefined);
  if (expected === undefined || open.length !== 1) return known;
  const rest = expected - known.reduce((sum, port) => sum + (port.length ?? 0), 0);
  return ports.map((port, i) => known[i].length === undefined ? portOf(port, rest) : known[i]);
}

/** The first dimension is the batch where it is open; one other open dimension is filled to have `length` values. */
function portOf({ name, shape }: PortProto, length: number | undefined): OnnxPort {
  if (shape === undefined) return { name, shape: [], length: undefined };
  const filled = shape.map((dimension, axis) =>
    dimension < 0 && axis === 0 && shape.length > 1 ? 1 : dimension
  );
  const open = filled.filter((dimension) => dimension < 0).length;
  // A lone dimension that is open is the batch of a model with one value.
  if (open === 1) {
    const rest = (length ?? (shape.length === 1 ? 1 : NaN)) /
      sizeOf(filled.filter((dimension) => dimension >= 0));
    if (Number.isInteger(rest) && rest > 0) filled[filled.findIndex((dimension) => dimension < 0)] = rest;
  }
  const size = sizeOf(filled);
  const known = filled.every((dimension) => dimension >= 0) && Number.isSafeInteger(size);
  if (known && size > MAX_INPUTS) {
    throw new GraphError("ONNX", `Cannot read the model: "${name}" has ${size} values`);
  }
  return { name, shape: filled, length: known ? size : undefined };
}

const MAX_INPUTS = 100_000;
