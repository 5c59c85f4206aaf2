import type { Clock } from "../clock.ts";
import { parseStrictJson } from "../strict_json.ts";
import { HttpError } from "./problem.ts";

export interface BodyLimits {
  readonly maxBytes: number;
  /** The whole body must have arrived by then. */
  readonly timeoutMs: number;
}

/**
 * The request's body as strict JSON; undefined if it is empty. Never holds more than `maxBytes`.
 * @throws {SetpointError} 400 (not JSON, not UTF-8), 408 (slow), 413 (large), 415 (not `application/json`).
 */
export async function readJson(
  request: Request,
  { maxBytes, timeoutMs }: BodyLimits,
  clock: Pick<Clock, "after">,
): Promise<unknown> {
  const announced = Number(request.headers.get("content-length") ?? 0);
  // Deno reads and drops what is left of a body, so a client that is still sending gets its answer
  if (announced > maxBytes) throw tooLarge(maxBytes);
  const bytes = request.body === null
    ? new Uint8Array()
    : await collect(request.body, { maxBytes, timeoutMs }, clock);
  if (bytes.length === 0) return undefined;
  checkType(request.headers);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new HttpError(400, "REQUEST_INVALID", "Cannot read the request's body: it is not UTF-8");
  }
  return parseStrictJson(text, { what: "the request's body" });
}

async function collect(
  body: ReadableStream<Uint8Array>,
  { maxBytes, timeoutMs }: BodyLimits,
  clock: Pick<Clock, "after">,
): Promise<Uint8Array> {
  const reader = body.getReader();
  let late = false;
  const cancelTimer = clock.after(timeoutMs, () => {
    late = true;
    reader.cancel().catch(() => {});
  });
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    while (length <= maxBytes) {
      const { done, value } = await reader.read();
      if (late || done) break;
      length += value.length;
      chunks.push(value);
    }
  } catch (cause) {
    if (!late) throw new HttpError(400, "REQUEST_INVALID", `Cannot read the request's body: ${cause}`, CLOSE);
  } finally {
    cancelTimer();
  }
  if (length > maxBytes) {
    reader.cancel().catch(() => {});
    throw tooLarge(maxBytes);
  }
  if (late) {
    const seconds = timeoutMs / 1000;
    throw new HttpError(
      408,
      "REQUEST_INVALID",
      `Cannot read the request's body: it did not arrive within ${seconds} s`,
      CLOSE,
    );
  }
  return joined(chunks, length);
}

const CLOSE = { connection: "close" };

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(
    413,
    "REQUEST_INVALID",
    `Cannot read the request's body: expected at most ${maxBytes} bytes`,
    CLOSE,
  );
}

function checkType(headers: Headers): void {
  const type = headers.get("content-type") ?? "";
  const encoding = headers.get("content-encoding") ?? "identity";
  if (!/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type)) {
    throw new HttpError(
      415,
      "REQUEST_INVALID",
      `Cannot read a body of type "${type}", expected application/json`,
    );
  }
  if (encoding !== "identity") {
    throw new HttpError(
      415,
      "REQUEST_INVALID",
      `Cannot read a body in encoding "${encoding}", expected none`,
    );
  }
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1) return chunks[0];
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
