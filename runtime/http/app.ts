import { Hono } from "hono";
import type { Clock } from "../clock.ts";
import { type Config, listenAddress } from "../config.ts";
import { SetpointError } from "../errors.ts";
import type { Kernel } from "../kernel/types.ts";
import { checkAccess } from "./access.ts";
import { InFlight } from "./in_flight.ts";
import { HttpError, problemResponse } from "./problem.ts";
import { type HttpMetrics, type Route, type Services, timestamp } from "./route.ts";
import { cacheClear } from "./routes/cache_clear.ts";
import { cacheStats } from "./routes/cache_stats.ts";
import { cycles } from "./routes/cycles.ts";
import { health } from "./routes/health.ts";
import { healthLive } from "./routes/health_live.ts";
import { healthReady } from "./routes/health_ready.ts";
import { metrics } from "./routes/metrics.ts";
import { optimize } from "./routes/optimize.ts";
import { plugins } from "./routes/plugins.ts";
import { pluginsRelease } from "./routes/plugins_release.ts";

export const ROUTES: readonly Route[] = [
  health,
  healthLive,
  healthReady,
  metrics,
  cacheStats,
  cacheClear,
  optimize,
  cycles,
  plugins,
  pluginsRelease,
];

/** Bodies that are read at a time: each may hold `api.max_body_bytes`. */
const MAX_READING = 64;

/** The predecessor's clients see their answers in tools that guess types and keep copies. */
const HEADERS = { "x-content-type-options": "nosniff", "cache-control": "no-store" };

export interface AppOptions {
  readonly kernel: Kernel;
  readonly config: Config;
  readonly clock: Clock;
  /** Of `<state>/token`. */
  readonly token: string;
  readonly metrics: HttpMetrics;
  readonly log: (level: "error" | "debug", message: string, fields: Record<string, unknown>) => void;
  /** Default {@linkcode ROUTES}. */
  readonly routes?: readonly Route[];
}

/** All of HTTP, without a server. */
export function createApp(options: AppOptions): Hono {
  const { kernel, config, clock, token, routes = ROUTES } = options;
  const services: Services = {
    kernel,
    config,
    clock,
    metrics: options.metrics,
    reading: new InFlight(MAX_READING),
    running: new InFlight(config.api.max_in_flight),
  };
  const { host } = listenAddress(config);
  const served = routes.filter(({ always }) => always || config.app.mode !== "continuous");
  const app = new Hono();

  for (const route of served) {
    app.on(route.method, route.path, (c) =>
      answered(c.req.raw, route.path, (request) => {
        checkAccess(request.headers, route, { host, token });
        return route.handle(request, services);
      }));
  }
  app.all("*", (c) =>
    answered(c.req.raw, "other", (request) => {
      checkAccess(request.headers, { token: false }, { host, token });
      throw refusal(c.req.path, request.method, served, routes.length > served.length);
    }));
  return app;

  async function answered(
    request: Request,
    route: string,
    handle: (request: Request) => Response | Promise<Response>,
  ): Promise<Response> {
    const begun = clock.monotonic();
    let response: Response;
    try {
      response = await handle(request);
    } catch (error) {
      if (!(error instanceof SetpointError)) options.log("error", "A request failed", { route, error });
      response = problemResponse(error, timestamp(services), new URL(request.url).pathname);
    }
    for (const [name, value] of Object.entries(HEADERS)) response.headers.set(name, value);
    const { method } = request;
    const { status } = response;
    const seconds = (clock.monotonic() - begun) / 1000;
    options.metrics.observe({ route, method: route === "other" ? "other" : method, status, seconds });
    options.log("debug", "Answered a request", { route, method, status, seconds });
    return response;
  }
}

/** 405 where another method is served there, else 404. */
function refusal(path: string, method: string, served: readonly Route[], shortened: boolean): HttpError {
  const allowed = served.filter((route) => route.path === path).map((route) => route.method);
  if (allowed.length > 0) {
    const message = `Cannot ${method} ${path}, expected ${allowed.join(" or ")}`;
    return new HttpError(405, "REQUEST_INVALID", message, { allow: allowed.join(", ") });
  }
  const mode = shortened ? " in mode continuous" : "";
  return new HttpError(
    404,
    "NOT_FOUND",
    `Cannot find ${path}${mode}, expected one of ${served.map((r) => r.path).join(", ")}`,
  );
}
