/** In a cell: one worker, the call that it works on, and the memory that it shares with the cell. */
import { checkLine, type LogLine } from "../graph/plugin_log.ts";
import { decodeFrame } from "./frames.ts";
import type { CellLimits } from "./limits.ts";
import {
  type Answer,
  CONTROL,
  type FromCell,
  type FromWorker,
  PING,
  STATE,
  type WorkerAsk,
} from "./protocol.ts";
import type { SdkExtent } from "./sdk_extent.ts";

/** Heartbeats that a worker at rest may let pass without an answer. */
const MOST_UNANSWERED = 3;
/** Of an error's message, characters. */
const LONGEST = 1_000;

export interface CellPipe {
  write(frame: Uint8Array): void;
  tell(message: FromCell): void;
  end(reason: string): never;
}

/** Files whose workers have so much of the SDK. */
const ENTRIES = { core: "./worker.ts", whole: "./whole_worker.ts" } as const;

/** What all workers of a cell have in common. */
export interface WorkerWorld {
  readonly sdk: SdkExtent;
  /** engine.wasm, for the tapes of optimizers. */
  readonly engine: WebAssembly.Module;
}

export class CellWorker {
  readonly #id: number;
  readonly #limits: CellLimits;
  readonly #pipe: CellPipe;
  readonly #worker: Worker;
  readonly #control: Int32Array;
  /** The call that is worked on; 0: none. */
  #call = 0;
  #worked = false;
  #ask: WorkerAsk | undefined;
  /** Pings that were not answered yet, and heartbeats at rest since the last one. */
  #pings = 0;
  #unanswered = 0;
  #heap = 0;

