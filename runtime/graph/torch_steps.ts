/**
 * A state dict holds the weights of a network and not what is done with them. That is inferred for plain Sequential
 * networks, whose layers are numbered. Names and shapes tell the layers with parameters; a gap in the numbers tells that
 * others stand there. Between two Linears the first gap holds the activation, with or without Dropout, and a second one
 * Dropout alone (Linear, activation, BatchNorm1d, Dropout); no gap, no activation.
 */
import { quote } from "./pickle_value.ts";
import { readTorch, torchError } from "./torch_file.ts";
import { readLayers, type TorchLayer, type TorchNetwork } from "./torch_layers.ts";

// deno-fmt-ignore
export const TORCH_ACTIVATIONS = [
  "gelu", "relu", "tanh", "sigmoid", "silu", "elu", "selu", "leaky_relu", "mish", "softplus", "identity",
] as const;
export type TorchActivation = (typeof TORCH_ACTIVATIONS)[number];

/** torch's default slope of LeakyReLU below 0, and the numbers of SELU. */
export const LEAK = 0.01;
export const SELU = { alpha: 1.6732632423543772, scale: 1.0507009873554805 };

export interface TorchOptions {
  /** Which activation the network has, with torch's defaults, as no state dict tells; default "gelu", the exact form with erf. */
  readonly activation?: TorchActivation;
  /** What stands behind the last layer; default nothing, and an error where the file tells that something does. */
  readonly outputActivation?: TorchActivation;
  /** Added to variances by BatchNorm1d and LayerNorm, as no state dict tells; default 1e-5 as in torch. */
  readonly eps?: number;
}

/** What is done to a value, one after the other. */
export type TorchStep = TorchLayer | { readonly kind: "activation"; readonly activation: TorchActivation };

export interface TorchSteps {
  /** Length of the value that goes in, and of the one that comes out. */
  readonly inputs: number;
  readonly outputs: number;
  readonly steps: readonly TorchStep[];
  readonly eps: number;
}

/** An activation and Dropout. */
const LARGEST_GAP = 2;
/** Most inputs, and most outputs, of a network. */
const MAX_PORTS = 10_000;

/**
 * The steps of the network of a `.pth` file.
 * @throws {GraphError} TORCH, PICKLE, ZIP; naming the entry where the network is not a plain Sequential.
 */
export function torchSteps(bytes: Uint8Array, options: TorchOptions = {}): TorchSteps {
  const network = readLayers(readTorch(bytes));
  const { activation = "gelu", outputActivation = "identity", eps = 1e-5 } = options;
  const active = activeGaps(network, options.outputActivation !== undefined);
  const first = network.layers.find((layer) => layer.kind === "linear");
  if (first === undefined) throw torchError("its network has no Linear layer");
  const inputs = checkedPorts(first.columns, "inputs");
  const steps: TorchStep[] = [];
  let width = inputs;
  for (const layer of network.layers) {
    width = widthAfter(layer, width, eps);
    steps.push(layer);
    if (active.has(layer) && activation !== "identity") steps.push({ kind: "activation", activation });
  }
  if (outputActivation !== "identity") steps.push({ kind: "activation", activation: outputActivation });
  return { inputs, outputs: checkedPorts(width, "outputs"), steps, eps };
}

/** The layers that an activation follows. */
function activeGaps({ layers, count }: TorchNetwork, outputIsKnown: boolean): Set<TorchLayer> {
  const active = new Set<TorchLayer>();
  // Before the first Linear nothing can be told; afterwards each Linear waits for one activation.
  let begun = false;
  let waiting = false;
  const [first] = layers;
  if (first.index > 0) throw unknownLayers(first.index, `before ${quote(first.name)}`);
  for (let i = 0; i < layers.length - 1; i++) {
    const [layer, next] = [layers[i], layers[i + 1]];
    const gap = next.index - layer.index - 1;
    if (layer.kind === "linear") begun = waiting = true;
    if (gap > (waiting ? LARGEST_GAP : begun ? 1 : 0)) {
      throw unknownLayers(gap, `between ${quote(layer.name)} and ${quote(next.name)}`);
    }
    if (gap > 0 && waiting) active.add(layer);
    if (gap > 0) waiting = false;
  }
  const last = layers[layers.length - 1];
  if (count !== undefined && count > last.index + 1 && !outputIsKnown) {
    throw torchError(
      `${unnamed(count - last.index - 1)} behind ${quote(last.name)} and the file does not tell which: ` +
        `expected output_activation (${TORCH_ACTIVATIONS.join(", ")}) to say it`,
    );
  }
  return active;
}

function checkedPorts(count: number, what: string): number {
  if (count <= MAX_PORTS) return count;
  throw torchError(`its network has ${count} ${what}, expected at most ${MAX_PORTS}`);
}

function unknownLayers(count: number, where: string) {
  return torchError(
    `${
      unnamed(count)
    } ${where} and the file does not tell which: expected an activation, then Dropout at most`,
  );
}

function unnamed(count: number): string {
  return count === 1 ? "a layer without parameters stands" : `${count} layers without parameters stand`;
}

function widthAfter(layer: TorchLayer, width: number, eps: number): number {
  const expected = layer.kind === "linear" ? layer.columns : layer.gamma.length;
  if (expected !== width) {
    throw torchError(
      `its layer ${quote(layer.name)} takes ${expected} values, the layer before gives ${width}`,
    );
  }
  if (layer.kind === "batchnorm") {
    const bad = layer.variance.findIndex((value) => !(value + eps > 0));
    if (bad >= 0) {
      throw torchError(
        `its layer ${quote(layer.name)} has the variance ${layer.variance[bad]}, expected 0 or more`,
      );
    }
  }
  return layer.kind === "linear" ? layer.rows : width;
}
