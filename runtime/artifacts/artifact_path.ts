/**
 * Logical paths of artifacts: POSIX, relative, such as `configs/config-1.1.0.yaml` or `models/im_clinker.onnx`. Every
 * store, the manifest and the cache let their paths through here and nowhere else.
 */
import { setpointError } from "../errors.ts";

/** Longest path, in bytes of UTF-8. */
export const MAX_PATH_BYTES = 512;

/** Longest part between two slashes, in bytes of UTF-8: what file systems take. */
const MAX_SEGMENT_BYTES = 255;

/**
 * The path itself, once it is known to be harmless as a file name and as an object key. Parts that begin with a dot
 * are refused with `.` and `..`: the stores and the cache keep such names for files that are being written.
 * @throws {SetpointError} ARTIFACT_NAME.
 */
export function artifactPath(path: string): string {
  const reason = problem(path);
  if (reason === undefined) return path;
  throw setpointError("ARTIFACT_NAME", `Cannot use ${shown(path)} as an artifact path: ${reason}`);
}

/** Whether {@linkcode artifactPath} takes it. */
export function isArtifactPath(path: string): boolean {
  return problem(path) === undefined;
}

/**
 * The start of a path: empty, a path, or a path with a slash at its end.
 * @throws {SetpointError} ARTIFACT_NAME.
 */
export function artifactPrefix(prefix: string): string {
  if (prefix !== "") artifactPath(prefix.endsWith("/") ? prefix.slice(0, -1) : prefix);
  return prefix;
}

function problem(path: string): string | undefined {
  if (path === "") return "it is empty";
  if (!path.isWellFormed()) return "it is not well-formed Unicode";
  if (byteLength(path) > MAX_PATH_BYTES) return `it is longer than ${MAX_PATH_BYTES} bytes`;
  // deno-lint-ignore no-control-regex -- these are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(path)) return "it contains a control character";
  if (path.includes("\\")) return "it contains a backslash, expected / between its parts";
  if (path.startsWith("/")) return "it is absolute, expected a relative path";
  for (const segment of path.split("/")) {
    if (segment === "") return "it has an empty part";
    if (segment.startsWith(".")) return `its part "${segment}" begins with a dot`;
    if (byteLength(segment) > MAX_SEGMENT_BYTES) {
      return `a part of it is longer than ${MAX_SEGMENT_BYTES} bytes`;
    }
  }
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Quoted, control characters escaped, not longer than a line. */
function shown(path: string): string {
  const text = JSON.stringify(path);
  return text.length <= 120 ? text : `${text.slice(0, 117)}…"`;
}
