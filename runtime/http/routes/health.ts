import { jsonResponse, type Route, timestamp } from "../route.ts";

/** A summary for people and for the predecessor's monitors; 200 as long as the process can say anything. */
export const health: Route = {
  method: "GET",
  path: "/health",
  token: false,
  always: true,
  handle(_request, services) {
    const { kernel, config } = services;
    const status = kernel.status();
    const cache = kernel.cacheStats();
    const items = Object.values(cache.cache_details).map(({ total_items }) => total_items);
    return jsonResponse({
      status: status.reasons.length === 0
        ? "healthy"
        : status.reasons.some(({ critical }) => critical)
        ? "unhealthy"
        : "degraded",
      timestamp: timestamp(services),
      cache_stats: {
        config_version: cache.current_config_version,
        cached_timestamp: cache.cached_last_run_timestamp,
        total_cached_items: items.reduce((sum, count) => sum + count, 0),
      },
      mode: config.app.mode,
      ...status,
      plugins: kernel.plugins().map(({ id, state }) => ({ id, state })),
    });
  },
};
