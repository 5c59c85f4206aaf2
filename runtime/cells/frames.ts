/**
 * Length-prefixed frames on a pipe: u32 total bytes, u32 bytes of JSON, the JSON, the binary parts; little-endian, the
 * JSON padded with blanks and each part with zeros to 8 bytes. The JSON is `{parts: [bytes of each], body}`.
 *
 * The other side is not trusted: every length is checked before anything is allocated or parsed.
 */
import { pack, unpack } from "./message.ts";

const HEAD = 8;
const MAX_PARTS = 4096;

export interface FrameLimits {
  /** Largest frame, bytes. */
  readonly frameBytes: number;
  /** Largest JSON in it, bytes: parsing it is what keeps a thread. */
  readonly jsonBytes: number;
}

export type FrameErrorCode = "FRAME_INVALID" | "FRAME_TOO_LARGE";

export class FrameError extends Error {
  constructor(readonly code: FrameErrorCode, message: string) {
    super(message);
    this.name = "FrameError";
  }
}

/** @throws {TypeError} If `body` holds what cannot be sent. @throws {FrameError} FRAME_TOO_LARGE */
export function encodeFrame(body: unknown, limits: FrameLimits): Uint8Array<ArrayBuffer> {
  const { json, parts } = pack(body);
  const text = new TextEncoder().encode(
    JSON.stringify({ parts: parts.map((part) => part.byteLength), body: json }),
  );
  const jsonLength = padded(text.byteLength);
  const total = parts.reduce((sum, part) => sum + padded(part.byteLength), HEAD + jsonLength);
  checkLengths(total, jsonLength, limits);
  const frame = new Uint8Array(total);
  const view = new DataView(frame.buffer);
  view.setUint32(0, total, true);
  view.setUint32(4, jsonLength, true);
  frame.set(text, HEAD);
  frame.fill(0x20, HEAD + text.byteLength, HEAD + jsonLength);
  let at = HEAD + jsonLength;
  for (const part of parts) {
    frame.set(part, at);
    at += padded(part.byteLength);
  }
  return frame;
}

/** The body of one whole frame; typed arrays in it are views on the frame. @throws {FrameError} */
export function decodeFrame(frame: Uint8Array<ArrayBuffer>, limits: FrameLimits): unknown {
  if (frame.byteLength < HEAD) {
    throw new FrameError("FRAME_INVALID", `Cannot read a frame of ${frame.byteLength} bytes`);
  }
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const jsonLength = view.getUint32(4, true);
  checkLengths(view.getUint32(0, true), jsonLength, limits);
  if (view.getUint32(0, true) !== frame.byteLength || frame.byteOffset % 8 !== 0) {
    throw new FrameError("FRAME_INVALID", "Cannot read a frame whose length is not the one it states");
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(frame.subarray(HEAD, HEAD + jsonLength));
    const { parts, body } = JSON.parse(text) as { parts: unknown; body: unknown };
    return unpack(body, splitParts(frame, HEAD + jsonLength, parts));
  } catch (error) {
    if (error instanceof FrameError) throw error;
    throw new FrameError("FRAME_INVALID", `Cannot read a frame: ${(error as Error).message}`);
  }
}

function splitParts(frame: Uint8Array<ArrayBuffer>, start: number, lengths: unknown): Uint8Array[] {
  if (!Array.isArray(lengths) || lengths.length > MAX_PARTS) {
    throw new FrameError("FRAME_INVALID", "Cannot read a frame without the lengths of its parts");
  }
  let at = start;
  const parts = lengths.map((length: unknown) => {
    if (!Number.isInteger(length) || (length as number) < 0 || at + (length as number) > frame.byteLength) {
      throw new FrameError("FRAME_INVALID", `Cannot read a frame whose part has ${length} bytes`);
    }
    const part = frame.subarray(at, at + (length as number));
    at += padded(length as number);
    return part;
  });
  if (at !== frame.byteLength) {
    throw new FrameError("FRAME_INVALID", "Cannot read a frame with bytes left over");
  }
  return parts;
}

function checkLengths(total: number, jsonLength: number, { frameBytes, jsonBytes }: FrameLimits): void {
  if (total > frameBytes) {
    throw new FrameError("FRAME_TOO_LARGE", `Cannot take a frame of ${total} bytes: at most ${frameBytes}`);
  }
  if (jsonLength > jsonBytes) {
    throw new FrameError(
      "FRAME_TOO_LARGE",
      `Cannot take ${jsonLength} bytes of JSON in a frame: at most ${jsonBytes}`,
    );
  }
  if (total < HEAD || total % 8 !== 0 || jsonLength % 8 !== 0 || HEAD + jsonLength > total) {
    throw new FrameError(
      "FRAME_INVALID",
      `Cannot take a frame of ${total} bytes with ${jsonLength} bytes of JSON`,
    );
  }
}

function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}

/** Cuts a stream of bytes into whole frames. */
export class FrameReader {
  readonly #limits: FrameLimits;
  readonly #head = new Uint8Array(HEAD);
  #frame: Uint8Array<ArrayBuffer> | undefined;
  /** Bytes of `#head`, or of `#frame` once there is one, that are filled. */
  #filled = 0;

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  /** The frames that `chunk` completes, each in a buffer of its own. @throws {FrameError} Once; the stream is lost then. */
  *push(chunk: Uint8Array): Generator<Uint8Array<ArrayBuffer>, void> {
    let at = 0;
    while (at < chunk.byteLength) {
      const target: Uint8Array = this.#frame ?? this.#head;
      const taken = Math.min(target.byteLength - this.#filled, chunk.byteLength - at);
      target.set(chunk.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#frame === undefined && this.#filled === HEAD) this.#open();
      if (this.#frame !== undefined && this.#filled === this.#frame.byteLength) {
        const frame = this.#frame;
        this.#frame = undefined;
        this.#filled = 0;
        yield frame;
      }
    }
  }

  #open(): void {
    const view = new DataView(this.#head.buffer);
    const total = view.getUint32(0, true);
    checkLengths(total, view.getUint32(4, true), this.#limits);
    this.#frame = new Uint8Array(total);
    this.#frame.set(this.#head);
  }
}
