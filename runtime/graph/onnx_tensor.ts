/** Tensors of an ONNX file, in each of the encodings that exporters use. */
import { brainFloat, halfFloat } from "./element.ts";
import { GraphError } from "./graph_error.ts";
import {
  appendDoubles,
  appendFloats,
  appendIntegers,
  bytesOf,
  eachField,
  integerOf,
  malformed,
  textOf,
  viewOf,
} from "./protobuf.ts";

export interface TensorProto {
  readonly name: string;
  readonly shape: readonly number[];
  /** As onnx.proto numbers data types. */
  readonly type: number;
  readonly raw: Uint8Array | undefined;
  /** What the typed fields hold: float_data, int32_data, int64_data, double_data, uint64_data. */
  readonly typed: readonly number[];
  /** Where the bytes are if not here: `location`, `offset`, `length`, as the file says. */
  readonly external: ReadonlyMap<string, string> | undefined;
}

/** Values in row-major order. */
export interface TensorData {
  readonly shape: readonly number[];
  /** Integers and truth values. */
  readonly integer: boolean;
  readonly data: Float64Array;
}

/** The bytes of a file beside the model, by the name that the model gives; undefined where there is none. */
export type ExternalFile = (name: string) => Uint8Array | undefined;

interface Encoding {
  readonly bytes: number;
  readonly integer: boolean;
  /** One value of raw_data, little-endian. */
  readonly raw: (view: DataView, at: number) => number;
  /** What a typed field's number means. */
  readonly typed: (value: number) => number;
}

const same = (value: number) => value;
const ENCODINGS: ReadonlyMap<number, Encoding> = new Map([
  [1, { bytes: 4, integer: false, raw: (v, at) => v.getFloat32(at, true), typed: same }],
  [2, { bytes: 1, integer: true, raw: (v, at) => v.getUint8(at), typed: same }],
  [3, { bytes: 1, integer: true, raw: (v, at) => v.getInt8(at), typed: same }],
  [4, { bytes: 2, integer: true, raw: (v, at) => v.getUint16(at, true), typed: same }],
  [5, { bytes: 2, integer: true, raw: (v, at) => v.getInt16(at, true), typed: same }],
  [6, { bytes: 4, integer: true, raw: (v, at) => v.getInt32(at, true), typed: same }],
  [7, { bytes: 8, integer: true, raw: (v, at) => Number(v.getBigInt64(at, true)), typed: same }],
  [9, { bytes: 1, integer: true, raw: (v, at) => v.getUint8(at) === 0 ? 0 : 1, typed: same }],
  [10, { bytes: 2, integer: false, raw: (v, at) => halfFloat(v.getUint16(at, true)), typed: halfFloat }],
  [11, { bytes: 8, integer: false, raw: (v, at) => v.getFloat64(at, true), typed: same }],
  [12, { bytes: 4, integer: true, raw: (v, at) => v.getUint32(at, true), typed: same }],
  [13, { bytes: 8, integer: true, raw: (v, at) => Number(v.getBigUint64(at, true)), typed: same }],
  [16, { bytes: 2, integer: false, raw: (v, at) => brainFloat(v.getUint16(at, true)), typed: brainFloat }],
]);

const MAX_ELEMENTS = 1 << 24;
const MAX_RANK = 8;

/** Whether values of this data type are floating point. */
export function isFloatType(type: number): boolean {
  return ENCODINGS.get(type)?.integer === false;
}

export function readTensor(bytes: Uint8Array): TensorProto {
  const shape: number[] = [];
  const typed: number[] = [];
  let [name, type, location] = ["", 0, 0];
  let raw: Uint8Array | undefined;
  const external = new Map<string, string>();
  eachField(bytes, (field) => {
    switch (field.number) {
      case 1:
        appendIntegers(field, shape);
        break;
      case 2:
        type = integerOf(field);
        break;
      case 4:
        appendFloats(field, typed);
        break;
      case 5:
      case 7:
      case 11:
        appendIntegers(field, typed);
        break;
      case 8:
        name = textOf(field);
        break;
      case 9:
        raw = bytesOf(field);
        break;
      case 10:
        appendDoubles(field, typed);
        break;
      case 13:
        readEntry(bytesOf(field), external);
        break;
      case 14:
        location = integerOf(field);
        break;
    }
  });
  return { name, shape, type, raw, typed, external: location === 1 ? external : undefined };
}

/**
 * The values of a tensor. Sizes are checked before memory is taken.
 * @throws {GraphError} ONNX naming the tensor.
 */
export function tensorData(tensor: TensorProto, externalFile: ExternalFile): TensorData {
  const fail = (reason: string) => new GraphError("ONNX", `Cannot read tensor "${tensor.name}": ${reason}`);
  const encoding = ENCODINGS.get(tensor.type);
  if (encoding === undefined) throw fail(`its data type ${tensor.type} is not supported`);
  const size = elementCount(tensor.shape);
  if (size === undefined) {
    throw fail(`its shape is [${tensor.shape.slice(0, 10)}], expected at most ${MAX_ELEMENTS} values`);
  }
  const raw = tensor.external === undefined ? tensor.raw : externalBytes(tensor.external, externalFile, fail);
  const { shape } = tensor;
  const { integer } = encoding;
  if (raw === undefined || (raw.length === 0 && size > 0 && tensor.typed.length > 0)) {
    if (tensor.typed.length !== size) {
      throw fail(`it has ${tensor.typed.length} values, its shape [${shape}] needs ${size}`);
    }
    return { shape, integer, data: Float64Array.from(tensor.typed, encoding.typed) };
  }
  if (raw.length !== size * encoding.bytes) {
    throw fail(`it has ${raw.length} bytes, its shape [${shape}] needs ${size * encoding.bytes}`);
  }
  const view = viewOf(raw);
  return {
    shape,
    integer,
    data: Float64Array.from({ length: size }, (_, i) => encoding.raw(view, i * encoding.bytes)),
  };
}

/** The number of elements; undefined where the shape is absurd. */
function elementCount(shape: readonly number[]): number | undefined {
  if (shape.length > MAX_RANK) return undefined;
  let count = 1;
  for (const dimension of shape) {
    if (!Number.isInteger(dimension) || dimension < 0 || dimension > MAX_ELEMENTS) return undefined;
    count *= dimension;
    if (count > MAX_ELEMENTS) return undefined;
  }
  return count;
}

function externalBytes(
  entries: ReadonlyMap<string, string>,
  externalFile: ExternalFile,
  fail: (reason: string) => GraphError,
): Uint8Array {
  const location = entries.get("location") ?? "";
  if (
    location === "" || location === "." || ["..", "/", "\\", "\0"].some((part) => location.includes(part))
  ) {
    throw fail(
      `its data is in ${JSON.stringify(location.slice(0, 100))}, expected a file name without a folder`,
    );
  }
  const file = externalFile(location);
  if (file === undefined) throw fail(`its data is in the file "${location}", which is not there`);
  const offset = Number(entries.get("offset") ?? 0);
  const length = Number(entries.get("length") ?? file.length - offset);
  if (
    !Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0 ||
    offset + length > file.length
  ) {
    throw fail(`its data is at ${offset} + ${length} of "${location}", which has ${file.length} bytes`);
  }
  return file.subarray(offset, offset + length);
}

function readEntry(bytes: Uint8Array, entries: Map<string, string>): void {
  let [key, value] = ["", ""];
  eachField(bytes, (field) => {
    if (field.number === 1) key = textOf(field);
    else if (field.number === 2) value = textOf(field);
  });
  if (key === "") throw malformed("an entry of external data has no key");
  entries.set(key, value);
}
