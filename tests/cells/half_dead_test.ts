/** Cells that are neither alive nor dead: each ends at a limit of its own, and no other plugin waits for it. */
import { DEFAULT_LIMITS } from "../../runtime/cells/limits.ts";
import { SupervisedCell } from "../../runtime/cells/supervised_cell.ts";
import { ManualClock } from "../artifacts/manual_clock.ts";
import { assert, assertEquals, assertRejects } from "../std/assert.ts";
import { skillOf, SQUARES } from "./plugins.ts";
import { startHost } from "./start.ts";

/** What a process does in the place of a cell; `next()` reads a request, `tell()` writes a frame. */
const HALVES = [
  {
    name: "answers heartbeats, but no call",
    body:
      "beats(); for (let first = true;; first = false) { const { call } = await next(); if (first) answer(call); }",
    says: /exceeded 400 ms/,
  },
  {
    name: "answers calls, but sends no heartbeat and then nothing",
    body:
      "for (let k = 0; k < 1; k++) answer((await next()).call); await new Promise(() => setInterval(() => {}, 1e6));",
    says: /exceeded 400 ms|silent for/,
  },
  {
    name: "does not read what it is sent",
    body: "beats(); answer((await next()).call); await new Promise(() => {});",
    says: /exceeded 400 ms/,
  },
  {
    name: "reads a byte at a time",
    body:
      "beats(); answer((await next()).call); for (;;) { await Deno.stdin.read(new Uint8Array(1)); await new Promise((done) => setTimeout(done, 5)); }",
    says: /exceeded 400 ms/,
  },
  {
    name: "writes its answer a byte at a time",
    body:
      "beats(); answer((await next()).call); const { call } = await next(); slow = true; answer(call); await new Promise(() => {});",
    says: /exceeded 400 ms|Cannot take|Cannot read/,
  },
  {
    name: "never says that it is ready",
    silent: true,
    body: "beats(); await new Promise(() => {});",
    says: /not ready within 1500 ms/,
  },
] as const;

for (const half of HALVES) {
  Deno.test(`a cell that ${half.name} delays no other plugin`, async () => {
    await using started = startHost();
    const honest = await started.host.open({ id: "honest", text: SQUARES });
    const call = () => honest.evaluate(skillOf("s"), 0, Float64Array.of(3, 4), 1, 20_000);
    await call();
    const entry = await Deno.makeTempFile({ suffix: ".ts" });
    await Deno.writeTextFile(entry, script(half.body, "silent" in half));
    const limits = { ...DEFAULT_LIMITS, startMs: 1_500, beatMs: 100, silenceMs: 10_000 };
    // its limits pass only when the honest one was served
    const clock = new ManualClock();
    const cell = new SupervisedCell({ id: "half", clock, log: () => {}, limits, entry });
    const label = { plugin: "half", method: "evaluate", file: "half.ts" } as const;
    let over = false;
    try {
      const added = cell.addWorker({ mode: "plugin", text: "", file: "half.ts" }, label);
      const stuck = "silent" in half ? added : cell.call({
        ...{ worker: (await added).worker, label, deadlineMs: 400, deadline: 400 },
        // 8 MB: more than a pipe holds
        message: () => ({
          method: "onnxEvaluate",
          digest: "",
          batch: new Float64Array(1 << 20),
          count: 1,
          inputs: 1,
          outputs: 1,
        }),
      });
      const failed = assertRejects(() => stuck, Error).finally(() => over = true);
      for (let k = 0; k < 20; k++) await call();
      assert(!over);
      await clock.advance("silent" in half ? 1_500 : 400);
      const { message } = await failed;
      assert(half.says.test(message), message);
    } finally {
      await cell.close();
      await Deno.remove(entry);
    }
    assertEquals(cell.pid, null);
  });
}

function script(body: string, silent: boolean): string {
  return `
let slow = false;
const pause = new Int32Array(new SharedArrayBuffer(4));
function tell(json: string): void {
  const text = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8));
  const frame = new Uint8Array(8 + text.length);
  new DataView(frame.buffer).setUint32(0, frame.length, true);
  new DataView(frame.buffer).setUint32(4, text.length, true);
  frame.set(text, 8);
  for (let at = 0; at < frame.length;) {
    at += Deno.stdout.writeSync(frame.subarray(at, slow ? at + 1 : frame.length));
    if (slow) Atomics.wait(pause, 0, 0, 100);
  }
}
const body = (value: unknown) => tell(JSON.stringify({ parts: [], body: value }));
const answer = (call: number) => body({ t: "answer", worker: 0, call, ok: true, value: null });
const beats = () => setInterval(() => { if (!slow) body({ t: "beat", rss: 1, heap: 1 }); }, 100);
async function fill(bytes: Uint8Array): Promise<Uint8Array> {
  for (let at = 0; at < bytes.length;) at += (await Deno.stdin.read(bytes.subarray(at)))!;
  return bytes;
}
/** Heartbeats of the kernel are passed over. */
async function next(): Promise<{ call: number }> {
  for (;;) {
    const head = new DataView((await fill(new Uint8Array(8))).buffer as ArrayBuffer);
    const rest = await fill(new Uint8Array(head.getUint32(0, true) - 8));
    const { body } = JSON.parse(new TextDecoder().decode(rest.subarray(0, head.getUint32(4, true))));
    if (body.t === "call") return body;
  }
}
${silent ? "" : 'body({ t: "ready" });'}
${body}
`;
}

Deno.test("a plugin that is asked again and again is not taken for one that works on after its answer", async () => {
  await using started = startHost({ limits: { beatMs: 250 } });
  const busy = SQUARES.replace("calls++;", "for (const end = Date.now() + 15; Date.now() < end;);");
  const plugin = await started.host.open({ id: "busy", text: busy });
  const skill = skillOf("s");
  await plugin.lower(skill);
  for (let k = 0; k < 120; k++) {
    await plugin.evaluate(skill, 0, Float64Array.of(1, 2), 1);
    await new Promise((done) => setTimeout(done, 10 + 5 * (k % 7)));
  }
  const [{ failures, restarts }] = started.host.status();
  assertEquals([failures, restarts], [0, 0]);
});

Deno.test("a kernel that has much to do loses no cell", async () => {
  await using started = startHost({ limits: { silenceMs: 1_500, beatMs: 50 } });
  const plugin = await started.host.open({ id: "squares", text: SQUARES });
  const { pid } = started.host.status()[0];
  for (const end = performance.now() + 2_500; performance.now() < end;);
  assertEquals(await plugin.evaluate(skillOf("s"), 0, Float64Array.of(3, 4), 1, 20_000), Float64Array.of(25));
  assertEquals([started.host.status()[0].pid, started.lines], [pid, []]);
});
