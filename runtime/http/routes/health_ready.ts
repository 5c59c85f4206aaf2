import { jsonResponse, type Route, timestamp } from "../route.ts";

/** 503 while something is missing without which no cycle can run; all reasons are told either way. */
export const healthReady: Route = {
  method: "GET",
  path: "/health/ready",
  token: false,
  always: true,
  handle(_request, services) {
    const { reasons } = services.kernel.status();
    const ready = !reasons.some(({ critical }) => critical);
    const body = { status: ready ? "ready" : "not ready", timestamp: timestamp(services), reasons };
    return jsonResponse(body, ready ? 200 : 503);
  },
};
