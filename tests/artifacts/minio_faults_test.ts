import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { ArtifactCache } from "../../runtime/artifacts/cache.ts";
import { openMinio } from "../../runtime/artifacts/minio.ts";
import { openLastGood, openRelease } from "../../runtime/artifacts/release.ts";
import { publish } from "../../runtime/artifacts/publish.ts";
import { systemClock } from "../../runtime/clock.ts";
import { SetpointError } from "../../runtime/errors.ts";
import { refused, text } from "../contract/artifact_store.ts";
import { eventually } from "../std/eventually.ts";
import { findMinio, MINIO_HINT, MinioServer } from "../servers/minio.ts";
import { serverTest } from "../servers/require.ts";
import { digest } from "./memory_store.ts";
import { rawServer, send } from "./raw_server.ts";
import { temporaryFolder } from "./temporary_folder.ts";

const KEYS = { access_key: "raw-access-key", secret_key: "raw-secret-key", bucket: "bucket" };
/** No good answer takes as long. */
const PATIENT = { silenceMs: 30_000, totalMs: 60_000 };

function rawStore(port: number, limits = PATIENT) {
  return openMinio({ ...KEYS, endpoint: `127.0.0.1:${port}` }, systemClock, limits);
}

async function rss(): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return Deno.memoryUsage().rss;
}

