/** Writes zip archives of stored entries, and on request wrong ones. */
import { crc32 } from "../../runtime/graph/crc32.ts";

export interface ZipFaults {
  readonly comment?: string;
  /** Name of an entry that claims to be compressed. */
  readonly compressed?: string;
  /** Where the directory says that an entry starts. */
  readonly startsOf?: (start: number) => number;
  /** What the directory calls an entry. */
  readonly nameOf?: (name: string) => string;
}

export function makeZip(files: Readonly<Record<string, Uint8Array>>, faults: ZipFaults = {}): Uint8Array {
  const { comment = "", compressed, startsOf = (start) => start, nameOf = (name) => name } = faults;
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [name, data] of Object.entries(files)) {
    const method = name === compressed ? 8 : 0;
    const common = [u16(method), u16(0), u16(0), u32(crc32(data)), u32(data.length), u32(data.length)];
    const local = join([
      u32(0x04034b50),
      u16(20),
      u16(0),
      ...common,
      u16(name.length),
      u16(0),
      text(name),
      data,
    ]);
    const called = text(nameOf(name));
    directory.push(join([
      ...[
        u32(0x02014b50),
        u16(20),
        u16(20),
        u16(0),
        ...common,
        u16(called.length),
        u16(0),
        u16(0),
        u16(0),
        u16(0),
      ],
      ...[u32(0), u32(startsOf(at)), called],
    ]));
    parts.push(local);
    at += local.length;
  }
  const central = join(directory);
  const count = u16(directory.length);
  return join([
    ...[...parts, central, u32(0x06054b50), u16(0), u16(0), count, count, u32(central.length), u32(at)],
    ...[u16(comment.length), text(comment)],
  ]);
}

function u16(value: number): Uint8Array {
  return new Uint8Array(Uint16Array.of(value).buffer);
}

function u32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
