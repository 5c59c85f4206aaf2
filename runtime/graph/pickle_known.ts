/** The closed list of classes and functions that a pickle may name, and what plain data each of them stands for. */
import type { ElementName } from "./element.ts";
import { latinBytes } from "./pickle_cursor.ts";
import { arrayOfBuffer, makeDtype, numpyScalar, setArray, setDtype } from "./pickle_numpy.ts";
import {
  countOf,
  describe,
  emptyDict,
  isKind,
  itemsOf,
  pickleError,
  type PickleGlobal,
  type PickleObject,
  type PickleValue,
  quote,
  shapeOf,
  type TorchTensor,
} from "./pickle_value.ts";

type Call = (args: readonly PickleValue[], name: string) => PickleValue;

export const JOBLIB_ARRAY = "joblib.numpy_pickle.NumpyArrayWrapper";

const SCALERS = ["StandardScaler", "MinMaxScaler", "RobustScaler", "MaxAbsScaler"];

/** Classes whose instances are their attributes: by the name in the file, the name they get here. */
const OBJECTS: ReadonlyMap<string, string> = new Map([
  ...SCALERS.flatMap((name): [string, string][] => [
    [`sklearn.preprocessing._data.${name}`, name],
    [`sklearn.preprocessing.data.${name}`, name],
  ]),
  [JOBLIB_ARRAY, JOBLIB_ARRAY],
]);

/** What only stands among the arguments of others. */
const NAMES: ReadonlySet<string> = new Set(["numpy.ndarray", "builtins.object", "__builtin__.object"]);

const CALLS: ReadonlyMap<string, Call> = new Map<string, Call>([
  ["collections.OrderedDict", orderedDict],
  ["_codecs.encode", encodedBytes],
  ["builtins.bytes", noBytes],
  ["__builtin__.bytes", noBytes],
  ["builtins.bytearray", copiedBytes],
  ["__builtin__.bytearray", copiedBytes],
  ["copyreg._reconstructor", reconstructed],
  ["copy_reg._reconstructor", reconstructed],
  ["numpy.dtype", makeDtype],
  ...["numpy.core", "numpy._core"].flatMap((core): [string, Call][] => [
    [`${core}.multiarray._reconstruct`, emptyArray],
    [`${core}.multiarray.scalar`, numpyScalar],
    [`${core}.numeric._frombuffer`, arrayOfBuffer],
  ]),
  ["torch._utils._rebuild_tensor_v2", rebuiltTensor],
  ["torch._utils._rebuild_tensor", rebuiltTensor],
  ["torch._utils._rebuild_parameter", rebuiltParameter],
]);

/** The element type of each torch storage class. */
export const STORAGES: ReadonlyMap<string, ElementName> = new Map([
  ["torch.DoubleStorage", "float64"],
  ["torch.FloatStorage", "float32"],
  ["torch.HalfStorage", "float16"],
  ["torch.BFloat16Storage", "bfloat16"],
  ["torch.LongStorage", "int64"],
  ["torch.IntStorage", "int32"],
  ["torch.ShortStorage", "int16"],
  ["torch.CharStorage", "int8"],
  ["torch.ByteStorage", "uint8"],
  ["torch.BoolStorage", "bool"],
]);

/** What torch.save(model, …) begins with, in the place of the state dict. */
const WHOLE = /^(torch\.nn\.|__main__\.)/;
const STATE_DICT = "a state dict, torch.save(model.state_dict(), …), and no whole model";

/** @throws {GraphError} PICKLE naming what is not on the list. */
export function knownGlobal(module: string, name: string): PickleGlobal {
  const full = `${module}.${name}`;
  if (!CALLS.has(full) && !OBJECTS.has(full) && !STORAGES.has(full) && !NAMES.has(full)) {
    throw pickleError(
      `it names ${quote(full)}, which is not among the known classes of torch, numpy and scikit-learn; ` +
        "code in a file is never run" + (WHOLE.test(full) ? `; expected ${STATE_DICT}` : "") +
        (full.startsWith("sklearn.") ? `; expected ${SCALERS.join(", ")}` : ""),
    );
  }
  return { kind: "global", name: full };
}

/** What calling `callee` with `args` would have made. */
export function reduced(callee: PickleValue, args: PickleValue): PickleValue {
  const { name } = globalOf(callee);
  const call = CALLS.get(name);
  if (call === undefined) throw pickleError(`it calls ${quote(name)}, expected a known function`);
  return call(itemsOf(args, `the arguments of ${name}`), name);
}

