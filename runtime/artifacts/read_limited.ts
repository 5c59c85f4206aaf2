/** Reading a body into memory without ever holding more than the limit allows. */

/** What {@linkcode readLimited} answers instead of bytes. */
export const OVER_LIMIT = Symbol("over limit");

/**
 * Collects `chunks`, stopping at the first that leads past `maxBytes`.
 * @param expected Announced length in bytes, where there is one; more than that is over the limit too.
 * @param onChunk Called after each chunk with the bytes so far; may throw to stop.
 */
export async function readLimited(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
  expected?: number,
  onChunk: (sofar: number) => void = () => {},
): Promise<Uint8Array<ArrayBuffer> | typeof OVER_LIMIT> {
  if (expected !== undefined && expected > maxBytes) return OVER_LIMIT;
  // With a length each chunk is copied at once, so that its buffer, often twice as large, can go.
  const whole = expected === undefined ? undefined : new Uint8Array(expected);
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const start = length;
    length += chunk.length;
    if (length > (expected ?? maxBytes)) return OVER_LIMIT;
    if (whole !== undefined) whole.set(chunk, start);
    else parts.push(chunk);
    onChunk(length);
  }
  return whole?.subarray(0, length) ?? joined(parts, length);
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
