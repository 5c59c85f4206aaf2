import { jsonResponse, type Route, timestamp } from "../route.ts";

export const cacheStats: Route = {
  method: "GET",
  path: "/cache/stats",
  token: false,
  always: true,
  handle: (_request, services) =>
    jsonResponse({ status: "success", timestamp: timestamp(services), ...services.kernel.cacheStats() }),
};
