/**
 * Every error that Setpoint tells a user, by a closed list of codes. A message says what cannot be done, to what, its
 * state, and what was expected. Several problems found in one go travel in one {@linkcode SetpointError}.
 */
export const ERROR_CODES = [
  // configuration, command line, start-up: the process ends with 2
  "USAGE",
  "CONFIG_INVALID",
  "PORT_IN_USE",
  "STATE_LOCKED",
  "STATE_UNREADABLE",
  "NOT_RUNNING",
  // strategy
  "YAML_INVALID",
  "STRATEGY_TOO_LARGE",
  "STRATEGY_INVALID",
  "STRATEGY_CRASHES",
  "UNKNOWN_KEY",
  "UNDECLARED_VARIABLE",
  "UNKNOWN_SKILL",
  "UNKNOWN_CLASS",
  "BOUNDS_REVERSED",
  "CYCLE",
  "UNIT_MISMATCH",
  "FORMULA_INVALID",
  "FILE_MISSING",
  "MODEL_INVALID",
  "MODEL_SHAPE",
  "SCALER_INVALID",
  "PLUGIN_INVALID",
  "NOT_OPTIMIZABLE",
  // process data and requests
  "INPUT_INVALID",
  "INPUT_MISSING",
  "INPUT_STALE",
  "INPUT_OUT_OF_RANGE",
  "NO_NEW_ROW",
  "REQUEST_INVALID",
  "UNAUTHORIZED",
  "BUSY",
  "NOT_FOUND",
  // cells
  "PLUGIN_FAILED",
  "PLUGIN_TIMEOUT",
  "PLUGIN_DIED",
  "PLUGIN_QUARANTINED",
  "FRAME_INVALID",
  "FRAME_TOO_LARGE",
  "EXPRESSION_INVALID",
  // answers
  "EVALUATION_FAILED",
  "ANSWER_REFUSED",
  "ALLOCATION_FAILED",
  "INFEASIBLE",
  // artifacts
  "ARTIFACT_MISSING",
  "ARTIFACT_EXISTS",
  "ARTIFACT_CORRUPT",
  "ARTIFACT_TOO_LARGE",
  "ARTIFACT_NAME",
  "STORE_UNREACHABLE",
  "POINTER_INVALID",
  // historian and journal
  "HISTORIAN_UNREACHABLE",
  "HISTORIAN_COLUMNS",
  "IDENTIFIER_INVALID",
  "JOURNAL_UNUSABLE",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** Where in a user's text a problem is: a file's line and column (both from 1), or a JSON pointer in a request. */
export interface Position {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly pointer?: string;
}

export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly at?: Position;
  /** The variable that the problem is about, where there is one. */
  readonly variable?: string;
}

export class SetpointError extends Error {
  readonly problems: readonly Problem[];

  /** @param problems At least one; the first gives the error its code. */
  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    super(problems.map(printProblem).join("\n"), options);
    this.name = "SetpointError";
    this.problems = problems;
  }

  get code(): ErrorCode {
    return this.problems[0].code;
  }
}

/** Why a file or folder cannot be used, for a person. */
export function whyUnreadable(cause: unknown): string {
  if (cause instanceof Deno.errors.NotFound) return "there is no such file";
  if (cause instanceof Deno.errors.IsADirectory) return "it is a folder, expected a file";
  if (cause instanceof Deno.errors.NotADirectory) return "a part of its path is no folder";
  if (cause instanceof Deno.errors.AlreadyExists) return "a file has its name";
  if (cause instanceof Deno.errors.PermissionDenied) return "its permissions forbid it";
  if (cause instanceof Deno.errors.NotCapable) return "this process may not touch it";
  return cause instanceof Error ? cause.message : String(cause);
}

/** An error with one problem. */
export function setpointError(
  code: ErrorCode,
  message: string,
  details: { at?: Position; variable?: string; cause?: unknown } = {},
): SetpointError {
  const { at, variable, cause } = details;
  return new SetpointError([{ code, message, ...(at && { at }), ...(variable && { variable }) }], { cause });
}

/** `strategy.yaml:4:45: message`, or `/config/variables/a: message`, or the message alone. */
export function printProblem({ at, message }: Pick<Problem, "at" | "message">): string {
  if (at?.file !== undefined && at.line !== undefined) {
    return `${at.file}:${at.line}:${at.column ?? 1}: ${message}`;
  }
  const place = at?.file === undefined ? at?.pointer : `${at.file}${at.pointer ? `#${at.pointer}` : ""}`;
  return place === undefined ? message : `${place}: ${message}`;
}
