/** What every {@linkcode ArtifactStore} does, as one suite that runs against each implementation. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { MAX_PATH_BYTES } from "../../runtime/artifacts/artifact_path.ts";
import type { ArtifactStore } from "../../runtime/artifacts/store.ts";
import { type ErrorCode, SetpointError } from "../../runtime/errors.ts";

export interface Skip {
  readonly test: string;
  readonly reason: string;
}

/**
 * @param open Opens a store that is empty, and not shared with an earlier call.
 * @param skips Tests that cannot hold for this implementation, each with its reason.
 */
export async function artifactStoreContract(
  t: Deno.TestContext,
  open: () => Promise<ArtifactStore>,
  skips: readonly Skip[] = [],
): Promise<void> {
  for (const [name, check] of Object.entries(CASES)) {
    const skip = skips.find(({ test }) => test === name);
    await t.step({
      name: skip ? `${name} (ignored: ${skip.reason})` : name,
      ignore: skip !== undefined,
      async fn() {
        await using store = await open();
        await check(store);
      },
    });
  }
}

const CASES: Record<string, (store: ArtifactStore) => Promise<void>> = {
  async "get() answers the bytes that put() wrote, with size, digest and etag"(store) {
    for (const size of [0, 1, 65_536, 1_000_003]) {
      const bytes = noise(size);
      const path = `models/of/${size}.bin`;
      const put = await store.put(path, bytes);
      const got = await store.get(path);
      assertEquals(got.bytes, bytes);
      assertEquals(got.sha256, createHash("sha256").update(bytes).digest("hex"));
      assertEquals([got.path, got.size, got.etag], [path, size, put.etag]);
    }
  },

  async "head() answers undefined for a missing object and what get() says for a present one"(store) {
    assertEquals(await store.head("models/none.onnx"), undefined);
    await store.put("models/a.onnx", text("first"));
    const { path, size, etag } = await store.get("models/a.onnx");
    assertEquals(await store.head("models/a.onnx"), { path, size, etag });
    assertEquals(await store.head("models"), undefined);
  },

  async "etag changes with content of the same length"(store) {
    const etags = new Set<string>();
    for (const content of ["1.1.0", "1.1.1", "1.2.0"]) {
      await store.put("metadata/pointer.yaml", text(content), { overwrite: true });
      etags.add((await store.head("metadata/pointer.yaml"))!.etag);
    }
    assertEquals(etags.size, 3);
  },

  async "get() of a missing object names it and the store"(store) {
    await store.put("models/a.onnx", text("x"));
    for (const path of ["models/b.onnx", "models", "models/a.onnx/below"]) {
      const error = await refused("ARTIFACT_MISSING", () => store.get(path));
      assertStringIncludes(error.message, `"${path}"`);
      assertStringIncludes(error.message, store.label);
    }
  },

  async "put() never replaces an object unless it is asked to"(store) {
    await store.put("configs/config-1.1.0.yaml", text("old"));
    await refused("ARTIFACT_EXISTS", () => store.put("configs/config-1.1.0.yaml", text("new")));
    assertEquals(await content(store, "configs/config-1.1.0.yaml"), "old");
    await store.put("configs/config-1.1.0.yaml", text("new"), { overwrite: true });
    assertEquals(await content(store, "configs/config-1.1.0.yaml"), "new");
  },

  async "of eight put() of one path at a time exactly one succeeds"(store) {
    const bodies = Array.from({ length: 8 }, (_, index) => String(index).repeat(100_000));
    const outcomes = await Promise.allSettled(bodies.map((body) => store.put("models/race.bin", text(body))));
    const winners = bodies.filter((_, index) => outcomes[index].status === "fulfilled");
    assertEquals(winners.length, 1);
    assertEquals(await content(store, "models/race.bin"), winners[0]);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") {
        assertEquals((outcome.reason as SetpointError).code, "ARTIFACT_EXISTS");
      }
    }
  },

  async "get() during overwrites sees whole objects only"(store) {
    const bodies = ["a", "b"].map((letter) => letter.repeat(300_000));
    await store.put("models/a.bin", text(bodies[0]));
    let done = false;
    const writing = (async () => {
      for (let turn = 0; turn < 12; turn++) {
        await store.put("models/a.bin", text(bodies[turn % 2]), { overwrite: true });
      }
      done = true;
    })();
    let reads = 0;
    while (!done || reads === 0) {
      assert(bodies.includes(await content(store, "models/a.bin")), "a torn object was read");
      reads++;
    }
    await writing;
  },

  async "list() answers what begins with the prefix, sorted, with sizes"(store) {
    assertEquals(await store.list(), []);
    const paths = [
      "configs/config-1.1.0.yaml",
      "models/a-b.onnx",
      "models/a.onnx",
      "models/a/b.onnx",
      "models2/a.onnx",
    ];
    for (const path of paths.toReversed()) await store.put(path, text(path));
    const all = paths.map((path) => ({ path, size: path.length }));
    assertEquals(await store.list(), all);
    assertEquals(await store.list("models/"), all.slice(1, 4));
    assertEquals(await store.list("models"), all.slice(1));
    assertEquals(await store.list("models/a."), all.slice(2, 3));
    assertEquals(await store.list("models/a/b.onnx"), all.slice(3, 4));
    assertEquals(await store.list("none/"), []);
  },

  async "list() answers more objects than one page holds"(store) {
    const paths = Array.from({ length: 1_050 }, (_, index) => `many/${String(index).padStart(4, "0")}`);
    for (let at = 0; at < paths.length; at += 50) {
      await Promise.all(paths.slice(at, at + 50).map((path) => store.put(path, text("x"))));
    }
    assertEquals((await store.list("many/")).map(({ path }) => path), paths);
  },

  async "paths with spaces, signs and letters of other scripts are names like others"(store) {
    const paths = [
      "models/a b+c%20d&e=f?g#h.onnx",
      "models/Ofen-Strom_Ä.onnx",
      "models/печь.onnx",
      "models/窯.onnx",
    ];
    for (const path of paths) await store.put(path, text(path));
    for (const path of paths) assertEquals(await content(store, path), path);
    assertEquals((await store.list("models/")).map(({ path }) => path), paths.toSorted());
  },

  async "a path that could lead elsewhere is refused by every method"(store) {
    const hostile = [
      "",
      "..",
      "../secret",
      "models/../../secret",
      "models/..",
      "./a",
      "/etc/passwd",
      "models//a",
      "models/",
      "models\\a",
      "a\0b",
      "a\nb",
      ".hidden",
      "models/.tmp-x",
      "http://169.254.169.254/latest",
      "\ud800",
      "x".repeat(MAX_PATH_BYTES + 1),
      "x".repeat(256),
    ];
    for (const path of hostile) {
      await refused("ARTIFACT_NAME", () => store.get(path));
      await refused("ARTIFACT_NAME", () => store.head(path));
      await refused("ARTIFACT_NAME", () => store.put(path, text("x")));
      if (path !== "" && path !== "models/") await refused("ARTIFACT_NAME", () => store.list(path));
    }
    assertEquals(await store.list(), []);
  },

  async "get() refuses an object above its limit and takes one at it"(store) {
    await store.put("models/a.bin", noise(100_000));
    const error = await refused("ARTIFACT_TOO_LARGE", () => store.get("models/a.bin", { maxBytes: 99_999 }));
    assertStringIncludes(error.message, "99999");
    assertEquals((await store.get("models/a.bin", { maxBytes: 100_000 })).size, 100_000);
  },

  async "get() refuses an object with another digest than expected"(store) {
    const { sha256 } = await putAndGet(store, "models/a.bin", "one");
    assertEquals((await store.get("models/a.bin", { sha256 })).size, 3);
    await store.put("models/a.bin", text("two"), { overwrite: true });
    await refused("ARTIFACT_CORRUPT", () => store.get("models/a.bin", { sha256 }));
  },

  async "an aborted call rejects with the signal's reason"(store) {
    await store.put("models/a.bin", noise(3_000_000));
    const reason = new Error("enough");
    const signal = AbortSignal.abort(reason);
    const calls = [
      () => store.get("models/a.bin", { signal }),
      () => store.head("models/a.bin", { signal }),
      () => store.put("models/b.bin", text("x"), { signal }),
    ];
    for (const call of calls) assertEquals(await assertRejects(call), reason);
    const later = new AbortController();
    const pending = store.get("models/a.bin", { signal: later.signal });
    later.abort(reason);
    assertEquals(await assertRejects(() => pending), reason);
    assertEquals(await store.head("models/b.bin"), undefined);
  },
};

/** `size` bytes that do not compress, the same on every run. */
export function noise(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  let state = 0x9e3779b9;
  for (let index = 0; index < size; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

export function text(content: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(content);
}

async function content(store: ArtifactStore, path: string): Promise<string> {
  return new TextDecoder().decode((await store.get(path)).bytes);
}

async function putAndGet(store: ArtifactStore, path: string, body: string) {
  await store.put(path, text(body));
  return await store.get(path);
}

/** `call` rejects with a SetpointError of that code. */
export async function refused(code: ErrorCode, call: () => Promise<unknown>): Promise<SetpointError> {
  const error = await assertRejects(call, SetpointError);
  assertEquals(error.code, code, error.message);
  return error;
}
