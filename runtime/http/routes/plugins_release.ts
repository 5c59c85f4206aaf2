import { HttpError } from "../problem.ts";
import { jsonResponse, type Route, timestamp } from "../route.ts";

/** Ends the quarantine of the plugin `?name=`. */
export const pluginsRelease: Route = {
  method: "POST",
  path: "/plugins/release",
  token: true,
  always: true,
  handle(request, services) {
    const name = new URL(request.url).searchParams.get("name");
    if (name === null) {
      throw new HttpError(
        400,
        "REQUEST_INVALID",
        "Cannot release a plugin without its name, expected ?name=NAME",
      );
    }
    const cells = services.kernel.releasePlugin(name);
    return jsonResponse({ status: "success", timestamp: timestamp(services), released: cells });
  },
};
