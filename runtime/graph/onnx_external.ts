/** Which files beside an ONNX model hold its weights, before anybody reads the model. */

const TEXT = new TextDecoder("utf-8");
/** An entry of a tensor's external_data (StringStringEntryProto, onnx.proto): key "location", then the value's tag. */
const ENTRY = Uint8Array.of(0x0a, 8, ...new TextEncoder().encode("location"), 0x12);
const MAX_FILES = 8;

/**
 * The names that external data have, found by the bytes of their entries: without a parser, because the kernel reads no
 * model. Names with a folder are left out; the model's reader refuses them.
 * @param bytes An ONNX file, or anything else, which has none.
 */
export function externalDataNames(bytes: Uint8Array): string[] {
  const names = new Set<string>();
  for (let at = bytes.indexOf(ENTRY[0]); at >= 0; at = bytes.indexOf(ENTRY[0], at + 1)) {
    if (!ENTRY.every((byte, i) => bytes[at + i] === byte)) continue;
    const length = bytes[at + ENTRY.length];
    // A longer name would need a second byte for its length.
    if (!(length > 0 && length < 0x80)) continue;
    const start = at + ENTRY.length + 1;
    const name = TEXT.decode(bytes.subarray(start, start + length));
    if (/^[\w.@ -]+$/.test(name) && !name.includes("..") && !name.startsWith(".")) names.add(name);
    if (names.size === MAX_FILES) break;
  }
  return [...names];
}

/** Key under which a skill gets the file `name` that lies beside the one of `key`. */
export function externalDataKey(key: string, name: string): string {
  return `${key}:${name}`;
}
