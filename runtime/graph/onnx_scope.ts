/** The names of one graph while it is lowered, with those of the graph around it. */
import { GraphError } from "./graph_error.ts";
import type { GraphProto } from "./onnx_reader.ts";
import type { TensorProto } from "./onnx_tensor.ts";
import type { OnnxValue } from "./onnx_value.ts";

export class OnnxScope {
  readonly graph: GraphProto;
  readonly #known: (tensor: TensorProto) => OnnxValue;
  readonly #outer: OnnxScope | undefined;
  readonly #values = new Map<string, OnnxValue>();
  readonly #readers: ReadonlyMap<string, number>;

  constructor(graph: GraphProto, known: (tensor: TensorProto) => OnnxValue, outer?: OnnxScope) {
    this.graph = graph;
    this.#known = known;
    this.#outer = outer;
    this.#readers = countReaders(graph);
  }

  /** @throws {GraphError} ONNX if the name has a value already. */
  define(name: string, value: OnnxValue): void {
    if (this.#values.has(name)) throw new GraphError("ONNX", `it gives "${name}" a second value`);
    this.#values.set(name, { ...value, once: (this.#readers.get(name) ?? 0) === 1 });
  }

  isRead(name: string): boolean {
    return this.#readers.has(name);
  }

  /** @throws {GraphError} ONNX if nothing has computed it. */
  read(name: string): OnnxValue {
    const value = this.value(name);
    if (value !== undefined) return value;
    const later = this.graph.nodes.some((node) => node.outputs.includes(name));
    const why = later ? "only a later node computes: expected no cycle" : "nothing computes";
    throw new GraphError("ONNX", `it reads "${name}", which ${why}`);
  }

  /** An initializer becomes a value when it is first read; what comes from around is read more than once. */
  value(name: string): OnnxValue | undefined {
    const found = this.#values.get(name);
    if (found !== undefined) return found;
    const tensor = this.graph.initializers.get(name);
    if (tensor === undefined) {
      const around = this.#outer?.value(name);
      return around && { ...around, once: false };
    }
    const value = this.#known(tensor);
    this.#values.set(name, value);
    return value;
  }
}

/** How many nodes read each value; an output of the graph counts as a reader, a body may read any number of times. */
function countReaders(graph: GraphProto): Map<string, number> {
  const readers = new Map<string, number>();
  const add = (name: string, times: number) => void readers.set(name, (readers.get(name) ?? 0) + times);
  for (const { name } of graph.outputs) add(name, 1);
  for (const node of graph.nodes) {
    for (const name of node.inputs) add(name, 1);
    for (const { graph: body } of node.attributes.values()) {
      for (const name of body === undefined ? [] : countReaders(body).keys()) add(name, 2);
    }
  }
  return readers;
}
