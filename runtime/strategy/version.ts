/** Semantic versions of strategies and plugins, strictly: three numbers, no "v". */
import { compare, valid } from "semver";

/** Without a version of its own: the pointer or the request says which it is, or nothing does. */
export const UNVERSIONED = "0.0.0";

export function isVersion(text: string): boolean {
  // `valid` trims and takes a leading "v"
  return valid(text) !== null && /^\d/.test(text) && text.trim() === text && text.length <= 64;
}

/** < 0 where `a` is older than `b`, by SemVer §11; build labels do not count. */
export function compareVersions(a: string, b: string): number {
  return compare(a, b);
}

/** What was probably meant, for a message: YAML reads `1.0` as the number 1. */
export function versionExample(value: unknown): string {
  const parts = /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(String(value));
  return parts === null ? "1.0.0" : `${parts[1]}.${parts[2] ?? 0}.${parts[3] ?? 0}`;
}
