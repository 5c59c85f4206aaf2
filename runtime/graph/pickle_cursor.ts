/** Reads the primitives of a pickle; every length is checked against what is left before anything is taken. */
import { pickleError } from "./pickle_value.ts";

// A byte order mark is a character of the text here.
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const NEWLINE = 10;
/** Longest line of a text pickle that is a number, in characters. */
const MAX_DIGITS = 80;
/** All texts of a pickle together, in bytes: names, and below protocol 3 the bytes of small arrays. */
const MAX_TEXT = 4 * 1024 * 1024;

export class Cursor {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  at: number;
  #textLeft = MAX_TEXT;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  /** A view of the next `length` bytes. */
  take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.bytes.subarray(start, start + length);
  }

  uint8(): number {
    return this.bytes[this.#advance(1)];
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** Above 2⁵³ it is rounded, which no check against a length notices. */
  uint64(): number {
    const low = this.uint32();
    return this.uint32() * 2 ** 32 + low;
  }

  /** Big-endian, as pickles have it. */
  float64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  text(length: number): string {
    const bytes = this.#takeText(length);
    try {
      return UTF8.decode(bytes);
    } catch {
      throw pickleError(`a text at byte ${this.at - length} is not UTF-8`);
    }
  }

  /** Up to the next line feed, which is skipped. */
  line(): string {
    const text = this.text(this.#lineLength());
    this.at++;
    return text;
  }

  /** A line whose bytes are one character each. */
  latinLine(): string {
    const text = latinText(this.#takeText(this.#lineLength()));
    this.at++;
    return text;
  }

  numberLine(): string {
    const text = this.line();
    if (text.length > MAX_DIGITS) throw pickleError(`a number has ${text.length} characters`);
    return text;
  }

  #lineLength(): number {
    const length = this.bytes.subarray(this.at, this.at + this.#textLeft + 1).indexOf(NEWLINE);
    if (length >= 0) return length;
    throw this.left > this.#textLeft ? this.#tooMuchText() : this.#truncated();
  }

  #takeText(length: number): Uint8Array {
    const bytes = this.take(length);
    this.#textLeft -= length;
    if (this.#textLeft < 0) throw this.#tooMuchText();
    return bytes;
  }

  #advance(length: number): number {
    if (length > this.left) throw this.#truncated();
    const start = this.at;
    this.at += length;
    return start;
  }

  #tooMuchText() {
    return pickleError(`it has more than ${MAX_TEXT} bytes of text`);
  }

  #truncated() {
    return pickleError(
      this.bytes.length === 0 ? "it is empty" : `it ends at byte ${this.bytes.length} in mid-value`,
    );
  }
}

/** Each byte is the character of that number. */
function latinText(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 8192) {
    parts.push(String.fromCharCode(...bytes.subarray(at, at + 8192)));
  }
  return parts.join("");
}

/** The bytes whose numbers are the characters of `text`. @throws {GraphError} PICKLE */
export function latinBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255) {
      throw pickleError(`bytes are written as a text with the character ${code}, expected 0 to 255`);
    }
    bytes[i] = code;
  }
  return bytes;
}
