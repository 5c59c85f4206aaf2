import { assertEquals } from "@std/assert";
import { ROUTES } from "../../runtime/http/app.ts";
import type { Route } from "../../runtime/http/route.ts";
import { GOOD, harness, request, TOKEN } from "./harness.ts";

const MUTATING: Route = {
  method: "POST",
  path: "/change",
  token: true,
  always: false,
  handle: () => new Response("changed"),
};

Deno.test("On loopback a foreign Host or Origin is refused on every route", async () => {
  const { fetch, kernel } = await harness();
  const status = async (headers: Record<string, string>) =>
    (await fetch(request("POST", "/optimize", GOOD, headers))).status;
  for (
    const host of ["127.0.0.1:8005", "localhost:8005", "localhost", "[::1]:8005", "127.1.2.3", "LOCALHOST:1"]
  ) {
    assertEquals(await status({ host }), 200, host);
  }
  for (
    const host of [
      "evil.example",
      "evil.example:8005",
      "127.0.0.1.evil.example",
      "localhost.evil.example",
      "10.0.0.1",
      "",
    ]
  ) {
    assertEquals(await status({ host }), 403, host);
  }
  assertEquals(await status({ origin: "http://127.0.0.1:8005" }), 200);
  for (
    const origin of [
      "http://evil.example",
      "null",
      "http://127.0.0.1:3000",
      "http://127.0.0.1:8005.evil.example",
    ]
  ) {
    assertEquals(await status({ origin }), 403, origin);
  }
  assertEquals(kernel.requests.length, 7);
  for (const { method, path } of ROUTES) {
    assertEquals((await fetch(request(method, path, undefined, { host: "evil.example" }))).status, 403, path);
  }
  assertEquals((await fetch(request("GET", "/nothing", undefined, { host: "evil.example" }))).status, 403);
});

Deno.test("F32: on loopback a mutating route of our own needs the token", async () => {
  const { fetch } = await harness({}, [...ROUTES, MUTATING]);
  const status = async (headers: Record<string, string>) =>
    (await fetch(request("POST", "/change", undefined, headers))).status;
  assertEquals(await status({}), 401);
  for (
    const wrong of [
      "",
      "Bearer ",
      "Bearer wrong",
      `Basic ${TOKEN}`,
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(1)}`,
      `Bearer x${TOKEN.slice(1)}`,
    ]
  ) {
    assertEquals(await status({ authorization: wrong }), 401, wrong);
  }
  assertEquals(await status({ authorization: `Bearer ${TOKEN}` }), 200);
  assertEquals(await status({ authorization: `bearer ${TOKEN}` }), 200);
});

Deno.test("F32: off loopback every route needs the token, whatever its Host", async () => {
  const { fetch } = await harness({ SETPOINT_API_HOST: "0.0.0.0" });
  const headers = { host: "gateway.plant:8005" };
  for (const { method, path } of ROUTES) {
    const response = await fetch(request(method, path, undefined, headers));
    assertEquals(response.status, 401, path);
    assertEquals(response.headers.get("www-authenticate"), 'Bearer realm="setpoint"');
  }
  const authorized = { ...headers, authorization: `Bearer ${TOKEN}` };
  assertEquals((await fetch(request("GET", "/health", undefined, authorized))).status, 200);
  assertEquals((await fetch(request("POST", "/optimize", GOOD, authorized))).status, 200);
});

Deno.test("Answers carry no CORS header, and say that nothing keeps or guesses them", async () => {
  const { fetch } = await harness();
  const response = await fetch(request("GET", "/health", undefined, { origin: "http://127.0.0.1:8005" }));
  assertEquals(response.headers.get("access-control-allow-origin"), null);
  assertEquals(response.headers.get("x-content-type-options"), "nosniff");
  assertEquals(response.headers.get("cache-control"), "no-store");
});
