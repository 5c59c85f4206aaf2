/** Names that become columns, object keys and words of formulas, by an allow-list. */

/** PostgreSQL cuts longer column names silently. */
const LONGEST = 63;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
const LABEL = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;
/** Words of the formula language that no name can have. */
const KEYWORDS: ReadonlySet<string> = new Set(["and", "or", "not", "if", "else"]);

/** What is wrong with `name` as the name of a variable or class; undefined where nothing is. */
export function wrongIdentifier(name: string): string | undefined {
  if (name.length > LONGEST) return `it has ${name.length} characters, expected at most ${LONGEST}`;
  if (!IDENTIFIER.test(name)) {
    return "expected letters, digits and underscores (A-Z, a-z, 0-9, _), no digit first";
  }
  if (KEYWORDS.has(name)) return "it is a word of the formula language";
  return isReserved(name) ? "it is reserved" : undefined;
}

/** The same for skills, tasks and strategies, which no formula names: dots and hyphens are allowed. */
export function wrongLabel(name: string): string | undefined {
  if (name.length > LONGEST) return `it has ${name.length} characters, expected at most ${LONGEST}`;
  if (!LABEL.test(name)) {
    return "expected letters, digits, underscores, dots and hyphens (A-Z, a-z, 0-9, _ . -)";
  }
  return isReserved(name) ? "it is reserved" : undefined;
}

/** What every JavaScript object has already: a plugin that looks such a name up would find a function. */
function isReserved(name: string): boolean {
  return name.startsWith("__") || name in Object.prototype;
}

/** A name as a message shows it: quoted, control characters escaped, cut. */
export function shownName(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}
