/** What a plugin must not be able to do, probed from inside a real cell. */
import { builtinModules } from "node:module";
import { KEPT_GLOBALS } from "../../runtime/cells/globals.ts";
import { startHost } from "../cells/start.ts";
import { assert, assertEquals, assertStringIncludes } from "../std/assert.ts";
import { attackCell, attackControl, attackInner, type ControlPermissions } from "./attack.ts";

/**
 * Each is tried in a cell, where it must be denied, and in a worker of a plain process, where it must work: with the
 * permissions "none", or where those deny it already, with all of its process.
 */
const PROBES: readonly {
  readonly name: string;
  readonly body: string;
  readonly control: ControlPermissions;
}[] = [
  { name: "read a file", body: 'return Deno.readTextFileSync("/etc/hostname");', control: "inherit" },
  { name: "write a file", body: 'return Deno.writeTextFileSync("/tmp/written", "x");', control: "inherit" },
  {
    name: "listen",
    body: "const l = Deno.listen({ port: 0 }); l.close(); return l.addr.port;",
    control: "inherit",
  },
  { name: "fetch", body: 'return await fetch("data:text/plain,x");', control: "none" },
  { name: "open a WebSocket", body: 'return new WebSocket("ws://127.0.0.1:1");', control: "inherit" },
  { name: "open an EventSource", body: 'return new EventSource("http://127.0.0.1:1");', control: "inherit" },
  {
    name: "read the environment",
    body: "return Object.keys(Deno.env.toObject()).length;",
    control: "inherit",
  },
  { name: "run a command", body: 'return new Deno.Command("true").outputSync().code;', control: "inherit" },
  { name: "load a library", body: 'return Deno.dlopen("libc.so.6", {});', control: "inherit" },
  { name: "read the system's name", body: "return Deno.hostname();", control: "inherit" },
  { name: "the Deno object", body: "return Deno.version.deno;", control: "none" },
  { name: "the process object", body: "return process.version;", control: "none" },
  { name: "Buffer and global", body: 'return global.Buffer.from("x").length;', control: "none" },
  { name: "eval", body: 'return (0, eval)("1 + 1");', control: "none" },
  { name: "new Function", body: 'return new Function("return 1")();', control: "none" },
  {
    name: "a constructor's constructor",
    body: 'return (() => {}).constructor("return this")();',
    control: "none",
  },
  {
    name: "an async constructor",
    body: 'return await (async () => {}).constructor("return 1")();',
    control: "none",
  },
  {
    name: "a generator's constructor",
    body: 'return (function* () {}).constructor("return 1")();',
    control: "none",
  },
  { name: "timers", body: "return setTimeout(() => {}, 0);", control: "none" },
  {
    name: "an interval",
    body: "const id = setInterval(() => {}, 9); clearInterval(id); return id;",
    control: "none",
  },
  { name: "message channels", body: "return new MessageChannel().port1;", control: "none" },
  {
    name: "event listeners",
    body: 'addEventListener("message", () => {}); return "listens";',
    control: "none",
  },
  { name: "onmessage", body: 'if (!("onmessage" in globalThis)) throw 1; return "there";', control: "none" },
  { name: "shared memory", body: "return new SharedArrayBuffer(8).byteLength;", control: "none" },
  { name: "object URLs", body: 'return URL.createObjectURL(new Blob(["x"]));', control: "none" },
  { name: "caches", body: 'return await caches.open("x");', control: "inherit" },
  { name: "crypto", body: "return crypto.randomUUID();", control: "none" },
  { name: "a precise clock", body: "return performance.now();", control: "none" },
  { name: "navigator", body: "return navigator.userAgent;", control: "none" },
  {
    name: "importing a file",
    body: 'return (await import("file:///etc/" + "passwd", { with: { type: "text" } })).default.length;',
    control: "inherit",
  },
  {
    name: "importing the runtime's own files",
    body: `return Object.keys(await import("${new URL(
      "../../runtime/errors.ts",
      import.meta.url,
    )}")).length;`,
    control: "inherit",
  },
  {
    name: "Deno's operations",
    body: "return Object.keys(Deno[Deno.internal].core.ops).length;",
    control: "none",
  },
  {
    name: "an inspector",
    body: 'return (await import("node:inspector")).url === undefined;',
    control: "none",
  },
  {
    name: "the heap to a file",
    body: 'return (await import("node:v8")).writeHeapSnapshot("/dev/null");',
    control: "inherit",
  },
  { name: "the memory of the system", body: "return Deno.systemMemoryInfo().total;", control: "inherit" },
  { name: "the id of the process", body: "return Deno.pid;", control: "none" },
];

