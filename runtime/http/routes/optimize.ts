import type { Answer, Warning } from "../../kernel/types.ts";
import { readJson } from "../body.ts";
import { busy, HttpError } from "../problem.ts";
import { jsonResponse, type Route, type Services } from "../route.ts";

/** `{"input_data": {variable: number}}` runs the deployed strategy, `"config"` one of the request's own. */
export const optimize: Route = {
  method: "POST",
  path: "/optimize",
  token: false,
  always: false,
  async handle(request, services) {
    const { input_data: input, config, ...others } = await requestOf(request, services);
    using place = services.running.enter();
    if (place === null) {
      throw busy(`Cannot optimize now: ${services.running.limit} optimizations are running`);
    }
    const answer = await services.kernel.optimize({
      input,
      ...(config !== undefined && config !== null && { config }),
      origin: "api",
      signal: request.signal,
    });
    return jsonResponse(withWarnings(answer, Object.keys(others)));
  },
};

async function requestOf(request: Request, services: Services): Promise<Record<string, unknown>> {
  const { max_body_bytes, body_timeout_seconds } = services.config.api;
  const limits = { maxBytes: max_body_bytes, timeoutMs: body_timeout_seconds * 1000 };
  using place = services.reading.enter();
  if (place === null) {
    throw busy(`Cannot read this request now: ${services.reading.limit} others are being read`);
  }
  const body = await readJson(request, limits, services.clock);
  if (body === undefined) throw invalid("it is empty");
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw invalid("it is no object");
  if (!("input_data" in body)) throw invalid("input_data is missing");
  return body as Record<string, unknown>;
}

function invalid(what: string): HttpError {
  const message =
    `Cannot read the request's body: ${what}, expected {"input_data": {"<variable>": <number>, …}}`;
  return new HttpError(400, "REQUEST_INVALID", message);
}

/** A key that nobody reads may be one that somebody mistyped. */
function withWarnings(answer: Answer, unknown: readonly string[]): Answer {
  if (unknown.length === 0) return answer;
  const added = unknown.map((key): Warning => ({
    code: "UNKNOWN_KEY",
    message: `Ignored the request's key "${key}", expected input_data and config`,
  }));
  return { ...answer, warnings: [...answer.warnings, ...added] };
}
