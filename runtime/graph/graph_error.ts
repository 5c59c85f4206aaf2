/** What went wrong in building, decoding or lowering a graph: a code and, in a text, the offset in characters. */
export class GraphError extends Error {
  readonly code: string;
  readonly offset: number | undefined;
  constructor(code: string, message: string, offset?: number) {
    super(message);
    this.name = "GraphError";
    this.code = code;
    this.offset = offset;
  }
}

/** More of something than a search can come to an end with. */
export function tooMany(what: string, count: number, most: number): GraphError {
  return new GraphError("SIZE", `${count} ${what} depend on what may move, expected at most ${most}`);
}