for (const { name, body, control } of PROBES) {
  Deno.test(`${name}: denied in a cell, works in a plain worker`, async () => {
    await using started = startHost();
    const outcome = await attackCell(started.host, body);
    assert(outcome.startsWith("denied"), outcome);
    const { text } = await attackControl(body, "", { permissions: control });
    assert(text.startsWith("got"), `the control did not work: ${text}`);
  });
}

Deno.test("the callers' functions do not show in stack frames, in a cell or anywhere in strict code", async () => {
  await using started = startHost();
  const outcome = await attackCell(
    started.host,
    `Error.prepareStackTrace = (_, sites) => sites;
    const sites = new Error().stack;
    Error.prepareStackTrace = undefined;
    return JSON.stringify(sites.map((site) => [site.getFunction(), site.getThis()].every((one) => one === undefined)));`,
  );
  assert(/^got \[(true,?)+\]$/.test(outcome), outcome);
});

/** Each form in which a module can be named, as a module of its own. */
const FORMS = [
  'import x from "NAME";',
  'import "NAME";',
  'import * as x from "NAME";',
  'export * from "NAME";',
];

Deno.test("every module of Node is closed, in every form of import", async () => {
  const names = builtinModules.map((name) => name.startsWith("node:") ? name : `node:${name}`);
  const body = `
    const open = [];
    const own = await import("data:application/typescript,export%20default%207%20as%20number;");
    if (own.default !== 7) return "even an empty module cannot be loaded";
    for (const name of ${JSON.stringify(names)}) {
      await import(name).then(() => open.push(name + " by import()"), () => {});
      for (const form of ${JSON.stringify(FORMS)}) {
        const text = form.replace("NAME", name) + " export const own = 1;";
        await import("data:text/javascript," + encodeURIComponent(text)).then(() => open.push(form + name), () => {});
      }
    }
    return JSON.stringify(open);`;
  assertEquals(await attackInner(body), "got []");
  const bare = `return (await import("fs")).default;`;
  assert((await attackInner(bare)).startsWith("denied"));
});

for (const form of FORMS) {
  Deno.test(`a static ${form} in the plugin itself is refused`, async () => {
    await using started = startHost();
    for (const name of ["node:worker_threads", "node:fs"]) {
      for (const denied of [attackInner, (...text: [string, string]) => attackCell(started.host, ...text)]) {
        const outcome = await denied('return "loaded";', form.replace("NAME", name));
        assert(outcome.startsWith("denied"), outcome);
      }
    }
  });
}

/** Ways to write an import that a search for its words may miss; "LEAK" is the address of a module. */
const SPELLINGS = [
  { name: "`from` with an escape", statics: 'import x fr\\u006fm "LEAK";' },
  { name: "`from` with another escape", statics: 'import { default as x } fr\\u{6F}m "LEAK";' },
  { name: "an escape and a name that is a text", statics: 'import { "default" as x } fr\\u006Fm "LEAK";' },
  { name: "an HTML comment", statics: 'import x from <!-- "setpoint"\n"LEAK";' },
  { name: "the end of an HTML comment", statics: 'import x from\n--> "setpoint"\n"LEAK";' },
  { name: "a comment", statics: 'import x from/* "setpoint" // */ // "setpoint"\n"LEAK";' },
  { name: "a line that goes on", statics: 'import x from "da\\\nLEAK.slice(2)";' },
  { name: "a line that goes on after a return", statics: 'import x from "da\\\r\nLEAK.slice(2)";' },
  { name: "a line separator in a text", statics: 'import x from "LEAK/*\u2028*/";' },
  { name: "an escape in a text", statics: 'import x from "\\x64LEAK.slice(1)";' },
  {
    name: "an HTML comment in a call",
    statics: 'const { default: x } = await import <!-- "setpoint"\n("LEAK");',
  },
  { name: "a template in a call", statics: "const { default: x } = await import(`LEAK`);" },
  { name: "two names in a call", statics: 'const { default: x } = await import(("setpoint", "LEAK"));' },
] as const;

for (const { name, statics } of SPELLINGS) {
  Deno.test(`an import with ${name} is found, and works in a worker that does not look`, async () => {
    await using started = startHost();
    const leak = "data:text/javascript,export default 7;";
    const text = statics.replace(/LEAK(?:\.slice\((\d)\))?/, (_, cut) => leak.slice(Number(cut ?? 0)));
    assertEquals(await attackInner("return x;", text), "got 7");
    const outcome = await attackCell(started.host, "return x;", text);
    assertStringIncludes(outcome, 'a plugin is one file that imports "setpoint" alone');
  });
}

