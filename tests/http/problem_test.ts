import { assertEquals } from "@std/assert";
import { ERROR_CODES, setpointError } from "../../runtime/errors.ts";
import { problemResponse } from "../../runtime/http/problem.ts";

/** What goes wrong here and not in what a client sent. */
const OURS = new Set(
  `USAGE CONFIG_INVALID PORT_IN_USE STATE_LOCKED STATE_UNREADABLE NOT_RUNNING NO_NEW_ROW BUSY
   PLUGIN_FAILED PLUGIN_TIMEOUT PLUGIN_DIED PLUGIN_QUARANTINED FRAME_INVALID FRAME_TOO_LARGE
   EVALUATION_FAILED ANSWER_REFUSED ALLOCATION_FAILED INFEASIBLE STRATEGY_CRASHES
   ARTIFACT_MISSING ARTIFACT_EXISTS ARTIFACT_CORRUPT ARTIFACT_TOO_LARGE STORE_UNREACHABLE POINTER_INVALID
   HISTORIAN_UNREACHABLE HISTORIAN_COLUMNS JOURNAL_UNUSABLE`.split(/\s+/),
);

Deno.test("problemResponse() never answers a client's own mistake with 5xx", () => {
  for (const code of ERROR_CODES) {
    const { status } = problemResponse(setpointError(code, "Cannot"), "2026-01-01T00:00:00Z", "/optimize");
    if (!OURS.has(code)) assertEquals(Math.floor(status / 100), 4, code);
  }
});
