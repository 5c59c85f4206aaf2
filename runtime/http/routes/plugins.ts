import { jsonResponse, type Route, timestamp } from "../route.ts";

/** The cells, their plugins, and how they have behaved; `refused` says why newer ones are not in use, else null. */
export const plugins: Route = {
  method: "GET",
  path: "/plugins",
  token: false,
  always: false,
  handle: (_request, services) => {
    const { kernel } = services;
    const refused = kernel.status().reasons.find(({ code }) => code === "DEPLOYMENT")?.message ?? null;
    return jsonResponse({
      ...{ status: "success", timestamp: timestamp(services) },
      ...{ cells: kernel.plugins(), refused },
    });
  },
};
