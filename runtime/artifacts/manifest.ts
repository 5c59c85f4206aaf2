/**
 * `manifest.json` at a store's root: digest and size of every file, and which object stands for a logical path.
 *
 * ```json
 * { "format": "setpoint/manifest/v1",
 *   "files": { "models/saved_models/co.pth": { "sha256": "…", "size": 6120, "file": "models/co.onnx" } } }
 * ```
 *
 * `file` is there when the object lies under another path, so a legacy strategy's `.pth` leads to its ONNX form; several
 * logical paths may lead to one object. Digest and size are those of the object.
 */
import { type Problem, SetpointError } from "../errors.ts";
import { artifactPath } from "./artifact_path.ts";
import { isSha256 } from "./digest.ts";
import type { ArtifactStore } from "./store.ts";

export const MANIFEST_PATH = "manifest.json";
export const MANIFEST_FORMAT = "setpoint/manifest/v1";

/** 4 MiB: some 20,000 files. */
export const MAX_MANIFEST_BYTES = 4 * 2 ** 20;

export interface ManifestEntry {
  /** 64 hexadecimal digits. */
  readonly sha256: string;
  /** In bytes. */
  readonly size: number;
  /** Path of the object; default: the logical path. */
  readonly file?: string;
}

/** By logical path. */
export type Manifest = ReadonlyMap<string, ManifestEntry>;

/** Problems told at once; more would not help. */
const MAX_PROBLEMS = 20;

/**
 * Reads and checks a manifest.
 * @param label Names it in messages.
 * @throws {SetpointError} ARTIFACT_CORRUPT, with every problem.
 */
export function parseManifest(bytes: Uint8Array, label = MANIFEST_PATH): Manifest {
  const problems: Problem[] = [];
  const complain = (what: string) => {
    if (problems.length < MAX_PROBLEMS) {
      problems.push({ code: "ARTIFACT_CORRUPT", message: `Cannot read the manifest ${label}: ${what}` });
    }
  };
  const entries = new Map<string, ManifestEntry>();
  const { format, files, ...others } = parseObject(bytes, complain);
  if (problems.length > 0) throw new SetpointError(problems);
  if (format !== MANIFEST_FORMAT) {
    complain(`its format is ${JSON.stringify(format)}, expected "${MANIFEST_FORMAT}"`);
  }
  for (const key of Object.keys(others)) complain(`unknown key "${key}", expected format and files`);
  if (!isObject(files)) complain('"files" is missing, expected an object from path to digest and size');
  else for (const [path, entry] of Object.entries(files)) checkEntry(path, entry, entries, complain);
  checkSharedObjects(entries, complain);
  if (problems.length > 0) throw new SetpointError(problems);
  return entries;
}

/** The text that {@linkcode parseManifest} reads, sorted by path, so that equal manifests are equal bytes. */
export function printManifest(manifest: Manifest): string {
  const sorted = [...manifest].sort(([a], [b]) => a < b ? -1 : 1);
  const files = Object.fromEntries(
    sorted.map((
      [path, { sha256, size, file }],
    ) => [path, { sha256, size, ...(file !== undefined && { file }) }]),
  );
  return `${JSON.stringify({ format: MANIFEST_FORMAT, files }, null, 2)}\n`;
}

/**
 * Reads every object of `store` and lists it under its own path, or under the logical paths that `mapping` gives it.
 * @param mapping Logical path → path of the object, e.g. `{ "configs/config-1.1.0.yaml": "strategy.yaml" }`.
 * @param include Which objects are listed; default: all but the manifest itself.
 * @throws {SetpointError} ARTIFACT_MISSING where `mapping` names an object that is not there.
 */
export async function buildManifest(
  store: ArtifactStore,
  mapping: Readonly<Record<string, string>> = {},
  include: (path: string) => boolean = () => true,
): Promise<Manifest> {
  const listed = (await store.list()).map(({ path }) => path);
  const mapped = new Set(Object.values(mapping));
  const own = listed.filter((path) => path !== MANIFEST_PATH && !mapped.has(path) && include(path));
  const wanted = [...Object.entries(mapping), ...own.map((path): [string, string] => [path, path])];
  const entries = new Map<string, ManifestEntry>();
  for (const [path, file] of wanted) {
    const { sha256, size } = await store.get(file, { maxBytes: Number.MAX_SAFE_INTEGER });
    entries.set(artifactPath(path), { sha256, size, ...(file !== path && { file }) });
  }
  return entries;
}

/** Makes `manifest` the store's. Comes after all that it lists: until then readers go by the old one. */
export async function writeManifest(store: ArtifactStore, manifest: Manifest): Promise<void> {
  await store.put(MANIFEST_PATH, new TextEncoder().encode(printManifest(manifest)), { overwrite: true });
}

/**
 * The store's manifest, past any cache; undefined where it has none.
 * @throws {SetpointError} What the store throws, and ARTIFACT_CORRUPT.
 */
export async function readManifest(
  store: ArtifactStore,
  signal?: AbortSignal,
): Promise<Manifest | undefined> {
  try {
    const { bytes } = await store.get(MANIFEST_PATH, { maxBytes: MAX_MANIFEST_BYTES, signal });
    return parseManifest(bytes, `${MANIFEST_PATH} of ${store.label}`);
  } catch (error) {
    if (error instanceof SetpointError && error.code === "ARTIFACT_MISSING") return undefined;
    throw error;
  }
}

type Complain = (what: string) => void;

function parseObject(bytes: Uint8Array, complain: Complain): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isObject(value)) return value;
    complain("expected a JSON object");
  } catch (error) {
    complain(`it is not JSON: ${(error as Error).message}`);
  }
  return {};
}

function checkEntry(
  path: string,
  entry: unknown,
  entries: Map<string, ManifestEntry>,
  complain: Complain,
): void {
  const where = `files[${JSON.stringify(path)}]`;
  if (!isObject(entry)) return complain(`${where} is not an object, expected sha256 and size`);
  const { sha256, size, file, ...others } = entry;
  const wrong: string[] = [];
  for (const each of [path, ...(typeof file === "string" ? [file] : [])]) {
    const problem = pathProblem(each);
    if (problem !== undefined) wrong.push(problem);
  }
  if (!isSha256(sha256)) wrong.push("sha256 is not 64 lower-case hexadecimal digits");
  if (!Number.isSafeInteger(size) || (size as number) < 0) wrong.push("size is not a count of bytes");
  if (file !== undefined && typeof file !== "string") wrong.push("file is not a path");
  for (const key of Object.keys(others)) wrong.push(`unknown key "${key}", expected sha256, size and file`);
  for (const what of wrong) complain(`${where}: ${what}`);
  if (wrong.length === 0) entries.set(path, entry as unknown as ManifestEntry);
}

/** One object cannot have two digests. */
function checkSharedObjects(entries: Manifest, complain: Complain): void {
  const objects = new Map<string, [string, ManifestEntry]>();
  for (const [path, entry] of entries) {
    const file = entry.file ?? path;
    const [other, first] = objects.get(file) ?? [path, entry];
    objects.set(file, [other, first]);
    if (first.sha256 !== entry.sha256 || first.size !== entry.size) {
      complain(`"${path}" and "${other}" are both the object "${file}" but differ in digest or size`);
    }
  }
}

function pathProblem(path: string): string | undefined {
  try {
    artifactPath(path);
  } catch (error) {
    return (error as Error).message;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
