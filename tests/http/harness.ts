/** The app over a fake kernel, served on loopback or called directly. */
import { systemClock } from "../../runtime/clock.ts";
import { readConfig } from "../../runtime/config.ts";
import { createApp } from "../../runtime/http/app.ts";
import type { Route } from "../../runtime/http/route.ts";
import { type HttpServer, serveHttp } from "../../runtime/http/server.ts";
import { type FakeKernel, fakeKernel } from "./fake_kernel.ts";

export const TOKEN = "f".repeat(64);

export interface Harness {
  readonly kernel: FakeKernel;
  readonly logged: string[];
  readonly observed: { readonly route: string; readonly status: number }[];
  fetch(request: Request): Response | Promise<Response>;
}

export interface Served extends Harness, AsyncDisposable {
  readonly server: HttpServer;
  readonly url: string;
}

/** @param env The configuration, as variables of the environment. */
export async function harness(
  env: Readonly<Record<string, string>> = {},
  routes?: readonly Route[],
): Promise<Harness> {
  const config = await readConfig({ env: (name) => env[name] });
  const kernel = fakeKernel();
  const logged: string[] = [];
  const observed: { route: string; status: number }[] = [];
  const app = createApp({
    kernel,
    config,
    clock: systemClock,
    token: TOKEN,
    metrics: {
      observe: ({ route, status }) => observed.push({ route, status }),
      contentType: "text/plain",
      exposition: () => Promise.resolve("setpoint_ready 1\n"),
    },
    log: (level, message, fields) => {
      if (level === "error") logged.push(`${message} ${fields.error}`);
    },
    ...(routes && { routes }),
  });
  return { kernel, logged, observed, fetch: (request) => app.fetch(request) };
}

export async function served(
  env: Readonly<Record<string, string>> = {},
  routes?: readonly Route[],
): Promise<Served> {
  const parts = await harness(env, routes);
  const server = serveHttp({ host: "127.0.0.1", port: 0, fetch: parts.fetch, clock: systemClock });
  return { ...parts, server, url: server.url, [Symbol.asyncDispose]: () => server.stop(1000) };
}

/** A request as a client on this machine sends it. */
export function request(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Request {
  const url = `http://127.0.0.1:8005${path}`;
  const all = new Headers({ host: "127.0.0.1:8005", ...headers });
  if (body === undefined) return new Request(url, { method, headers: all });
  if (!all.has("content-type")) all.set("content-type", "application/json");
  return new Request(url, {
    method,
    headers: all,
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

export const GOOD = { input_data: { coal: 8.5, feed: 170 } };
