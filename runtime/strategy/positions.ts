import type { Position } from "../errors.ts";

export type Path = readonly (string | number)[];

/** The way back from a value to its place in what the user wrote. */
export interface Positions {
  /** Where the value at `path` begins, or `offset` characters into it; where there is none, what encloses it. */
  position(path: Path, offset?: number): Position;
  /** Where the key that ends `path` begins. */
  keyPosition(path: Path): Position;
}

/** Positions in a JSON request: RFC 6901 pointers below `base`. An offset into a text has no place in a pointer. */
export function jsonPositions(base: string): Positions {
  const position = (path: Path): Position => ({ pointer: base + path.map(pointerStep).join("") });
  return { position, keyPosition: position };
}

function pointerStep(step: string | number): string {
  return `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
