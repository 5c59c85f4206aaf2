/** Numbers and texts as the operations of a pickle write them. */
import { pickleError } from "./pickle_value.ts";

/** Two's complement, little-endian. */
export function longInteger(bytes: Uint8Array): number | bigint {
  if (bytes.length === 0) return 0;
  const digits = [...bytes].reverse().map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return smallest(BigInt.asIntN(bytes.length * 8, BigInt(`0x${digits}`)));
}

/** A number where it is exact, else a bigint. */
export function decimalInteger(text: string): number | bigint {
  if (!/^[+-]?\d+$/.test(text)) throw pickleError(`an integer is ${JSON.stringify(text)}`);
  return smallest(BigInt(text.replace("+", "")));
}

function smallest(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** As Python's `repr` writes it. */
export function decimalFloat(text: string): number {
  const special = /^([+-]?)(inf|nan)$/.exec(text);
  if (special !== null) return special[2] === "nan" ? NaN : special[1] === "-" ? -Infinity : Infinity;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) {
    throw pickleError(`a number is ${JSON.stringify(text)}`);
  }
  return Number(text);
}

/** A text of protocol 0, where `\u` and a number stand for what is not Latin-1. */
export function unescaped(text: string): string {
  return text.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (_all, short, long) => {
    const code = parseInt(short ?? long, 16);
    if (code > 0x10ffff) throw pickleError("a text has a character beyond Unicode");
    return String.fromCodePoint(code);
  });
}
