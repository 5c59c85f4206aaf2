/** What a value of the configuration may be, whether a file, the environment or a flag tells it. */
export interface Setting<T> {
  /** Finishes "expected …". */
  readonly expected: string;
  readonly fallback: T;
  /** undefined: refused. A path is left as it is: what it is relative to depends on who tells it. */
  read(value: unknown): T | undefined;
  /** The value that a text of the environment or the command line means. */
  parse(text: string): unknown;
  readonly path?: true;
  /** Never shown. */
  readonly secret?: true;
}

export type ValueOf<S> = S extends Setting<infer T> ? T : never;

/** JSON's numbers, so that neither "" nor "0x10" nor "Infinity" is one. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function parseNumber(text: string): unknown {
  return NUMBER.test(text) ? Number(text) : text;
}

/** A text of at least one character; control characters have no place in any of ours. */
// deno-lint-ignore no-control-regex -- they are what is refused
const TEXT = /^[^\u0000-\u001f\u007f]+$/;

/** @param fallback null where there is no default. */
export function text<T extends string | null>(
  fallback: T,
  extra: { secret?: true } = {},
): Setting<string | T> {
  return {
    expected: "a text",
    fallback,
    read: (value) => typeof value === "string" && TEXT.test(value) ? value : undefined,
    parse: (value) => value,
    ...extra,
  };
}

/** A file or a folder. */
export function path<T extends string | null>(fallback: T): Setting<string | T> {
  return { ...text(fallback), expected: "a path", path: true };
}

/** One of `choices`, in any case. */
export function choice<C extends string>(choices: readonly C[], fallback: C): Setting<C> {
  return {
    expected: choices.join(", ").replace(/, ([^,]*)$/, " or $1"),
    fallback,
    read: (value) =>
      choices.find((one) => typeof value === "string" && one.toLowerCase() === value.toLowerCase()),
    parse: (value) => value,
  };
}

export function boolean<T extends boolean | null>(fallback: T): Setting<boolean | T> {
  return {
    expected: "true or false",
    fallback,
    read: (value) => typeof value === "boolean" ? value : undefined,
    parse: (value) => value === "true" ? true : value === "false" ? false : value,
  };
}

/** A whole number in [least, most]. */
export function integer<T extends number | null>(
  least: number,
  most: number,
  fallback: T,
): Setting<number | T> {
  return {
    expected: `a whole number from ${least} to ${most}`,
    fallback,
    read: (value) =>
      Number.isInteger(value) && value as number >= least && value as number <= most
        ? value as number
        : undefined,
    parse: parseNumber,
  };
}

/** A number above 0 and up to `most`. */
export function positive<T extends number | null>(most: number, fallback: T): Setting<number | T> {
  return {
    expected: `a number above 0, at most ${most}`,
    fallback,
    read: (value) => typeof value === "number" && value > 0 && value <= most ? value : undefined,
    parse: parseNumber,
  };
}
