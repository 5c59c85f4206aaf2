/** The wire format of Protocol Buffers (protobuf.dev, "Encoding"), as far as reading a message needs it. */
import { GraphError } from "./graph_error.ts";

/** One field of a message as it stands in the bytes. */
export interface WireField {
  readonly number: number;
  /** 0: varint · 1: 8 bytes · 2: length-delimited · 5: 4 bytes. */
  readonly wire: 0 | 1 | 2 | 5;
  /** Of a varint, as a signed 64-bit integer; else NaN. Above 2⁵³ it is rounded. */
  readonly integer: number;
  /** The content of the other types: a view of the message's bytes. */
  readonly bytes: Uint8Array;
}

const EMPTY = new Uint8Array(0);
const TEXT = new TextDecoder("utf-8");

/**
 * Gives each field of `message` to `visit`, in order. Fields that `visit` does not know are its to skip.
 * @throws {GraphError} ONNX if the bytes are not a message: every length is checked against what is left.
 */
export function eachField(message: Uint8Array, visit: (field: WireField) => void): void {
  const cursor = { bytes: message, at: 0 };
  while (cursor.at < message.length) {
    const key = readVarint(cursor);
    const number = Math.floor(key / 8);
    const wire = key % 8;
    if (key < 8 || number > 0x1fffffff) throw malformed("a field has no number");
    switch (wire) {
      case 0:
        visit({ number, wire, integer: readVarint(cursor), bytes: EMPTY });
        break;
      case 1:
        visit({ number, wire, integer: NaN, bytes: take(cursor, 8) });
        break;
      case 2:
        visit({ number, wire, integer: NaN, bytes: take(cursor, readVarint(cursor)) });
        break;
      case 5:
        visit({ number, wire, integer: NaN, bytes: take(cursor, 4) });
        break;
      default:
        throw malformed(`a field has wire type ${wire}`);
    }
  }
}

/** Appends the integers of a repeated field, packed or not, to `list`. */
export function appendIntegers(field: WireField, list: number[]): void {
  if (field.wire === 0) {
    list.push(field.integer);
    return;
  }
  expectWire(field, 2);
  const cursor = { bytes: field.bytes, at: 0 };
  while (cursor.at < field.bytes.length) list.push(readVarint(cursor));
}

/** Appends the 4-byte floats of a repeated field, packed or not, to `list`. */
export function appendFloats(field: WireField, list: number[]): void {
  if (field.wire !== 2) expectWire(field, 5);
  if (field.bytes.length % 4 !== 0) throw malformed("packed floats end in mid-value");
  const view = viewOf(field.bytes);
  for (let at = 0; at < field.bytes.length; at += 4) list.push(view.getFloat32(at, true));
}

/** Appends the 8-byte floats of a repeated field, packed or not, to `list`. */
export function appendDoubles(field: WireField, list: number[]): void {
  if (field.wire !== 2) expectWire(field, 1);
  if (field.bytes.length % 8 !== 0) throw malformed("packed doubles end in mid-value");
  const view = viewOf(field.bytes);
  for (let at = 0; at < field.bytes.length; at += 8) list.push(view.getFloat64(at, true));
}

export function textOf(field: WireField): string {
  return TEXT.decode(bytesOf(field));
}

export function bytesOf(field: WireField): Uint8Array {
  expectWire(field, 2);
  return field.bytes;
}

export function integerOf(field: WireField): number {
  expectWire(field, 0);
  return field.integer;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function malformed(reason: string): GraphError {
  return new GraphError("ONNX", `Cannot read the model: ${reason}, expected an ONNX file`);
}

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

function readVarint(cursor: Cursor): number {
  let value = 0;
  let scale = 1;
  for (let length = 1; length <= 10; length++) {
    if (cursor.at >= cursor.bytes.length) throw malformed("it ends in mid-field");
    const byte = cursor.bytes[cursor.at++];
    // From the eighth byte on a double would round; sizes never get there, negative numbers have ten.
    if (length === 8) return readLongVarint(cursor, BigInt(value), byte);
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) return value;
  }
  throw malformed("a number has more than 64 bits");
}

function readLongVarint(cursor: Cursor, low: bigint, eighth: number): number {
  let value = low | (BigInt(eighth & 0x7f) << 49n);
  let last = eighth;
  for (let shift = 56n; last >= 0x80; shift += 7n) {
    if (shift > 63n) throw malformed("a number has more than 64 bits");
    if (cursor.at >= cursor.bytes.length) throw malformed("it ends in mid-field");
    last = cursor.bytes[cursor.at++];
    value |= BigInt(last & 0x7f) << shift;
  }
  return Number(BigInt.asIntN(64, value));
}

function take(cursor: Cursor, length: number): Uint8Array {
  if (!(length >= 0) || length > cursor.bytes.length - cursor.at) {
    throw malformed("a field is longer than what is left");
  }
  return cursor.bytes.subarray(cursor.at, cursor.at += length);
}

function expectWire(field: WireField, wire: WireField["wire"]): void {
  if (field.wire !== wire) {
    throw malformed(`field ${field.number} has wire type ${field.wire} where ${wire} belongs`);
  }
}
