import type { Position } from "../errors.ts";

export type Path = readonly (string | number)[];

/** The way back from a value to its place in what the user wrote. */
export interface Positions {
  /** Where the value at `path` begins, or `offset` characters into it; where there is none, what encloses it. */
  position(path: Path, offset?: number): Position;
  /** Where the key that ends `path` begins. */
  keyPosition(path: Path): Position;
}

/** A place that is still to be looked up. */
interface SoughtPosition extends Position {
  readonly path: Path;
  readonly offset?: number;
  readonly key: boolean;
}

/** Where the text is not at hand: {@linkcode foundPosition} looks these up where it is. Plain data. */
export const soughtPositions: Positions = Object.freeze({
  position: (path: Path, offset?: number): SoughtPosition => ({
    path,
    key: false,
    ...(offset !== undefined && { offset }),
  }),
  keyPosition: (path: Path): SoughtPosition => ({ path, key: true }),
});

/** A sought position as that of the text; any other as it is. */
export function foundPosition(positions: Positions, at: Position): Position {
  const { path, offset, key } = at as Partial<SoughtPosition>;
  if (path === undefined) return at;
  return key ? positions.keyPosition(path) : positions.position(path, offset);
}

/** Positions in a JSON request: RFC 6901 pointers below `base`. An offset into a text has no place in a pointer. */
export function jsonPositions(base: string): Positions {
  const position = (path: Path): Position => ({ pointer: base + path.map(pointerStep).join("") });
  return { position, keyPosition: position };
}

function pointerStep(step: string | number): string {
  return `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
