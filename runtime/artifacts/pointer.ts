/**
 * Which strategy version is deployed. The pointer is one line, `config.yaml: 1.1.0`, in
 * `deployed_config_version.yaml` of the metadata folder. The predecessor's older `strategy_version.yaml` with the key
 * `process-optimization-strategy-config.yaml` is read too. A local file wins over an object in the store, since a
 * person at the gateway must be able to hold a version whatever the bucket says; without a local file the store's
 * `metadata/deployed_config_version.yaml` counts.
 */
import { SetpointError, setpointError } from "../errors.ts";
import { writeAtomic } from "./atomic_file.ts";
import type { ArtifactCache } from "./cache.ts";
import { isVersion, noVersion } from "../version.ts";

/** Newest first. */
const FILES = ["deployed_config_version.yaml", "strategy_version.yaml"] as const;
const KEYS: readonly string[] = ["config.yaml", "process-optimization-strategy-config.yaml"];

/** A pointer is some 20 bytes. */
const MAX_POINTER_BYTES = 4096;

export interface Pointer {
  readonly version: string;
  /** The file or the object that says so, for people. */
  readonly source: string;
}

/**
 * The version that a pointer's text names, quoted or not. YAML would read an unquoted `1.10` as the number 1.1; here it
 * is text, and an error that says what was expected.
 * @param source Names the text in messages.
 * @throws {SetpointError} POINTER_INVALID, with the line.
 */
export function parsePointer(text: string, source: string): string {
  let version: string | undefined;
  for (const [index, line] of text.replace(/^\ufeff/, "").split(/\r?\n/).entries()) {
    if (/^\s*(#.*)?$/.test(line) || /^---\s*$/.test(line)) continue;
    const at = { file: source, line: index + 1, column: 1 };
    const fail = (what: string) =>
      setpointError("POINTER_INVALID", `Cannot read the deployed version: ${what}`, { at });
    const match = LINE.exec(line);
    if (match === null) throw fail(`expected one line such as ${KEYS[0]}: 1.1.0`);
    const key = unquoted(match[1]);
    const value = unquoted(match[2]);
    if (!KEYS.includes(key)) throw fail(`unknown key "${key}", expected ${KEYS.join(" or ")}`);
    if (version !== undefined) throw fail("it is told twice, expected one line");
    if (!isVersion(value)) throw fail(`${JSON.stringify(value)}: ${noVersion(value)}`);
    version = value;
  }
  if (version !== undefined) return version;
  throw setpointError(
    "POINTER_INVALID",
    `Cannot read the deployed version from ${source}: it is empty, expected ${KEYS[0]}: 1.1.0`,
  );
}

/** `key: value`, each plain or quoted, and a comment. */
const LINE =
  /^\s*("[^"\\]*"|'[^']*'|[^\s"'#:][^\s"':]*)\s*:\s+("[^"\\]*"|'[^']*'|[^\s"'#][^\s"']*)\s*(?:\s#.*)?$/;

function unquoted(text: string): string {
  return /^["']/.test(text) ? text.slice(1, -1) : text;
}

/**
 * Reads the pointer where it is now; undefined where neither the folder nor the store has one.
 * @param folder The metadata folder.
 * @param cache Reads the store's; without it only the folder counts.
 * @throws {SetpointError} POINTER_INVALID; and what the store throws, where the cache has no last good copy.
 */
export async function readPointer(
  folder: string,
  cache?: ArtifactCache,
  signal?: AbortSignal,
): Promise<Pointer | undefined> {
  for (const name of FILES) {
    const source = `${folder}/${name}`;
    const text = await localText(source);
    if (text !== undefined) return { version: parsePointer(text, source), source };
  }
  for (const name of cache === undefined ? [] : FILES) {
    const path = `metadata/${name}`;
    const source = `${path} of ${cache!.store.label}`;
    const check = (bytes: Uint8Array) => void parsePointer(decoded(bytes), source);
    try {
      const { bytes } = await cache!.latest(path, { maxBytes: MAX_POINTER_BYTES, check, signal });
      return { version: parsePointer(decoded(bytes), source), source };
    } catch (error) {
      if (!(error instanceof SetpointError && error.code === "ARTIFACT_MISSING")) throw error;
    }
  }
}

/** Points the metadata folder at `version`; a reader sees the old pointer or the new one. */
export async function writePointer(folder: string, version: string): Promise<void> {
  if (!isVersion(version)) {
    throw setpointError("POINTER_INVALID", `Cannot deploy version "${version}": ${noVersion(version)}`);
  }
  await writeAtomic(`${folder}/${FILES[0]}`, new TextEncoder().encode(`${KEYS[0]}: ${version}\n`));
}

async function localText(file: string): Promise<string | undefined> {
  try {
    const { size } = await Deno.stat(file);
    if (size > MAX_POINTER_BYTES) {
      throw setpointError(
        "POINTER_INVALID",
        `Cannot read the deployed version from ${file}: it has ${size} bytes, expected one line`,
      );
    }
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof SetpointError) throw error;
    throw setpointError(
      "POINTER_INVALID",
      `Cannot read the deployed version from ${file}: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
}

function decoded(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
