/** The import and export statements of a TypeScript file, found without a parser: they begin at the start of a line. */

export interface ModuleStatement {
  /** Characters into the text. `end` of an export is where what it exports begins or, of a list, its end. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

const LIST = /^export\s+(?:type\s+)?(?:\{[^}]*\}|\*(?:\s+as\s+\w+)?)(?:\s*from\s*(["'])[^"'\n]+\1)?[ \t]*;?/;
const IMPORT = /^import\s+(?:[\w*${}\s,]+?\s+from\s*)?(["'])[^"'\n]+\1[ \t]*;?/;
const DECLARATION =
  /^export\s+(?:default\b[ \t]*|(?:declare\s+)?(?:async\s+function\s*\*?|function\s*\*?|abstract\s+class|class|const\s+enum|const|let|var|enum|interface|type|namespace)\s+[\w$]+)/;

/** In the order of the file. Text in comments, strings and templates is none. */
export function moduleStatements(text: string): ModuleStatement[] {
  const found: ModuleStatement[] = [];
  const plain = plainLines(text);
  let at = 0;
  text.split("\n").forEach((content, k) => {
    const start = at;
    at += content.length + 1;
    if (!plain[k] || start < (found.at(-1)?.end ?? 0) || !/^(?:import|export)\b/.test(content)) return;
    const rest = text.slice(start);
    const match = IMPORT.exec(rest) ?? LIST.exec(rest) ?? DECLARATION.exec(rest);
    if (match !== null) found.push({ start, end: start + match[0].length, text: match[0], line: k + 1 });
  });
  return found;
}

/** Of each line, whether it begins outside comments and templates. */
function plainLines(text: string): boolean[] {
  const plain = [true];
  /** Templates that are open, each with the braces that are open in its present `${}`; -1: in its text. */
  const templates: number[] = [];
  let before = "";
  for (let k = 0; k < text.length; k++) {
    const c = text[k];
    if (templates.at(-1) === -1) {
      if (c === "\\") k++;
      else if (c === "`") templates.pop();
      else if (c === "$" && text[k + 1] === "{") {
        templates[templates.length - 1] = 0;
        k++;
      }
      if (text[k] === "\n") plain.push(false);
      continue;
    }
    if (c === "\n") plain.push(templates.length === 0);
    else if (c === "/" && text[k + 1] === "/") k = end(text, "\n", k) - 1;
    else if (c === "/" && text[k + 1] === "*") {
      const to = end(text, "*/", k + 2) + 1;
      for (let j = k; j <= to; j++) if (text[j] === "\n") plain.push(false);
      k = to;
    } else if (c === '"' || c === "'") k = closing(text, c, k);
    else if (
      c === "/" &&
      (before === "" || "(,=:[!&|?{};+-*%<>~^\n".includes(before) ||
        /\b(?:return|typeof|case)\s*$/.test(text.slice(Math.max(0, k - 10), k)))
    ) {
      k = closingRegExp(text, k);
    } else if (c === "`") templates.push(-1);
    else if (c === "{" && templates.length > 0) templates[templates.length - 1]++;
    else if (c === "}" && templates.length > 0 && --templates[templates.length - 1] < 0) continue;
    if (!/\s/.test(c)) before = c;
  }
  return plain;
}

function end(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from);
  return at < 0 ? text.length : at;
}

function closing(text: string, quote: string, from: number): number {
  for (let k = from + 1; k < text.length; k++) {
    if (text[k] === "\\") k++;
    else if (text[k] === quote || text[k] === "\n") return text[k] === "\n" ? k - 1 : k;
  }
  return text.length;
}

function closingRegExp(text: string, from: number): number {
  let inClass = false;
  for (let k = from + 1; k < text.length && text[k] !== "\n"; k++) {
    if (text[k] === "\\") k++;
    else if (text[k] === "[") inClass = true;
    else if (text[k] === "]") inClass = false;
    else if (text[k] === "/" && !inClass) return k;
  }
  return from;
}

