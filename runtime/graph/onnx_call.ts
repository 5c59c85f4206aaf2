import { GraphError } from "./graph_error.ts";
import type { GraphProto, NodeProto } from "./onnx_reader.ts";
import type { TensorData, TensorProto } from "./onnx_tensor.ts";
import { NotLowerable, type OnnxBuilder, type OnnxValue } from "./onnx_value.ts";

/** Lowers one node; gives its outputs in order. */
export type OnnxRule = (call: OnnxCall) => OnnxValue | readonly OnnxValue[];

/** What a rule may ask of the model around its node. */
export interface OnnxSurroundings {
  readonly tensor: (tensor: TensorProto) => TensorData;
  /** Whether the model takes numbers of 64 bits. */
  readonly double: boolean;
  /** Lowers the body of a loop once, with values for its inputs in order; gives its outputs in order. */
  readonly body: (graph: GraphProto, inputs: readonly OnnxValue[]) => OnnxValue[];
}

/** One node of a model with the values of its inputs, as a rule sees it. */
export class OnnxCall {
  readonly build: OnnxBuilder;
  readonly node: NodeProto;
  /** Of the node's domain. */
  readonly opset: number;
  readonly #inputs: readonly (OnnxValue | undefined)[];
  readonly #around: OnnxSurroundings;

  constructor(
    build: OnnxBuilder,
    node: NodeProto,
    opset: number,
    inputs: readonly (OnnxValue | undefined)[],
    around: OnnxSurroundings,
  ) {
    this.build = build;
    this.node = node;
    this.opset = opset;
    this.#inputs = inputs;
    this.#around = around;
  }

  /** Whether the model takes numbers of 64 bits. */
  get double(): boolean {
    return this.#around.double;
  }

  get count(): number {
    return this.#inputs.length;
  }

  has(index: number): boolean {
    return this.#inputs[index] !== undefined;
  }

  input(index: number): OnnxValue {
    const value = this.#inputs[index];
    if (value === undefined) throw fail(`it has ${this.count} inputs, expected at least ${index + 1}`);
    return value;
  }

  inputs(): OnnxValue[] {
    return this.#inputs.map((_, i) => this.input(i));
  }

  /** The numbers of an input that must be known when the model is loaded. */
  knownInput(index: number): Float64Array {
    const { data } = this.input(index);
    if (data === undefined) throw new NotLowerable(`its input ${index + 1} depends on the model's inputs`);
    return data;
  }

  /** From the attribute, or from input `index`, which replaced it in later opsets. */
  integers(attribute: string, index: number): number[] | undefined {
    const found = this.node.attributes.get(attribute);
    if (found !== undefined) return [...found.integers];
    return this.has(index) ? [...this.knownInput(index)] : undefined;
  }

  integer(name: string, otherwise: number): number {
    return this.node.attributes.get(name)?.integer ?? otherwise;
  }

  /** Settings such as 1e-5 or 0.1, which the format rounds to 32 bits: the decimal number that was meant. */
  float(name: string, otherwise: number): number {
    const stored = this.node.attributes.get(name)?.float;
    return stored === undefined ? otherwise : shortestDecimal(stored);
  }

  text(name: string, otherwise: string): string {
    return this.node.attributes.get(name)?.text ?? otherwise;
  }

  floats(name: string): readonly number[] | undefined {
    return this.node.attributes.get(name)?.floats;
  }

  texts(name: string): readonly string[] | undefined {
    return this.node.attributes.get(name)?.texts;
  }

  wholes(name: string): readonly number[] | undefined {
    return this.node.attributes.get(name)?.integers;
  }

  graph(name: string): GraphProto {
    const found = this.node.attributes.get(name)?.graph;
    if (found === undefined) throw fail(`it has no graph "${name}"`);
    return found;
  }

  body(graph: GraphProto, inputs: readonly OnnxValue[]): OnnxValue[] {
    return this.#around.body(graph, inputs);
  }

  tensor(name: string): OnnxValue | undefined {
    const proto = this.node.attributes.get(name)?.tensor;
    if (proto === undefined) return undefined;
    const { shape, data, integer } = this.#around.tensor(proto);
    return this.build.known(shape, data, integer);
  }
}

/** The model is wrong; the sentence's start, with the node's name, is added where it is caught. */
export function fail(reason: string): GraphError {
  return new GraphError("ONNX", reason);
}

/** The number with the fewest digits that rounds to the same 32-bit float. */
function shortestDecimal(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
