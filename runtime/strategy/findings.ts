import { type ErrorCode, type Position, type Problem, SetpointError } from "../errors.ts";
import { didYouMean } from "../graph/nearest_names.ts";
import type { Path, Positions } from "./positions.ts";
import type { Note, NoteCode } from "./strategy.ts";

/** A file of 64 KB can be wrong in thousands of places; nobody reads that many, and finding each place takes time. */
const MAX_PROBLEMS = 100;
const MAX_KEPT = 300;

/** Notes that somebody should look at. */
const WARNINGS: ReadonlySet<NoteCode> = new Set<NoteCode>([
  "DECISION_WITHOUT_EFFECT",
  "PLUGIN_UNUSED",
  "FIXED_GROUP",
  "KEY_WITHOUT_EFFECT",
  "KPI_UNREAD",
  "NEVER_WRITTEN",
  "RANGE_UNKNOWN",
  "UNDECLARED_VARIABLE",
  "UNIT_MISMATCH",
  "WRITES_MEASUREMENT",
]); // deno-fmt-ignore

export interface Where {
  /** Points at the key, not at the value. */
  readonly key?: boolean;
  /** Characters into the text at the path. */
  readonly offset?: number;
  readonly variable?: string;
}

/** Collects what is wrong and what is worth a note, each with its place, so that all of it is told in one go. */
export class Findings {
  readonly problems: Problem[];
  readonly notes: Note[];
  readonly #positions: Positions;

  constructor(positions: Positions, problems: readonly Problem[] = [], notes: readonly Note[] = []) {
    this.#positions = positions;
    this.problems = [...problems];
    this.notes = [...notes];
  }

  problem(code: ErrorCode, path: Path, message: string, where: Where = {}): void {
    if (this.problems.length >= MAX_KEPT) return;
    this.problems.push({ code, message, ...this.#place(path, where) });
  }

  note(code: NoteCode, path: Path, message: string, where: Where = {}): void {
    if (this.notes.length >= MAX_KEPT) return;
    const level = WARNINGS.has(code) ? "warning" as const : "note" as const;
    const note = { code, level, message, ...this.#place(path, where) };
    if (!this.notes.some((known) => known.code === code && known.message === message)) this.notes.push(note);
  }

  /** `, did you mean "a"`, or nothing; not searched for once there are more problems than are told. */
  hint(name: string, known: Iterable<string>): string {
    return this.problems.length < MAX_PROBLEMS ? didYouMean(name, known) : "";
  }

  at(path: Path, offset?: number): Position {
    return this.#positions.position(path, offset);
  }

  keyAt(path: Path): Position {
    return this.#positions.keyPosition(path);
  }

  /** @throws {SetpointError} With every problem, in the order of the file, if there is one. */
  raise(): void {
    if (this.problems.length > 0) throw this.error();
  }

  /** Every problem as one error; there is at least one. */
  error(): SetpointError {
    return new SetpointError(sortedProblems(this.problems));
  }

  #place(path: Path, { key, offset, variable }: Where) {
    const at = key ? this.#positions.keyPosition(path) : this.#positions.position(path, offset);
    return { at, ...(variable !== undefined && { variable }) };
  }
}

/** In the order of the file, each once, and not more than a person can use. */
export function sortedProblems(problems: readonly Problem[]): Problem[] {
  const known = new Set<string>();
  const once = problems.filter(({ at, message }) => {
    const key = `${at?.line} ${at?.column} ${at?.pointer} ${message}`;
    return !known.has(key) && known.add(key);
  });
  const sorted = inFileOrder(once);
  if (sorted.length <= MAX_PROBLEMS) return sorted;
  const { code, at } = sorted[MAX_PROBLEMS];
  const rest = { code, message: "… and more problems from here on", ...(at && { at }) };
  return [...sorted.slice(0, MAX_PROBLEMS), rest];
}

/** Plugins answer in any order; what is told of them is not to change from run to run. */
export function inFileOrder<T extends { readonly at?: Position; readonly message: string }>(
  found: readonly T[],
): T[] {
  const place = ({ at }: T) => (at?.line ?? 0) * 1e6 + (at?.column ?? 0);
  return [...found].sort((a, b) => place(a) - place(b) || compareText(textOf(a), textOf(b)));
}

function textOf({ at, message }: { readonly at?: Position; readonly message: string }): string {
  return `${at?.pointer ?? ""} ${message}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
