import type { Origin } from "../../kernel/types.ts";
import { HttpError } from "../problem.ts";
import { jsonResponse, type Route, timestamp } from "../route.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1000;
const ORIGINS: readonly Origin[] = ["schedule", "api", "cli"];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Journalled cycles, newest first: `limit` (1 to 1000, default 50), `before` (a cycle_id), `origin`. */
export const cycles: Route = {
  method: "GET",
  path: "/cycles",
  token: false,
  always: false,
  async handle(request, services) {
    const query = new URL(request.url).searchParams;
    const limit = Number(query.get("limit") ?? DEFAULT_LIMIT);
    const before = query.get("before") ?? undefined;
    const origin = ORIGINS.find((one) => one === query.get("origin"));
    if (!/^\d+$/.test(query.get("limit") ?? "1") || limit < 1 || limit > MAX_LIMIT) {
      throw refused("limit", query, `a whole number from 1 to ${MAX_LIMIT}`);
    }
    if (before !== undefined && !UUID.test(before)) throw refused("before", query, "a cycle_id");
    if (query.has("origin") && origin === undefined) throw refused("origin", query, ORIGINS.join(", "));
    const rows = await services.kernel.cycles({
      limit,
      ...(before !== undefined && { before }),
      ...(origin !== undefined && { origin }),
    });
    const next = rows.length === limit ? rows[rows.length - 1].cycle_id : null;
    return jsonResponse({
      status: "success",
      timestamp: timestamp(services),
      cycles: rows,
      next_before: next,
    });
  },
};

function refused(name: string, query: URLSearchParams, expected: string): HttpError {
  return new HttpError(
    400,
    "REQUEST_INVALID",
    `Cannot list cycles with ${name} "${query.get(name)}", expected ${expected}`,
  );
}
