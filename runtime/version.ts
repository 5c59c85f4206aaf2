/** Semantic versions (https://semver.org) of strategies and plugins, strictly: three numbers, no "v". */
import { valid } from "semver";

/** Without a version of its own: the pointer or the request says which it is, or nothing does. */
export const UNVERSIONED = "0.0.0";

/** Whether a text of at most 64 characters is a version. */
export function isVersion(text: string): boolean {
  // `valid` trims and takes a leading "v"
  return valid(text) !== null && /^\d/.test(text) && text.trim() === text && text.length <= 64;
}

/** What was probably meant, for a message: YAML reads `1.0` as the number 1. */
export function versionExample(value: unknown): string {
  const parts = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(String(value));
  return parts === null ? "1.0.0" : `${parts[1]}.${parts[2] ?? 0}.${parts[3] ?? 0}`;
}

/** What is wrong with what is none, and what would be right. */
export function noVersion(text: string): string {
  return `it is not a semantic version, expected three numbers such as ${versionExample(text)}`;
}
