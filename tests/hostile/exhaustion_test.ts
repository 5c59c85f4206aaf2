/** Time, memory and pipes: the cell that takes too much dies alone, and the next call works. */
import { SetpointError } from "../../runtime/errors.ts";
import { skillOf } from "../cells/plugins.ts";
import { lives, startHost } from "../cells/start.ts";
import { eventually } from "../std/eventually.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../std/assert.ts";
import { attackControl } from "./attack.ts";

/** `config.fault` runs `body`, otherwise the answer is 1. */
function eater(body: string): string {
  return `
import { definePlugin, type SkillSpec } from "setpoint";
const kept: unknown[] = [];
/** (module (memory (export "m") 1) (func (export "f") (loop (br 0)))) */
const LOOP = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 9, 2, 1, 109, 2, 0, 1, 102, 0, 0,
  10, 9, 1, 7, 0, 3, 64, 12, 0, 11, 11,
);
export default definePlugin({
  name: "test/eater",
  version: "1.0.0",
  kind: "function",
  evaluate(skill: SkillSpec, _batch: Float64Array, count: number) {
    if (skill.config.fault) { ${body} }
    return new Float64Array(count).fill(1);
  },
});`;
}

const RUNAWAYS = [
  { name: "while (true)", body: "while (true);" },
  { name: "a WASM loop", body: "new WebAssembly.Instance(new WebAssembly.Module(LOOP)).exports.f();" },
  { name: "a bad regular expression", body: '/^(a+)+$/.test("a".repeat(60) + "!");' },
  { name: "an endless sort", body: "const a = [1, 2]; while (a.sort().length);" },
];

for (const { name, body } of RUNAWAYS) {
  Deno.test(`${name}: killed at its deadline, no process stays, the next call works`, async () => {
    await using started = startHost();
    const plugin = await started.host.open({ id: "eater", text: eater(body) });
    const pid = started.host.status()[0].pid!;
    const bad = skillOf("bad", { config: { fault: true } });
    const error = await assertRejects(
      () => plugin.evaluate(bad, 0, new Float64Array(2), 1, 300),
      SetpointError,
    );
    assertEquals(error.code, "PLUGIN_TIMEOUT");
    assertEquals(await plugin.evaluate(skillOf("s"), 0, new Float64Array(2), 1, 20_000), Float64Array.of(1));
    assert(!lives(pid), "the process lives");
  });
}

const EATERS = [
  { name: "the JavaScript heap", body: "for (;;) kept.push(new Array(1000).fill({}));" },
  {
    name: "strings",
    body: 'let s = "x".repeat(1000); for (let k = 0; ; k++) kept.push(s + k + s.toUpperCase());',
  },
  { name: "array buffers", body: "for (;;) kept.push(new Uint8Array(8 << 20).fill(1));" },
  {
    name: "WASM memory",
    body:
      "for (;;) { const m = new WebAssembly.Memory({ initial: 512 }); new Uint8Array(m.buffer).fill(1); kept.push(m); }",
  },
  {
    name: "one structured clone",
    body: "const big = new Uint8Array(300 << 20).fill(1); kept.push(structuredClone(big), big);",
  },
];

for (const { name, body } of EATERS) {
  Deno.test(`eating ${name}: the cell dies alone, the kernel's memory stays, the next call works`, async () => {
    await using started = startHost({ limits: { rssMb: 300, heapMb: 96 } });
    const plugin = await started.host.open({ id: "eater", text: eater(body) });
    const before = Deno.memoryUsage().rss;
    const bad = skillOf("bad", { config: { fault: true } });
    const error = await assertRejects(
      () => plugin.evaluate(bad, 0, new Float64Array(2), 1, 30_000),
      SetpointError,
    );
    assertEquals(error.code, "PLUGIN_DIED");
    assert(Deno.memoryUsage().rss - before < 60 << 20, "the kernel ate too");
    assertEquals(await plugin.evaluate(skillOf("s"), 0, new Float64Array(2), 1, 20_000), Float64Array.of(1));
    assertEquals(started.host.status()[0].restarts, 1);
  });
}

