import { assertEquals, assertStringIncludes } from "@std/assert";
import { Metrics, type MetricSources } from "../../runtime/telemetry/metrics.ts";

const SOURCES: MetricSources = {
  status: () => ({
    reasons: [{ critical: true }],
    strategy: { name: "kiln", version: "1.1.0" },
    store: { reachable: true },
    schedule: { skipped: 2 },
    uptime_s: 7,
  }),
  cacheStats: () => ({ hits: 3, misses: 1, evictions: 0, entries: 4, bytes: 500 }),
  plugins: () => [{
    ...{
      id: "a",
      state: "quarantined",
      calls: 5,
      failures: 1,
      restarts: 1,
      rss_bytes: null,
      heap_bytes: 5e6,
    },
    ...{ p50_ms: 2, p99_ms: 40, heartbeat_age_ms: 100, starts_last_hour: 2, limits: { wall_ms: 250 } },
    plugins: [{ name: "acme/pump", version: "1.2.0", kind: "function", digest: "abc" }],
  }],
};

Deno.test("Metrics counts what happened before and after prom-client is there", async () => {
  const metrics = new Metrics();
  metrics.attach(SOURCES);
  metrics.cycle({ outcome: "solved", origin: "schedule", timing_ms: { total: 3 } });
  await metrics.exposition();
  metrics.cycle({ outcome: "solved", origin: "schedule", timing_ms: { total: 4 } });
  metrics.observe({ route: "/health", method: "GET", status: 200, seconds: 0.001 });
  metrics.inputAge(12);
  metrics.inputAge(null);
  const text = await metrics.exposition();
  for (
    const line of [
      'setpoint_cycles_total{outcome="solved",origin="schedule"} 2',
      'setpoint_cycle_duration_seconds_count{origin="schedule"} 2',
      'setpoint_http_requests_total{route="/health",method="GET",status="200"} 1',
      "setpoint_input_age_seconds 12",
      "setpoint_cache_hits_total 3",
      "setpoint_cycles_skipped_total 2",
      "setpoint_ready 0",
      'setpoint_strategy_info{name="kiln",version="1.1.0"} 1',
      'setpoint_cell_quarantined{cell="a"} 1',
      'setpoint_cell_heap_bytes{cell="a"} 5000000',
      'setpoint_cell_calls_total{cell="a"} 5',
      'setpoint_cell_call_seconds{cell="a",quantile="0.99"} 0.04',
      'setpoint_cell_limit{cell="a",limit="wall_ms"} 250',
      'setpoint_cell_state{cell="a",state="quarantined"} 1',
      'setpoint_plugin_info{cell="a",name="acme/pump",version="1.2.0",kind="function",digest="abc"} 1',
    ]
  ) {
    assertStringIncludes(text, `${line}\n`);
  }
});

Deno.test("Metrics scraped twice counts what is kept elsewhere once", async () => {
  const metrics = new Metrics();
  metrics.attach(SOURCES);
  const first = await metrics.exposition();
  const second = await metrics.exposition();
  assertEquals(/setpoint_cache_hits_total (\d+)/.exec(second)?.[1], "3");
  assertEquals(first.length > 0, true);
});
