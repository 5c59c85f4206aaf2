/** Reads an ONNX file (onnx.proto of github.com/onnx/onnx) to plain objects; fields that nothing uses are skipped. */
import { GraphError } from "./graph_error.ts";
import { type FunctionProto, inlineFunctions } from "./onnx_functions.ts";
import { readTensor, type TensorProto } from "./onnx_tensor.ts";
import {
  appendFloats,
  appendIntegers,
  bytesOf,
  eachField,
  integerOf,
  malformed,
  textOf,
  viewOf,
} from "./protobuf.ts";

export interface AttributeProto {
  readonly name: string;
  /** 1 float · 2 int · 3 string · 4 tensor · 5 graph · 6 floats · 7 ints · 8 strings · …; 0 where it is not said. */
  readonly type: number;
  readonly float: number;
  readonly integer: number;
  readonly text: string;
  readonly tensor: TensorProto | undefined;
  /** The body of a loop. */
  readonly graph: GraphProto | undefined;
  readonly floats: readonly number[];
  readonly integers: readonly number[];
  readonly texts: readonly string[];
  /** Inside of a function: the call's attribute that it is; else empty. */
  readonly ref: string;
}

export interface NodeProto {
  /** Place in the file, from 0. */
  readonly index: number;
  readonly name: string;
  readonly op: string;
  /** Empty for ONNX's own operators ("ai.onnx" is read as empty). */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, AttributeProto>;
}

/** A model's input or output. */
export interface PortProto {
  readonly name: string;
  /** Data type as onnx.proto numbers it: 1 float, 11 double, …; 0 where it is no tensor. */
  readonly type: number;
  /** undefined: no shape given. −1: a dimension that is named or empty. */
  readonly shape: readonly number[] | undefined;
}

export interface GraphProto {
  readonly nodes: readonly NodeProto[];
  readonly initializers: ReadonlyMap<string, TensorProto>;
  /** Without those that an initializer gives a value. */
  readonly inputs: readonly PortProto[];
  readonly outputs: readonly PortProto[];
}

export interface OnnxModel extends GraphProto {
  /** By domain; empty is ONNX's own. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Operators that the file itself defines, as "domain:name"; their calls are replaced by what they are made of. */
  readonly functions: ReadonlySet<string>;
}

const MAX_NODES = 100_000;
/** Graphs inside nodes of graphs. */
const MAX_DEPTH = 8;

/** @throws {GraphError} ONNX if the bytes are no ONNX file. */
export function readOnnx(bytes: Uint8Array): OnnxModel {
  if (bytes.length === 0) throw malformed("it is empty");
  let graph: Uint8Array | undefined;
  const opsets = new Map<string, number>();
  const functions = new Map<string, FunctionProto>();
  eachField(bytes, (field) => {
    if (field.number === 7) graph = bytesOf(field);
    else if (field.number === 8) readOpset(bytesOf(field), opsets);
    else if (field.number === 25) {
      const own = readFunction(bytesOf(field));
      functions.set(own.key, own);
    }
  });
  if (graph === undefined) throw malformed("it has no graph");
  if (opsets.size === 0) throw malformed("it names no opset");
  const read = readGraph(graph, 0);
  if (functions.size === 0) return { ...read, opsets, functions: new Set() };
  const nodes = inlineFunctions(read.nodes, functions, { opsets, maxNodes: MAX_NODES });
  return { ...read, nodes, opsets, functions: new Set(functions.keys()) };
}

/** `node "name" (Op)`, for messages. */
export function printNode(node: NodeProto): string {
  const op = node.domain === "" ? node.op : `${node.domain}.${node.op}`;
  return node.name === "" ? `node ${node.index + 1} (${op})` : `node "${node.name.slice(0, 100)}" (${op})`;
}

function readOpset(bytes: Uint8Array, opsets: Map<string, number>): void {
  let domain = "";
  let version = 0;
  eachField(bytes, (field) => {
    if (field.number === 1) domain = readDomain(textOf(field));
    else if (field.number === 2) version = integerOf(field);
  });
  // Exporters list a domain twice now and then; the later opset is the one that the newer part was written for.
  opsets.set(domain, Math.max(version, opsets.get(domain) ?? 0));
}

function readDomain(text: string): string {
  return text === "ai.onnx" ? "" : text;
}

