/** Ranges of semantic versions, as far as a manifest needs them: the packages for that are not in a plugin's world. */

type Version = readonly [number, number, number];

/**
 * Whether a version is in a range: `1.2.3`, `^1.2.3`, `~1.2`, `>=1.2.0 <3`, `1.x`, `*`, and alternatives with `||`.
 * @param version Three numbers.
 * @returns undefined if the range cannot be read.
 */
export function satisfies(version: string, range: string): boolean | undefined {
  const wanted = parse(version);
  if (wanted === undefined) return undefined;
  const answers = range.split("||").map((part) => inAll(wanted.version, part.trim()));
  return answers.includes(undefined) ? undefined : answers.includes(true);
}

function inAll(version: Version, range: string): boolean | undefined {
  if (range === "" || range === "*") return true;
  const answers = range.replace(/([<>=^~])\s+/g, "$1").split(/\s+/).map((part) => inOne(version, part));
  return answers.includes(undefined) ? undefined : !answers.includes(false);
}

function inOne(version: Version, comparator: string): boolean | undefined {
  const match = /^(\^|~|>=|<=|>|<|=)?v?(.+)$/.exec(comparator);
  const parsed = match === null ? undefined : parse(match[2]);
  if (parsed === undefined) return undefined;
  const { version: base, parts } = parsed;
  const order = compare(version, base);
  switch (match![1]) {
    case ">=":
      return order >= 0;
    case "<":
      return order < 0;
    case ">":
      return compare(version, parts === 3 ? base : next(base, parts - 1)) >= (parts === 3 ? 1 : 0);
    case "<=":
      return parts === 3 ? order <= 0 : compare(version, next(base, parts - 1)) < 0;
    case "^": {
      const first = base.findIndex((part) => part > 0);
      const kept = Math.min(first < 0 ? parts - 1 : first, parts - 1);
      return order >= 0 && (kept < 0 || compare(version, next(base, kept)) < 0);
    }
    case "~":
      return order >= 0 && compare(version, next(base, Math.min(1, parts - 1))) < 0;
    default:
      return parts === 3 ? order === 0 : order >= 0 && compare(version, next(base, parts - 1)) < 0;
  }
}

/** `parts`: how many numbers were written; the others are 0. */
function parse(text: string): { readonly version: Version; readonly parts: number } | undefined {
  const match = /^(\d{1,9})(?:\.(\d{1,9}|x|\*))?(?:\.(\d{1,9}|x|\*))?$/.exec(text);
  if (match === null) return undefined;
  const numbers = match.slice(1).map((
    part,
  ) => (part === undefined || /[x*]/.test(part) ? undefined : Number(part)));
  const parts = numbers.findIndex((part) => part === undefined);
  const [major, minor = 0, patch = 0] = numbers;
  return { version: [major!, minor, patch], parts: parts < 0 ? 3 : parts };
}

/** The first version with another number at `place`. */
function next(version: Version, place: number): Version {
  return version.map((part, k) => (k < place ? part : k === place ? part + 1 : 0)) as unknown as Version;
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