/** A new instance of a class, without attributes yet. */
export function instance(callee: PickleValue, args: PickleValue): PickleObject {
  const { name } = globalOf(callee);
  const known = OBJECTS.get(name);
  if (known === undefined) {
    throw pickleError(`it makes an instance of ${quote(name)}, expected a known class`);
  }
  const { length } = itemsOf(args, `the arguments of ${name}`);
  if (length > 0) throw pickleError(`it makes a ${known} from ${length} arguments, expected none`);
  return { kind: "object", class: known, state: undefined };
}

/**
 * Gives `target` its state. Only once: the same state given again and again would cost more time than the file is long.
 */
export function setState(target: PickleValue, state: PickleValue): void {
  if (isKind(target, "dtype")) return setDtype(target, state);
  if (isKind(target, "array")) return setArray(target, state);
  if (!isKind(target, "object") && !isKind(target, "dict")) {
    throw pickleError(`it gives a state to ${describe(target)}, expected an object`);
  }
  if (!isKind(state, "dict")) {
    throw pickleError(`the state of ${describe(target)} is ${describe(state)}, expected a dict`);
  }
  if (target.state !== undefined) throw pickleError(`${describe(target)} gets its state twice`);
  target.state = state;
}

function globalOf(value: PickleValue): PickleGlobal {
  if (isKind(value, "global")) return value;
  throw pickleError(`it calls ${describe(value)}, expected a class or a function`);
}

function orderedDict(args: readonly PickleValue[]): PickleValue {
  if (args.length > 0) throw pickleError(`an OrderedDict has ${args.length} arguments, expected none`);
  return emptyDict();
}

/** How protocols below 3 write bytes: as the text of the characters with their numbers. */
function encodedBytes(args: readonly PickleValue[]): PickleValue {
  const [text, encoding] = args;
  if (typeof text !== "string" || (encoding !== "latin1" && encoding !== "latin-1")) {
    throw pickleError(`it encodes ${describe(text)} as ${describe(encoding)}, expected a text as "latin1"`);
  }
  return latinBytes(text);
}

function noBytes(args: readonly PickleValue[], name: string): PickleValue {
  if (args.length > 0) throw pickleError(`${name} has ${args.length} arguments, expected none`);
  return new Uint8Array(0);
}

/** The copy is not made: nobody writes into it. */
function copiedBytes(args: readonly PickleValue[], name: string): PickleValue {
  if (args.length === 0) return new Uint8Array(0);
  const [bytes, encoding] = args;
  if (bytes instanceof Uint8Array) return bytes;
  if (typeof bytes === "string") return encodedBytes([bytes, encoding]);
  throw pickleError(`${name} is made from ${describe(bytes)}, expected bytes`);
}

/** Protocols 0 and 1: (class, object, None). */
function reconstructed(args: readonly PickleValue[]): PickleValue {
  const [made, base, state] = args;
  if (!globalOf(base).name.endsWith(".object") || state !== null) {
    throw pickleError(`it makes ${describe(made)} from ${describe(state)}, expected a plain object`);
  }
  return instance(made, { kind: "tuple", items: [] });
}

function emptyArray(args: readonly PickleValue[]): PickleValue {
  const { name } = globalOf(args[0]);
  if (name !== "numpy.ndarray") {
    throw pickleError(`it makes an array of ${quote(name)}, expected numpy.ndarray`);
  }
  return { kind: "array", content: undefined };
}

/** (storage, offset, shape, strides, requires_grad, …) */
function rebuiltTensor(args: readonly PickleValue[]): TorchTensor {
  const [storage, offset, shape, strides] = args;
  if (!isKind(storage, "storage")) {
    throw pickleError(`a tensor is a view of ${describe(storage)}, expected a storage`);
  }
  const dimensions = shapeOf(shape);
  const given = itemsOf(strides, "the strides of a tensor");
  if (given.length !== dimensions.length) {
    throw pickleError(`a tensor has ${dimensions.length} dimensions and ${given.length} strides`);
  }
  const steps = given.map((step) => countOf(step, "a stride"));
  const start = countOf(offset, "the offset of a tensor");
  // The last element must lie inside; a tensor without elements reads nothing.
  const last = dimensions.reduce((at, dimension, i) => at + (dimension - 1) * steps[i], start);
  const empty = dimensions.includes(0);
  if (!empty && last >= storage.count) {
    throw pickleError(`a tensor reads element ${last} of a storage of ${storage.count}`);
  }
  return { kind: "tensor", storage, offset: start, shape: dimensions, strides: steps };
}

function rebuiltParameter(args: readonly PickleValue[]): PickleValue {
  const [tensor] = args;
  if (!isKind(tensor, "tensor")) {
    throw pickleError(`a parameter is ${describe(tensor)}, expected a tensor`);
  }
  return tensor;
}
