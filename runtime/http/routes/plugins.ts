import { jsonResponse, type Route, timestamp } from "../route.ts";

/** The cells, their plugins, and how they have behaved. */
export const plugins: Route = {
  method: "GET",
  path: "/plugins",
  token: false,
  always: false,
  handle: (_request, services) =>
    jsonResponse({ status: "success", timestamp: timestamp(services), cells: services.kernel.plugins() }),
};
