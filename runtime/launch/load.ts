import type { Clock } from "../clock.ts";
import { type ErrorCode, SetpointError } from "../errors.ts";

/** What may be over by itself: a gateway often starts before its store does. */
const PASSING: readonly ErrorCode[] = ["STORE_UNREACHABLE", "PLUGIN_DIED", "PLUGIN_TIMEOUT"];
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Loads until it works or `stop` aborts; /health/ready says meanwhile that there is no strategy.
 * @throws {SetpointError} For what somebody must mend.
 */
export async function loadPatiently(
  load: () => Promise<void>,
  clock: Clock,
  stop: AbortSignal,
  log: (level: "warn", message: string) => void,
): Promise<void> {
  for (let pause = FIRST_PAUSE_MS; !stop.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      return await load();
    } catch (error) {
      if (!(error instanceof SetpointError) || !PASSING.includes(error.code)) throw error;
      log("warn", `Cannot load the strategy yet, next try in ${pause / 1000} s: ${error.message}`);
    }
    await clock.sleep(pause, stop).catch(() => {});
  }
}