for (
  const [name, answer] of [
    ["with a length", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"],
    ["without a length", "HTTP/1.1 200 OK\r\n\r\nhalf"],
    ["in the middle of a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf"],
    ["between two chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"],
    [
      "and told to be another object",
      `HTTP/1.1 200 OK\r\nContent-Length: 4\r\nx-amz-meta-sha256: ${digest("full")}\r\n\r\nhalf`,
    ],
  ]
) {
  Deno.test(`an object that is cut off ${name} is ARTIFACT_CORRUPT`, async () => {
    await using server = rawServer((connection) => send(connection, answer));
    await using store = rawStore(server.port);
    const error = await refused("ARTIFACT_CORRUPT", () => store.get("models/a.onnx"));
    assertStringIncludes(error.message, '"models/a.onnx"');
  });
}

Deno.test("an object without a length is believed when its digest is told or expected", async () => {
  const told = `x-amz-meta-sha256: ${digest("full")}\r\n`;
  let header = told;
  await using server = rawServer((connection) => send(connection, `HTTP/1.1 200 OK\r\n${header}\r\nfull`));
  await using store = rawStore(server.port);
  assertEquals((await store.get("models/a.onnx")).bytes, text("full"));
  header = "";
  assertEquals((await store.get("models/a.onnx", { sha256: digest("full") })).bytes, text("full"));
  await refused("ARTIFACT_CORRUPT", () => store.get("models/a.onnx", { sha256: digest("half") }));
});

Deno.test("an object of 2 GB is refused by its length, an endless one at the limit, in less than 64 MB", async () => {
  const megabyte = new Uint8Array(2 ** 20);
  let head = "HTTP/1.1 200 OK\r\nContent-Length: 2147483648\r\n\r\n";
  let sent = 0;
  await using server = rawServer(async (connection) => {
    await send(connection, head);
    for (;;) {
      await send(connection, megabyte);
      sent++;
    }
  });
  await using store = rawStore(server.port);
  const before = await rss();
  assertStringIncludes(
    (await refused("ARTIFACT_TOO_LARGE", () => store.get("models/a.onnx"))).message,
    "2147483648",
  );
  head = "HTTP/1.1 200 OK\r\n\r\n";
  await refused("ARTIFACT_TOO_LARGE", () => store.get("models/a.onnx"));
  assert(sent >= 8, "it was read up to the limit");
  const grown = await rss() - before;
  assert(grown < 64 * 2 ** 20, `memory grew by ${Math.round(grown / 2 ** 20)} MB`);
});

Deno.test("a compressed object is not inflated: the limit and the digest are those of what is stored", async () => {
  const zeros = new Blob([new Uint8Array(8 * 2 ** 20)]).stream().pipeThrough(new CompressionStream("gzip"));
  const bomb = new Uint8Array(await new Response(zeros).arrayBuffer());
  const head = `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`;
  await using server = rawServer(async (connection) => {
    await send(connection, head);
    await send(connection, bomb);
  });
  await using store = rawStore(server.port);
  assertEquals((await store.get("models/a.onnx", { maxBytes: bomb.length })).bytes, bomb);
});

for (
  const [name, answer] of [
    ["never answers", ""],
    ["stops in the middle of an object", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"],
    ["stops in the middle of a head", "HTTP/1.1 200 OK\r\nContent-"],
  ]
) {
  Deno.test(`a server that ${name} is given up`, async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await using server = rawServer(async (connection) => {
      await send(connection, answer);
      await promise;
    });
    await using store = rawStore(server.port, { silenceMs: 300, totalMs: 60_000 });
    assertStringIncludes(
      (await refused("STORE_UNREACHABLE", () => store.get("models/a.onnx"))).message,
      "300 ms",
    );
    resolve();
  });
}

Deno.test("a server that drips is given up after the total time", async () => {
  await using server = rawServer(async (connection) => {
    await send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    for (;;) {
      await send(connection, "x");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  await using store = rawStore(server.port, { silenceMs: 30_000, totalMs: 600 });
  assertStringIncludes(
    (await refused("STORE_UNREACHABLE", () => store.get("models/a.onnx"))).message,
    "600 ms",
  );
});

Deno.test("an error text or a list that never ends is cut", async () => {
  const line = "x".repeat(65_536);
  let status = "500 No";
  await using server = rawServer(async (connection) => {
    await send(connection, `HTTP/1.1 ${status}\r\n\r\n`);
    for (;;) await send(connection, line);
  });
  await using store = rawStore(server.port);
  await refused("STORE_UNREACHABLE", () => store.get("models/a.onnx"));
  status = "418 Teapot";
  await refused("STORE_UNREACHABLE", () => store.get("models/a.onnx"));
  status = "200 OK";
  await refused("STORE_UNREACHABLE", () => store.list());
});

Deno.test("a redirect is not followed", async () => {
  await using target = rawServer((connection) =>
    send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")
  );
  for (const status of ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"]) {
    const head =
      `HTTP/1.1 ${status}\r\nLocation: http://127.0.0.1:${target.port}/x\r\nContent-Length: 0\r\n\r\n`;
    await using server = rawServer((connection) => send(connection, head));
    await using store = rawStore(server.port);
    await refused("STORE_UNREACHABLE", () => store.get("models/a.onnx"));
    assertEquals(server.requests.length, 1);
  }
  assertEquals(target.requests, []);
});

Deno.test("keys do not appear in errors, labels or printed stores, even if the server sends them back", async () => {
  const body =
    `<Error><Code>AccessDenied</Code><Message>${KEYS.secret_key} of ${KEYS.access_key}</Message></Error>`;
  await using server = rawServer((connection) =>
    send(connection, `HTTP/1.1 403 Forbidden\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  );
  await using store = rawStore(server.port);
  const error = await refused("STORE_UNREACHABLE", () => store.get("models/a.onnx"));
  assertStringIncludes(error.message, "AccessDenied: *** of ***");
  const printed = Deno.inspect([error, error.cause, store], { depth: 10 }) + store.label;
  for (const key of [KEYS.access_key, KEYS.secret_key]) assert(!printed.includes(key), printed);
});

Deno.test("openMinio() refuses an endpoint with a path or a password, and does not repeat it", () => {
  for (
    const endpoint of [
      "",
      "http://",
      "http://user:pass-word@host",
      "host:9000/path",
      "host:port",
      "http://host?x=1",
    ]
  ) {
    const error = assertThrows(() => openMinio({ ...KEYS, endpoint }, systemClock), SetpointError);
    assertEquals(error.code, "CONFIG_INVALID", endpoint);
    assert(!error.message.includes("pass-word"));
  }
  const bad = [{ endpoint: "https://host", use_ssl: false }, { endpoint: "host", bucket: "Not A Bucket" }];
  for (const each of bad) assertThrows(() => openMinio({ ...KEYS, ...each }, systemClock), SetpointError);
  assertEquals(
    openMinio({ ...KEYS, endpoint: "host:9000" }, systemClock).label,
    "minio http://host:9000/bucket",
  );
  assertEquals(
    openMinio({ ...KEYS, endpoint: "host", use_ssl: true }, systemClock).label,
    "minio https://host/bucket",
  );
});

Deno.test("a store that was closed refuses, and ends what is under way", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = false;
  await using server = rawServer(() => {
    asked = true;
    return promise;
  });
  const store = rawStore(server.port);
  const pending = refused("STORE_UNREACHABLE", () => store.get("models/a.onnx"));
  await eventually("it is asked", () => asked);
  await store.close();
  assertStringIncludes((await pending).message, "it was closed");
  await refused("STORE_UNREACHABLE", () => store.get("models/a.onnx"));
  resolve();
});

serverTest(
  "a missing bucket and wrong keys are told apart from a missing object",
  findMinio,
  async (program) => {
    await using server = await MinioServer.start(program);
    await using none = openMinio(server.config("no-such-bucket"), systemClock);
    for (
      const call of [
        () => none.get("a"),
        () => none.head("a"),
        () => none.list(),
        () => none.put("a", text("x")),
      ]
    ) {
      assertStringIncludes((await refused("STORE_UNREACHABLE", call)).message, 'no bucket "no-such-bucket"');
    }
    const config = await server.bucket();
    await using wrong = openMinio({ ...config, secret_key: "not-the-secret-key" }, systemClock);
    assertStringIncludes(
      (await refused("STORE_UNREACHABLE", () => wrong.get("a"))).message,
      "SignatureDoesNotMatch",
    );
    await refused("STORE_UNREACHABLE", () => wrong.head("a"));
  },
  MINIO_HINT,
);

serverTest(
  "a release outlives MinIO's freeze, its end and a restart, and follows when it is back",
  findMinio,
  async (program) => {
    await using folder = await temporaryFolder();
    await using server = await MinioServer.start(program);
    const config = await server.bucket();
    const limits = { silenceMs: 3000, totalMs: 60_000 };
    const open = () =>
      ArtifactCache.open({
        clock: systemClock,
        store: openMinio(config, systemClock, limits),
        dir: folder.path,
      });
    await using cache = await open();
    const version = (number: string) =>
      new Map([[`configs/config-${number}.yaml`, text(`strategy ${number}`)], [
        `models/${number}.onnx`,
        text(number),
      ]]);
    await publish(cache.store, version("1.0.0"), { mapping: { "models/a.pth": "models/1.0.0.onnx" } });
    const first = await openRelease(cache, "1.0.0");
    await first.resolve("a.pth");
    await first.activate();

    await server.freeze();
    const frozen = await openRelease(cache, "1.0.0");
    assertEquals([frozen.stale, (await frozen.resolve("a.pth")).bytes], [true, text("1.0.0")]);
    assert(cache.status().degraded);
    server.thaw();

    await server.stop();
    {
      await using restarted = await open();
      const release = await openRelease(restarted, "1.0.0");
      assertEquals([release.stale, (await release.resolve("a.pth")).bytes], [true, text("1.0.0")]);
      await refused("ARTIFACT_MISSING", () => openRelease(restarted, "2.0.0"));
      assertEquals((await openLastGood(restarted))!.version, "1.0.0");
    }

    await server.resume();
    await eventually("the cache has met it again", () => !cache.status().degraded);
    await publish(cache.store, version("2.0.0"));
    const second = await openRelease(cache, "2.0.0");
    assertEquals([second.stale, second.text], [false, "strategy 2.0.0"]);
    await second.activate();
  },
  MINIO_HINT,
);
