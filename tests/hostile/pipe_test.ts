/** A cell process that is not ours any more: whatever it writes, the kernel ends it and goes on. */
import { type CellEnd, CellProcess } from "../../runtime/cells/cell_process.ts";
import { DEFAULT_LIMITS } from "../../runtime/cells/limits.ts";
import { systemClock } from "../../runtime/clock.ts";
import { lives } from "../cells/start.ts";
import { assert, assertEquals, assertStringIncludes } from "../std/assert.ts";

const WRITES = [
  { name: "a giant length", code: "FRAME_TOO_LARGE", body: "write(head(0xfffffff8, 8));" },
  { name: "a JSON length above the limit", code: "FRAME_TOO_LARGE", body: "write(head(4 << 20, 2 << 20));" },
  { name: "garbage", code: "FRAME_TOO_LARGE", body: "write(new Uint8Array(1000).fill(7));" },
  {
    name: "text, as a log would be",
    code: "FRAME_TOO_LARGE",
    body: 'write(bytes("[info] hello, I am a log line\\n"));',
  },
  { name: "JSON that is none", code: "FRAME_INVALID", body: 'frame("{oops");' },
  { name: "half a million brackets", code: "FRAME_INVALID", body: 'frame("[".repeat(500000));' },
  {
    name: "a frame of an unknown type",
    code: "FRAME_INVALID",
    body: `frame('{"parts":[],"body":{"t":"hello"}}');`,
  },
  {
    name: "polluting keys",
    code: "FRAME_INVALID",
    body: `frame('{"parts":[],"body":{"__proto__":{"t":"ready"}}}');`,
  },
  {
    name: "endless heartbeats",
    code: "FRAME_INVALID",
    body: `for (;;) frame('{"parts":[],"body":{"t":"beat","rss":1,"heap":1}}');`,
  },
  {
    name: "endless lines for the log",
    code: "FRAME_INVALID",
    body:
      `for (;;) frame('{"parts":[],"body":{"t":"log","worker":0,"level":"info","text":"","dropped":0}}');`,
  },
  { name: "endless bytes", code: "FRAME_INVALID", body: "for (;;) write(new Uint8Array(65536));" },
] as const;

for (const { name, code, body } of WRITES) {
  Deno.test(`a process that writes ${name} is ended as ${code}`, async () => {
    const { ends, process } = await run(body);
    const end = await ends;
    await process.close();
    assertEquals(end.code, code, end.reason);
    assert(!lives(process.pid));
    assertEquals(({} as { t?: unknown }).t, undefined);
  });
}

Deno.test("a process that ends by itself is PLUGIN_DIED with its exit code", async () => {
  const { ends, process } = await run("Deno.exit(3);");
  const end = await ends;
  await process.close();
  assertEquals(end.code, "PLUGIN_DIED");
  assertStringIncludes(end.reason, "exit code 3");
});

Deno.test("a process that says half a frame and then nothing is ended for its silence", async () => {
  const body =
    `frame('{"parts":[],"body":{"t":"ready"}}'); write(head(800, 80)); await new Promise(() => setInterval(() => {}, 1000));`;
  const { ends, process } = await run(body);
  const end = await ends;
  await process.close();
  assertStringIncludes(end.reason, "silent for 600 ms");
});

async function run(body: string): Promise<{ ends: Promise<CellEnd>; process: CellProcess }> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(
    file,
    `
const bytes = (text: string) => new TextEncoder().encode(text);
function write(data: Uint8Array) { for (let at = 0; at < data.length;) at += Deno.stdout.writeSync(data.subarray(at)); }
function head(total: number, json: number) {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, total, true);
  view.setUint32(4, json, true);
  return new Uint8Array(view.buffer);
}
function frame(json: string) {
  const text = bytes(json.padEnd(Math.ceil(json.length / 8) * 8));
  write(head(8 + text.length, text.length));
  write(text);
}
${body}
`,
  );
  const { promise, resolve } = Promise.withResolvers<CellEnd>();
  const limits = { ...DEFAULT_LIMITS, silenceMs: 600, beatMs: 100 };
  const process = new CellProcess({
    clock: systemClock,
    limits,
    entry: file,
    onFrame: () => {},
    onEnd: resolve,
  });
  const ends = promise.then(async (end) => {
    await Deno.remove(file);
    return end;
  });
  return { ends, process };
}
