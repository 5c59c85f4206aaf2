/**
 * In a worker, before a plugin's text is imported: what Deno would do for it with rights that it does not have.
 *
 * It may import "setpoint" and nothing else. Permissions refuse it files, packages and addresses anyway. What is refused
 * here besides are modules in `data:` addresses, which need no permission and of which Deno keeps copies on the disk: a
 * plugin that imports them without end would fill it. A cell makes no code from strings, and of the words that name a
 * module all but the keyword `import` may be written with escapes. So every import stands in the text, and a search finds
 * it without a parser; at worst it finds one in a comment or a string too.
 */

/** What may stand between two words; whatever any reader of TypeScript could pass over. */
const GAP = /(?:[\s\p{C}]|\/\/.*|<!--.*|-->.*|\/\*[^]*?\*\/)*/uy;
const QUOTED = /(["'])((?:\\(?:\r\n|[^])|(?!\1)[^\\\n\r])*)\1/uy;
const WORD = new RegExp(`(?<![A-Za-z_$])(import|${spelled("from")}|${spelled("require")})(?![\\w$])`, "g");

/** A word of code, each of its letters as it is or as an escape. */
function spelled(word: string): string {
  const letters = [...word].map((letter) => {
    const code = letter.charCodeAt(0).toString(16).replace(
      /[a-f]/g,
      (digit) => `[${digit}${digit.toUpperCase()}]`,
    );
    return `(?:${letter}|\\\\u00${code}|\\\\u\\{0*${code}\\})`;
  });
  return letters.join("");
}

/** What is said of every other import. */
export const ONE_FILE =
  'a plugin is one file that imports "setpoint" alone, plugin:build makes one of several';

export interface ForeignImport {
  /** As it is written: the name of a module, or how it is computed. */
  readonly what: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** The first import of something other than "setpoint" that could lead anywhere; undefined: there is none. */
export function foreignImport(text: string): ForeignImport | undefined {
  for (const { 0: word, index } of text.matchAll(WORD)) {
    const at = afterGap(text, index + word.length);
    const called = word === "import" ? "(.".includes(text[at]) : text[at] === "(";
    if (
      word === "import" && called
        ? isHarmless(text, at)
        : staysHere(text, called ? afterGap(text, at + 1) : at)
    ) {
      continue;
    }
    const before = text.slice(0, index).split("\n");
    const named = quotedAt(text, at);
    const what = named === undefined
      ? text.slice(index, index + 60).split("\n")[0]
      : JSON.stringify(named.slice(0, 100));
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