function readFunction(bytes: Uint8Array): FunctionProto {
  let [domain, name] = ["", ""];
  const [inputs, outputs, nodes]: [string[], string[], NodeProto[]] = [[], [], []];
  const defaults = new Map<string, AttributeProto>();
  const opsets = new Map<string, number>();
  eachField(bytes, (field) => {
    switch (field.number) {
      case 1:
        name = textOf(field);
        break;
      case 4:
        inputs.push(textOf(field));
        break;
      case 5:
        outputs.push(textOf(field));
        break;
      case 7:
        if (nodes.length === MAX_NODES) throw malformed(`it has more than ${MAX_NODES} nodes`);
        nodes.push(readNode(bytesOf(field), nodes.length, 0));
        break;
      case 9:
        readOpset(bytesOf(field), opsets);
        break;
      case 10:
        domain = readDomain(textOf(field));
        break;
      case 11: {
        const attribute = readAttribute(bytesOf(field), 0);
        defaults.set(attribute.name, attribute);
        break;
      }
    }
  });
  return { key: `${domain}:${name}`, inputs, outputs, nodes, defaults, opsets };
}

function readGraph(bytes: Uint8Array, depth: number): GraphProto {
  if (depth > MAX_DEPTH) throw malformed(`it has graphs ${MAX_DEPTH} levels deep`);
  const nodes: NodeProto[] = [];
  const initializers = new Map<string, TensorProto>();
  const inputs: PortProto[] = [];
  const outputs: PortProto[] = [];
  eachField(bytes, (field) => {
    switch (field.number) {
      case 1:
        if (nodes.length === MAX_NODES) throw malformed(`it has more than ${MAX_NODES} nodes`);
        nodes.push(readNode(bytesOf(field), nodes.length, depth));
        break;
      case 5: {
        const tensor = readTensor(bytesOf(field));
        initializers.set(tensor.name, tensor);
        break;
      }
      case 11:
        inputs.push(readPort(bytesOf(field)));
        break;
      case 12:
        outputs.push(readPort(bytesOf(field)));
        break;
      case 15:
        throw new GraphError("ONNX", "Cannot read the model: sparse initializers are not supported");
    }
  });
  if (outputs.length === 0) throw malformed("its graph has no outputs");
  return { nodes, initializers, outputs, inputs: inputs.filter(({ name }) => !initializers.has(name)) };
}

function readNode(bytes: Uint8Array, index: number, depth: number): NodeProto {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, AttributeProto>();
  let [name, op, domain] = ["", "", ""];
  eachField(bytes, (field) => {
    switch (field.number) {
      case 1:
        inputs.push(textOf(field));
        break;
      case 2:
        outputs.push(textOf(field));
        break;
      case 3:
        name = textOf(field);
        break;
      case 4:
        op = textOf(field);
        break;
      case 5: {
        const attribute = readAttribute(bytesOf(field), depth);
        attributes.set(attribute.name, attribute);
        break;
      }
      case 7:
        domain = readDomain(textOf(field));
        break;
    }
  });
  if (op === "") throw malformed(`node ${index + 1} names no operator`);
  return { index, name, op, domain, inputs, outputs, attributes };
}

function readAttribute(bytes: Uint8Array, depth: number): AttributeProto {
  const floats: number[] = [];
  const integers: number[] = [];
  let [name, text, ref, type, float, integer] = ["", "", "", 0, 0, 0];
  const texts: string[] = [];
  let tensor: TensorProto | undefined;
  let graph: GraphProto | undefined;
  eachField(bytes, (field) => {
    switch (field.number) {
      case 1:
        name = textOf(field);
        break;
      case 2:
        if (field.wire !== 5) throw malformed(`attribute "${name}" has no float`);
        float = viewOf(field.bytes).getFloat32(0, true);
        break;
      case 3:
        integer = integerOf(field);
        break;
      case 4:
        text = textOf(field);
        break;
      case 5:
        tensor = readTensor(bytesOf(field));
        break;
      case 6:
        graph = readGraph(bytesOf(field), depth + 1);
        break;
      case 7:
        appendFloats(field, floats);
        break;
      case 8:
        appendIntegers(field, integers);
        break;
      case 9:
        texts.push(textOf(field));
        break;
      case 20:
        type = integerOf(field);
        break;
      case 21:
        ref = textOf(field);
        break;
    }
  });
  return { name, type, float, integer, text, tensor, graph, floats, integers, texts, ref };
}

function readPort(bytes: Uint8Array): PortProto {
  let name = "";
  let type = 0;
  let shape: number[] | undefined;
  eachField(bytes, (field) => {
    if (field.number === 1) name = textOf(field);
    else if (field.number === 2) {
      eachField(bytesOf(field), (kind) => {
        if (kind.number !== 1) return;
        eachField(bytesOf(kind), (part) => {
          if (part.number === 1) type = integerOf(part);
          else if (part.number === 2) shape = readShape(bytesOf(part));
        });
      });
    }
  });
  return { name, type, shape };
}

function readShape(bytes: Uint8Array): number[] {
  const shape: number[] = [];
  eachField(bytes, (field) => {
    if (field.number !== 1) return;
    let dimension = -1;
    eachField(bytesOf(field), (part) => {
      if (part.number === 1) dimension = integerOf(part);
    });
    shape.push(dimension);
  });
  return shape;
}
