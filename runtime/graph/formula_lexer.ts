import { GraphError } from "./graph_error.ts";

export type TokenKind = "number" | "name" | "keyword" | "operator" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** As written; empty at the end. */
  readonly text: string;
  readonly offset: number;
  /** Of a number. */
  readonly value: number;
}

/** More text or tokens are refused before any work is done on them. */
const MAX_FORMULA_LENGTH = 64 * 1024;
const MAX_FORMULA_TOKENS = 10_000;

const KEYWORDS: ReadonlySet<string> = new Set(["and", "or", "not", "if", "else"]);

/** Python's words that a formula has no use for, so that they are refused as such and not as unknown variables. */
const REFUSED_WORDS: ReadonlySet<string> = new Set([
  "None",
  "as",
  "assert",
  "async",
  "await",
  "break",
  "class",
  "continue",
  "def",
  "del",
  "elif",
  "except",
  "finally",
  "for",
  "from",
  "global",
  "import",
  "in",
  "is",
  "lambda",
  "nonlocal",
  "pass",
  "raise",
  "return",
  "try",
  "while",
  "with",
  "yield",
]); // deno-fmt-ignore

const SPACE = /(?:[ \t\r\n\f]|#[^\n]*)*/y;
const WORD = /[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Nd}\p{Mn}\p{Mc}_]*/uy;
const RADIX = /0(?:[xX](?:_?[0-9a-fA-F])+|[oO](?:_?[0-7])+|[bB](?:_?[01])+)/y;
const DECIMAL = /(?:\d(?:_?\d)*\.?(?:\d(?:_?\d)*)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?/y;
const OPERATOR = /\*\*|\/\/|<=|>=|==|!=|[-+*/%<>(),]/y;
/** What people write who think of another language, and what they mean. */
const MISTAKES = /:=|<>|&&|\|\||<<|>>|\?|[-+*/%]=|[=!&|^~@[\]{}.:;'"`\\$]/y;

const HINTS: Readonly<Record<string, string>> = {
  "=": 'a formula assigns nothing; expected "==" to compare',
  ":=": 'a formula assigns nothing; expected "==" to compare',
  "!": 'expected "not"',
  "<>": 'expected "!="',
  "&&": 'expected "and"',
  "&": 'expected "and"',
  "||": 'expected "or"',
  "|": 'expected "or"',
  "^": 'expected "**" for a power',
  "~": 'expected "not"',
  "?": 'expected "a if condition else b"',
  ".": "a formula reads no attributes; expected the bare name of a variable or function",
  "[": "a formula reads no elements; expected the bare name of a variable",
  "]": "a formula reads no elements; expected the bare name of a variable",
  "'": "a formula has no text; expected a number or a name",
  '"': "a formula has no text; expected a number or a name",
};

/** @throws {GraphError} FORMULA with the offset of what is not part of the language. */
export function tokenize(text: string): Token[] {
  if (text.length > MAX_FORMULA_LENGTH) {
    throw formulaError(`it has ${text.length} characters, expected ${MAX_FORMULA_LENGTH} at most`, 0);
  }
  const tokens: Token[] = [];
  let offset = 0;
  while ((offset += match(SPACE, text, offset).length) < text.length) {
    if (tokens.length === MAX_FORMULA_TOKENS) {
      throw formulaError(`it has more than ${MAX_FORMULA_TOKENS} parts`, offset);
    }
    const token = readNumber(text, offset) ?? readWord(text, offset) ?? readOperator(text, offset);
    tokens.push(token);
    offset += token.text.length;
  }
  tokens.push({ kind: "end", text: "", offset: text.length, value: NaN });
  return tokens;
}

/** An error at `offset` of a formula; `reason` completes the sentence. */
export function formulaError(reason: string, offset: number): GraphError {
  return new GraphError("FORMULA", `Cannot read the formula: ${reason}`, offset);
}

function readNumber(text: string, offset: number): Token | undefined {
  const radix = match(RADIX, text, offset);
  const written = radix === "" ? match(DECIMAL, text, offset) : radix;
  if (written === "") return undefined;
  const end = offset + written.length;
  const tail = match(WORD, text, end);
  if (tail !== "" || text[end] === ".") {
    // Python's one exception: a keyword may follow a number at once (`1if x else 2`); it warns, this refuses.
    throw formulaError(`"${written}${tail || "."}" is not a number`, offset);
  }
  if (/^0[\d_]*[1-9]/.test(written) && !/[.eExXoObB]/.test(written)) {
    throw formulaError(`"${written}" starts with 0, expected a number as Python writes it`, offset);
  }
  const value = Number(written.replaceAll("_", ""));
  if (!Number.isFinite(value)) throw formulaError(`"${written}" is too large for a number`, offset);
  return { kind: "number", text: written, offset, value };
}

function readWord(text: string, offset: number): Token | undefined {
  const word = match(WORD, text, offset);
  if (word === "") return undefined;
  if (REFUSED_WORDS.has(word)) throw formulaError(`"${word}" is not part of the formula language`, offset);
  if (word === "True" || word === "False") {
    return { kind: "number", text: word, offset, value: word === "True" ? 1 : 0 };
  }
  return { kind: KEYWORDS.has(word) ? "keyword" : "name", text: word, offset, value: NaN };
}

function readOperator(text: string, offset: number): Token {
  const mistake = match(MISTAKES, text, offset);
  const operator = match(OPERATOR, text, offset);
  if (operator !== "" && operator.length >= mistake.length) {
    return { kind: "operator", text: operator, offset, value: NaN };
  }
  if (mistake !== "") {
    throw formulaError(
      `"${mistake}" is not part of the formula language${hint(mistake)}`,
      offset,
    );
  }
  const character = String.fromCodePoint(text.codePointAt(offset)!);
  const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  throw formulaError(`"${character}" (U+${code}) is not part of the formula language`, offset);
}

function hint(mistake: string): string {
  const known = HINTS[mistake] ?? (mistake.endsWith("=") ? "a formula assigns nothing" : undefined);
  return known === undefined ? "" : `: ${known}`;
}

function match(pattern: RegExp, text: string, offset: number): string {
  pattern.lastIndex = offset;
  return pattern.exec(text)?.[0] ?? "";
}
