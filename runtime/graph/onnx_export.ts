/** An expression as an ONNX model of 32-bit numbers, from "input" [batch, sources] to "output" [batch, outputs]. */
import { type Expression, type Node, type NodeId, reachable } from "./expr.ts";
import { GraphError } from "./graph_error.ts";
import { type OnnxNodeSpec, type OnnxTensorSpec, writeOnnx } from "./onnx_writer.ts";
import type { Op } from "./ops.ts";

const OPSET = 20;
const IR_VERSION = 9;

/** Operators with the same meaning; truth values are no numbers in ONNX, so that comparisons are not among them. */
const NAMES: Partial<Record<Op, string>> = {
  neg: "Neg",
  exp: "Exp",
  log: "Log",
  sqrt: "Sqrt",
  sin: "Sin",
  cos: "Cos",
  tan: "Tan",
  tanh: "Tanh",
  erf: "Erf",
  sigmoid: "Sigmoid",
  gelu: "Gelu",
  abs: "Abs",
  add: "Add",
  sub: "Sub",
  mul: "Mul",
  div: "Div",
  pow: "Pow",
  min: "Min",
  max: "Max",
};

/** @throws {GraphError} ONNX naming an operation that cannot be written. */
export function exportOnnx({ graph, sources, outputs }: Expression, name: string): Uint8Array<ArrayBuffer> {
  const writing = new Writing(graph.nodes);
  for (const id of reachable(graph, outputs)) writing.add(id);
  writing.nodes.push({
    op: "Concat",
    inputs: outputs.map((id) => writing.wide(id)),
    outputs: ["output"],
    attributes: { axis: { int: 1 } },
  });
  return writeOnnx({
    name,
    opsets: { "": OPSET },
    irVersion: IR_VERSION,
    inputs: [{ name: "input", shape: ["batch", sources] }],
    outputs: [{ name: "output", shape: ["batch", outputs.length] }],
    initializers: writing.tensors,
    nodes: writing.nodes,
  });
}

class Writing {
  readonly nodes: OnnxNodeSpec[] = [];
  readonly tensors: OnnxTensorSpec[] = [];
  readonly #graph: readonly Node[];

  constructor(graph: readonly Node[]) {
    this.#graph = graph;
  }

  add(id: NodeId): void {
    const node = this.#graph[id];
    const { op, args, length, data, index } = node;
    const inputs = args.map(nameOf);
    switch (op) {
      case "constant":
        this.tensors.push({ name: nameOf(id), shape: [1, length], data: data! });
        return;
      case "parameter":
        return this.#node("Slice", ["input", ...this.#range(id, index!, 1)], id);
      case "slice":
        return this.#node("Slice", [inputs[0], ...this.#range(id, index!, length)], id);
      case "concat":
        if (args.length === 1) return this.#node("Identity", [this.wide(args[0])], id);
        return this.#node("Concat", args.map((arg) => this.wide(arg)), id, { axis: { int: 1 } });
      case "sum":
        this.#whole(`axes_${id}`, [1]);
        return this.#node("ReduceSum", [inputs[0], `axes_${id}`], id);
      case "linear": {
        const columns = this.#graph[args[0]].length;
        const weights = data!.subarray(0, length * columns);
        this.tensors.push({ name: `weight_${id}`, shape: [length, columns], data: weights });
        this.tensors.push({ name: `bias_${id}`, shape: [length], data: data!.subarray(length * columns) });
        return this.#node("Gemm", [inputs[0], `weight_${id}`, `bias_${id}`], id, { transB: { int: 1 } });
      }
    }
    const known = NAMES[op];
    if (known === undefined) throw new GraphError("ONNX", `Cannot write the model: it uses "${op}"`);
    this.#node(known, inputs, id);
  }

  /** A constant has one row; beside others it needs as many as the batch. */
  wide(id: NodeId): string {
    if (this.#graph[id].op !== "constant") return nameOf(id);
    const name = `wide_${this.nodes.length}`;
    this.#whole(`start_${name}`, [0]);
    this.#whole(`end_${name}`, [1]);
    this.#whole(`axis_${name}`, [1]);
    const ends = [`start_${name}`, `end_${name}`, `axis_${name}`];
    this.tensors.push({ name: `zero_${name}`, shape: [], data: [0] });
    this.nodes.push({ op: "Slice", inputs: ["input", ...ends], outputs: [`row_${name}`] });
    this.nodes.push({ op: "Mul", inputs: [`row_${name}`, `zero_${name}`], outputs: [`zeros_${name}`] });
    this.nodes.push({ op: "Add", inputs: [`zeros_${name}`, nameOf(id)], outputs: [name] });
    return name;
  }

  #node(
    op: string,
    inputs: readonly string[],
    id: NodeId,
    attributes: OnnxNodeSpec["attributes"] = {},
  ): void {
    this.nodes.push({ op, inputs, outputs: [nameOf(id)], attributes });
  }

  #range(id: NodeId, start: number, length: number): string[] {
    this.#whole(`start_${id}`, [start]);
    this.#whole(`end_${id}`, [start + length]);
    this.#whole(`axis_${id}`, [1]);
    return [`start_${id}`, `end_${id}`, `axis_${id}`];
  }

  #whole(name: string, data: readonly number[]): void {
    this.tensors.push({ name, shape: [data.length], data, type: "int64" });
  }
}

function nameOf(id: NodeId): string {
  return `v${id}`;
}
