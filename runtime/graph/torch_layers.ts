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

interface Sequential {
  readonly prefix: string;
  /** By index, then by the last part of the entry's name. */
  readonly layers: ReadonlyMap<number, Map<string, Tensor>>;
}

/** @throws {GraphError} TORCH naming the entry that does not belong to a plain Sequential network. */
export function readLayers(state: TorchState): TorchNetwork {
  const { prefix, layers } = group(state.tensors);
  const read = [...layers.entries()].sort(([a], [b]) => a - b).map(([index, parts]) =>
    layerOf({ name: `${prefix}${index}`, index }, parts)
  );
  return { layers: read, count: countModules(prefix, state.modules) };
}

function group(tensors: ReadonlyMap<string, Tensor>): Sequential {
  const layers = new Map<number, Map<string, Tensor>>();
  let prefix: string | undefined;
  for (const [name, tensor] of tensors) {
    const parts = /^((?:[^.]+\.)*)(\d{1,6})\.([^.]+)$/.exec(name);
    if (parts === null || (prefix !== undefined && parts[1] !== prefix)) {
      const expected = prefix === undefined ? "a number" : `"${prefix}", a number`;
      throw torchError(
        `its entry ${quote(name)} is not of a plain Sequential network: expected ${expected} and a name`,
      );
    }
    prefix = parts[1];
    const index = Number(parts[2]);
    const layer = layers.get(index) ?? new Map<string, Tensor>();
    layer.set(parts[3], tensor);
    layers.set(index, layer);
  }
  return { prefix: prefix!, layers };
}

/** Every module of the file must be one of the layers, or contain them: what others do is code, which is not there. */
function countModules(prefix: string, modules: readonly string[] | undefined): number | undefined {
  let count = 0;
  for (const name of modules ?? []) {
    if (name === "" || prefix.startsWith(`${name}.`)) continue;
    const index = name.startsWith(prefix) ? /^\d{1,6}$/.exec(name.slice(prefix.length)) : null;
    if (index === null) {
      throw torchError(`its module ${quote(name)} is not a layer of a plain Sequential network`);
    }
    count = Math.max(count, Number(index[0]) + 1);
  }
  return count === 0 ? undefined : count;
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
