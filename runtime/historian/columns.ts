import { setpointError } from "../errors.ts";
import { checkIdentifier } from "./identifier.ts";

/** At most so many names are spelled out in an error. */
const SHOWN = 20;

/**
 * Compares what a strategy reads with what a table has. Names are compared exactly; two that differ by case only are
 * told, since one of them is most likely the half of a renaming.
 * @param wanted Variables to be read; repeated names count once.
 * @param found Every column of the table.
 * @param where The historian's label, for the message.
 * @throws {SetpointError} HISTORIAN_COLUMNS, IDENTIFIER_INVALID
 */
export function checkColumns(wanted: Iterable<string>, found: readonly string[], where: string): void {
  const names = [...new Set(wanted)];
  for (const name of names) checkIdentifier("column", name);
  const exact = new Set(found);
  const missing = names.filter((name) => !exact.has(name));
  const ambiguous = names.flatMap((name) => {
    const twins = found.filter((other) =>
      other !== name && sameIgnoringCase(other, name) && !names.includes(other)
    );
    return exact.has(name) && twins.length > 0 ? [`"${name}" (also ${list(twins)})`] : [];
  });
  if (missing.length === 0 && ambiguous.length === 0) return;
  const parts: string[] = [];
  if (missing.length > 0) {
    parts.push(`missing: ${shorten(missing.map((name) => withNear(name, found, names)))}`);
  }
  if (ambiguous.length > 0) parts.push(`more than once: ${shorten(ambiguous)}`);
  throw setpointError(
    "HISTORIAN_COLUMNS",
    `Cannot read process data from ${where}: columns ${
      parts.join("; ")
    }; expected each variable as exactly one column`,
    { variable: missing[0] },
  );
}

function withNear(name: string, found: readonly string[], wanted: readonly string[]): string {
  const near = nearNames(name, found.filter((other) => !wanted.includes(other)));
  return near.length === 0 ? `"${name}"` : `"${name}" (near: ${list(near)})`;
}

/** Up to three of `found` that a typing mistake, another case or another separator away are `name`, nearest first. */
function nearNames(name: string, found: readonly string[]): string[] {
  const limit = Math.max(1, Math.floor(name.length / 5));
  return found
    .map((other) => ({ other, distance: editDistance(plain(name), plain(other)) }))
    .filter(({ distance }) => distance <= limit)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ other }) => other);
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}

function sameIgnoringCase(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function list(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}

function shorten(items: readonly string[]): string {
  const more = items.length - SHOWN;
  return items.slice(0, SHOWN).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
