/** What a plugin must not be able to do, probed from inside a real cell. */
import { builtinModules } from "node:module";
import { KEPT_GLOBALS } from "../../runtime/cells/globals.ts";
import { startHost } from "../cells/start.ts";
import { assert, assertEquals } from "../std/assert.ts";
import { attackCell, attackControl } from "./attack.ts";

/** Each is tried in a cell, where it must be denied. `control`: in a plain worker it works. */
const PROBES: readonly { readonly name: string; readonly body: string; readonly control: boolean }[] = [
  { name: "read a file", body: 'return Deno.readTextFileSync("/etc/hostname");', control: false },
  { name: "write a file", body: 'return Deno.writeTextFileSync("/tmp/written", "x");', control: false },
  { name: "connect", body: "return await Deno.connect({ port: 1 });", control: false },
  { name: "fetch", body: 'return await fetch("data:text/plain,x");', control: true },
  { name: "open a WebSocket", body: 'return new WebSocket("ws://127.0.0.1:1");', control: false },
  { name: "open an EventSource", body: 'return new EventSource("http://127.0.0.1:1");', control: false },
  { name: "read the environment", body: "return Deno.env.toObject();", control: false },
  { name: "run a command", body: 'return new Deno.Command("true").outputSync().code;', control: false },
  { name: "load a library", body: 'return Deno.dlopen("libc.so.6", {});', control: false },
  { name: "read the system's name", body: "return Deno.hostname();", control: false },
  { name: "the Deno object", body: "return Deno.version.deno;", control: true },
  { name: "the process object", body: "return process.version;", control: true },
  { name: "Buffer and global", body: 'return global.Buffer.from("x").length;', control: true },
  { name: "eval", body: 'return (0, eval)("1 + 1");', control: true },
  { name: "new Function", body: 'return new Function("return 1")();', control: true },
  {
    name: "a constructor's constructor",
    body: 'return (() => {}).constructor("return this")();',
    control: true,
  },
  {
    name: "an async constructor",
    body: 'return await (async () => {}).constructor("return 1")();',
    control: true,
  },
  {
    name: "a generator's constructor",
    body: 'return (function* () {}).constructor("return 1")();',
    control: true,
  },
  { name: "timers", body: "return setTimeout(() => {}, 0);", control: true },
  {
    name: "an interval",
    body: "const id = setInterval(() => {}, 9); clearInterval(id); return id;",
    control: true,
  },
  { name: "message channels", body: "return new MessageChannel().port1;", control: true },
  {
    name: "event listeners",
    body: 'addEventListener("message", () => {}); return "listens";',
    control: true,
  },
  { name: "onmessage", body: 'if (!("onmessage" in globalThis)) throw 1; return "there";', control: true },
  { name: "shared memory", body: "return new SharedArrayBuffer(8).byteLength;", control: true },
  { name: "object URLs", body: 'return URL.createObjectURL(new Blob(["x"]));', control: true },
  { name: "caches", body: 'return await caches.open("x");', control: false },
  { name: "crypto", body: "return crypto.randomUUID();", control: true },
  { name: "a precise clock", body: "return performance.now();", control: true },
  { name: "navigator", body: "return navigator.userAgent;", control: true },
  { name: "importing a file", body: 'return await import("file:///etc/" + "passwd");', control: false },
  {
    name: "importing the runtime's own files",
    body: `return await import("${new URL("../../runtime/errors.ts", import.meta.url)}");`,
    control: false,
  },
  { name: "importing from JSR", body: 'return await import("jsr:@std/" + "path");', control: false },
  { name: "internal modules", body: 'return await import("ext:core/ops");', control: false },
  {
    name: "the callers' functions through stack frames",
    body: `Error.prepareStackTrace = (_, sites) => sites;
      const found = new Error().stack.map((site) => site.getFunction?.() ?? site.getThis?.()).filter((f) => f !== undefined);
      Error.prepareStackTrace = undefined;
      if (found.length === 0) throw new Error("none");
      return found.length;`,
    control: false,
  },
];

for (const { name, body, control } of PROBES) {
  Deno.test(`${name}: denied in a cell${control ? ", allowed in a plain worker" : ""}`, async () => {
    await using started = startHost();
    const outcome = await attackCell(started.host, body);
    assert(outcome.startsWith("denied"), outcome);
    if (control) assert((await attackControl(body)).text.startsWith("got"), "the control did not work");
  });
}

/** Each form in which a module can be named, as a module of its own. */
const FORMS = [
  'import x from "NAME";',
  'import "NAME";',
  'import * as x from "NAME";',
  'export * from "NAME";',
];

Deno.test("every module of Node is closed, in every form of import", async () => {
  await using started = startHost();
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
  assertEquals(await attackCell(started.host, body), "got []");
  const bare = `return (await import("fs")).default;`;
  assert((await attackCell(started.host, bare)).startsWith("denied"));
});

for (const form of FORMS) {
  Deno.test(`a static ${form} in the plugin itself is refused`, async () => {
    await using started = startHost();
    for (const name of ["node:worker_threads", "node:fs"]) {
      const outcome = await attackCell(started.host, 'return "loaded";', form.replace("NAME", name));
      assert(outcome.startsWith("denied"), outcome);
    }
  });
}

Deno.test("a static text import shows no file but the cell's own sources", async () => {
  await using started = startHost();
  for (
    const file of [
      "../../runtime/errors.ts",
      "../../deno.json",
      "../../tests/hostile/attack.ts",
      "/etc/hostname",
    ]
  ) {
    const url = new URL(file, import.meta.url);
    const outcome = await attackCell(
      started.host,
      "return x.length;",
      `import x from "${url}" with { type: "text" };`,
    );
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
