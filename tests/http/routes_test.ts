import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { GOOD, harness, request, TOKEN } from "./harness.ts";

Deno.test("POST /optimize answers with the kernel's answer", async () => {
  const { fetch, kernel } = await harness();
  const response = await fetch(request("POST", "/optimize", GOOD));
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("content-type"), "application/json");
  const answer = await response.json();
  assertEquals([answer.status, answer.outcome, answer.cost_function_value], ["success", "solved", -102]);
  assertEquals(kernel.requests[0].input, GOOD.input_data);
  assertEquals([kernel.requests[0].origin, "config" in kernel.requests[0]], ["api", false]);
});

Deno.test("POST /optimize hands a posted strategy on, and warns of keys that nobody reads", async () => {
  const { fetch, kernel } = await harness();
  const config = { variables: {} };
  const response = await fetch(request("POST", "/optimize", { ...GOOD, config, confg: 1 }));
  const { warnings } = await response.json();
  assertEquals(kernel.requests[0].config, config);
  assertEquals(warnings.map(({ code, message }: { code: string; message: string }) => [code, message]), [
    ["UNKNOWN_KEY", 'Ignored the request\'s key "confg", expected input_data and config'],
  ]);
});

Deno.test("POST /optimize names every wrong variable in one problem document", async () => {
  const { fetch } = await harness();
  const response = await fetch(request("POST", "/optimize", { input_data: { coal: "8.5" } }));
  assertEquals(response.status, 422);
  assertEquals(response.headers.get("content-type"), "application/problem+json");
  const problem = await response.json();
  assertEquals(problem.status, 422);
  assertEquals(problem.title, "Unprocessable Content");
  assertEquals(problem.instance, "/optimize");
  assertEquals(problem.error_type, "INPUT_INVALID");
  assertEquals(problem.error, problem.detail);
  assertMatch(problem.timestamp, /^\d{4}-\d\d-\d\dT.*Z$/);
  assertEquals(problem.problems.map(({ variable }: { variable: string }) => variable), ["coal", "feed"]);
  assertStringIncludes(problem.detail, '"8.5"');
});

Deno.test("F23: POST /optimize refuses bodies that are not the one JSON object it takes", async () => {
  const { fetch, kernel } = await harness();
  const cases: [string, Record<string, string>, number, string][] = [
    ['{"input_data": {', {}, 400, "body"],
    ["", {}, 400, "empty"],
    ["[]", {}, 400, "no object"],
    ["null", {}, 400, "no object"],
    ['{"input": {}}', {}, 400, "input_data is missing"],
    ['{"input_data": {"coal": 1e999}}', {}, 400, "/input_data/coal"],
    ['{"input_data": {"coal": 1, "coal": 2}}', {}, 400, "/input_data/coal"],
    ['{"input_data": {"__proto__": {"a": 1}}}', {}, 400, "/input_data/__proto__"],
    [`{"input_data": ${"[".repeat(100)}${"]".repeat(100)}}`, {}, 400, "deeper than 64"],
    ["a=1", { "content-type": "text/plain" }, 415, "text/plain"],
    ["{}", { "content-type": "application/json; charset=latin1" }, 415, "latin1"],
    ["{}", { "content-encoding": "gzip" }, 415, "gzip"],
  ];
  for (const [body, headers, status, part] of cases) {
    const response = await fetch(request("POST", "/optimize", body, headers));
    const text = await response.text();
    assertEquals(response.status, status, `${body}: ${text}`);
    assertStringIncludes(text, part);
    assertEquals(response.headers.get("content-type"), "application/problem+json");
  }
  const latin = new Request("http://127.0.0.1/optimize", {
    method: "POST",
    headers: { host: "127.0.0.1", "content-type": "application/json" },
    body: new Uint8Array([0x22, 0xff, 0x22]),
  });
  assertEquals((await fetch(latin)).status, 400);
  assertEquals(kernel.requests.length, 0);
  assertEquals(({} as Record<string, unknown>).a, undefined);
});

Deno.test("POST /optimize tells a client nothing of an error of our own, and the log everything", async () => {
  const { fetch, kernel, logged } = await harness();
  kernel.optimize = () => Promise.reject(new TypeError("secret path /etc/setpoint"));
  const response = await fetch(request("POST", "/optimize", GOOD));
  const text = await response.text();
  assertEquals(response.status, 500);
  assert(!text.includes("secret"), text);
  assertStringIncludes(logged.join(), "secret path /etc/setpoint");
});

Deno.test("GET /health keeps the predecessor's keys and tells the truth", async () => {
  const { fetch, kernel } = await harness();
  const seen: string[] = [];
  for (
    const reasons of [[], [{ code: "STORE", message: "m", critical: false }], [{
      code: "STRATEGY",
      message: "m",
      critical: true,
    }]]
  ) {
    kernel.reasons = reasons;
    const response = await fetch(request("GET", "/health"));
    const body = await response.json();
    assertEquals(response.status, 200);
    assertEquals(body.cache_stats, {
      config_version: "1.0.0",
      cached_timestamp: null,
      total_cached_items: 4,
    });
    assertEquals(body.historian.simulated, true);
    assertEquals(body.reasons, reasons);
    assertMatch(body.timestamp, /Z$/);
    seen.push(body.status);
  }
  assertEquals(seen, ["healthy", "degraded", "unhealthy"]);
});

