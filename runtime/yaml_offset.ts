/** Where a character of a YAML text value stands in the file, whatever its quotes, escapes, folds and indentation. */

/** A scalar node of `yaml`, as far as it is needed here. */
export interface ScalarNode {
  readonly type?: string;
  readonly value: unknown;
  /** Start, end of the value, end of the node: UTF-16 units into the file. */
  readonly range?: readonly [number, number, number] | null;
}

/**
 * The place in `source` of UTF-16 unit `offset` of a scalar's value. Folding only adds and drops white space, so the
 * value's other characters stand in the file in the same order: they are walked side by side.
 * @param source The whole file.
 * @returns UTF-16 units into `source`; the scalar's end where `offset` is past its value.
 */
export function scalarOffset(source: string, scalar: ScalarNode, offset: number): number {
  const [start, end] = scalar.range!;
  const double = scalar.type === "QUOTE_DOUBLE";
  const single = scalar.type === "QUOTE_SINGLE";
  const block = scalar.type === "BLOCK_LITERAL" || scalar.type === "BLOCK_FOLDED";
  let at = double || single ? start + 1 : block ? source.indexOf("\n", start) + 1 : start;
  const target = String(scalar.value);

  for (let i = 0; i < target.length && at < end; i++) {
    const wanted = target[i];
    if (!isSpace(wanted)) {
      while (at < end && (isSpace(source[at]) || (double && isContinuation(source, at)))) at++;
    } else if (block && wanted !== "\n" && (i === 0 || target[i - 1] === "\n")) {
      // a block's own indentation belongs to its value only past the indentation of the block
      at = skipIndentation(source, at, target, i);
    }
    if (i === offset) return at;
    const [units, length] = double
      ? escape(source, at)
      : single && source.startsWith("''", at)
      ? [1, 2]
      : [1, 1];
    if (offset < i + units) return at;
    i += units - 1;
    if (!isSpace(wanted) || isSpace(source[at]) || length > 1) at += length;
  }
  return Math.min(at, end);
}

function isSpace(c: string): boolean {
  return c === " " || c === "\n" || c === "\t" || c === "\r";
}

/** A backslash before the line's end joins two lines. */
function isContinuation(source: string, at: number): boolean {
  return source[at] === "\\" && (source[at + 1] === "\n" || source[at + 1] === "\r");
}

/** Units of the value and length in the file of what stands at `at` in double quotes. */
function escape(source: string, at: number): readonly [number, number] {
  if (source[at] !== "\\" || isContinuation(source, at)) return [1, 1];
  const kind = source[at + 1];
  if (kind === "x") return [1, 4];
  if (kind === "u") return [1, 6];
  if (kind === "U") return [parseInt(source.slice(at + 2, at + 10), 16) > 0xffff ? 2 : 1, 10];
  return [1, 2];
}

function skipIndentation(source: string, at: number, value: string, i: number): number {
  let kept = 0;
  while (value[i + kept] === " ") kept++;
  let found = at;
  while (source[found] === " ") found++;
  return Math.max(at, found - kept);
}
