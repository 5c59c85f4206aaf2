/** Attacks beyond A1 to A17, by what they turn against their hosts. The tests run them, the bench measures them. */
import type { Abuse } from "./assault.ts";
import { PROTOCOL_ABUSES } from "./protocol_abuses.ts";

const TIMEOUT = /exceeded 300 ms/;

/** Time. */
const TIME: readonly Abuse[] = [
  { name: "a loop", at: "call", body: "while (true);", endless: true, control: "spins", says: TIMEOUT },
  {
    name: "a backtracking expression",
    at: "call",
    body: '/^(a+)+$/.test("a".repeat(60) + "!");',
    endless: true,
    control: "spins",
    says: TIMEOUT,
  },
  {
    name: "a product of giant integers",
    at: "call",
    body: "let n = 3n; while (true) n *= n;",
    says: /exceeded|RangeError|died/,
  },
  {
    name: "waiting for ever on shared memory",
    at: "call",
    body: "while (true) Atomics.wait(cell, 0, 0);",
    endless: true,
    says: TIMEOUT,
  },
  {
    name: "a sort that never ends",
    at: "call",
    body: "const a = [1, 2]; while (a.sort(() => Math.random() - 0.5).length);",
    endless: true,
    control: "spins",
    says: TIMEOUT,
  },
  {
    name: "a loop while it loads",
    at: "load",
    top: "while (true);",
    endless: true,
    control: "spins",
    says: /not ready within|exceeded/,
  },
  {
    name: "a module that is a promise",
    at: "load",
    top: "export function then() {}",
    endless: true,
    says: /not ready within|exceeded/,
  },
  {
    name: "a wait at the top that never ends",
    at: "load",
    top: "await new Promise(() => {});",
    endless: true,
    says: /not ready within|exceeded|never resolved/,
  },
  {
    name: "microtasks without end",
    at: "rest",
    body: "const again = () => queueMicrotask(again); again();",
    says: /does not rest/,
  },
  {
    name: "timers in shared memory that work on",
    at: "rest",
    body: "const again = () => { for (let k = 0; k < 1e8; k++); later(1, again); }; again();",
    says: /does not rest/,
  },
  {
    name: "compilation without end on other threads",
    at: "rest",
    body: `const again = () => WebAssembly.compile(big()).then(again, again); again(); again();`,
    top: bigModule(2_000),
    says: /does not rest|memory/,
  },
  {
    name: "a timer that loops later",
    at: "rest",
    body: "later(100, () => { while (true); });",
    says: /does not rest/,
  },
  {
    name: "an asynchronous generator without end",
    at: "rest",
    body: "(async () => { async function* g() { for (;;) yield 1; } for await (const one of g()); })();",
    says: /does not rest/,
  },
];