Deno.test("control: a worker that eats the heap takes a plain process with it", async () => {
  const { signal, code } = await attackControl(
    "const kept = []; for (;;) kept.push(new Array(1000).fill({}));",
  );
  assert(signal !== null || code > 128, `exit code ${code}`);
});

Deno.test("A6 control: a worker's buffers grow past every limit of the heap in a plain process", async () => {
  const { text } = await attackControl(
    "const kept = []; for (let k = 0; k < 80; k++) kept.push(new Uint8Array(8 << 20).fill(1)); return Deno.memoryUsage().rss >> 20;",
  );
  assert(Number(/^got (\d+)/.exec(text)?.[1]) > 600, text);
});

Deno.test("A9 control: a worker hands a clone of 256 MB to a plain process", async () => {
  const { text } = await attackControl('postMessage(new Uint8Array(256 << 20).fill(1)); return "posted";');
  assertStringIncludes(text, `bytes ${256 << 20}`);
});

Deno.test("an answer above the frame limit ends the cell, not the kernel", async () => {
  await using started = startHost();
  const body = "return new Float64Array(4 << 20);";
  const plugin = await started.host.open({ id: "eater", text: eater(body) });
  const bad = skillOf("bad", { config: { fault: true } });
  const error = await assertRejects(
    () => plugin.evaluate(bad, 0, new Float64Array(2), 1, 20_000),
    SetpointError,
  );
  assertStringIncludes(error.message, "33554");
  assertEquals(await plugin.evaluate(skillOf("s"), 0, new Float64Array(2), 1, 20_000), Float64Array.of(1));
});

Deno.test("a request above the frame limit is refused before it is sent", async () => {
  await using started = startHost({ limits: { requestBytes: 1 << 20 } });
  const plugin = await started.host.open({ id: "eater", text: eater("") });
  const error = await assertRejects(
    () => plugin.evaluate(skillOf("s"), 0, new Float64Array(1 << 18), 1 << 17, 20_000),
    SetpointError,
  );
  assertEquals(error.code, "FRAME_TOO_LARGE");
  assertEquals(await plugin.evaluate(skillOf("s"), 0, new Float64Array(2), 1, 20_000), Float64Array.of(1));
});

Deno.test("a hundred kills in a row leave no process, no handle and no memory behind", async () => {
  await using started = startHost({ limits: { backoffMs: 1, startsPerHour: Infinity } });
  const plugin = await started.host.open({ id: "eater", text: eater("while (true);") });
  const bad = skillOf("bad", { config: { fault: true } });
  const pids: number[] = [];
  let before = { handles: 0, rss: 0 };
  for (let k = 0; k < 100; k++) {
    // what is made once is there by now
    if (k === 10) before = { handles: openHandles(), rss: Deno.memoryUsage().rss };
    assertEquals(await plugin.evaluate(skillOf("s"), 0, new Float64Array(2), 1, 20_000), Float64Array.of(1));
    pids.push(started.host.status()[0].pid!);
    await assertRejects(() => plugin.evaluate(bad, 0, new Float64Array(2), 1, 20), SetpointError);
  }
  assertEquals(new Set(pids).size, 100);
  // the last processes may be on their way out
  await eventually(
    `no more than the ${before.handles} handles are open`,
    () => openHandles() <= before.handles + 8,
  );
  const { rss } = Deno.memoryUsage();
  assert(rss - before.rss < 64 << 20, `${before.rss} bytes became ${rss}`);
  await started.host.close();
  assertEquals(pids.filter(lives), []);
});

/** Open files and pipes of this process. Deno itself may look there under -A only. */
function openHandles(): number {
  const { stdout } = new Deno.Command("ls", { args: [`/proc/${Deno.pid}/fd`] }).outputSync();
  return new TextDecoder().decode(stdout).trim().split("\n").length;
}

Deno.test("a cell ends when its kernel is gone", async () => {
  const script = decodeURIComponent(new URL("./orphan.ts", import.meta.url).pathname);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", script],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const pid = Number(new TextDecoder().decode(value));
  assert(lives(pid));
  child.kill("SIGKILL");
  await Promise.all([child.status, reader.cancel()]);
  await eventually("the cell is gone too", () => !lives(pid));
});
