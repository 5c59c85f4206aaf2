import { assert, assertEquals } from "@std/assert";
import { served } from "../http/harness.ts";
import { postHead, RawClient } from "../http/raw_client.ts";
import { Folders, Service } from "../launch/process.ts";

const MEGABYTE = 1_000_000;

Deno.test("F22: a body of 50 MB is read to its end, kept nowhere, and answered with 413", async () => {
  await using app = await served();
  using client = await RawClient.open(app.server.port);
  const before = Deno.memoryUsage().rss;
  await client.send(postHead(`Content-Length: ${50 * MEGABYTE}\r\n`));
  const chunk = new Uint8Array(MEGABYTE).fill(0x78);
  for (let i = 0; i < 50; i++) await client.send(chunk);
  assertEquals(await client.status(), 413);
  const grown = (Deno.memoryUsage().rss - before) / MEGABYTE;
  assert(grown < 48, `${grown} MB more`);
});

Deno.test("F22: an endless chunked body is answered with 413 while it goes on, and kept nowhere", async () => {
  await using app = await served();
  using client = await RawClient.open(app.server.port);
  const before = Deno.memoryUsage().rss;
  await client.send(postHead("Transfer-Encoding: chunked\r\n"));
  const chunk = new TextEncoder().encode(`${(65_536).toString(16)}\r\n${"x".repeat(65_536)}\r\n`);
  let status: number | undefined;
  client.status().then((told) => status = told);
  let sent = 0;
  for (; status === undefined && sent < 500 * MEGABYTE; sent += 65_536) await client.send(chunk);
  assertEquals(status, 413, `after ${sent} bytes`);
  for (let more = 0; more < 200; more++) await client.send(chunk);
  const grown = (Deno.memoryUsage().rss - before) / MEGABYTE;
  assert(grown < 48, `${grown} MB more`);
});

Deno.test("F22: a body that says it has 1 GB is refused before it is sent", async () => {
  await using app = await served();
  for (const expect of ["", "Expect: 100-continue\r\n"]) {
    using client = await RawClient.open(app.server.port);
    await client.send(postHead(`Content-Length: ${1000 * MEGABYTE}\r\n${expect}`));
    assert((await client.read("}")).includes("HTTP/1.1 413"));
  }
});

Deno.test("F22: a body that does not arrive in time is 408", async () => {
  await using app = await served({ SETPOINT_API_BODY_TIMEOUT_SECONDS: "0.2" });
  using client = await RawClient.open(app.server.port);
  await client.send(postHead("Content-Length: 100\r\n"));
  await client.send('{"input_data"');
  const answer = await client.read("}");
  assertEquals(answer.slice(0, 12), "HTTP/1.1 408");
  assert(answer.includes("application/problem+json"));
});

Deno.test("F22: 70 slow clients do not keep others out of /health, and the 71st is told to come again", async () => {
  // all of them are there before the first one's time is up
  await using app = await served({ SETPOINT_API_BODY_TIMEOUT_SECONDS: "5" });
  const slow: RawClient[] = [];
  try {
    for (let i = 0; i < 70; i++) {
      const client = await RawClient.open(app.server.port);
      slow.push(client);
      await client.send(postHead("Content-Length: 100\r\n"));
    }
    assertEquals(await slow[69].status(), 503);
    assertEquals((await (await fetch(`${app.url}/health/live`)).json()).status, "alive");
    assertEquals(await slow[0].status(), 408);
  } finally {
    for (const client of slow) client[Symbol.dispose]();
  }
});

Deno.test("F22: a wrong content type is 415", async () => {
  await using app = await served();
  const response = await fetch(`${app.url}/optimize`, {
    method: "POST",
    headers: { "content-type": "text/xml" },
    body: "<a/>",
  });
  assertEquals(response.status, 415);
  await response.body?.cancel();
});

Deno.test("F22 ⊕: the running process takes less than 16 MB for a body that goes on for 300 MB", async () => {
  await using folders = await Folders.make();
  await using service = await Service.start(folders, ["--mode", "api"]);
  const port = Number(new URL(service.url).port);
  const flood = async (megabytes: number): Promise<number> => {
    using client = await RawClient.open(port);
    await client.send(postHead("Transfer-Encoding: chunked\r\n"));
    const chunk = new TextEncoder().encode(`${(1 << 20).toString(16)}\r\n${"x".repeat(1 << 20)}\r\n`);
    let most = 0;
    for (let sent = 0; sent < megabytes; sent++) {
      await client.send(chunk);
      if (sent % 10 === 0) most = Math.max(most, residentMegabytes(service.kernelPid));
    }
    assertEquals(await client.status(), 413);
    return most;
  };
  // what is made once is there by then
  await flood(30);
  const before = residentMegabytes(service.kernelPid);
  const most = await flood(300);
  assert(most - before < 16, `${before} MB became ${most} MB`);
});

function residentMegabytes(pid: number): number {
  const { stdout } = new Deno.Command("cat", { args: [`/proc/${pid}/status`] }).outputSync();
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(new TextDecoder().decode(stdout))?.[1]) / 1024;
}
