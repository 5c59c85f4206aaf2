/** The attacks A1 to A17: denied in a cell, and each of them works in a plain worker, so that no script is merely broken. */
import { cpuTicks, lives, processState, startHost } from "../cells/start.ts";
import { GAIN, skillOf, SQUARES } from "../cells/plugins.ts";
import { eventually } from "../std/eventually.ts";
import { freeze } from "../std/freeze.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../std/assert.ts";
import { SetpointError } from "../../runtime/errors.ts";
import { attackCell, attackControl, spawnControl } from "./attack.ts";
import { ATTACKS } from "./numbered_attacks.ts";

for (const { id, name, body, statics, control } of ATTACKS) {
  Deno.test(`${id} ${name}: denied in a cell, works in a plain worker`, async () => {
    await using started = startHost();
    const bystander = await started.host.open({ id: "gain", text: GAIN });
    const outcome = await attackCell(started.host, body, statics);
    assert(outcome.startsWith("denied"), outcome);
    await bystander.lower(skillOf("g", { config: { gain: 1 } }));
    assertEquals(started.host.status().map(({ restarts, failures }) => [restarts, failures]), [[0, 0]]);
    const { text, signal } = await attackControl(body, statics);
    if (control.text !== undefined) assert(control.text.test(text), `the control did not work: ${text}`);
    if (control.signal !== undefined) assertEquals(signal, control.signal);
  });
}

Deno.test("A2 SIGSTOP on itself: denied in a cell, freezes a plain process", async () => {
  const body = 'process.kill(process.pid, "SIGSTOP"); return "stopped";';
  await using started = startHost();
  const outcome = await attackCell(started.host, body);
  assert(outcome.startsWith("denied"), outcome);
  using control = spawnControl(body);
  await eventually("it is stopped", () => processState(control.child.pid) === "T");
  control.child.kill("SIGKILL");
  await Promise.all([control.child.status, control.child.stdout.cancel()]);
});

Deno.test("A3 taking SIGTERM: denied in a cell, makes a plain process deaf to it", async () => {
  const body = 'Deno.addSignalListener("SIGTERM", () => postMessage("survived"));';
  await using started = startHost();
  const outcome = await attackCell(started.host, `${body} return "SIGTERM";`);
  assert(outcome.startsWith("denied"), outcome);
  const endOf = async (listen: string) => {
    using control = spawnControl(`${listen} postMessage("go on"); await new Promise(() => {});`);
    const said = textOf(control.child);
    await eventually("it goes on", () => said().startsWith("go on\n"));
    control.child.kill("SIGTERM");
    const { signal } = await control.child.status;
    return signal ?? said().slice(6);
  };
  assertEquals([await endOf(body), await endOf("")], ["survived\n", "SIGTERM"]);
});

Deno.test("A17 control: an exception and a rejection that nobody handles end a plain worker", async () => {
  const wait = 'await new Promise((done) => setTimeout(done, 2000)); return "alive";';
  const thrown = await attackControl(`setTimeout(() => { throw new Error("late"); }); ${wait}`);
  assertStringIncludes(thrown.text, "error Uncaught Error: late");
  const rejected = await attackControl(`Promise.reject(new Error("unhandled")); ${wait}`);
  assertStringIncludes(rejected.text, "unhandled");
  assertEquals([thrown.code, rejected.code], [1, 1]);
});

Deno.test("A2 a stopped cell is killed at the deadline", async () => {
  await using started = startHost();
  const plugin = await started.host.open({ id: "squares", text: SQUARES });
  await freeze(started.host.status()[0].pid!);
  const error = await assertRejects(
    () => plugin.evaluate(skillOf("s"), 0, new Float64Array(2), 1, 300),
    SetpointError,
  );
  assertEquals(error.code, "PLUGIN_TIMEOUT");
  assertEquals(await plugin.evaluate(skillOf("s"), 0, Float64Array.of(3, 4), 1, 20_000), Float64Array.of(25));
});

Deno.test("A2 a stopped cell is noticed without a call, by its silence", async () => {
  await using started = startHost({ limits: { silenceMs: 2_000, beatMs: 100 } });
  const plugin = await started.host.open({ id: "squares", text: SQUARES });
  const pid = started.host.status()[0].pid!;
  await freeze(pid);
  await eventually("it is noticed", () => started.lines.length > 0);
  assertStringIncludes(String(started.lines[0].fields.reason), "silent for 2000 ms");
  assertEquals(await plugin.evaluate(skillOf("s"), 0, Float64Array.of(3, 4), 1, 20_000), Float64Array.of(25));
});

Deno.test("A4 control: a terminated worker spins on in a plain process", async () => {
  using control = spawnControl('postMessage("terminate me"); while (true);');
  const said = textOf(control.child);
  await eventually("it is terminated", () => said() === "terminate me\n");
  const before = cpuTicks(control.child.pid);
  await eventually("it has spun for a second", () => cpuTicks(control.child.pid) >= before + 100);
  control.child.kill("SIGKILL");
  await control.child.status;
});

