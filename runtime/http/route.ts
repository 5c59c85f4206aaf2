import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Kernel } from "../kernel/types.ts";
import type { InFlight } from "./in_flight.ts";

/** What a route may use. */
export interface Services {
  readonly kernel: Kernel;
  readonly config: Config;
  readonly clock: Clock;
  /** Bodies being read. */
  readonly reading: InFlight;
  /** Optimizations being run. */
  readonly running: InFlight;
  readonly metrics: HttpMetrics;
}

/** The part of telemetry that HTTP sees. */
export interface HttpMetrics {
  /** One answered request; `seconds` since it was read. */
  observe(
    request: {
      readonly route: string;
      readonly method: string;
      readonly status: number;
      readonly seconds: number;
    },
  ): void;
  /** Of {@linkcode exposition}. */
  readonly contentType: string;
  /** For Prometheus. */
  exposition(): Promise<string>;
}

export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Needs the token on loopback too: it changes something, and the predecessor's clients do not call it. */
  readonly token: boolean;
  /** Served in mode continuous too. */
  readonly always: boolean;
  handle(request: Request, services: Services): Response | Promise<Response>;
}

/** An answer in JSON. */
export function jsonResponse(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json" } });
}

/** The present time, as all answers tell it. */
export function timestamp({ clock }: Pick<Services, "clock">): string {
  return new Date(clock.now()).toISOString();
}
