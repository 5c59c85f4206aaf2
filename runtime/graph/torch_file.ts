/**
 * Reads what `torch.save(model.state_dict(), …)` writes, in both of its formats: the zip archive (torch ≥ 1.6) and the
 * legacy one, pickles with the storages behind them (torch/serialization.py). Nothing of the file is executed.
 */
import { ELEMENTS } from "./element.ts";
import { GraphError } from "./graph_error.ts";
import { readPickle } from "./pickle.ts";
import { STORAGES } from "./pickle_known.ts";
import {
  countOf,
  describe,
  elementsIn,
  isKind,
  itemsOf,
  type PickleDict,
  type PickleValue,
  quote,
  type TorchStorage,
  type TorchTensor,
} from "./pickle_value.ts";
import { checkEntry, isZip, readZip, type ZipEntry } from "./zip_reader.ts";

export interface Tensor {
  readonly shape: readonly number[];
  /** Row-major, whatever the strides in the file are. */
  readonly data: Float64Array;
}

export interface TorchState {
  /** By name, in the order of the file. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Names of all modules, also of those without a tensor; undefined where the file does not say. */
  readonly modules: readonly string[] | undefined;
}

/** Largest file, in bytes. */
const MAX_TORCH_BYTES = 64 * 1024 * 1024;

/** Where checkpoints of training scripts keep the state dict. */
const STATE_KEYS = ["state_dict", "model_state_dict", "model"];
const MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;

type StorageBytes = (storage: TorchStorage) => Uint8Array;

/**
 * The tensors of a state dict, or of one under "state_dict", "model_state_dict" or "model".
 * @throws {GraphError} TORCH, PICKLE or ZIP if the file is anything else or does not hold what it says.
 */
export function readTorch(bytes: Uint8Array): TorchState {
  if (bytes.length > MAX_TORCH_BYTES) {
    throw torchError(`it has ${bytes.length} bytes, expected at most ${MAX_TORCH_BYTES}`);
  }
  return isZip(bytes) ? readArchive(bytes) : readLegacy(bytes);
}

function readArchive(bytes: Uint8Array): TorchState {
  const entries = readZip(bytes);
  const folder = archiveFolder(entries);
  const order = entries.get(`${folder}/byteorder`);
  if (
    order !== undefined && new TextDecoder().decode(checkEntry(order).subarray(0, 20)).trim() !== "little"
  ) {
    throw torchError("it was written on a big-endian machine, expected little-endian");
  }
  if (entries.has(`${folder}/constants.pkl`)) {
    throw torchError("it is a TorchScript program, expected a state dict: torch.save(model.state_dict(), …)");
  }
  const { value } = readPickle(checkEntry(entries.get(`${folder}/data.pkl`)!), { persistent: storageOf });
  const checked = new Map<string, Uint8Array>();
  return stateOf(value, bytes.length, (storage) => {
    const entry = entries.get(`${folder}/data/${storage.key}`);
    if (entry === undefined) throw torchError(`its storage ${quote(storage.key)} is missing`);
    // Once: any number of tensors may be views of one storage.
    const data = checked.get(storage.key) ?? checkEntry(entry);
    checked.set(storage.key, data);
    checkSize(storage, data.length);
    return data;
  });
}

/** All entries are in one folder, whose name is the writer's choice. */
function archiveFolder(entries: ReadonlyMap<string, ZipEntry>): string {
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1) {
    throw torchError(
      "it is a zip archive without one data.pkl in a folder, expected one that torch.save has written",
    );
  }
  return pickles[0].slice(0, -"/data.pkl".length);
}

function readLegacy(bytes: Uint8Array): TorchState {
  const magic = readPickle(bytes);
  if (magic.value !== MAGIC) {
    throw torchError(
      `it begins with ${describe(magic.value)}, expected a zip archive or torch's magic number`,
    );
  }
  const protocol = readPickle(bytes, { start: magic.end });
  if (protocol.value !== LEGACY_PROTOCOL) {
    throw torchError(`it has the protocol ${describe(protocol.value)}, expected ${LEGACY_PROTOCOL}`);
  }
  const system = readPickle(bytes, { start: protocol.end });
  if (!isKind(system.value, "dict") || system.value.entries.get("little_endian") !== true) {
    throw torchError("it was written on a big-endian machine, expected little-endian");
  }
  const used = new Map<string, TorchStorage>();
  const state = readPickle(bytes, {
    start: system.end,
    persistent: (id) => {
      const storage = storageOf(id);
      used.set(storage.key, storage);
      return storage;
    },
  });
  const keys = readPickle(bytes, { start: state.end });
  const found = legacyStorages(bytes, keys.end, itemsOf(keys.value, "the list of storages"), used);
  return stateOf(state.value, bytes.length, (storage) => {
    const data = found.get(storage.key);
    if (data === undefined) throw torchError(`its storage ${quote(storage.key)} is missing`);
    checkSize(storage, data.length);
    return data;
  });
}

