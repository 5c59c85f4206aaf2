/** Reading a body of unknown length into memory without ever holding more than the limit allows. */

/** What {@linkcode readLimited} answers instead of bytes. */
export const OVER_LIMIT = Symbol("over limit");

/**
 * Collects `chunks`, stopping at the first that leads past `maxBytes`.
 * @param expected Announced length in bytes, where there is one: then exactly this much is allocated at once.
 * @param onChunk Called after each chunk with the bytes so far; may throw to stop.
 */
export async function readLimited(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  expected?: number,
  onChunk: (sofar: number) => void = () => {},
): Promise<Uint8Array<ArrayBuffer> | typeof OVER_LIMIT> {
  if (expected !== undefined && expected > maxBytes) return OVER_LIMIT;
  let bytes = new Uint8Array(expected ?? Math.min(maxBytes, 2 ** 16));
  let length = 0;
  for await (const chunk of chunks) {
    const needed = length + chunk.length;
    if (needed > maxBytes) return OVER_LIMIT;
    if (needed > bytes.length) {
      bytes = grown(bytes, length, Math.min(maxBytes, Math.max(needed, 2 * bytes.length)));
    }
    bytes.set(chunk, length);
    length = needed;
    onChunk(length);
  }
  return length === bytes.length ? bytes : bytes.slice(0, length);
}

function grown(bytes: Uint8Array<ArrayBuffer>, length: number, capacity: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(capacity);
  larger.set(bytes.subarray(0, length));
  return larger;
}