Deno.test("an import in the way of CommonJS is found", async () => {
  await using started = startHost();
  for (const word of ["require", "r\\u0065quire"]) {
    const outcome = await attackCell(
      started.host,
      "return x;",
      `import x = ${word}("data:text/javascript,1");`,
    );
    assertStringIncludes(outcome, 'imports "setpoint" alone');
  }
});

Deno.test("a text that tells of imports is no import", async () => {
  await using started = startHost();
  for (const text of ["import of coal from 'the mill', and require (x)", "flow from: 'x:y', imported"]) {
    assertEquals(await attackCell(started.host, `return "${text}";`), `got ${text}`);
  }
});

Deno.test("a static text import shows no file but the cell's own sources", async () => {
  for (
    const file of [
      "../../runtime/errors.ts",
      "../../deno.json",
      "../../tests/hostile/attack.ts",
      "/etc/hostname",
    ]
  ) {
    const url = new URL(file, import.meta.url);
    const outcome = await attackInner("return x.length;", `import x from "${url}" with { type: "text" };`);
    assert(outcome.startsWith("denied"), `${file}: ${outcome}`);
  }
});

Deno.test("the global scope holds the kept names and nothing else, own or inherited", async () => {
  await using started = startHost();
  const body = `
    const names = [];
    for (let scope = globalThis; scope !== Object.prototype; scope = Object.getPrototypeOf(scope)) {
      names.push(...Reflect.ownKeys(scope).filter((key) => typeof key === "string" && key !== "constructor"));
    }
    return JSON.stringify(names);`;
  const found = JSON.parse((await attackCell(started.host, body)).slice(4)) as string[];
  assertEquals(found.filter((name) => !KEPT_GLOBALS.includes(name)), []);
  assert(found.includes("Math") && found.includes("WebAssembly"));
});

Deno.test("a plugin that finds the bootstrap's listener cannot have another text loaded, which nobody looked at", async () => {
  await using started = startHost();
  const body = `
    const [symbol] = Object.getOwnPropertySymbols(globalThis).filter((one) => globalThis[one]?.listeners !== undefined);
    const listener = globalThis[symbol].listeners.message[0].callback;
    const script = "globalThis.loaded = true; await new Promise(() => {});";
    const message = { method: "spawn", spawn: { mode: "onnx", script, wasm: null } };
    const json = JSON.stringify({ parts: [], body: { t: "call", worker: 0, call: 99, message } });
    const text = json.padEnd(Math.ceil(json.length / 8) * 8);
    const frame = new Uint8Array(8 + text.length);
    new DataView(frame.buffer).setUint32(0, frame.length, true);
    new DataView(frame.buffer).setUint32(4, text.length, true);
    frame.set(new TextEncoder().encode(text), 8);
    listener({ data: frame });
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    await Atomics.waitAsync(new Int32Array(memory.buffer), 0, 0, 300).value;
    if (globalThis.loaded !== true) throw new Error("not loaded");
    return "loaded";`;
  const outcome = await attackCell(started.host, body);
  assert(outcome.startsWith("denied"), outcome);
});

Deno.test("a plugin that finds the bootstrap's listener cannot send what nobody asked for", async () => {
  await using started = startHost();
  const body = `
    const find = (object, depth) => {
      if (object === null || typeof object !== "object" || depth > 6) return undefined;
      for (const key of Reflect.ownKeys(object)) {
        const value = object[key];
        if (key === "callback" && typeof value === "function") return value;
        const found = find(value, depth + 1);
        if (found !== undefined) return found;
      }
    };
    for (const symbol of Object.getOwnPropertySymbols(globalThis)) {
      const listener = find(globalThis[symbol], 0);
      if (listener === undefined) continue;
      const json = JSON.stringify({ parts: [], body: { t: "call", worker: 0, call: 99, message: { method: "x" } } });
      const text = json.padEnd(Math.ceil(json.length / 8) * 8);
      const frame = new Uint8Array(8 + text.length);
      new DataView(frame.buffer).setUint32(0, frame.length, true);
      new DataView(frame.buffer).setUint32(4, text.length, true);
      frame.set(new TextEncoder().encode(text), 8);
      for (let k = 0; k < 10; k++) listener({ data: frame.slice() });
      return "called it";
    }
    throw new Error("not found");`;
  const outcome = await attackCell(started.host, body);
  assert(outcome.startsWith("denied"), outcome);
});