/** Storages lie behind each other: the number of elements in 8 bytes, then the elements; `used` knows their size. */
function legacyStorages(
  bytes: Uint8Array,
  start: number,
  keys: readonly PickleValue[],
  used: ReadonlyMap<string, TorchStorage>,
): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Map<string, Uint8Array>();
  let at = start;
  for (const key of keys) {
    const storage = typeof key === "string" ? used.get(key) : undefined;
    if (storage === undefined) throw torchError(`no tensor uses its storage ${describe(key)}`);
    if (at + 8 > bytes.length) throw torchError(`it ends before its storage ${quote(storage.key)}`);
    const length = Number(view.getBigUint64(at, true)) * ELEMENTS[storage.element].bytes;
    at += 8;
    if (length > bytes.length - at) throw torchError(`it ends inside of its storage ${quote(storage.key)}`);
    found.set(storage.key, bytes.subarray(at, at + length));
    at += length;
  }
  return found;
}

/** ("storage", class, key, device, number of elements[, view]) */
function storageOf(id: PickleValue): TorchStorage {
  const [tag, type, key, , count, view] = itemsOf(id, "a reference to a storage");
  const element = isKind(type, "global") ? STORAGES.get(type.name) : undefined;
  if (tag !== "storage" || element === undefined || typeof key !== "string") {
    throw torchError(`it refers to ${describe(tag)} of ${describe(type)}, expected a storage`);
  }
  if (view !== undefined && view !== null) throw torchError(`its storage ${quote(key)} is a view of another`);
  return { kind: "storage", key, element, count: countOf(count, "the length of a storage") };
}

function checkSize(storage: TorchStorage, length: number): void {
  const needed = storage.count * ELEMENTS[storage.element].bytes;
  if (length === needed) return;
  throw torchError(
    `its storage ${quote(storage.key)} has ${length} bytes, ${storage.element} needs ${needed}`,
  );
}

function stateOf(value: PickleValue, fileSize: number, storageBytes: StorageBytes): TorchState {
  const dict = stateDict(value);
  const tensors = new Map<string, Tensor>();
  // Views can repeat few numbers without end; real tensors take at least a byte an element.
  let left = fileSize;
  for (const [name, entry] of dict.entries) {
    if (!isKind(entry, "tensor")) {
      throw torchError(
        `its entry ${quote(name)} is ${describe(entry)}, expected a tensor of a state dict` +
          (isKind(entry, "dict")
            ? `; a checkpoint keeps that under ${STATE_KEYS.map(quote).join(" or ")}`
            : ""),
      );
    }
    left -= elementsIn(entry.shape);
    if (left < 0) throw torchError(`its entry ${quote(name)} has more elements than the file has bytes`);
    tensors.set(name, { shape: entry.shape, data: elementsOf(entry, storageBytes(entry.storage)) });
  }
  if (dict.others > 0) throw torchError("an entry of its state dict has a key that is no text");
  if (tensors.size === 0) throw torchError("its state dict is empty");
  const metadata = dict.state?.entries.get("_metadata");
  return { tensors, modules: isKind(metadata, "dict") ? [...metadata.entries.keys()] : undefined };
}

function stateDict(value: PickleValue): PickleDict {
  if (!isKind(value, "dict")) {
    throw torchError(`it holds ${describe(value)}, expected a state dict: torch.save(model.state_dict(), …)`);
  }
  for (const key of STATE_KEYS) {
    const inner = value.entries.get(key);
    if (isKind(inner, "dict")) return inner;
  }
  return value;
}

function elementsOf({ storage, offset, shape, strides }: TorchTensor, bytes: Uint8Array): Float64Array {
  const { bytes: size, read } = ELEMENTS[storage.element];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = new Float64Array(elementsIn(shape));
  const index = shape.map(() => 0);
  let from = offset;
  for (let to = 0; to < data.length; to++) {
    data[to] = read(view, from * size, true);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= shape[axis] * strides[axis];
      index[axis] = 0;
    }
  }
  return data;
}

export function torchError(reason: string): GraphError {
  return new GraphError("TORCH", `Cannot read the torch file: ${reason}`);
}
