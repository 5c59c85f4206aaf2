/**
 * Entry of every worker of a cell. It loads what is trusted, takes the world away, and only then imports what was sent to
 * it. From that moment the thread counts as hostile: whoever hears from it, believes nothing.
 */
import { definePlugin, type Plugin } from "../../plugins/sdk_core.ts";
import { connectLog, flushLog } from "../graph/plugin_log.ts";
import { wasmMachine } from "../engine/wasm_machine.ts";
import { describeFailure } from "./failure.ts";
import { decodeFrame, encodeFrame } from "./frames.ts";
import { KEPT_GLOBALS, ONNX_GLOBALS, stripGlobals } from "./globals.ts";
import { OnnxCalls, type OnnxModule } from "./onnx_calls.ts";
import { OptimizerCalls } from "./optimizer_calls.ts";
import {
  type Answer,
  type CallError,
  type CallMessage,
  CONTROL,
  PING,
  type SpawnMessage,
  type ToCell,
} from "./protocol.ts";
import { foreignImport, ONE_FILE, withoutSourceMap } from "./plugin_text.ts";
import { explainName } from "./sdk_names.ts";
import { SkillCalls } from "./skill_calls.ts";
import { EvaluationError, SyncCall } from "./sync_call.ts";

interface WorkerScope {
  postMessage(message: unknown, transfer?: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

/** What the cell sends first; afterwards only whole frames come. */
interface Setup {
  readonly control: SharedArrayBuffer;
  readonly frameBytes: number;
  readonly jsonBytes: number;
  readonly requestBytes: number;
  /** engine.wasm. */
  readonly engine: WebAssembly.Module;
}

type Serve = (message: CallMessage, call: number) => unknown;

/** What was imported, for the positions in its errors. */
interface Loaded {
  readonly blob: string;
  readonly file: string;
  readonly serve: Serve;
}

const scope = globalThis as unknown as WorkerScope;
const post = scope.postMessage.bind(scope);
const makeUrl = URL.createObjectURL.bind(URL);
const dropUrl = URL.revokeObjectURL.bind(URL);
const BlobType = Blob;
const clock = performance;
const now = clock.now.bind(clock);
const { memoryUsage } = Deno;
const { apply } = Reflect;
const sizeOf = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), "byteLength")!
  .get!;
connectLog({ post, now });

let setup: Setup | undefined;
let loaded: Loaded | undefined;
let spawned = false;
let blob = "";
let file = "";

scope.addEventListener("message", (event: MessageEvent) => {
  if (event.data === PING) {
    post(memoryUsage().heapUsed);
    flushLog();
  } else if (setup === undefined) setup = event.data as Setup;
  else answer(setup, event.data as Uint8Array<ArrayBuffer>);
});

async function answer(settings: Setup, frame: Uint8Array<ArrayBuffer>): Promise<void> {
  const limits = { frameBytes: settings.requestBytes, jsonBytes: settings.requestBytes };
  const { worker, call, message } = decodeFrame(frame, limits) as Extract<ToCell, { t: "call" }>;
  let reply: Answer;
  try {
    const pending = message.method === "spawn"
      ? spawn(settings, message.spawn)
      : loaded!.serve(message, call);
    const value = message.method === "spawn" || message.method.startsWith("onnx") ? await pending : pending;
    reply = { t: "answer", worker, call, ok: true, value };
    send(reply, settings);
  } catch (error) {
    reply = { t: "answer", worker, call, ok: false, error: explain(error, message) };
    send(reply, settings);
  }
}

function send(reply: Answer, settings: Setup): void {
  const frame = encodeFrame(reply, settings);
  // a plugin may have changed what it is made with: a giant object would keep the cell from watching the memory
  apply(sizeOf, frame, []);
  post(frame, [frame.buffer]);
}

function explain(error: unknown, { method }: CallMessage): CallError {
  const kind = method === "spawn" ? "invalid" : isEvaluationError(error) ? "evaluation" : "failed";
  return describeFailure(error, kind, blob, file);
}

/** What was thrown may be a trap. */
function isEvaluationError(error: unknown): boolean {
  try {
    return error instanceof EvaluationError;
  } catch {
    return false;
  }
}

async function spawn(settings: Setup, message: SpawnMessage): Promise<unknown> {
  // a plugin finds the listener above, and could send itself a text that nobody looked at
  if (spawned) throw new TypeError("Cannot load a second text");
  spawned = true;
  const onnx = message.mode === "onnx";
  stripGlobals(onnx ? [...KEPT_GLOBALS, ...ONNX_GLOBALS] : KEPT_GLOBALS);
  const type = onnx ? "text/javascript" : "application/typescript";
  blob = makeUrl(new BlobType([onnx ? message.script : withoutSourceMap(message.text)], { type }));
  file = onnx ? "onnxruntime-web" : message.file;
  if (!onnx) refuseImports(message.text);
  const imported = await import(blob).catch((error) => {
    throw explainName(error);
  });
  dropUrl(blob);
  if (onnx) {
    const calls = new OnnxCalls(imported as OnnxModule, message.wasm);
    loaded = { blob, file, serve: (call) => calls.call(call as Parameters<OnnxCalls["call"]>[0]) };
    return null;
  }
  if (imported.default === null || typeof imported.default !== "object") {
    throw new TypeError(
      "Cannot use the file: its default export is no plugin, expected what definePlugin returns",
    );
  }
  const plugin: Plugin = definePlugin(imported.default as Plugin);
  loaded = { blob, file, serve: serverOf(plugin, settings) };
  const { name, version, kind, description, sdk, config, limits, examples, tests } = plugin;
  return { name, version, kind, description, sdk, config, limits, examples, tests };
}

function refuseImports(text: string): void {
  const found = foreignImport(text);
  if (found === undefined) return;
  throw new TypeError(`Cannot use ${found.what}: ${ONE_FILE}\n    at ${blob}:${found.line}:${found.column}`);
}

function serverOf(plugin: Plugin, { control, engine }: Setup): Serve {
  if (plugin.kind !== "optimizer") {
    const calls = new SkillCalls(plugin);
    return (message) => calls.call(message as Parameters<SkillCalls["call"]>[0]);
  }
  const flags = new Int32Array(control, 0, CONTROL.length);
  const calls = new OptimizerCalls(plugin, new SyncCall({ control: flags, post }), now, wasmMachine(engine));
  return (message, call) => calls.call(message as Parameters<OptimizerCalls["call"]>[0], call);
}
