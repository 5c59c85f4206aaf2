/** Errors as RFC 9457 problem documents that also carry what the predecessor's clients look for. */
import { type ErrorCode, printProblem, type Problem, SetpointError, setpointError } from "../errors.ts";

/** Of the codes that a client can do something about; any other is our own fault. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  REQUEST_INVALID: 400,
  UNAUTHORIZED: 401,
  NOT_FOUND: 404,
  YAML_INVALID: 422,
  STRATEGY_TOO_LARGE: 413,
  STRATEGY_INVALID: 422,
  UNKNOWN_KEY: 422,
  UNDECLARED_VARIABLE: 422,
  UNKNOWN_SKILL: 422,
  UNKNOWN_CLASS: 422,
  BOUNDS_REVERSED: 422,
  CYCLE: 422,
  UNIT_MISMATCH: 422,
  FORMULA_INVALID: 422,
  FILE_MISSING: 422,
  MODEL_INVALID: 422,
  MODEL_SHAPE: 422,
  SCALER_INVALID: 422,
  PLUGIN_INVALID: 422,
  NOT_OPTIMIZABLE: 422,
  EXPRESSION_INVALID: 422,
  ARTIFACT_NAME: 422,
  IDENTIFIER_INVALID: 422,
  INPUT_INVALID: 422,
  INPUT_MISSING: 422,
  INPUT_STALE: 422,
  INPUT_OUT_OF_RANGE: 422,
  BUSY: 503,
  STORE_UNREACHABLE: 503,
  ARTIFACT_MISSING: 503,
  HISTORIAN_UNREACHABLE: 503,
  PLUGIN_QUARANTINED: 503,
};

const TITLES: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** Refused before the kernel is asked, with a status that no code of the list stands for. */
export class HttpError extends SetpointError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: ErrorCode,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super([{ code, message }]);
    this.status = status;
    this.headers = headers;
  }
}

/** 503 that tells when to come again. */
export function busy(message: string): HttpError {
  return new HttpError(503, "BUSY", message, { "retry-after": "1" });
}

/**
 * The document for any error. What is no {@linkcode SetpointError} tells a client nothing of our insides.
 * @param timestamp ISO 8601.
 */
export function problemResponse(error: unknown, timestamp: string, instance: string): Response {
  const known = error instanceof SetpointError
    ? error
    : setpointError("EVALUATION_FAILED", "Cannot answer this request: the server failed; its log says more");
  const status = known instanceof HttpError ? known.status : STATUS[known.code] ?? 500;
  const document = {
    type: `urn:setpoint:error:${known.code.toLowerCase()}`,
    title: TITLES[status],
    status,
    detail: known.message,
    instance,
    problems: known.problems.map(described),
    error: known.message,
    error_type: known.code,
    timestamp,
  };
  const retry: Record<string, string> = status === 503 ? { "retry-after": "1" } : {};
  return new Response(JSON.stringify(document), {
    status,
    headers: {
      "content-type": "application/problem+json",
      ...retry,
      ...(known instanceof HttpError && known.headers),
    },
  });
}

function described(problem: Problem): Record<string, unknown> {
  const { code, message, at, variable } = problem;
  return { code, message, ...at, ...(variable !== undefined && { variable }), text: printProblem(problem) };
}