Deno.test("A12 a static import over HTTP sends no request from a cell, and does from a plain worker", async () => {
  let requests = 0;
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    requests++;
    return new Response("export default 1;", { headers: { "content-type": "text/javascript" } });
  });
  await using started = startHost();
  const url = `http://127.0.0.1:${server.addr.port}/${crypto.randomUUID()}.js`;
  const outcome = await attackCell(started.host, "return leak;", `import leak from "${url}";`);
  assert(outcome.startsWith("denied"), outcome);
  const later = await attackCell(started.host, `return (await import("${url}")).default;`);
  assert(later.startsWith("denied"), later);
  assertEquals(requests, 0);
  assertStringIncludes((await attackControl("return leak;", `import leak from "${url}";`)).text, "got 1");
  assertEquals(requests, 1);
});

Deno.test("A15 a plugin that prints floods nobody's log and breaks no frame", async () => {
  await using started = startHost();
  const body =
    'for (let k = 0; k < 1000; k++) { console.log("x".repeat(1000)); console.error(k); } return "printed";';
  assertEquals(await attackCell(started.host, body), "got printed");
  assertEquals(started.lines, []);
});

const ENDS = [
  { name: "throws", line: 'throw new Error("thrown");', code: "PLUGIN_FAILED", says: "thrown" },
  {
    name: "throws something odd",
    line: "throw { toString() { throw 1; } };",
    code: "PLUGIN_FAILED",
    says: "",
  },
  {
    name: "overflows the stack",
    line: "const f = (): number => f() + 1; f();",
    code: "PLUGIN_FAILED",
    says: "RangeError",
  },
  {
    name: "answers a promise",
    line: "return Promise.resolve(1) as unknown as string[];",
    code: "PLUGIN_FAILED",
    says: "",
  },
  {
    name: "answers a function",
    line: "return (() => 1) as unknown as string[];",
    code: "PLUGIN_FAILED",
    says: "function",
  },
] as const;

for (const { name, line, code, says } of ENDS) {
  Deno.test(`A17 a plugin that ${name} gives ${code}`, async () => {
    await using started = startHost();
    const plugin = await started.host.open({ id: "ends", text: sequencePlugin(line) });
    const error = await assertRejects(() => plugin.sequence(skillOf("s")), SetpointError);
    assertEquals(error.code, code);
    assertStringIncludes(error.message, says);
  });
}

Deno.test("A17 a rejection that nobody handles ends the cell; it is noticed and the next call works", async () => {
  await using started = startHost();
  const text = sequencePlugin(
    'if (skill.config.reject) Promise.reject(new Error("unhandled")); return ["fine"];',
  );
  const plugin = await started.host.open({ id: "rejects", text });
  const pid = started.host.status()[0].pid;
  await plugin.sequence(skillOf("s", { config: { reject: true } })).catch(() => {});
  await eventually("it is noticed", () => started.lines.length > 0);
  assertStringIncludes(String(started.lines[0].fields.reason), "unhandled");
  assertEquals(await plugin.sequence(skillOf("s")), ["fine"]);
  assert(started.host.status()[0].pid !== pid);
});

const RESTLESS = [
  { name: "microtasks without end", line: "const again = () => queueMicrotask(again); again();" },
  { name: "promises without end", line: "(async () => { for (;;) await null; })();" },
];

for (const { name, line } of RESTLESS) {
  Deno.test(`A4 ${name} after a good answer: the cell ends within a few heartbeats, the next call works`, async () => {
    await using started = startHost({ limits: { beatMs: 100 } });
    const text = sequencePlugin(`if (skill.config.restless) { ${line} } return ["fine"];`);
    const plugin = await started.host.open({ id: "restless", text });
    const pid = started.host.status()[0].pid!;
    const answer = plugin.sequence(skillOf("s", { config: { restless: true } }));
    assertEquals(await answer, ["fine"]);
    await eventually("it is noticed", () => started.lines.length > 0);
    assertStringIncludes(String(started.lines[0].fields.reason), "does not rest");
    assert(!lives(pid));
    assertEquals(await plugin.sequence(skillOf("s")), ["fine"]);
  });
}

Deno.test("A4 a plugin that is busy with short calls, one after the other, is not taken for one that works on", async () => {
  await using started = startHost({ limits: { beatMs: 250 } });
  const text = sequencePlugin(
    'let x = 1; for (let i = 0; i < 2e6; i++) x = Math.sqrt(x + i); return x > 0 ? ["fine"] : [];',
  );
  const plugin = await started.host.open({ id: "busy", text });
  const { pid } = started.host.status()[0];
  for (const end = performance.now() + 12 * 250; performance.now() < end;) {
    assertEquals(await plugin.sequence(skillOf("s")), ["fine"]);
    await new Promise((done) => setTimeout(done, 10));
  }
  assertEquals([started.host.status()[0].pid, started.lines], [pid, []]);
});

function sequencePlugin(line: string): string {
  return `
import { definePlugin, type SkillSpec } from "setpoint";
export default definePlugin({
  name: "test/ends",
  version: "1.0.0",
  kind: "composition",
  sequence(skill: SkillSpec): string[] { ${line} },
});`;
}

/** What a process has printed so far. */
function textOf({ stdout }: Deno.ChildProcess): () => string {
  let text = "";
  stdout.pipeThrough(new TextDecoderStream()).pipeTo(
    new WritableStream({ write: (more) => void (text += more) }),
  );
  return () => text;
}
