/** SHA-256 in the one form that is used everywhere: 64 lower-case hexadecimal digits. */
import { createHash, type Hash } from "node:crypto";

/** Digest of a whole array; computed off the main thread, so a large model does not hold up the event loop. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/** A digest that is fed piece by piece. */
export function sha256Stream(): Hash {
  return createHash("sha256");
}

export function isSha256(text: unknown): text is string {
  return typeof text === "string" && /^[0-9a-f]{64}$/.test(text);
}

/** Enough of a digest for a person to compare two of them. */
export function shortDigest(digest: string): string {
  return digest.slice(0, 12);
}
