/**
 * JSON as a careful reader takes it: no key twice, no number that a float64 cannot hold, no `__proto__`, no endless
 * nesting; each refused with a JSON pointer (RFC 6901) to it.
 */
import { type ErrorCode, type Position, SetpointError, setpointError } from "./errors.ts";

export interface StrictJsonOptions {
  /** Finishes "Cannot read …"; default "the JSON". */
  readonly what?: string;
  /** Named in positions. */
  readonly file?: string;
  /** Default REQUEST_INVALID. */
  readonly code?: ErrorCode;
}

/** A request needs 8. */
const MAX_DEPTH = 64;
const MAX_PROBLEMS = 20;

/** @throws {SetpointError} With `code`; all duplicate keys and all numbers beyond float64, NaN among them, at once. */
export function parseStrictJson(text: string, options: StrictJsonOptions = {}): unknown {
  const { what = "the JSON", file, code = "REQUEST_INVALID" } = options;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!isJson(withoutNotNumbers(text))) {
      const reason = (error as Error).message;
      throw setpointError(code, `Cannot read ${what}: ${reason}`, {
        ...(file !== undefined && { at: { file } }),
      });
    }
  }
  const faults = new Scanner(text).scan();
  if (faults.length === 0) return value;
  throw new SetpointError(faults.map(({ message, pointer }) => {
    const at: Position = file === undefined ? { pointer } : { file, pointer };
    return { code, message: `Cannot read ${what}: ${message}`, at };
  }));
}

/** `a/b` and `~` as parts of a pointer. */
export function jsonPointer(path: readonly (string | number)[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

interface Fault {
  readonly message: string;
  readonly pointer: string;
}

interface Level {
  /** null in an array. */
  readonly keys: Set<string> | null;
  /** The present key or index. */
  step: string | number;
  /** An object's next text is a key. */
  atKey: boolean;
}

/** NaN and Infinity, which many writers take for JSON, as null: what they stand for is told by the scanner. */
function withoutNotNumbers(text: string): string {
  return text.replace(
    /"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/gs,
    (found) => found.startsWith('"') ? found : "null",
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Walks a text that is known to be JSON, but for NaN and Infinity, so that it needs no grammar. */
class Scanner {
  readonly #text: string;
  readonly #levels: Level[] = [];
  readonly #faults: Fault[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  scan(): readonly Fault[] {
    const text = this.#text;
    for (let i = 0; i < text.length && this.#faults.length < MAX_PROBLEMS; i++) {
      const c = text.charCodeAt(i);
      const level = this.#levels[this.#levels.length - 1];
      if (c === 0x22) {
        const end = closingQuote(text, i);
        if (level?.atKey) this.#key(level, JSON.parse(text.slice(i, end + 1)));
        i = end;
      } else if (c === 0x7b || c === 0x5b) {
        if (this.#levels.length === MAX_DEPTH) {
          this.#fault(`it is nested deeper than ${MAX_DEPTH} levels`);
          break;
        }
        const keys = c === 0x7b ? new Set<string>() : null;
        this.#levels.push({ keys, step: 0, atKey: keys !== null });
      } else if (c === 0x7d || c === 0x5d) {
        this.#levels.pop();
      } else if (c === 0x2c) {
        if (level.keys === null) level.step = level.step as number + 1;
        else level.atKey = true;
      } else if (c === 0x2d || (c >= 0x30 && c <= 0x39) || c === 0x49 || c === 0x4e) {
        i = this.#number(i) - 1;
      }
    }
    return this.#faults;
  }

  #key(level: Level, key: string): void {
    level.step = key;
    level.atKey = false;
    if (level.keys!.has(key)) this.#fault(`the key ${JSON.stringify(key)} stands there twice`);
    if (key === "__proto__") this.#fault('the key "__proto__" is not allowed');
    level.keys!.add(key);
  }

  #number(start: number): number {
    let end = start + 1;
    while (end < this.#text.length && /[-+.\w]/.test(this.#text[end])) end++;
    const digits = this.#text.slice(start, end);
    if (!Number.isFinite(Number(digits))) {
      this.#fault(`${digits.length > 20 ? `${digits.slice(0, 20)}…` : digits} is no finite number`);
    }
    return end;
  }

  #fault(message: string): void {
    this.#faults.push({ message, pointer: jsonPointer(this.#levels.map(({ step }) => step)) });
  }
}

function closingQuote(text: string, open: number): number {
  let end = text.indexOf('"', open + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === "\\") backslashes++;
  return backslashes % 2 === 1;
}
