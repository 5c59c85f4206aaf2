/** Writes state dicts of 32-bit tensors as torch.save does: a pickle of protocol 2 beside storages, in a zip archive. */
import { makeZip } from "./zip_writer.ts";

export interface WrittenTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** @param key Under which a checkpoint keeps the state dict; default: the file is one. */
export function writeTorch(tensors: Readonly<Record<string, WrittenTensor>>, key?: string): Uint8Array {
  const files: Record<string, Uint8Array> = {};
  const entries = Object.entries(tensors).map(([name, { shape, data }], key) => {
    files[`net/data/${key}`] = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    const parts = ["storage", "torch\nFloatStorage", `${key}`, "cpu"].map((part) =>
      part.includes("\n") ? `c${part}\n` : text(part)
    );
    const storage = `(${parts.join("")}${whole(data.length)}tQ`;
    // no gradient, no hooks
    const rest = `${whole(0)}${tuple(shape)}${tuple(strides)}\x89ccollections\nOrderedDict\n)R`;
    return `${text(name)}ctorch._utils\n_rebuild_tensor_v2\n(${storage}${rest}tR`;
  });
  const dict = `}(${entries.join("")}u`;
  const pickle = `\x80\x02${key === undefined ? dict : `}${text(key)}${dict}s`}.`;
  return makeZip({ "net/data.pkl": Uint8Array.from(pickle, (letter) => letter.charCodeAt(0)), ...files });
}

function text(value: string): string {
  return `X${bytes(value.length)}${value}`;
}

function whole(value: number): string {
  return `J${bytes(value)}`;
}

function tuple(values: readonly number[]): string {
  return `(${values.map(whole).join("")}t`;
}

/** Four bytes, little-endian. */
function bytes(value: number): string {
  return String.fromCharCode(...new Uint8Array(Int32Array.of(value).buffer));
}
