/** Writes ONNX files: enough for networks, linear models and trees. The reader is onnx_reader.ts. */

/** Data types of tensors, by their number in onnx.proto. */
const TYPES = { float: 1, int64: 7, double: 11 } as const;
export type OnnxType = keyof typeof TYPES;

export interface OnnxTensorSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: ArrayLike<number>;
  /** Default "float": 32 bits. */
  readonly type?: OnnxType;
  /** True writes numbers one by one and not as raw bytes. Default false. */
  readonly typed?: boolean;
}

export type OnnxAttributeSpec =
  | { readonly float: number }
  | { readonly int: number }
  | { readonly text: string }
  | { readonly floats: readonly number[] }
  | { readonly ints: readonly number[] }
  | { readonly texts: readonly string[] }
  | { readonly tensor: OnnxTensorSpec }
  | { readonly graph: OnnxGraphSpec };

export interface OnnxNodeSpec {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Default empty. */
  readonly name?: string;
  /** Default ONNX's own. */
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, OnnxAttributeSpec>>;
}

export interface OnnxPortSpec {
  readonly name: string;
  /** A text names a dimension that may have any size. Default: the file does not say. */
  readonly shape?: readonly (number | string)[];
  /** Default "float". */
  readonly type?: OnnxType;
}

export interface OnnxGraphSpec {
  readonly name: string;
  readonly inputs: readonly OnnxPortSpec[];
  readonly outputs: readonly OnnxPortSpec[];
  readonly initializers?: readonly OnnxTensorSpec[];
  readonly nodes: readonly OnnxNodeSpec[];
}

export interface OnnxSpec extends OnnxGraphSpec {
  /** By domain, "" for ONNX's own. Default { "": 17 }. */
  readonly opsets?: Readonly<Record<string, number>>;
  /** Default 8, which goes with opset 17. */
  readonly irVersion?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The bytes of an ONNX file; the same for the same description. */
export function writeOnnx(spec: OnnxSpec): Uint8Array<ArrayBuffer> {
  const opsets = spec.opsets ?? { "": 17 };
  return join([
    integer(1, spec.irVersion ?? 8),
    text(2, "setpoint"),
    message(7, graph(spec)),
    ...Object.entries(opsets).map(([domain, version]) => message(8, [text(1, domain), integer(2, version)])),
    ...Object.entries(spec.metadata ?? {}).map(([key, value]) => message(14, [text(1, key), text(2, value)])),
  ]);
}

type Part = Uint8Array;

const ENCODER = new TextEncoder();

function graph(spec: OnnxGraphSpec): Part[] {
  return [
    ...spec.nodes.map((node) => message(1, nodeParts(node))),
    text(2, spec.name),
    ...(spec.initializers ?? []).map((tensor) => message(5, tensorParts(tensor))),
    ...spec.inputs.map((port) => message(11, portParts(port))),
    ...spec.outputs.map((port) => message(12, portParts(port))),
  ];
}

function nodeParts({ op, inputs, outputs, name = "", domain = "", attributes = {} }: OnnxNodeSpec): Part[] {
  return [
    ...inputs.map((input) => text(1, input)),
    ...outputs.map((output) => text(2, output)),
    text(3, name),
    text(4, op),
    ...Object.entries(attributes).map(([key, value]) => message(5, [text(1, key), ...attributeParts(value)])),
    text(7, domain),
  ];
}

function attributeParts(value: OnnxAttributeSpec): Part[] {
  if ("float" in value) return [join([key(2, 5), float32(value.float)]), integer(20, 1)];
  if ("int" in value) return [integer(3, value.int), integer(20, 2)];
  if ("text" in value) return [text(4, value.text), integer(20, 3)];
  if ("tensor" in value) return [message(5, tensorParts(value.tensor)), integer(20, 4)];
  if ("graph" in value) return [message(6, graph(value.graph)), integer(20, 5)];
  if ("floats" in value) return [message(7, value.floats.map(float32)), integer(20, 6)];
  if ("ints" in value) return [message(8, value.ints.map(varint)), integer(20, 7)];
  return [...value.texts.map((item) => text(9, item)), integer(20, 8)];
}

function tensorParts({ name, shape, data, type = "float", typed = false }: OnnxTensorSpec): Part[] {
  const head = [...shape.map((dimension) => integer(1, dimension)), integer(2, TYPES[type]), text(8, name)];
  const list = Array.from(data);
  const write = { float: float32, double: float64, int64: typed ? varint : int64 }[type];
  const field = !typed ? 9 : { float: 4, double: 10, int64: 7 }[type];
  return [...head, message(field, list.map(write))];
}

function portParts({ name, shape, type = "float" }: OnnxPortSpec): Part[] {
  const dimensions = shape?.map((dimension) =>
    message(1, [typeof dimension === "number" ? integer(1, dimension) : text(2, dimension)])
  );
  const tensor = [integer(1, TYPES[type]), ...(dimensions === undefined ? [] : [message(2, dimensions)])];
  return [text(1, name), message(2, [message(1, tensor)])];
}

function key(number: number, wire: number): Part {
  return varint(number * 8 + wire);
}

function integer(number: number, value: number): Part {
  return join([key(number, 0), varint(value)]);
}

function text(number: number, value: string): Part {
  return message(number, [ENCODER.encode(value)]);
}

function message(number: number, parts: readonly Part[]): Part {
  const body = join(parts);
  return join([key(number, 2), varint(body.length), body]);
}

function varint(value: number): Part {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

function float32(value: number): Part {
  return written(4, (view) => view.setFloat32(0, value, true));
}

function float64(value: number): Part {
  return written(8, (view) => view.setFloat64(0, value, true));
}

function int64(value: number): Part {
  return written(8, (view) => view.setBigInt64(0, BigInt(value), true));
}

function written(size: number, write: (view: DataView) => void): Part {
  const bytes = new Uint8Array(size);
  write(new DataView(bytes.buffer));
  return bytes;
}

function join(parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
