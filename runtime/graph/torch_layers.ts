/** The layers of a plain Sequential network, from the names and shapes of its state dict. */
import { quote } from "./pickle_value.ts";
import { type Tensor, torchError, type TorchState } from "./torch_file.ts";

interface Layer {
  /** As the state dict begins its entries, such as "network.4". */
  readonly name: string;
  /** Place in the Sequential, from 0. */
  readonly index: number;
}

export interface LinearLayer extends Layer {
  readonly kind: "linear";
  readonly rows: number;
  readonly columns: number;
  /** Row-major, rows × columns. */
  readonly weight: Float64Array;
  readonly bias: Float64Array;
}

/** Running statistics; all vectors have the length of the value. */
export interface BatchNormLayer extends Layer {
  readonly kind: "batchnorm";
  readonly mean: Float64Array;
  readonly variance: Float64Array;
  readonly gamma: Float64Array;
  readonly beta: Float64Array;
}

export interface LayerNormLayer extends Layer {
  readonly kind: "layernorm";
  readonly gamma: Float64Array;
  readonly beta: Float64Array;
}

export type TorchLayer = LinearLayer | BatchNormLayer | LayerNormLayer;

export interface TorchNetwork {
  /** Those with parameters, in order. */
  readonly layers: readonly TorchLayer[];
  /** Number of layers, also of those without parameters; undefined where the file does not say. */
  readonly count: number | undefined;
}

/** One entry's place: the numbers of the Sequentials around it, the outermost first, then its own. */
interface Place {
  readonly prefix: string;
  readonly path: readonly number[];
  readonly part: string;
}

/** @throws {GraphError} TORCH naming the entry that does not belong to a plain Sequential network. */
export function readLayers(state: TorchState): TorchNetwork {
  const places = placesOf(state.tensors);
  const [[, { prefix }]] = places;
  const leaves = leavesOf(prefix, state.modules);
  const nested = [...places].find(([, { path }]) => path.length > 1)?.[0];
  if (nested !== undefined && leaves === undefined) {
    throw torchError(
      `its entry ${
        quote(nested)
      } is in a Sequential inside another, and the file does not name its layers: ` +
        "expected torch.save(model.state_dict(), …)",
    );
  }
  const layers = new Map<number, { readonly name: string; readonly parts: Map<string, Tensor> }>();
  for (const [name, { path, part }] of places) {
    const index = leaves === undefined ? path[0] : leaves.indexOf(path.join("."));
    if (index < 0) throw torchError(`its entry ${quote(name)} is not of one of the layers that it names`);
    const layer = layers.get(index) ?? { name: prefix + path.join("."), parts: new Map<string, Tensor>() };
    layer.parts.set(part, state.tensors.get(name)!);
    layers.set(index, layer);
  }
  const read = [...layers].sort(([a], [b]) => a - b).map(([index, { name, parts }]) =>
    layerOf({ name, index }, parts)
  );
  return { layers: read, count: leaves?.length };
}

function placesOf(tensors: ReadonlyMap<string, Tensor>): Map<string, Place> {
  const places = new Map<string, Place>();
  let prefix: string | undefined;
  for (const name of tensors.keys()) {
    const words = name.split(".");
    const part = words.pop()!;
    const path: number[] = [];
    while (words.length > 0 && /^\d{1,6}$/.test(words.at(-1)!)) path.unshift(Number(words.pop()));
    const before = words.map((word) => `${word}.`).join("");
    if (path.length === 0 || (prefix !== undefined && before !== prefix)) {
      const expected = prefix === undefined ? "a number" : `"${prefix}", a number`;
      throw torchError(
        `its entry ${quote(name)} is not of a plain Sequential network: expected ${expected} and a name`,
      );
    }
    prefix = before;
    places.set(name, { prefix, path, part });
  }
  return places;
}

/**
 * The layers in the order in which a Sequential runs them, those without parameters too; undefined where the file does
 * not say. Every module of the file must be one of them, or contain them: what others do is code, which is not there.
 */
