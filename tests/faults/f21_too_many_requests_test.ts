import { assert, assertEquals } from "@std/assert";
import { GOOD, served } from "../http/harness.ts";
import { eventually } from "../std/eventually.ts";

function post(url: string): Promise<Response> {
  return fetch(`${url}/optimize`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(GOOD),
  });
}

Deno.test("F21: past the in-flight limit POST /optimize is 503 with Retry-After at once, /health goes on", async () => {
  await using app = await served({ SETPOINT_API_MAX_IN_FLIGHT: "4" });
  let open = () => {};
  app.kernel.gate = new Promise((resolve) => open = resolve);
  const running = Array.from({ length: 4 }, () => post(app.url));
  await eventually("four run", () => app.kernel.requests.length === 4);

  let refused = 0;
  for (let batch = 0; batch < 20; batch++) {
    const asked = Array.from({ length: 500 }, () => post(app.url));
    const health = await fetch(`${app.url}/health`);
    assertEquals((await health.json()).status, "healthy");
    for (const response of await Promise.all(asked)) {
      assertEquals(response.status, 503);
      assertEquals(response.headers.get("retry-after"), "1");
      assertEquals((await response.json()).error_type, "BUSY");
      refused++;
    }
  }
  assertEquals(refused, 10_000);
  assertEquals(app.kernel.requests.length, 4, "the kernel saw nothing of them");
  open();
  for (const response of await Promise.all(running)) assertEquals((await response.json()).outcome, "solved");
  assertEquals((await (await post(app.url)).json()).outcome, "solved");
});

Deno.test("F21: every place is free again after requests that failed", async () => {
  await using app = await served({ SETPOINT_API_MAX_IN_FLIGHT: "2" });
  app.kernel.optimize = () => Promise.reject(new Error("broken"));
  for (let i = 0; i < 10; i++) {
    const response = await post(app.url);
    assertEquals(response.status, 500);
    assert(await response.text());
  }
});
