/** Abuses of the code that answers for a plugin, which runs in the same thread. */
import type { Abuse } from "./assault.ts";

const FORGED = /sent|nothing that was asked|died|cannot be used|Float64Array/;

export const PROTOCOL_ABUSES: readonly Abuse[] = [
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
    says: /uncaught in the plugin/,
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
  {
    name: "an answer that is larger than it was",
    at: "call",
    body:
      "const b = new ArrayBuffer(8, { maxByteLength: 1 << 28 }); const a = new Float64Array(b); b.resize(1 << 28); return a;",
    says: /268435/,
  },
  {
    name: "one part of an answer in 20,000 places",
    at: "call",
    body:
      `JSON.stringify = () => '{"parts":[4194304],"body":[' + Array(20_000).fill('{"$":"buffer","part":0}') + ']}'; return new Float64Array(1 << 19);`,
    says: /another's/,
  },
  {
    name: "TextEncoder that gives other bytes",
    at: "call",
    body: "TextEncoder.prototype.encode = () => new Uint8Array(1 << 20);",
    says: /broken frame|sent a frame/,
  },
  {
    name: "Array.isArray that everything is",
    at: "call",
    body: "Array.isArray = () => true;",
    says: /uncaught in the plugin/,
  },
  {
    name: "a setter in Array.prototype",
    at: "call",
    body:
      'Object.defineProperty(Array.prototype, "0", { set() { throw new Error("set"); }, configurable: true });',
    says: /uncaught in the plugin.*: set/,
  },
  {
    name: "Function.prototype.call that throws",
    at: "rest",
    body:
      'Function.prototype.call = Function.prototype.apply = Function.prototype.bind = () => { throw new Error("called"); }; later(1, () => Promise.reject(new Error("called later")));',
    says: /called/,
  },
  {
    name: "no globals",
    at: "call",
    body: "for (const key of Reflect.ownKeys(globalThis)) { try { delete globalThis[key]; } catch {} }",
    says: /uncaught in the plugin/,
  },
  {
    name: "a trap behind the global scope",
    at: "call",
    body:
      "Object.setPrototypeOf(globalThis, new Proxy({}, { get() { for (;;); }, has() { return true; } }));",
    says: "answers",
  },
  {
    name: "the bootstrap's listener taken away",
    at: "call",
    body:
      "const [symbol] = Object.getOwnPropertySymbols(globalThis).filter((one) => globalThis[one]?.listeners !== undefined); globalThis[symbol].listeners.message.length = 0;",
    says: "answers",
  },
  {
    name: "pings that nobody sent",
    at: "call",
    body:
      "const [symbol] = Object.getOwnPropertySymbols(globalThis).filter((one) => globalThis[one]?.listeners !== undefined); for (;;) globalThis[symbol].listeners.message[0].callback({ data: 0 });",
    says: /nobody asked for/,
  },
  { name: "32 MB in an answer", at: "call", body: "return new Float64Array(4 << 20);", says: /33554/ },
];

/** JSON that says what `body` says, whatever is to be sent; the frame around it is whole. */
function forge(body: string): string {
  return `JSON.stringify = () => ${JSON.stringify(`{"parts":[],"body":${body}}`)};`;
}