  constructor(id: number, limits: CellLimits, pipe: CellPipe, { sdk, engine }: WorkerWorld) {
    this.#id = id;
    this.#limits = limits;
    this.#pipe = pipe;
    const control = new SharedArrayBuffer(CONTROL.length * 4);
    this.#control = new Int32Array(control);
    this.#worker = new Worker(import.meta.resolve(ENTRIES[sdk]), {
      type: "module",
      name: `cell worker ${id}`,
      deno: { permissions: "none" },
    });
    this.#worker.onmessage = ({ data }: MessageEvent) => this.#receive(data as FromWorker);
    this.#worker.onmessageerror = () => this.#refuse("a message that cannot be read");
    this.#worker.onerror = (event) => {
      event.preventDefault();
      pipe.end(uncaught(event));
    };
    const { frameBytes, jsonBytes, requestBytes } = limits;
    this.#worker.postMessage({ control, engine, frameBytes, jsonBytes, requestBytes });
  }

  /** As it said itself when it last rested, bytes. */
  get heap(): number {
    return Number.isSafeInteger(this.#heap) ? Math.max(0, this.#heap) : 0;
  }

  /**
   * Pings the worker while it has nothing to do. One that does not answer has closed itself or spins on after its answer;
   * neither gives any event.
   */
  beat(): void {
    if (this.#call !== 0) return;
    if (this.#pings === 0) {
      this.#pings++;
      this.#worker.postMessage(PING);
    }
    if (++this.#unanswered > MOST_UNANSWERED) {
      this.#pipe.end("the plugin does not rest after its answer, or is gone");
    }
  }

  /** Hands a whole frame on. */
  call(call: number, frame: Uint8Array<ArrayBuffer>): void {
    if (this.#call !== 0) this.#pipe.end(`worker ${this.#id} got a call during another`);
    this.#call = call;
    this.#worked = true;
    this.#unanswered = 0;
    this.#worker.postMessage(frame, [frame.buffer]);
  }

  cancel(call: number): void {
    Atomics.store(this.#control, CONTROL.cancelled, call);
    Atomics.notify(this.#control, CONTROL.state);
  }

  /** @param values The answer to a batch; null where it failed. An answer that nobody waits for any more is dropped. */
  supply(ask: number, values: Float64Array | null, error: string): void {
    const waiting = this.#ask;
    if (waiting?.ask !== ask) return;
    this.#ask = undefined;
    let state: number = STATE.done;
    if (values !== null && values.length === waiting.outputs) new Float64Array(waiting.data).set(values);
    else {
      const text = values === null ? error : `it gave ${values.length} numbers, expected ${waiting.outputs}`;
      const bytes = new TextEncoder().encode(text).subarray(0, waiting.data.byteLength);
      new Uint8Array(waiting.data).set(bytes);
      Atomics.store(this.#control, CONTROL.errorBytes, bytes.byteLength);
      state = STATE.failed;
    }
    Atomics.store(this.#control, CONTROL.state, state);
    Atomics.notify(this.#control, CONTROL.state);
  }

  /** Whether it had nothing to do since this was asked last. */
  rested(): boolean {
    const rested = this.#call === 0 && !this.#worked;
    this.#worked = false;
    return rested;
  }

  #receive(data: FromWorker): void {
    if (typeof data === "number") {
      this.#heap = data;
      if (--this.#pings < 0) this.#refuse("a message that nobody asked for");
      this.#unanswered = 0;
      return;
    }
    if (isLine(data)) return this.#say(data);
    if (this.#call === 0) this.#refuse("a message that nobody asked for");
    if (data instanceof Uint8Array) this.#answer(data as Uint8Array);
    else this.#forward(data);
  }

  #answer(frame: Uint8Array): void {
    // what a thread still shares it could change after it was checked
    if (!isOwn(frame)) this.#refuse("a frame in shared memory");
    if (frame.byteLength > this.#limits.frameBytes) this.#refuse(`a frame of ${frame.byteLength} bytes`);
    const answer = this.#read(frame);
    if (answer?.t !== "answer" || answer.worker !== this.#id || answer.call !== this.#call) {
      this.#refuse("an answer to nothing that was asked");
    }
    this.#call = 0;
    this.#ask = undefined;
    this.#pipe.write(frame);
  }

  #read(frame: Uint8Array<ArrayBuffer>): Partial<Answer> | null {
    try {
      return decodeFrame(frame, this.#limits) as Partial<Answer> | null;
    } catch (error) {
      this.#refuse(`a broken frame: ${(error as Error).message}`);
    }
  }

  #say(line: LogLine): void {
    try {
      this.#pipe.tell({ t: "log", worker: this.#id, ...checkLine(line) });
    } catch (error) {
      this.#refuse(`a line for the log that is none: ${(error as Error).message}`);
    }
  }

  #forward(ask: WorkerAsk): void {
    const { call, opaque, count, inputs, outputs, data, jacobians } = ask ?? {};
    const sizes = [opaque, count, inputs, outputs, ask?.ask].every((size) =>
      Number.isInteger(size) && size >= 0
    );
    const most = this.#limits.frameBytes / 8;
    if (
      !sizes || !(data instanceof SharedArrayBuffer) || data.byteLength < Math.max(inputs, outputs) * 8 ||
      outputs > most
    ) {
      this.#refuse("a batch that cannot be read");
    }
    if (call !== this.#call) this.#refuse("a batch outside its call");
    this.#ask = ask;
    const batch = new Float64Array(data, 0, inputs).slice();
    this.#pipe.tell({
      ...{ t: "ask", worker: this.#id, call, ask: ask.ask },
      ...{ opaque, count, jacobians: jacobians === true, batch },
    });
  }

  #refuse(what: string): never {
    this.#pipe.end(`the plugin sent ${what}`);
  }
}

/** In the text of the plugin, which has no other name here, lines are the author's. */
function uncaught({ message, filename, lineno }: ErrorEvent): string {
  // what was thrown may be no error, and then has no place
  const line = filename?.startsWith("blob:") && lineno > 0 ? `, line ${lineno}` : "";
  return `uncaught in the plugin${line}: ${
    message.slice(0, LONGEST).replace(/^Uncaught (?:\(in promise\) )?/, "")
  }`;
}

function isOwn(frame: Uint8Array): frame is Uint8Array<ArrayBuffer> {
  return frame.buffer instanceof ArrayBuffer;
}

function isLine(data: FromWorker): data is LogLine {
  return typeof data === "object" && data !== null && Object.hasOwn(data, "level");
}
