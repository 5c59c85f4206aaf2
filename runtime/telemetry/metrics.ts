/** What Prometheus may scrape. The one importer of `prom-client`; cell_metrics.ts gets it as an argument. */
import { type CellMetric, cellMetrics } from "./cell_metrics.ts";
import type { Counter, Gauge, Histogram, Registry } from "prom-client";

export type { Registry };
export type Library = typeof import("prom-client");

/** One finished cycle. */
export interface CycleMetric {
  readonly outcome: string;
  readonly origin: string;
  /** `total`: from reading to recording. */
  readonly timing_ms: Readonly<Record<string, number>>;
}

export interface RequestMetric {
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
}

/** What is read when somebody scrapes; the kernel has all of it. */
export interface MetricSources {
  status(): {
    readonly reasons: readonly { readonly critical: boolean }[];
    readonly strategy: { readonly name: string; readonly version: string } | null;
    readonly store: { readonly reachable: boolean };
    readonly schedule: { readonly skipped: number } | null;
    readonly uptime_s: number;
  };
  cacheStats(): {
    readonly hits: number;
    readonly misses: number;
    readonly evictions: number;
    readonly entries: number;
    readonly bytes: number;
  };
  plugins(): readonly CellMetric[];
}

/** 1 ms to 30 s: a warm optimization takes 3 ms, its deadline is 10 s. */
const BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What is kept of the time before the library is there; then it comes by itself. */
const MAX_PENDING = 1000;

/** Counts from the start; the library, 80 ms to import, comes with the first scrape or after 1000 counts. */
export class Metrics {
  readonly contentType = "text/plain; version=0.0.4; charset=utf-8";
  #sources: MetricSources | undefined;
  readonly #pending: ((to: Instruments) => void)[] = [];
  #loading: Promise<Instruments> | undefined;
  #instruments: Instruments | undefined;

  /** Where the rest is read when somebody scrapes. */
  attach(sources: MetricSources): void {
    this.#sources = sources;
  }

  cycle({ outcome, origin, timing_ms }: CycleMetric): void {
    this.#record(({ cycles, cycleSeconds }) => {
      cycles.inc({ outcome, origin });
      if (timing_ms.total !== undefined) cycleSeconds.observe({ origin }, timing_ms.total / 1000);
    });
  }

  observe({ route, method, status, seconds }: RequestMetric): void {
    this.#record(({ requests, requestSeconds }) => {
      requests.inc({ route, method, status });
      requestSeconds.observe({ route }, seconds);
    });
  }

  /** @param seconds Age of the newest row of process data when a cycle read it; null: there was none. */
  inputAge(seconds: number | null): void {
    if (seconds !== null) this.#record(({ inputAge }) => inputAge.set(seconds));
  }

  /** Prometheus' text format. */
  async exposition(): Promise<string> {
    return await (await this.#load()).registry.metrics();
  }

  #record(act: (to: Instruments) => void): void {
    if (this.#instruments !== undefined) return act(this.#instruments);
    this.#pending.push(act);
    if (this.#pending.length >= MAX_PENDING) void this.#load();
  }

  #load(): Promise<Instruments> {
    return this.#loading ??= import("prom-client").then((library) => {
      if (this.#sources === undefined) throw new TypeError("Cannot tell metrics before attach()");
      this.#instruments = instruments(library, this.#sources);
      for (const act of this.#pending.splice(0)) act(this.#instruments);
      return this.#instruments;
    });
  }
}

interface Instruments {
  readonly registry: Registry;
  readonly cycles: Counter;
  readonly cycleSeconds: Histogram;
  readonly inputAge: Gauge;
  readonly requests: Counter;
  readonly requestSeconds: Histogram;
}

function instruments(library: typeof import("prom-client"), sources: MetricSources): Instruments {
  const registry = new library.Registry();
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[]) =>
    new library.Counter({ name, help, labelNames, registers });
  const histogram = (name: string, help: string, labelNames: string[]) =>
    new library.Histogram({ name, help, labelNames, registers, buckets: BUCKETS });
  const gauge = (name: string, help: string, value: () => number) =>
    new library.Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  /** A count that is kept elsewhere. */
  const total = (name: string, help: string, value: () => number) =>
    new library.Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(value());
      },
    });

  total("setpoint_cache_hits_total", "Artifacts served from the cache", () => sources.cacheStats().hits);
  total("setpoint_cache_misses_total", "Artifacts asked from the store", () => sources.cacheStats().misses);
  total(
    "setpoint_cache_evictions_total",
    "Artifacts pushed out of memory",
    () => sources.cacheStats().evictions,
  );
  gauge("setpoint_cache_entries", "Artifacts in memory", () => sources.cacheStats().entries);
  gauge("setpoint_cache_bytes", "Memory of the cached artifacts", () => sources.cacheStats().bytes);
  total(
    "setpoint_cycles_skipped_total",
    "Ticks that found the cycle before still running",
    () => sources.status().schedule?.skipped ?? 0,
  );
  gauge(
    "setpoint_ready",
    "1 if a cycle can run",
    () => sources.status().reasons.some(({ critical }) => critical) ? 0 : 1,
  );
  gauge(
    "setpoint_store_reachable",
    "1 if the artifact store answers",
    () => sources.status().store.reachable ? 1 : 0,
  );
  gauge("setpoint_uptime_seconds", "Since the process started", () => sources.status().uptime_s);
  gauge("process_resident_memory_bytes", "Of the kernel, without its cells", () => Deno.memoryUsage().rss);
  strategyInfo(library, registry, sources);
  cellMetrics(library, registry, () => sources.plugins());

  return {
    registry,
    cycles: counter("setpoint_cycles_total", "Finished cycles", ["outcome", "origin"]),
    cycleSeconds: histogram("setpoint_cycle_duration_seconds", "From reading to recording", ["origin"]),
    inputAge: new library.Gauge({
      name: "setpoint_input_age_seconds",
      help: "Age of the newest row of process data when a cycle read it",
      registers,
    }),
    requests: counter("setpoint_http_requests_total", "Answered requests", ["route", "method", "status"]),
    requestSeconds: histogram("setpoint_http_request_duration_seconds", "From request to answer", ["route"]),
  };
}

function strategyInfo(
  library: typeof import("prom-client"),
  registry: Registry,
  sources: MetricSources,
): void {
  new library.Gauge({
    name: "setpoint_strategy_info",
    help: "1 for the active strategy",
    labelNames: ["name", "version"],
    registers: [registry],
    collect() {
      this.reset();
      const { strategy } = sources.status();
      if (strategy !== null) this.set({ name: strategy.name, version: strategy.version }, 1);
    },
  });
}
