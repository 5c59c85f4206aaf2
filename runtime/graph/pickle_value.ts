/** What a pickle holds, as plain data: nothing of it is ever code. */
import type { ElementName } from "./element.ts";
import { GraphError } from "./graph_error.ts";

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleList
  | PickleTuple
  | PickleDict
  | PickleGlobal
  | PickleObject
  | NumpyDtype
  | NumpyArray
  | TorchStorage
  | TorchTensor;

export interface PickleList {
  readonly kind: "list";
  readonly items: PickleValue[];
}

export interface PickleTuple {
  readonly kind: "tuple";
  readonly items: readonly PickleValue[];
}

/** A dict or an OrderedDict. */
export interface PickleDict {
  readonly kind: "dict";
  readonly entries: Map<string, PickleValue>;
  /** How many entries were set whose key is no text; nothing asks for them, so they are not kept. */
  others: number;
  /** What an OrderedDict has beside its entries, such as torch's `_metadata`. */
  state: PickleDict | undefined;
}

/** A class or a function of the closed list in pickle_known.ts, by its own name: module and name with a dot. */
export interface PickleGlobal {
  readonly kind: "global";
  readonly name: string;
}

/** An instance of a class of the closed list. */
export interface PickleObject {
  readonly kind: "object";
  readonly class: string;
  /** Its attributes; undefined until the file gives them. */
  state: PickleDict | undefined;
}

export interface NumpyDtype {
  readonly kind: "dtype";
  /** As numpy abbreviates it, such as "f8". */
  readonly code: string;
  /** undefined: objects, texts and whatever else is no number. */
  readonly element: ElementName | undefined;
  little: boolean;
  complete: boolean;
}

export interface NumpyArray {
  readonly kind: "array";
  /** undefined until the file gives it. */
  content: NumpyContent | undefined;
}

export interface NumpyContent {
  readonly shape: readonly number[];
  readonly dtype: NumpyDtype;
  readonly columnMajor: boolean;
  /** The bytes of numbers, or a list of objects. */
  readonly data: Uint8Array | PickleList;
}

/** Numbers that lie elsewhere in a torch file. */
export interface TorchStorage {
  readonly kind: "storage";
  readonly key: string;
  readonly element: ElementName;
  /** Number of elements, as the file says. */
  readonly count: number;
}

/** A view of a storage; offset and strides in elements. */
export interface TorchTensor {
  readonly kind: "tensor";
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

type Kind = Extract<PickleValue, { readonly kind: string }>["kind"];

export function isKind<K extends Kind>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<PickleValue, { readonly kind: K }> {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === kind;
}

export function emptyDict(): PickleDict {
  return { kind: "dict", entries: new Map(), others: 0, state: undefined };
}

/** Most elements of one array or tensor. */
const MAX_ELEMENTS = 1 << 24;
const MAX_RANK = 8;

export function pickleError(reason: string): GraphError {
  return new GraphError("PICKLE", `Cannot read the pickle: ${reason}`);
}

/** A text of the file, safe to print. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}

/** What a value is, for messages. */
export function describe(value: PickleValue | undefined): string {
  if (value === undefined) return "nothing";
  if (value === null) return "None";
  if (typeof value === "string") return `the text ${quote(value)}`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value === "bigint") return "a long integer";
  if (typeof value !== "object") return `${value}`;
  switch (value.kind) {
    case "global":
      return quote(value.name);
    case "object":
      return `a ${value.class}`;
    default:
      return value.kind === "array" ? "an array" : `a ${value.kind}`;
  }
}

/** The items of a tuple or list. @throws {GraphError} PICKLE */
export function itemsOf(value: PickleValue | undefined, what: string): readonly PickleValue[] {
  if (isKind(value, "tuple") || isKind(value, "list")) return value.items;
  throw pickleError(`${what} is ${describe(value)}, expected a tuple`);
}

/** An integer from 0 to 2⁵³. @throws {GraphError} PICKLE */
export function countOf(value: PickleValue | undefined, what: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw pickleError(`${what} is ${describe(value)}, expected an integer from 0`);
}

/** Dimensions with at most {@linkcode MAX_ELEMENTS} elements together. @throws {GraphError} PICKLE */
export function shapeOf(value: PickleValue | undefined): number[] {
  const items = itemsOf(value, "a shape");
  if (items.length > MAX_RANK) {
    throw pickleError(`an array has ${items.length} dimensions, expected at most ${MAX_RANK}`);
  }
  const shape = items.map((item) => countOf(item, "a dimension"));
  if (elementsIn(shape) > MAX_ELEMENTS) {
    throw pickleError(`an array has the shape [${shape}], expected at most ${MAX_ELEMENTS} elements`);
  }
  return shape;
}

export function elementsIn(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}