export interface ModuleImport {
  readonly from: string;
  readonly typeOnly: boolean;
  readonly reExport: boolean;
  /** The statement as constants that are taken from an object. */
  bind(source: string): string;
}

/** What a statement takes from another file; undefined where it takes nothing. */
export function importOf(statement: string): ModuleImport | undefined {
  const from = /(["'])([^"'\n]+)\1[ \t]*;?$/.exec(statement)?.[2];
  if (from === undefined) return undefined;
  const reExport = statement.startsWith("export");
  const clause = statement.replace(/^(?:import|export)\s+/, "").replace(
    /\s*(?:from\s*)?(["'])[^"'\n]+\1[ \t]*;?$/,
    "",
  );
  const typeOnly = /^type\s+[\w{*]/.test(clause);
  return { from, typeOnly, reExport, bind: (source) => bindings(clause, source) };
}

function bindings(clause: string, source: string): string {
  const all = /\*\s*as\s+([\w$]+)/.exec(clause);
  const list = /\{([^}]*)\}/.exec(clause);
  const single = /^([\w$]+)\s*(?:,|$)/.exec(clause);
  const names = list === null
    ? []
    : listOf(list[1]).map(([name, as]) => (name === as ? name : `${name}: ${as}`));
  if (single !== null) names.unshift(`default: ${single[1]}`);
  return [
    all !== null && `const ${all[1]} = ${source};`,
    names.length > 0 && `const { ${names.join(", ")} } = ${source};`,
  ].filter((part) => part !== false).join(" ");
}

/** Pairs of name and other name; types are left out. */
function listOf(list: string): [string, string][] {
  return list.replace(/\/\/[^\n]*|\/\*[^]*?\*\//g, "").split(",").map((part) => part.trim())
    .filter((part) => part !== "" && !/^type\s+[\w$]/.test(part))
    .map((part) => {
      const [name, as = name] = part.split(/\s+as\s+/);
      return [name, as];
    });
}

export interface ModuleExports {
  /** In the place of the statement, with as many lines. */
  readonly code: string;
  /** Properties of what the file gives. */
  readonly names: readonly string[];
  readonly wrong?: string;
}

/** @param source The object of the other file, for `export … from`. @param isEntry Its exports stay. */
export function exportsOf(statement: string, source: string | undefined, isEntry: boolean): ModuleExports {
  if (isEntry && source === undefined) return { code: statement, names: [] };
  const lines = "\n".repeat(statement.split("\n").length - 1);
  if (isEntry) return { code: lines, names: [], wrong: "the first file cannot export what another one has" };
  if (/^export\s+type\b\s*[{*]/.test(statement)) return { code: lines, names: [] };
  if (/^export\s+(?:\{|\*)/.test(statement)) return { code: lines, names: listed(statement, source) };
  const rest = statement.replace(/^export\s+/, "");
  if (rest.startsWith("default")) {
    return { code: `const __default = ${lines}`, names: ["default: __default"] };
  }
  const [, kind, name] = /^((?:\w+\s+)*(?:function\s*\*?|\w+))\s+([\w$]+)$/.exec(rest) ?? [];
  if (kind === "let" || kind === "var") {
    return { code: rest, names: [], wrong: `"${name}" is exported and may change: expected const` };
  }
  return { code: rest, names: /^(?:interface|type|declare|namespace)\b/.test(kind ?? "") ? [] : [name] };
}

function listed(statement: string, source: string | undefined): string[] {
  const all = /^export\s+\*(?:\s+as\s+([\w$]+))?/.exec(statement);
  if (all !== null) return [all[1] === undefined ? `...${source}` : `${all[1]}: ${source}`];
  const list = listOf(/\{([^}]*)\}/.exec(statement)![1]);
  return list.map(([name, as]) => `${as}: ${source === undefined ? name : `${source}.${name}`}`);
}