function leavesOf(prefix: string, modules: readonly string[] | undefined): string[] | undefined {
  const inside = new Map<string, readonly number[]>();
  for (const name of modules ?? []) {
    if (name === "" || prefix.startsWith(`${name}.`)) continue;
    const place = name.startsWith(prefix) ? name.slice(prefix.length) : "";
    if (!/^\d{1,6}(\.\d{1,6}){0,9}$/.test(place)) {
      throw torchError(`its module ${quote(name)} is not a layer of a plain Sequential network`);
    }
    inside.set(place, place.split(".").map(Number));
  }
  if (inside.size === 0) return undefined;
  const containers = new Set([...inside.values()].map((path) => path.slice(0, -1).join(".")));
  const leaves = [...inside].filter(([place]) => !containers.has(place));
  return leaves.sort(([, a], [, b]) => compared(a, b)).map(([place]) => place);
}

function compared(a: readonly number[], b: readonly number[]): number {
  const k = a.findIndex((value, i) => value !== b[i]);
  return k < 0 ? a.length - b.length : a[k] - (b[k] ?? -1);
}

const PARTS: Readonly<Record<TorchLayer["kind"], readonly string[]>> = {
  linear: ["weight", "bias"],
  batchnorm: ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"],
  layernorm: ["weight", "bias"],
};

function layerOf(layer: Layer, parts: ReadonlyMap<string, Tensor>): TorchLayer {
  const kind = kindOf(layer, parts);
  for (const [part, { data, shape }] of parts) {
    if (!PARTS[kind].includes(part)) {
      throw torchError(
        `its entry ${quote(`${layer.name}.${part}`)} of shape [${shape}] is not of a known layer`,
      );
    }
    if (data.some((value) => !Number.isFinite(value))) {
      throw torchError(`its entry ${quote(`${layer.name}.${part}`)} has values that are not finite`);
    }
  }
  switch (kind) {
    case "linear": {
      const { shape: [rows, columns], data: weight } = parts.get("weight")!;
      if (rows === 0 || columns === 0) {
        throw torchError(`its entry ${quote(`${layer.name}.weight`)} is empty`);
      }
      return { ...layer, kind, rows, columns, weight, bias: vector(layer, parts, "bias", rows, 0) };
    }
    case "batchnorm": {
      const size = parts.get("running_mean")!.data.length;
      if (!parts.has("running_var")) {
        throw torchError(
          `its layer ${quote(layer.name)} has no running_var, expected a BatchNorm1d with both`,
        );
      }
      return {
        ...layer,
        kind,
        mean: vector(layer, parts, "running_mean", size, 0),
        variance: vector(layer, parts, "running_var", size, 1),
        gamma: vector(layer, parts, "weight", size, 1),
        beta: vector(layer, parts, "bias", size, 0),
      };
    }
    case "layernorm": {
      const size = parts.get("weight")!.data.length;
      return {
        ...layer,
        kind,
        gamma: vector(layer, parts, "weight", size, 1),
        beta: vector(layer, parts, "bias", size, 0),
      };
    }
  }
}

/** A vector of weights and one of biases without statistics is read as LayerNorm: GroupNorm looks the same. */
function kindOf({ name }: Layer, parts: ReadonlyMap<string, Tensor>): TorchLayer["kind"] {
  if (parts.has("running_mean")) return "batchnorm";
  const weight = parts.get("weight");
  if (weight?.shape.length === 2) return "linear";
  if (weight?.shape.length === 1 && parts.has("bias")) return "layernorm";
  const [[part, { shape }]] = parts;
  throw torchError(
    `its entry ${quote(`${name}.${part}`)} of shape [${shape}] is not of a known layer: ` +
      "expected Linear, BatchNorm1d or LayerNorm",
  );
}

function vector(
  { name }: Layer,
  parts: ReadonlyMap<string, Tensor>,
  part: string,
  length: number,
  byDefault: number,
): Float64Array {
  const tensor = parts.get(part);
  if (tensor === undefined) return new Float64Array(length).fill(byDefault);
  if (tensor.shape.length === 1 && tensor.shape[0] === length) return tensor.data;
  throw torchError(
    `its entry ${quote(`${name}.${part}`)} has the shape [${tensor.shape}], expected [${length}]`,
  );
}