/** Memory. */
const MEMORY: readonly Abuse[] = [
  {
    name: "the heap",
    at: "call",
    body: "for (;;) kept.push(new Array(1000).fill({}));",
    control: "eats",
    says: /died|exceeded/,
  },
  {
    name: "array buffers",
    at: "call",
    body: "for (;;) kept.push(new Uint8Array(8 << 20).fill(1));",
    control: "eats",
    says: /memory|died|exceeded/,
  },
  {
    name: "WebAssembly memory that grows",
    at: "call",
    body:
      "const m = new WebAssembly.Memory({ initial: 1, maximum: 65536 }); for (;;) { m.grow(256); new Uint8Array(m.buffer).fill(1); }",
    control: "eats",
    says: /memory|died|exceeded/,
  },
  {
    name: "WebAssembly tables",
    at: "call",
    body: 'for (;;) kept.push(new WebAssembly.Table({ element: "anyfunc", initial: 10_000_000 }));',
    says: /memory|died|RangeError|exceeded/,
  },
  {
    name: "address space",
    at: "call",
    body: "for (;;) kept.push(new WebAssembly.Memory({ initial: 1, maximum: 65536 }));",
    says: /memory|died|RangeError|exceeded/,
  },
  {
    name: "a clone of what is nested",
    at: "call",
    body:
      "let value = [1]; for (let k = 0; k < 40; k++) value = structuredClone([value, value]); return value;",
    says: /died|memory|exceeded|RangeError|Float64Array/,
  },
  {
    name: "strings",
    at: "call",
    body: 'let s = "x".repeat(1 << 20); for (;;) kept.push((s += s).toUpperCase());',
    control: "eats",
    says: /died|memory|RangeError|exceeded/,
  },
  {
    name: "a map without end",
    at: "call",
    body: "const map = new Map(); for (let k = 0;; k++) map.set(k, k);",
    control: "eats",
    says: /heap is more than 96 MB|exceeded/,
  },
  {
    name: "a touch of every page of 4 GB",
    at: "call",
    body:
      "const bytes = new Uint8Array(new WebAssembly.Memory({ initial: 65536 }).buffer); for (let k = 0; k < bytes.length; k += 4096) bytes[k] = 1;",
    control: "eats",
    says: /memory|exceeded|RangeError/,
  },
  {
    name: "a buffer that is made larger",
    at: "call",
    body:
      "const buffer = new ArrayBuffer(1, { maxByteLength: 2 ** 32 }); buffer.resize(2 ** 31); new Uint8Array(buffer).fill(1);",
    control: "eats",
    says: /memory|exceeded|RangeError/,
  },
  {
    name: "waiters without end",
    at: "call",
    body: "for (;;) Atomics.waitAsync(cell, 0, 0, 1e9);",
    control: "eats",
    says: /memory|heap|exceeded|died/,
  },
  {
    name: "memory that a timer takes later",
    at: "rest",
    body: "const again = () => { kept.push(new Uint8Array(8 << 20).fill(1)); later(1, again); }; again();",
    says: /memory|does not rest|exceeded/,
  },
  { name: "deep recursion", at: "call", body: "const f = () => f() + 1; f();", says: /RangeError|exceeded/ },
  {
    name: "deep recursion in a caught loop",
    at: "call",
    body: "const f = () => { try { return f(); } finally { f(); } }; f();",
    says: /exceeded|RangeError/,
  },
];

/** What is thrown, said and told. */
const WORDS: readonly Abuse[] = [
  {
    name: "throwing a trap",
    at: "call",
    body: "throw new Proxy({}, { get() { throw 1; }, getPrototypeOf() { throw 1; }, has() { throw 1; } });",
    says: /cannot be read/,
  },
  {
    name: "an error with 50 MB of text",
    at: "call",
    body: 'throw new Error("x".repeat(50 << 20));',
    says: /xxxx|died/,
  },
  {
    name: "a stack that is formatted without end",
    at: "call",
    body: "Error.prepareStackTrace = () => { while (true); }; null.x;",
    endless: true,
    says: TIMEOUT,
  },
  {
    name: "an error that writes to the terminal",
    at: "call",
    body: 'throw new Error("\\x1b]0;owned\\x07\\x1b[2J\\u202egnp\\x9b1m");',
    says: /^[\P{C}\n]*$/u,
  },
  {
    name: "an error of a hundred thousand problems",
    at: "call",
    body: 'throw new SkillError(Array.from({ length: 1e5 }, (_, k) => ({ message: "problem " + k })));',
    says: /./,
  },
  {
    name: "20,000 problems, each of 1 kB",
    at: "call",
    body: 'throw new SkillError(Array.from({ length: 20_000 }, () => ({ message: "p".repeat(1_000) })));',
    says: /ppp/,
  },
  {
    name: "problems behind a trap",
    at: "call",
    body:
      'throw Object.defineProperty(new SkillError([]), "problems", { value: new Proxy([], { get: () => () => { throw 1; } }) });',
    says: /cannot be read/,
  },
  {
    name: "an error whose name is never told",
    at: "call",
    body: 'throw Object.defineProperty(new Error("e"), "name", { get() { for (;;); } });',
    endless: true,
    says: TIMEOUT,
  },
  {
    name: "a rejection that is no error",
    at: "rest",
    body: "later(1, () => Promise.reject(null));",
    says: /uncaught in the plugin: null/,
  },
  {
    name: "lines for the log past their budget",
    at: "rest",
    body:
      'Math.min = () => 1e9; const again = () => { for (let k = 0; k < 1e5; k++) log.info("line " + k); later(1, again); }; again();',
    says: /floods|does not rest/,
  },
  {
    name: "a giant object in the place of a line for the log",
    at: "call",
    body:
      "const tree = (n) => n === 0 ? { x: 1 } : { a: tree(n - 1), b: tree(n - 1) }; const big = tree(16); String.prototype.replace = () => big; log.info('x');",
    says: "answers",
  },
  {
    name: "lines for the log without end",
    at: "call",
    body: 'for (;;) log.info("x".repeat(1e5));',
    endless: true,
    says: TIMEOUT,
  },
  {
    name: "lines for the log after an answer",
    at: "rest",
    body:
      'const again = () => { for (let k = 0; k < 1e6; k++) log.error("again " + k); later(1, again); }; again();',
    says: /floods|does not rest/,
  },
  {
    name: "console without end",
    at: "call",
    body: 'for (;;) console.group(console.error("x".repeat(1e6)));',
    endless: true,
    says: TIMEOUT,
  },
  {
    name: "a rejection that nobody handles, later",
    at: "rest",
    body: 'later(50, () => { throw new Error("much later"); });',
    says: /uncaught in the plugin, line \d+: Error: much later/,
  },
];