Deno.test("GET /health/ready is 503 with reasons only for what no cycle can run without", async () => {
  const { fetch, kernel } = await harness();
  const status = async () => (await fetch(request("GET", "/health/ready"))).status;
  assertEquals(await status(), 200);
  kernel.reasons = [{ code: "STORE", message: "unreachable", critical: false }];
  assertEquals(await status(), 200);
  kernel.reasons = [{ code: "STRATEGY", message: "none", critical: true }];
  const response = await fetch(request("GET", "/health/ready"));
  assertEquals(response.status, 503);
  assertEquals((await response.json()).reasons, kernel.reasons);
  assertEquals((await fetch(request("GET", "/health/live"))).status, 200);
});

Deno.test("GET /cache/stats and POST /cache/clear keep the predecessor's keys", async () => {
  const { fetch } = await harness();
  const stats = await (await fetch(request("GET", "/cache/stats"))).json();
  assertEquals(stats.status, "success");
  assertEquals(stats.cache_details.model, { active_items: 2, expired_items: 1, total_items: 3 });
  for (const body of [undefined, {}, "x"]) {
    const response = await fetch(request("POST", "/cache/clear", body));
    const cleared = await response.json();
    assertEquals([response.status, cleared.status, cleared.message], [
      200,
      "success",
      "Cache cleared: 4 items",
    ]);
  }
});

Deno.test("GET /cycles lists cycles and refuses wrong queries", async () => {
  const { fetch } = await harness();
  const body = await (await fetch(request("GET", "/cycles?limit=2"))).json();
  assertEquals(body.cycles.length, 2);
  assertEquals(body.next_before, body.cycles[1].cycle_id);
  assertEquals((await (await fetch(request("GET", "/cycles"))).json()).next_before, null);
  for (
    const query of ["limit=0", "limit=1001", "limit=-1", "limit=1e1", "limit=x", "before=1", "origin=me"]
  ) {
    const response = await fetch(request("GET", `/cycles?${query}`));
    assertEquals(response.status, 400, query);
    assertStringIncludes((await response.json()).detail, "Cannot list cycles");
  }
});

Deno.test("GET /plugins and GET /metrics answer", async () => {
  const { fetch } = await harness();
  const plugins = await (await fetch(request("GET", "/plugins"))).json();
  assertEquals([plugins.cells[0].id, plugins.refused], ["builtin", null]);
  assertEquals(await (await fetch(request("GET", "/metrics"))).text(), "setpoint_ready 1\n");
});

Deno.test("POST /plugins/release wants the token and the name of a plugin that is shut out", async () => {
  const { fetch } = await harness();
  const release = (query: string, token?: string) =>
    fetch(
      request(
        "POST",
        `/plugins/release${query}`,
        undefined,
        token ? { authorization: `Bearer ${token}` } : {},
      ),
    );
  assertEquals((await release("?name=shut")).status, 401);
  assertEquals((await release("", TOKEN)).status, 400);
  assertEquals((await release("?name=other", TOKEN)).status, 404);
  assertEquals((await (await release("?name=shut", TOKEN)).json()).released, ["shut"]);
});

Deno.test("An unknown path is 404, a wrong method 405 with Allow, both as problems", async () => {
  const { fetch, observed } = await harness();
  const missing = await fetch(request("GET", "/optimise"));
  assertEquals(missing.status, 404);
  assertStringIncludes((await missing.json()).detail, "/optimize");
  const wrong = await fetch(request("DELETE", "/optimize"));
  assertEquals([wrong.status, wrong.headers.get("allow")], [405, "POST"]);
  assertEquals(wrong.headers.get("content-type"), "application/problem+json");
  assertEquals(observed.map(({ route }) => route), ["other", "other"], "paths of strangers make no metrics");
});

Deno.test("HEAD answers as GET without a body", async () => {
  const { fetch } = await harness();
  const response = await fetch(request("HEAD", "/health/live"));
  assertEquals([response.status, await response.text()], [200, ""]);
});

Deno.test("Mode continuous serves only health, metrics and cache", async () => {
  const { fetch } = await harness({ SETPOINT_APP_MODE: "continuous" });
  const status = async (method: string, path: string) => (await fetch(request(method, path))).status;
  for (const path of ["/health", "/health/live", "/health/ready", "/metrics", "/cache/stats"]) {
    assertEquals(await status("GET", path), 200, path);
  }
  assertEquals(await status("POST", "/cache/clear"), 200);
  for (const [method, path] of [["POST", "/optimize"], ["GET", "/cycles"], ["GET", "/plugins"]]) {
    assertEquals(await status(method, path), 404, path);
  }
});
