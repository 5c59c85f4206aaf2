import type { Clock } from "../clock.ts";
import { setpointError } from "../errors.ts";
import type { CacheStats } from "../kernel/types.ts";
import { printJson, printText } from "./print.ts";
import { ask, type Reply } from "./running.ts";
import { figure, table } from "./table.ts";

export interface CacheOptions {
  /** The state folder. */
  readonly state: string;
  readonly json: boolean;
  readonly clock: Clock;
}

export async function cacheStats({ state, json, clock }: CacheOptions): Promise<number> {
  const body = answered(await ask(state, "GET", "/cache/stats", clock), "/cache/stats") as CacheStats;
  if (json) printJson(body);
  else printText(statsText(body));
  return 0;
}

export async function cacheClear({ state, json, clock }: CacheOptions): Promise<number> {
  const body = answered(await ask(state, "POST", "/cache/clear", clock), "/cache/clear");
  if (json) printJson(body);
  else printText((body as { message: string }).message);
  return 0;
}

/** The body of an answer. @throws {SetpointError} NOT_RUNNING where it is none. */
export function answered({ status, body }: Reply, path: string): unknown {
  if (status === 200) return body;
  const detail = (body as { detail?: string } | null)?.detail ?? String(body);
  throw setpointError("NOT_RUNNING", `Cannot use ${path}: the process answered ${status}: ${detail}`);
}

function statsText(stats: CacheStats): string {
  const rows = Object.entries(stats.cache_details).map((
    [kind, { active_items, expired_items, total_items }],
  ) => [kind, active_items, expired_items, total_items].map(String));
  const right = { align: "right" } as const;
  const kinds = table([{ title: "Kind" }, { title: "active", ...right }, { title: "expired", ...right }, {
    title: "total",
    ...right,
  }], rows);
  const rate = stats.hit_rate === null
    ? ""
    : `, hit rate ${figure(Number((100 * stats.hit_rate).toFixed(1)))} %`;
  return [
    `Strategy version ${stats.current_config_version ?? "none"}, last run ${
      stats.cached_last_run_timestamp ?? "none"
    }`,
    `${stats.entries} entries, ${megabytes(stats.bytes)} of ${
      megabytes(stats.max_bytes)
    } MB, ${stats.evictions} evicted`,
    `${stats.hits} hits, ${stats.misses} misses${rate}`,
    "",
    ...kinds,
  ].join("\n");
}

function megabytes(bytes: number): string {
  return figure(Number((bytes / 1e6).toFixed(2)));
}
