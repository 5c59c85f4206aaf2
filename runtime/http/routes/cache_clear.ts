import { jsonResponse, type Route, timestamp } from "../route.ts";

/** Drops the cache; a body is read by nobody. Without token on loopback, as the predecessor's clients call it. */
export const cacheClear: Route = {
  method: "POST",
  path: "/cache/clear",
  token: false,
  always: true,
  async handle(_request, services) {
    const cleared = await services.kernel.clearCache();
    const message = `Cache cleared: ${cleared} ${cleared === 1 ? "item" : "items"}`;
    return jsonResponse({ status: "success", timestamp: timestamp(services), message, cleared });
  },
};
