import { jsonResponse, type Route, timestamp } from "../route.ts";

/** The process answers. Whether it is of any use is /health/ready's to say. */
export const healthLive: Route = {
  method: "GET",
  path: "/health/live",
  token: false,
  always: true,
  handle: (_request, services) => jsonResponse({ status: "alive", timestamp: timestamp(services) }),
};
