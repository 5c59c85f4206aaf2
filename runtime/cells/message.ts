/**
 * Values that cross a process: JSON, and beside it typed arrays as binary parts and the numbers that JSON lacks. An object
 * with the key "$" stands for one of these; a value's own "$" is written as entries.
 */
const MAX_DEPTH = 32;

const ARRAYS = { f64: Float64Array, i32: Int32Array, u8: Uint8Array } as const;
type ArrayName = keyof typeof ARRAYS;
const NUMBERS = { nan: NaN, inf: Infinity, ninf: -Infinity, nzero: -0 } as const;
type NumberName = keyof typeof NUMBERS;

export interface Packed {
  /** For JSON.stringify. */
  readonly json: unknown;
  readonly parts: readonly Uint8Array[];
}

/** @throws {TypeError} If the value holds a function, a symbol or a cycle. */
export function pack(value: unknown): Packed {
  const parts: Uint8Array[] = [];
  return { json: packValue(value, parts, 0), parts };
}

function packValue(value: unknown, parts: Uint8Array[], depth: number): unknown {
  if (typeof value === "number") return packNumber(value);
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (value === undefined) return null;
  if (typeof value !== "object") throw new TypeError(`Cannot send a ${typeof value}`);
  if (depth > MAX_DEPTH) throw new TypeError(`Cannot send a value that is more than ${MAX_DEPTH} deep`);
  if (value instanceof ArrayBuffer) return packArray("buffer", new Uint8Array(value), parts);
  for (const name of Object.keys(ARRAYS) as ArrayName[]) {
    if (value instanceof ARRAYS[name]) return packArray(name, value, parts);
  }
  if (ArrayBuffer.isView(value)) throw new TypeError(`Cannot send a ${value.constructor.name}`);
  if (Array.isArray(value)) return value.map((item) => packValue(item, parts, depth + 1));
  const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    .map(([key, item]) => [key, packValue(item, parts, depth + 1)] as const);
  if (entries.some(([key]) => key === "$" || key === "__proto__")) return { $: "entries", entries };
  return Object.fromEntries(entries);
}

function packNumber(value: number): unknown {
  if (Number.isFinite(value) && !Object.is(value, -0)) return value;
  for (const name of Object.keys(NUMBERS) as NumberName[]) {
    if (Object.is(NUMBERS[name], value)) return { $: name };
  }
}

function packArray(name: ArrayName | "buffer", array: ArrayBufferView, parts: Uint8Array[]): unknown {
  const part = parts.push(new Uint8Array(array.buffer, array.byteOffset, array.byteLength)) - 1;
  return { $: name, part };
}

/** Each is for one place: a copy for every place that names it could be of any size. */
type Parts = (Uint8Array | undefined)[];

/**
 * Puts the parts back into freshly parsed JSON, in place.
 * @param parts Views that begin at multiples of 8 bytes of their buffers; arrays in the answer are views on them too.
 * @throws {TypeError} If it is nothing that {@linkcode pack} writes.
 */
export function unpack(json: unknown, parts: readonly Uint8Array[]): unknown {
  return unpackValue(json, [...parts], 0);
}

function unpackValue(value: unknown, parts: Parts, depth: number): unknown {
  if (value === null || typeof value !== "object") return value;
  if (depth > MAX_DEPTH) throw new TypeError(`Cannot read a value that is more than ${MAX_DEPTH} deep`);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = unpackValue(value[i], parts, depth + 1);
    return value;
  }
  const record = value as Record<string, unknown>;
  if (Object.hasOwn(record, "$")) return unpackSpecial(record, parts, depth);
  for (const key of Object.keys(record)) {
    if (key === "__proto__") throw new TypeError('Cannot read a value with the key "__proto__"');
    const item = record[key];
    if (item !== null && typeof item === "object") record[key] = unpackValue(item, parts, depth + 1);
  }
  return record;
}

function unpackSpecial(record: Record<string, unknown>, parts: Parts, depth: number): unknown {
  const name = record.$;
  if (typeof name !== "string") throw new TypeError("Cannot read a value of an unknown form");
  if (Object.hasOwn(NUMBERS, name)) return NUMBERS[name as NumberName];
  if (name === "entries" && Array.isArray(record.entries)) {
    const object: Record<string, unknown> = {};
    for (const entry of record.entries) {
      if (!Array.isArray(entry) || typeof entry[0] !== "string") throw new TypeError("Cannot read an entry");
      const item = unpackValue(entry[1], parts, depth + 1);
      Object.defineProperty(object, entry[0], {
        value: item,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
    return object;
  }
  const bytes = parts[record.part as number];
  if (bytes === undefined) {
    throw new TypeError("Cannot read a value whose binary part is missing, or another's");
  }
  parts[record.part as number] = undefined;
  if (name === "buffer") return bytes.slice().buffer;
  if (!Object.hasOwn(ARRAYS, name)) throw new TypeError("Cannot read a value of an unknown form");
  const type = ARRAYS[name as ArrayName];
  if (bytes.byteLength % type.BYTES_PER_ELEMENT !== 0) {
    throw new TypeError("Cannot read an array of a broken length");
  }
  return new type(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength / type.BYTES_PER_ELEMENT);
}
