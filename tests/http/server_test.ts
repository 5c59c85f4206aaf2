import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { systemClock } from "../../runtime/clock.ts";
import { SetpointError } from "../../runtime/errors.ts";
import { serveHttp } from "../../runtime/http/server.ts";
import { eventually } from "../std/eventually.ts";
import { GOOD, served } from "./harness.ts";
import { RawClient } from "./raw_client.ts";

const OPTIONS = { host: "127.0.0.1", fetch: () => new Response("x"), clock: systemClock };

Deno.test("serveHttp() names the port that is in use", async () => {
  const first = serveHttp({ ...OPTIONS, port: 0 });
  const error = assertThrows(() => serveHttp({ ...OPTIONS, port: first.port }), SetpointError);
  assertEquals(error.code, "PORT_IN_USE");
  assertStringIncludes(error.message, `port ${first.port} is in use`);
  await first.stop(100);
});

Deno.test("serveHttp() tells an address that this machine does not have", () => {
  const error = assertThrows(() => serveHttp({ ...OPTIONS, host: "192.0.2.1", port: 8005 }), SetpointError);
  assertEquals(error.code, "CONFIG_INVALID");
});

Deno.test("stop() lets what runs finish, takes nothing new, and frees the port", async () => {
  await using app = await served();
  let open = () => {};
  app.kernel.gate = new Promise((resolve) => open = resolve);
  const running = fetch(`${app.url}/optimize`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(GOOD),
  });
  await eventually("it runs", () => app.kernel.requests.length === 1);
  const stopped = app.server.stop(60_000);
  open();
  assertEquals((await (await running).json()).outcome, "solved");
  await stopped;
  const again = serveHttp({ ...OPTIONS, port: app.server.port });
  await again.stop(100);
});

Deno.test("stop() cuts off a request that hangs, and idle connections", async () => {
  await using app = await served();
  app.kernel.gate = new Promise(() => {});
  using idle = await RawClient.open(app.server.port);
  await idle.send("GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  assertEquals(await idle.status(), 200);
  const hung = fetch(`${app.url}/optimize`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(GOOD),
  })
    .then(async (response) => [response.status, await response.text()]);
  await eventually("it runs", () => app.kernel.requests.length === 1);
  await app.server.stop(100);
  assertEquals(await hung, [503, ""]);
});
