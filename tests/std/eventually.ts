import { systemClock } from "../../runtime/clock.ts";

/** Polls until it holds, 60 s at most: far above what it takes on a slow and busy machine, so that only a hang fails. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = systemClock.monotonic() + 60_000; systemClock.monotonic() < end;) {
    if (await holds()) return;
    await systemClock.sleep(20);
  }
  throw new Error(`Waited 60 s until ${what}`);
}
