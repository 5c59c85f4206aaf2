/**
 * Reads zip archives whose entries are stored without compression, as torch writes them (PKWARE APPNOTE 6.3). Only the
 * central directory counts; each local header must agree with it, and no two entries may share bytes.
 */
import { crc32 } from "./crc32.ts";
import { GraphError } from "./graph_error.ts";

export interface ZipEntry {
  readonly name: string;
  /** A view of the archive, as stored there. */
  readonly bytes: Uint8Array;
  readonly crc: number;
  readonly compressed: boolean;
}

interface Span {
  readonly entry: ZipEntry;
  /** From the local header to the end of the data, in bytes of the archive. */
  readonly start: number;
  readonly end: number;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_SIZE = 22;
const CENTRAL_SIZE = 46;
const LOCAL_SIZE = 30;
const MAX_COMMENT = 0xffff;
const ENCRYPTED = 1;
const SIZES_FOLLOW = 8;
const ABSENT_16 = 0xffff;
const ABSENT_32 = 0xffffffff;
/** Most entries: a network of 4000 tensors has as many. */
const MAX_ENTRIES = 20_000;

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Whether bytes begin as a zip archive does. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === LOCAL;
}

/**
 * The entries of an archive by name. What is inside of them is {@linkcode checkEntry}'s.
 * @throws {GraphError} ZIP
 */
export function readZip(bytes: Uint8Array): ReadonlyMap<string, ZipEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  const size = view.getUint32(end + 12, true);
  const directory = view.getUint32(end + 16, true);
  if (count === ABSENT_16 || size === ABSENT_32 || directory === ABSENT_32) {
    throw zipError("it is a zip64 archive, expected one below 4 GiB");
  }
  if (view.getUint16(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== count) {
    throw zipError("it is one part of several");
  }
  if (count > MAX_ENTRIES) throw zipError(`it has ${count} entries, expected at most ${MAX_ENTRIES}`);
  if (directory + size > end) throw zipError("its directory lies outside of it");

  const spans: Span[] = [];
  let at = directory;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_SIZE > end || view.getUint32(at, true) !== CENTRAL) {
      throw zipError(`entry ${i + 1} of its directory is missing`);
    }
    const variable = view.getUint16(at + 28, true) + view.getUint16(at + 30, true) +
      view.getUint16(at + 32, true);
    if (at + CENTRAL_SIZE + variable > end) throw zipError(`entry ${i + 1} of its directory is cut off`);
    spans.push(readEntry(bytes, view, at, directory));
    at += CENTRAL_SIZE + variable;
  }
  return byName(spans);
}

/** @throws {GraphError} ZIP if the entry is compressed, or its bytes are not those that the archive was made with. */
export function checkEntry({ name, bytes, crc, compressed }: ZipEntry): Uint8Array {
  if (compressed) {
    throw zipError(`its entry ${JSON.stringify(name)} is compressed, expected stored as torch writes it`);
  }
  if (crc32(bytes) !== crc) {
    throw zipError(
      `the checksum of its entry ${
        JSON.stringify(name)
      } is wrong: it was changed, or written without checksums`,
    );
  }
  return bytes;
}

/** The end record is the last thing in the file but for a comment of at most 64 KiB. */
function findEnd(view: DataView): number {
  const last = view.byteLength - END_SIZE;
  for (let at = last; at >= 0 && at >= last - MAX_COMMENT; at--) {
    if (view.getUint32(at, true) === END && view.getUint16(at + 20, true) === last - at) return at;
  }
  throw zipError("its directory is missing: it was cut off");
}

function readEntry(bytes: Uint8Array, view: DataView, at: number, directory: number): Span {
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  const size = view.getUint32(at + 20, true);
  const nameLength = view.getUint16(at + 28, true);
  const start = view.getUint32(at + 42, true);
  const rawName = bytes.subarray(at + CENTRAL_SIZE, at + CENTRAL_SIZE + nameLength);
  const name = decodeName(rawName);
  const shown = JSON.stringify(name.slice(0, 100));
  if (flags & ENCRYPTED) throw zipError(`its entry ${shown} is encrypted`);
  if (size === ABSENT_32 || start === ABSENT_32) throw zipError(`its entry ${shown} is larger than 4 GiB`);
  if (method === 0 && view.getUint32(at + 24, true) !== size) {
    throw zipError(`its entry ${shown} has two sizes`);
  }
  if (start + LOCAL_SIZE > directory || view.getUint32(start, true) !== LOCAL) {
    throw zipError(`its entry ${shown} is not where the directory says`);
  }
  const data = start + LOCAL_SIZE + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
  if (data + size > directory) throw zipError(`its entry ${shown} reaches beyond the archive`);
  const localSize = view.getUint32(start + 18, true);
  // Where the sizes follow the data, as torch's do, the header has zeros or zip64's mark for "elsewhere".
  const elsewhere = (view.getUint16(start + 6, true) & SIZES_FOLLOW) !== 0 || localSize === ABSENT_32;
  const sameName = view.getUint16(start + 26, true) === nameLength &&
    rawName.every((byte, i) => byte === bytes[start + LOCAL_SIZE + i]);
  if (!sameName || view.getUint16(start + 8, true) !== method || (!elsewhere && localSize !== size)) {
    throw zipError(`its entry ${shown} differs from the directory`);
  }
  const entry = {
    name,
    bytes: bytes.subarray(data, data + size),
    crc: view.getUint32(at + 16, true),
    compressed: method !== 0,
  };
  return { entry, start, end: data + size };
}

function decodeName(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw zipError("the name of an entry is not UTF-8");
  }
}

function byName(spans: readonly Span[]): Map<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>();
  let covered = 0;
  for (const { entry, start, end } of [...spans].sort((a, b) => a.start - b.start)) {
    const shown = JSON.stringify(entry.name.slice(0, 100));
    if (start < covered) throw zipError(`its entry ${shown} overlaps another`);
    if (entries.has(entry.name)) throw zipError(`it has two entries ${shown}`);
    entries.set(entry.name, entry);
    covered = end;
  }
  return entries;
}

function zipError(reason: string): GraphError {
  return new GraphError("ZIP", `Cannot read the zip archive: ${reason}`);
}
