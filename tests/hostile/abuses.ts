/** Attacks beyond A1 to A17, by what they turn against their hosts. The tests run them, the bench measures them. */
import type { Abuse } from "./assault.ts";

const TIMEOUT = /exceeded 300 ms/;
const FORGED = /sent|nothing that was asked|died|cannot be used|Float64Array/;

/** Time. */
const TIME: readonly Abuse[] = [
  { name: "a loop", at: "call", body: "while (true);", endless: true, says: TIMEOUT },
  {
    name: "a backtracking expression",
    at: "call",
    body: '/^(a+)+$/.test("a".repeat(60) + "!");',
    endless: true,
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
    says: TIMEOUT,
  },
  {
    name: "a loop while it loads",
    at: "load",
    top: "while (true);",
    endless: true,
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
];

/** Memory. */
const MEMORY: readonly Abuse[] = [
  {
    name: "the heap",
    at: "call",
    body: "for (;;) kept.push(new Array(1000).fill({}));",
    says: /died|exceeded/,
  },
  {
    name: "array buffers",
    at: "call",
    body: "for (;;) kept.push(new Uint8Array(8 << 20).fill(1));",
    says: /memory|died|exceeded/,
  },
  {
    name: "WebAssembly memory that grows",
    at: "call",
    body:
      "const m = new WebAssembly.Memory({ initial: 1, maximum: 65536 }); for (;;) { m.grow(256); new Uint8Array(m.buffer).fill(1); }",
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
    says: /died|memory|RangeError|exceeded/,
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

/** The code that answers, in the same thread. */
const PROTOCOL: readonly Abuse[] = [
  { name: "JSON.stringify that forges readiness", at: "call", body: forge('{"t":"ready"}'), says: FORGED },
  {
    name: "JSON.stringify that forges a heartbeat",
    at: "call",
    body: forge('{"t":"beat","rss":1}'),
    says: FORGED,
  },
  {
    name: "JSON.stringify that answers another call",
    at: "call",
    body: forge('{"t":"answer","worker":0,"call":99,"ok":true,"value":null}'),
    says: FORGED,
  },
  {
    name: "JSON.stringify that answers for another worker",
    at: "call",
    body: forge('{"t":"answer","worker":7,"call":2,"ok":true,"value":null}'),
    says: FORGED,
  },
  {
    name: "JSON.stringify that answers with 30 MB",
    at: "call",
    body: 'JSON.stringify = () => "[" + "1,".repeat(15e6) + "1]";',
    says: /died|uncaught|FRAME|too|bytes/,
  },
  {
    name: "JSON.stringify that throws",
    at: "call",
    body: 'JSON.stringify = () => { throw new Error("no"); };',
    says: /died|uncaught|no/,
  },
  {
    name: "a frame in memory that is still shared",
    at: "call",
    body:
      "const N = Uint8Array; const shared = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true }).buffer; const out = new Float64Array(count); globalThis.Uint8Array = function (a, ...more) { return typeof a === 'number' ? new N(shared, 0, a) : new N(a, ...more); }; Object.setPrototypeOf(N.prototype, Object.create(Object.getPrototypeOf(N.prototype), { buffer: { get() { return new ArrayBuffer(8); } } })); return out;",
    says: /died|sent|shared|uncaught|TypeError/,
  },
  {
    name: "a giant object in the place of a frame",
    at: "call",
    body:
      "const tree = (n) => n === 0 ? { x: 1 } : { a: tree(n - 1), b: tree(n - 1) }; const big = Object.setPrototypeOf({ tree: tree(18) }, { set() {}, fill() {}, get buffer() { return new ArrayBuffer(8); } }); const N = Uint8Array; globalThis.Uint8Array = function (a) { return typeof a === 'number' ? big : new N(...arguments); }; globalThis.DataView = function () { return { setUint32() {} }; };",
    says: /died|sent|exceeded|uncaught|TypeError/,
  },
  {
    name: "a polluted Object.prototype",
    at: "call",
    body:
      'Object.prototype.t = "ready"; Object.prototype.$ = "f64"; Object.prototype.toJSON = () => 1; Object.prototype.part = 1e9;',
    says: FORGED,
  },
  {
    name: "an iterator that never ends",
    at: "call",
    body: "Array.prototype[Symbol.iterator] = function* () { for (;;) yield 1; };",
    says: /exceeded|died|TypeError/,
  },
  {
    name: "promises that never settle",
    at: "call",
    body: "Promise.prototype.then = () => {}; Promise.resolve = () => ({});",
    says: "answers",
  },
  {
    name: "Float64Array that everything is an instance of",
    at: "call",
    body:
      "Object.defineProperty(Float64Array, Symbol.hasInstance, { value: () => true }); return { buffer: new ArrayBuffer(8), byteOffset: -1, byteLength: 1e15 };",
    says: /./,
  },
  {
    name: "an answer with a length of its own",
    at: "call",
    body:
      "class Long extends Float64Array { get length() { return 1e15; } get byteLength() { return 1e15; } get buffer() { throw new Error('none'); } } return new Long(count);",
    says: /./,
  },
  {
    name: "an answer behind a proxy",
    at: "call",
    body:
      "return new Proxy(ones(), { get(t, k) { if (k === 'constructor') throw 1; return Reflect.get(t, k); } });",
    says: /./,
  },
  {
    name: "an answer in shared memory",
    at: "call",
    body: "return new Float64Array(cell.buffer, 0, count).fill(1);",
    says: "answers",
  },
  {
    name: "an answer that shrinks",
    at: "call",
    body:
      "const b = new ArrayBuffer(8 * count, { maxByteLength: 800 }); const a = new Float64Array(b); b.resize(0); return a;",
    says: /cannot be used|TypeError/,
  },
  {
    name: "an answer that was given away",
    at: "call",
    body: "const a = ones(); structuredClone(a, { transfer: [a.buffer] }); return a;",
    says: /cannot be used|TypeError/,
  },
  { name: "an answer of NaN", at: "call", body: "return ones().fill(NaN);", says: "answers" },
  {
    name: "an answer of the wrong length",
    at: "call",
    body: "return new Float64Array(1000003);",
    says: /cannot be used|bytes/,
  },
  {
    name: "an answer that is a promise of one",
    at: "call",
    body: "return Promise.resolve(ones());",
    says: /Float64Array/,
  },
  { name: "32 MB in an answer", at: "call", body: "return new Float64Array(4 << 20);", says: /33554/ },
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
    says: /much later/,
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

export const ABUSES: readonly Abuse[] = [...TIME, ...MEMORY, ...PROTOCOL, ...WORDS, ...MANIFEST];

/** JSON that says what `body` says, whatever is to be sent; the frame around it is whole. */
function forge(body: string): string {
  return `JSON.stringify = () => ${JSON.stringify(`{"parts":[],"body":${body}}`)};`;
}

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
