/** What Prometheus may know of the plugins' processes; the same as GET /plugins tells. */
import type { Library, Registry } from "./metrics.ts";

/** One process. */
export interface CellMetric {
  readonly id: string;
  readonly state: string;
  readonly calls: number;
  readonly failures: number;
  readonly restarts: number;
  readonly rss_bytes: number | null;
  readonly heap_bytes: number | null;
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  readonly heartbeat_age_ms: number | null;
  readonly starts_last_hour: number;
  /** Numbers by names that carry their unit: `wall_ms`. */
  readonly limits: object;
  readonly plugins: readonly {
    readonly name: string;
    readonly version: string;
    readonly kind: string;
    readonly digest: string | null;
  }[];
}

const STATES = ["starting", "ready", "busy", "quarantined", "dead"];

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number | null];

/** Registers them; `cells` is asked whenever somebody scrapes. */
export function cellMetrics(
  library: Library,
  registry: Registry,
  cells: () => readonly CellMetric[],
): void {
  const registers = [registry];
  for (const what of ["calls", "failures", "restarts"] as const) {
    new library.Counter({
      name: `setpoint_cell_${what}_total`,
      help: `${what[0].toUpperCase()}${what.slice(1)} of a plugin's process`,
      labelNames: ["cell"],
      registers,
      collect() {
        this.reset();
        for (const cell of cells()) this.inc({ cell: cell.id }, cell[what]);
      },
    });
  }
  const gauge = (name: string, help: string, labelNames: string[], samples: (cell: CellMetric) => Sample[]) =>
    new library.Gauge({
      name,
      help,
      labelNames: ["cell", ...labelNames],
      registers,
      collect() {
        this.reset();
        for (const cell of cells()) {
          for (const [labels, value] of samples(cell)) {
            if (value !== null) this.set({ cell: cell.id, ...labels }, value);
          }
        }
      },
    });
  gauge("setpoint_cell_quarantined", "1 for a plugin that failed too often", [], ({ state }) => [
    [{}, state === "quarantined" ? 1 : 0],
  ]);
  gauge(
    "setpoint_cell_state",
    "1 for the state that it is in",
    ["state"],
    ({ state }) => STATES.map((known) => [{ state: known }, known === state ? 1 : 0]),
  );
  gauge("setpoint_cell_resident_memory_bytes", "Memory of a plugin's process", [], ({ rss_bytes }) => [
    [{}, rss_bytes],
  ]);
  gauge("setpoint_cell_heap_bytes", "JavaScript heap of a plugin's largest thread", [], ({ heap_bytes }) => [
    [{}, heap_bytes],
  ]);
  gauge("setpoint_cell_call_seconds", "Time of the last 512 calls", ["quantile"], ({ p50_ms, p99_ms }) => [
    [{ quantile: "0.5" }, inSeconds(p50_ms)],
    [{ quantile: "0.99" }, inSeconds(p99_ms)],
  ]);
  gauge("setpoint_cell_heartbeat_age_seconds", "Since the process was heard of", [], (cell) => [
    [{}, inSeconds(cell.heartbeat_age_ms)],
  ]);
  gauge("setpoint_cell_starts_last_hour", "Starts of the process within an hour", [], (cell) => [
    [{}, cell.starts_last_hour],
  ]);
  gauge(
    "setpoint_cell_limit",
    "Limits in force, in the unit of their name",
    ["limit"],
    ({ limits }) => Object.entries(limits).map(([limit, value]) => [{ limit }, Number(value)]),
  );
  gauge(
    "setpoint_plugin_info",
    "1 for each open plugin",
    ["name", "version", "kind", "digest"],
    ({ plugins }) =>
      plugins.map(({ name, version, kind, digest }) => [{ name, version, kind, digest: digest ?? "" }, 1]),
  );
}

function inSeconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}
