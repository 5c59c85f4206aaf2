import type { Clock } from "../clock.ts";

/** When cycles run. `source` says who decided. */
export interface Period {
  /** Five fields, UTC; absent where cron cannot say it. */
  readonly cron?: string;
  /** For what cron cannot say. */
  readonly seconds?: number;
  readonly source: "flag" | "config" | "strategy" | "default";
}

export interface PeriodSources {
  readonly flagSeconds?: number;
  readonly configSeconds?: number;
  /** The strategy's `schedule`. */
  readonly cron?: string;
}

/** The flag, then the configuration, then the strategy, then every five minutes. */
export function choosePeriod({ flagSeconds, configSeconds, cron }: PeriodSources): Period {
  if (flagSeconds !== undefined) return { ...ofSeconds(flagSeconds), source: "flag" };
  if (configSeconds !== undefined) return { ...ofSeconds(configSeconds), source: "config" };
  if (cron !== undefined) return { cron, source: "strategy" };
  return { cron: "*/5 * * * *", source: "default" };
}

/** Cron knows minutes that divide the hour and hours that divide the day; all else is a ticker's. */
function ofSeconds(seconds: number): { cron?: string; seconds?: number } {
  const minutes = seconds / 60;
  if (minutes === 1) return { cron: "* * * * *" };
  if (Number.isInteger(minutes) && minutes < 60 && 60 % minutes === 0) {
    return { cron: `*/${minutes} * * * *` };
  }
  const hours = minutes / 60;
  if (hours === 1) return { cron: "0 * * * *" };
  if (Number.isInteger(hours) && hours <= 24 && 24 % hours === 0) {
    return { cron: hours === 24 ? "0 0 * * *" : `0 */${hours} * * *` };
  }
  return { seconds };
}

export function printPeriod({ cron, seconds }: Period): string {
  return cron === undefined ? `every ${seconds} s` : `cron ${cron} (UTC)`;
}

export interface Schedule {
  readonly period: Period;
  /** Ticks that found the cycle before still running. */
  readonly skipped: number;
  /** Ends the ticks and waits for the running cycle. */
  stop(): Promise<void>;
}

/**
 * Runs `cycle` once now (unless `atOnce` is false) and then by `period`, never twice at a time: a tick that comes too early is counted and left
 * out. `cycle` must not reject.
 */
export function startSchedule(
  clock: Clock,
  period: Period,
  cycle: () => Promise<unknown>,
  { atOnce = true } = {},
): Schedule {
  const ended = new AbortController();
  let running: Promise<unknown> | undefined;
  let skipped = 0;
  const tick = () => {
    if (ended.signal.aborted) return;
    if (running !== undefined) skipped++;
    else running = cycle().finally(() => running = undefined);
    return running;
  };
  const ticking = period.cron === undefined
    ? clock.every(period.seconds! * 1000, tick)
    : cronTicks(period.cron, ended.signal, tick);
  if (atOnce) void tick();
  return {
    period,
    get skipped() {
      return skipped;
    },
    async stop() {
      ended.abort();
      if (typeof ticking === "function") ticking();
      else await ticking;
      await running;
    },
  };
}

/** Without a back-off schedule Deno would run a failed handler again, up to five times. */
async function cronTicks(cron: string, signal: AbortSignal, tick: () => unknown): Promise<void> {
  await Deno.cron("setpoint cycle", cron, { signal, backoffSchedule: [] }, () => void tick());
}
