/**
 * YAML as everyone here reads it: a size limit before anything else, every problem with its line and column, and a way
 * back from a value (or from a character of a formula inside it) to its place in the file. The one importer of `yaml`.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { type Position, type Problem, SetpointError } from "./errors.ts";
import { scalarOffset } from "./yaml_offset.ts";

export type YamlPath = readonly (string | number)[];

export interface ParsedYaml {
  /** null, booleans, numbers, texts, arrays and objects without a prototype; no part of it is shared. */
  readonly value: unknown;
  /**
   * Where the value at `path` begins; where there is none, the nearest that encloses it.
   * @param offset UTF-16 units into a text value, however it is quoted or folded; default 0.
   */
  position(path: YamlPath, offset?: number): Position;
  /** Where the key begins that ends `path`; else as {@linkcode position}. */
  keyPosition(path: YamlPath): Position;
}

export interface YamlOptions {
  /** Names the text in positions. */
  readonly file?: string;
  /** Largest size, in bytes of UTF-8. */
  readonly maxBytes: number;
}

interface Fault {
  readonly message: string;
  /** UTF-16 units into the text. */
  readonly offset: number;
}

/** One wrong indentation can tell the same some hundred times. */
const MAX_PROBLEMS = 20;
/** A strategy needs 6; the parser recurses, and so does whoever walks its value. */
const MAX_DEPTH = 64;

/**
 * Reads one document of YAML 1.2. Keys are texts: a number as a key becomes its text.
 * @throws {SetpointError} YAML_INVALID, with every problem: size, depth, syntax, tabs, duplicate keys, unknown tags,
 *   aliases that multiply.
 */
export function parseYaml(text: string, { file, maxBytes }: YamlOptions): ParsedYaml {
  const lines = new LineCounter();
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { ...(file !== undefined && { file }), line: Math.max(1, line), column: Math.max(1, col) };
  };
  const refuse = (faults: readonly Fault[]) => {
    const problems = faults.slice(0, MAX_PROBLEMS).map(({ message, offset }): Problem => ({
      code: "YAML_INVALID",
      message: `Cannot read YAML: ${message}`,
      at: at(offset),
    }));
    return new SetpointError(problems);
  };

  const bytes = text.length > maxBytes ? text.length : new TextEncoder().encode(text).length;
  if (bytes > maxBytes) {
    throw refuse([{ message: `it has ${bytes} bytes, expected at most ${maxBytes}`, offset: 0 }]);
  }
  const deep = tooDeepAt(text);
  if (deep >= 0) throw refuse([{ message: `nested deeper than ${MAX_DEPTH} levels`, offset: deep }]);

  // its own uniqueKeys is quadratic: 20,000 keys take seconds
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const found = [...document.errors, ...document.warnings];
  if (found.length > 0) {
    throw refuse(found.map(({ code, message, pos }) => ({
      message: code === "MULTIPLE_DOCS" ? "a second document begins, expected one" : lowerFirst(message),
      offset: pos[0],
    })));
  }
  const root = document.contents;
  const reader = new Reader(maxBytes, root);
  const value = reader.read(root, 0);
  if (reader.faults.length > 0) throw refuse(reader.faults);

  return {
    value,
    position(path, offset = 0) {
      const { node } = reader.find(path);
      const start = node?.range?.[0] ?? 0;
      return at(offset > 0 && isScalar(node) ? scalarOffset(text, node, offset) : start);
    },
    keyPosition(path) {
      const { node, key } = reader.find(path);
      return at((key ?? node)?.range?.[0] ?? 0);
    },
  };
}

/** Turns nodes into values; an alias is read again wherever it stands, against a limit on all nodes together. */
class Reader {
  readonly faults: Fault[] = [];
  readonly #anchors = new Map<string, Node>();
  readonly #root: Node | null;
  #left: number;

  /** @param limit Without aliases a text has fewer nodes than bytes. */
  constructor(limit: number, root: Node | null) {
    this.#left = limit;
    this.#root = root;
  }

  read(node: unknown, depth: number): unknown {
    if (node === null || node === undefined || this.#left < 0) return null;
    const { range, anchor } = node as Node & { anchor?: string };
    const offset = range?.[0] ?? 0;
    if (--this.#left < 0 || depth > 2 * MAX_DEPTH) {
      this.#left = -1;
      this.faults.push({ message: "aliases repeat more than a text of this size may hold", offset });
      return null;
    }
    if (anchor !== undefined) this.#anchors.set(anchor, node as Node);
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      if (target !== undefined) return this.read(target, depth + 1);
      this.faults.push({ message: `unknown alias "*${node.source}"`, offset });
      return null;
    }
    if (isScalar(node)) return typeof node.value === "bigint" ? Number(node.value) : node.value;
    if (isSeq(node)) return node.items.map((item) => this.read(item, depth + 1));
    return isMap(node) ? this.#map(node.items, depth) : null;
  }

  #map(pairs: readonly { key: unknown; value: unknown }[], depth: number): Record<string, unknown> {
    const object: Record<string, unknown> = Object.create(null);
    for (const { key, value } of pairs) {
      const name = keyText(key);
      const offset = (key as Node | null)?.range?.[0] ?? 0;
      if (name === undefined) this.faults.push({ message: "a key must be a text", offset });
      else if (name in object) this.faults.push({ message: `duplicate key "${name}"`, offset });
      else object[name] = this.read(value, depth + 1);
    }
    return object;
  }

  /** The node at `path` or the deepest on the way, and the key that led to it when it is the one asked for. */
  find(path: YamlPath): { node: Node | null; key?: Node } {
    let node = this.#followed(this.#root);
    let key: Node | undefined;
    for (const step of path) {
      if (isMap(node)) {
        const pair = node.items.find((item) => keyText(item.key) === String(step));
        if (pair === undefined) return { node };
        key = pair.key as Node;
        if (pair.value === null) return { node: key, key };
        node = this.#followed(pair.value as Node);
      } else {
        const item = isSeq(node) ? node.items[Number(step)] : undefined;
        if (item === undefined) return { node };
        key = undefined;
        node = this.#followed(item as Node);
      }
    }
    return key === undefined ? { node } : { node, key };
  }

  #followed(node: Node | null): Node | null {
    return isAlias(node) ? this.#anchors.get(node.source) ?? node : node;
  }
}

function keyText(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined;
  const { value } = key;
  return typeof value === "string"
    ? value
    : value === null || typeof value === "object"
    ? undefined
    : String(value);
}

/** Where brackets or `- - -` first nest too deep, else −1. Brackets in texts count too: 64 unclosed ones are nobody's. */
function tooDeepAt(text: string): number {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === "[" || c === "{") depth++;
    else if ((c === "]" || c === "}") && depth > 0) depth--;
    if (depth > MAX_DEPTH) return i;
  }
  const compact = /^[ \t]*(?:[-?:]\s+){65}/m.exec(text);
  return compact === null ? -1 : compact.index;
}

function lowerFirst(message: string): string {
  return message[0].toLowerCase() + message.slice(1).replace(/\.$/, "");
}
