import type { Route } from "../route.ts";

/** For Prometheus. */
export const metrics: Route = {
  method: "GET",
  path: "/metrics",
  token: false,
  always: true,
  async handle(_request, { metrics }) {
    return new Response(await metrics.exposition(), { headers: { "content-type": metrics.contentType } });
  },
};
