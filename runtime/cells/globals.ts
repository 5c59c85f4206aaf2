/** What a plugin finds in its global scope: the language, WebAssembly, and a few pure helpers. All else is taken away. */

const LANGUAGE = [
  "AggregateError",
  "Array",
  "ArrayBuffer",
  "AsyncDisposableStack",
  "Atomics",
  "BigInt",
  "BigInt64Array",
  "BigUint64Array",
  "Boolean",
  "DataView",
  "Date",
  "DisposableStack",
  "Error",
  "EvalError",
  "FinalizationRegistry",
  "Float16Array",
  "Float32Array",
  "Float64Array",
  "Function",
  "Infinity",
  "Int16Array",
  "Int32Array",
  "Int8Array",
  "Intl",
  "Iterator",
  "JSON",
  "Map",
  "Math",
  "NaN",
  "Number",
  "Object",
  "Promise",
  "Proxy",
  "RangeError",
  "ReferenceError",
  "Reflect",
  "RegExp",
  "Set",
  "String",
  "SuppressedError",
  "Symbol",
  "SyntaxError",
  "Temporal",
  "TypeError",
  "URIError",
  "Uint16Array",
  "Uint32Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "WeakMap",
  "WeakRef",
  "WeakSet",
  "WebAssembly",
  "decodeURI",
  "decodeURIComponent",
  "encodeURI",
  "encodeURIComponent",
  "escape",
  "eval",
  "globalThis",
  "isFinite",
  "isNaN",
  "parseFloat",
  "parseInt",
  "undefined",
  "unescape",
];

const HELPERS = [
  "TextDecoder",
  "TextEncoder",
  "atob",
  "btoa",
  "console",
  "dispatchEvent",
  "queueMicrotask",
  "structuredClone",
];

/** What the glue code of ONNX Runtime needs besides, measured; it asks of a file beside a model whether it is a Blob. */
export const ONNX_GLOBALS: readonly string[] = ["Blob", "performance", "self"];

/** Names that stay. */
export const KEPT_GLOBALS: readonly string[] = [...LANGUAGE, ...HELPERS];

/**
 * Deletes every other global of this thread, also those that it inherits, and silences the console.
 * @throws {TypeError} If one cannot be deleted: then no plugin may be loaded.
 */
export function stripGlobals(kept: readonly string[]): void {
  const names = new Set(kept);
  silence();
  // Deno calls this one by its name for a rejection that nobody handles, and ends the worker when it says true.
  define("dispatchEvent", () => true);
  for (let scope: object = globalThis; scope !== Object.prototype; scope = Object.getPrototypeOf(scope)) {
    for (const key of Reflect.ownKeys(scope)) {
      if (typeof key === "symbol" || names.has(key) || key === "constructor") continue;
      if (!Reflect.deleteProperty(scope, key)) throw new TypeError(`Cannot remove the global "${key}"`);
    }
  }
}

/** A plugin that prints is no fault, but stdout belongs to the frames. */
function silence(): void {
  const methods = Object.keys(console).filter((key) => typeof Reflect.get(console, key) === "function");
  define("console", Object.freeze(Object.fromEntries(methods.map((method) => [method, () => {}]))));
}

function define(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: false, configurable: false, enumerable: false });
}
