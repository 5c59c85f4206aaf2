/** numpy's arrays as pickles and joblib files hold them. Bytes stay where they are until somebody asks for numbers. */
import { type ElementName, ELEMENTS } from "./element.ts";
import type { Cursor } from "./pickle_cursor.ts";
import {
  countOf,
  describe,
  elementsIn,
  isKind,
  itemsOf,
  type NumpyArray,
  type NumpyContent,
  type NumpyDtype,
  type PickleDict,
  pickleError,
  type PickleValue,
  quote,
  shapeOf,
} from "./pickle_value.ts";

const ELEMENT_OF_CODE: ReadonlyMap<string, ElementName> = new Map([
  ["f8", "float64"],
  ["f4", "float32"],
  ["f2", "float16"],
  ["i8", "int64"],
  ["i4", "int32"],
  ["i2", "int16"],
  ["i1", "int8"],
  ["u8", "uint64"],
  ["u4", "uint32"],
  ["u2", "uint16"],
  ["u1", "uint8"],
  ["b1", "bool"],
]);

/** `numpy.dtype(code, align, copy)` */
export function makeDtype(args: readonly PickleValue[]): NumpyDtype {
  const [code] = args;
  if (typeof code !== "string" || !/^[A-Za-z]\d{0,9}$/.test(code)) {
    throw pickleError(`a numpy.dtype is made from ${describe(code)}, expected a code such as "f8"`);
  }
  return { kind: "dtype", code, element: ELEMENT_OF_CODE.get(code), little: true, complete: false };
}

/** State: (version, byte order, subdtype, names, fields, …). */
export function setDtype(dtype: NumpyDtype, state: PickleValue): void {
  const [, order, subtype, names, fields] = itemsOf(state, "the state of a numpy.dtype");
  if (dtype.complete) throw pickleError("a numpy.dtype gets its state twice");
  if (typeof order !== "string" || !"<>|=".includes(order)) {
    throw pickleError(`a numpy.dtype has the byte order ${describe(order)}, expected <, >, | or =`);
  }
  if (subtype !== null || names !== null || fields !== null) {
    throw pickleError("a numpy.dtype has fields, expected plain numbers");
  }
  dtype.little = order !== ">";
  dtype.complete = true;
}

/** State: (version, shape, dtype, column-major, data). */
export function setArray(array: NumpyArray, state: PickleValue): void {
  const [, shape, dtype, columnMajor, data] = itemsOf(state, "the state of a numpy array");
  if (array.content !== undefined) throw pickleError("a numpy array gets its state twice");
  array.content = checkContent(shapeOf(shape), dtype, columnMajor === true, data);
}

/** `numpy.core.numeric._frombuffer(buffer, dtype, shape, order)` */
export function arrayOfBuffer(args: readonly PickleValue[]): NumpyArray {
  const [buffer, dtype, shape, order] = args;
  return { kind: "array", content: checkContent(shapeOf(shape), dtype, order === "F", buffer) };
}

/** `numpy.core.multiarray.scalar(dtype, bytes)` */
export function numpyScalar(args: readonly PickleValue[]): number {
  const [dtype, data] = args;
  const { dtype: type, data: bytes } = checkContent([], dtype, false, data);
  if (type.element === undefined) throw notNumbers(type);
  return ELEMENTS[type.element].read(viewOf(bytes as Uint8Array), 0, type.little);
}

/** The numbers of an array of one dimension or none. @throws {GraphError} PICKLE */
export function arrayNumbers({ content }: NumpyArray): Float64Array {
  if (content === undefined) throw pickleError("a numpy array has no content");
  const { shape, dtype, data } = content;
  if (shape.length > 1) throw pickleError(`an array has the shape [${shape}], expected one dimension`);
  if (dtype.element === undefined || !(data instanceof Uint8Array)) throw notNumbers(dtype);
  const { bytes, read } = ELEMENTS[dtype.element];
  const view = viewOf(data);
  return Float64Array.from({ length: elementsIn(shape) }, (_, i) => read(view, i * bytes, dtype.little));
}

/** The objects of an array of objects; undefined where it holds numbers. */
export function arrayObjects({ content }: NumpyArray): readonly PickleValue[] | undefined {
  return content === undefined || content.data instanceof Uint8Array ? undefined : content.data.items;
}

/**
 * The array that joblib writes, uncompressed, behind the object that describes it.
 * @param nested Reads the pickle in which joblib stores an array of objects.
 */
export function readJoblibArray(
  state: PickleDict,
  cursor: Cursor,
  nested: () => PickleValue,
): NumpyArray {
  const dtype = state.entries.get("dtype");
  if (!isKind(dtype, "dtype")) {
    throw pickleError(`a joblib array has the type ${describe(dtype)}, expected a numpy.dtype`);
  }
  if (dtype.code.startsWith("O")) {
    const array = nested();
    if (!isKind(array, "array")) {
      throw pickleError(`a joblib array of objects is ${describe(array)}, expected a numpy array`);
    }
    return array;
  }
  if (dtype.element === undefined) throw notNumbers(dtype);
  const shape = shapeOf(state.entries.get("shape"));
  // Written since joblib 1.2, so that arrays can be mapped into memory.
  const alignment = state.entries.get("numpy_array_alignment_bytes") ?? null;
  if (alignment !== null) {
    countOf(alignment, "the alignment of a joblib array");
    cursor.take(cursor.uint8());
  }
  const data = cursor.take(elementsIn(shape) * ELEMENTS[dtype.element].bytes);
  return { kind: "array", content: { shape, dtype, columnMajor: state.entries.get("order") === "F", data } };
}

function checkContent(
  shape: readonly number[],
  dtype: PickleValue | undefined,
  columnMajor: boolean,
  data: PickleValue | undefined,
): NumpyContent {
  if (!isKind(dtype, "dtype")) {
    throw pickleError(`a numpy array has the type ${describe(dtype)}, expected a numpy.dtype`);
  }
  const size = elementsIn(shape);
  if (data instanceof Uint8Array) {
    const needed = dtype.element === undefined ? data.length : size * ELEMENTS[dtype.element].bytes;
    if (data.length !== needed) {
      throw pickleError(
        `an array has ${data.length} bytes, its shape [${shape}] of ${dtype.code} needs ${needed}`,
      );
    }
    return { shape, dtype, columnMajor, data };
  }
  if (!isKind(data, "list") || dtype.element !== undefined) {
    throw pickleError(`the content of a numpy array is ${describe(data)}, expected bytes`);
  }
  if (data.items.length !== size) {
    throw pickleError(`an array has ${data.items.length} objects, its shape [${shape}] needs ${size}`);
  }
  return { shape, dtype, columnMajor, data };
}

function notNumbers(dtype: NumpyDtype) {
  return pickleError(`an array has elements of type ${quote(dtype.code)}, expected numbers`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
