/** Longer names are not compared: what is refused may come from a hostile file. */
const LONGEST = 64;

/**
 * The names that `name` may have been meant to be, nearest first, at most three.
 * @param known Allowed names.
 */
export function nearestNames(name: string, known: Iterable<string>): string[] {
  if (name.length > LONGEST) return [];
  const allowed = Math.max(1, Math.floor(name.length / 4));
  const near: { name: string; distance: number }[] = [];
  for (const candidate of new Set(known)) {
    if (candidate.length > LONGEST || Math.abs(candidate.length - name.length) > allowed) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance <= allowed && candidate !== name) near.push({ name: candidate, distance });
  }
  return near.sort((a, b) => a.distance - b.distance).slice(0, 3).map((entry) => entry.name);
}

/** `, did you mean "a" or "b"`, or nothing. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const near = nearestNames(name, known);
  return near.length === 0 ? "" : `, did you mean ${near.map((found) => `"${found}"`).join(" or ")}`;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      current[j] = Math.min(previous[j] + 1, current[j - 1] + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        current[j] = Math.min(current[j], before[j - 2] + 1);
      }
    }
    before = previous;
    previous = current;
  }
  return previous[b.length];
}
