/** The sentences that all stores tell the same failure with. */
import { type SetpointError, setpointError } from "../errors.ts";
import { shortDigest } from "./digest.ts";

export function missing(path: string, label: string): SetpointError {
  return setpointError("ARTIFACT_MISSING", `Cannot read artifact "${path}": ${label} does not have it`);
}

export function alreadyThere(path: string, label: string): SetpointError {
  return setpointError(
    "ARTIFACT_EXISTS",
    `Cannot write artifact "${path}": ${label} has it already, expected a new version or an explicit overwrite`,
  );
}

export function tooLarge(
  path: string,
  label: string,
  size: number | undefined,
  maxBytes: number,
): SetpointError {
  const has = size === undefined ? "it goes on without a known length" : `it has ${size} bytes`;
  return setpointError(
    "ARTIFACT_TOO_LARGE",
    `Cannot read artifact "${path}" from ${label}: ${has}, expected at most ${maxBytes}`,
  );
}

export function corrupt(path: string, label: string, why: string, cause?: unknown): SetpointError {
  return setpointError("ARTIFACT_CORRUPT", `Cannot use artifact "${path}" from ${label}: ${why}`, { cause });
}

export function wrongDigest(path: string, label: string, actual: string, expected: string): SetpointError {
  return corrupt(path, label, `its SHA-256 is ${shortDigest(actual)}…, expected ${shortDigest(expected)}…`);
}

export function unreachable(label: string, why: string, cause?: unknown): SetpointError {
  return setpointError("STORE_UNREACHABLE", `Cannot use the artifact store ${label}: ${why}`, { cause });
}
