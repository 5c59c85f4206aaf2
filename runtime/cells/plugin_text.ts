/**
 * In a worker, before a plugin's text is imported: what Deno would do for it with rights that it does not have.
 *
 * It may import "setpoint" and nothing else. Permissions refuse it files, packages and addresses anyway. What is refused
 * here besides are modules in `data:` addresses, which need no permission and of which Deno keeps copies on the disk: a
 * plugin that imports them without end would fill it. A cell makes no code from strings, and no keyword can be written
 * with escapes. So every import stands in the text as such, and a search finds it without a parser; at worst it finds one
 * in a comment or a string too.
 */

/** What may stand between two words; whatever any reader of TypeScript could pass over. */
const GAP = /(?:[\s\p{C}]|\/\/.*|\/\*[^]*?\*\/)*/uy;
const QUOTED = /(["'])((?:(?!\1).)*)\1/uy;

export interface ForeignImport {
  /** As it is written. */
  readonly what: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** The first import of something other than "setpoint" that could lead anywhere; undefined: there is none. */
export function foreignImport(text: string): ForeignImport | undefined {
  for (const { 0: word, index } of text.matchAll(/\b(?:import|from)\b/g)) {
    const at = afterGap(text, index + word.length);
    const harmless = word === "import" && "(.".includes(text[at])
      ? isHarmless(text, at)
      : staysHere(text, at);
    if (harmless) continue;
    const before = text.slice(0, index).split("\n");
    const what = text.slice(index, index + 100).split("\n")[0];
    return { what, line: before.length, column: before.at(-1)!.length + 1 };
  }
}

/** `import.meta`, or `import("setpoint")`. */
function isHarmless(text: string, at: number): boolean {
  const next = afterGap(text, at + 1);
  if (text[at] === ".") return text.startsWith("meta", next);
  const name = quotedAt(text, next);
  return name === "setpoint" && "),".includes(text[afterGap(text, next + name.length + 2)]);
}

/** A static import: a name without a scheme leads nowhere, the import map has but "setpoint". */
function staysHere(text: string, at: number): boolean {
  const name = quotedAt(text, at);
  return name === undefined || !/[:\\]/.test(name);
}

function quotedAt(text: string, at: number): string | undefined {
  QUOTED.lastIndex = at;
  return QUOTED.exec(text)?.[2];
}

function afterGap(text: string, at: number): number {
  GAP.lastIndex = at;
  return at + (GAP.exec(text)?.[0].length ?? 0);
}

/**
 * The text with its columns as they were, but for the comment that names a source map: Deno 2.9 reads the file that is
 * named there, whichever it is, without asking for a permission, and shows what it says in stack traces.
 */
export function withoutSourceMap(text: string): string {
  return text.replaceAll("sourceMappingURL", "sourceMappingUrl");
}