/** The manifest. */
const MANIFEST: readonly Abuse[] = [
  { name: "a name of 1 MB", at: "load", manifest: 'name: "x".repeat(1 << 20),', says: /named/ },
  { name: "a name with a line break", at: "load", manifest: 'name: "good\\n2026 forged",', says: /named/ },
  {
    name: "a name that is another's each time",
    at: "load",
    manifest: 'get name() { return "builtin/" + calls++; },',
    says: /own/,
  },
  {
    name: "a million examples",
    at: "load",
    manifest: 'examples: Array.from({ length: 1e6 }, () => ({ title: "x" })),',
    says: /bytes|at most|died/,
  },
  {
    name: "a schema that contains itself",
    at: "load",
    top: 'const schema = { type: "object", properties: {} }; schema.properties.again = schema;',
    manifest: "config: schema,",
    says: /deep|cycl|RangeError|stack/i,
  },
  {
    name: "a default export that has every key",
    at: "load",
    text:
      'export default new Proxy({}, { get: (_, key) => key, has: () => true, ownKeys: () => Array.from({ length: 1e6 }, (_, k) => "k" + k) });',
    says: /Cannot load/,
  },
  { name: "no plugin at all", at: "load", text: "export default null;", says: /no plugin/ },
  {
    name: "a thousand tests of its own that take long",
    at: "load",
    manifest: "tests: Array.from({ length: 51 }, () => ({ inputs: { a: 1 }, outputs: { b: 1 } })),",
    says: /at most 50/,
  },
  {
    name: "a good face in its own tests",
    at: "call",
    manifest: "tests: [{ inputs: { a: 1 }, outputs: { b: 1 } }],",
    body: 'throw new Error("now that I am trusted");',
    says: /now that I am trusted/,
  },
];

export const ABUSES: readonly Abuse[] = [...TIME, ...MEMORY, ...PROTOCOL_ABUSES, ...WORDS, ...MANIFEST];

/** `big()` gives the bytes of a valid module of many functions that take a while to compile. */
function bigModule(functions: number): string {
  return `const big = () => {
  const leb = (n) => { const out = []; do { out.push((n & 127) | (n > 127 ? 128 : 0)); n >>>= 7; } while (n > 0); return out; };
  const section = (id, bytes) => [id, ...leb(bytes.length), ...bytes];
  const code = [0, ...Array.from({ length: 500 }, () => [65, 1, 26]).flat(), 11];
  const body = [...leb(code.length), ...code];
  const bodies = leb(${functions});
  for (let k = 0; k < ${functions}; k++) for (const byte of body) bodies.push(byte);
  const head = [0, 97, 115, 109, 1, 0, 0, 0, ...section(1, [1, 96, 0, 0])];
  const types = section(3, [...leb(${functions}), ...new Array(${functions}).fill(0)]);
  const size = leb(bodies.length);
  const out = new Uint8Array(head.length + types.length + 1 + size.length + bodies.length);
  let at = 0;
  for (const part of [head, types, [10], size, bodies]) { out.set(part, at); at += part.length; }
  return out;
};`;
}
