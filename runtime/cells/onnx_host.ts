/** In the kernel: the models that only ONNX Runtime can run, in a cell of their own that starts with the first of them. */
import type { Clock } from "../clock.ts";
import { checkValues } from "./answers.ts";
import { checkBatch } from "./batch.ts";
import { callFailed, type CallLabel } from "./call_errors.ts";
import { BUILTIN_LIMITS, type Limits } from "./limits.ts";
import type { CallMessage, ExternalBytes, Method } from "./protocol.ts";
import { type CellLog, SupervisedCell } from "./supervised_cell.ts";
import { WorkerPool } from "./worker_pool.ts";

/**
 * ONNX Runtime and its memory, which it never gives back; the WASM and the models travel in one frame each. What one
 * model does wrong shuts out no other.
 */
const ONNX_LIMITS: Partial<Limits> = {
  ...BUILTIN_LIMITS,
  ...{ rssMb: 1024, requestBytes: 64 << 20, lowerMs: 10_000 },
};
/** Resident memory from which the cell is replaced after a model was dropped. */
const RECYCLE_BYTES = 512 << 20;

/** A model as ONNX Runtime needs it. */
export interface OnnxModelFiles {
  /** SHA-256 of the bytes, then of each external file, in lower-case hexadecimal with "+" between. */
  readonly key: string;
  readonly bytes: Uint8Array;
  /** In the order of the key. */
  readonly external: readonly ExternalBytes[];
}

interface LoadedModel extends OnnxModelFiles {
  users: number;
}

export interface OnnxHostOptions {
  readonly clock: Clock;
  readonly log: CellLog;
  readonly limits: Limits;
  /** DENO_DIR of the cell. */
  readonly denoDir?: string;
  readonly runtime: () => Promise<{ readonly script: Uint8Array | string; readonly wasm: Uint8Array }>;
}

export class OnnxHost {
  readonly #options: OnnxHostOptions;
  readonly #limits: Limits;
  readonly #pool: WorkerPool;
  readonly #models = new Map<string, LoadedModel>();
  readonly cell: SupervisedCell;
  #started: Promise<void> | undefined;

  constructor(options: OnnxHostOptions) {
    this.#options = options;
    this.#limits = { ...options.limits, ...ONNX_LIMITS };
    const { clock, log, denoDir } = options;
    this.#pool = new WorkerPool({ clock, queue: this.#limits.queue });
    this.cell = new SupervisedCell({ id: "onnx", clock, log, denoDir, limits: this.#limits });
    this.cell.prepare = (life) => this.#loadAll(life);
  }

  /** As {@linkcode PluginHandle.awake}. */
  async awake(digest: string, ms: number): Promise<void> {
    if (!this.started) return;
    const deadline = this.#options.clock.monotonic() + ms;
    const label = this.#label("onnxEvaluate", digest);
    await this.cell.awake({ label, deadline, deadlineMs: ms }).catch(() => {});
  }

  /** Whether anything was ever asked of it. */
  get started(): boolean {
    return this.#started !== undefined;
  }

  /**
   * Makes a session for a model; again is free, and each needs an {@linkcode unload}. @param key See
   * {@linkcode OnnxModelFiles}: without external files the digest of the bytes.
   * @throws {SetpointError} ARTIFACT_CORRUPT if the bytes have another digest; PLUGIN_* if ONNX Runtime refuses it.
   */
  async load(key: string, bytes: Uint8Array, external: readonly ExternalBytes[] = []): Promise<void> {
    const label = this.#label("onnxLoad", key);
    const found = await Promise.all([bytes, ...external.map((file) => file.bytes)].map(sha256));
    if (found.join("+") !== key) {
      throw callFailed("ARTIFACT_CORRUPT", label, `its SHA-256 is ${found.join("+")}, expected ${key}`);
    }
    if (!this.#models.has(key)) {
      await (this.#started ??= this.#start());
      const { lowerMs } = this.#limits;
      await this.#call(label, lowerMs, () => ({ method: "onnxLoad", digest: key, bytes, external }));
    }
    const model = this.#models.get(key);
    if (model === undefined) this.#models.set(key, { key, bytes, external, users: 1 });
    else model.users++;
  }

  /**
   * @param batch count × inputs, row-major. @param deadlineMs Default `wallMs`, the time in the queue included.
   * @returns count × outputs. @throws {SetpointError} PLUGIN_*
   */
  async evaluate(
    digest: string,
    batch: Float64Array,
    count: number,
    inputs: number,
    outputs: number,
    deadlineMs: number = this.#limits.wallMs,
  ): Promise<Float64Array> {
    const label = this.#label("onnxEvaluate", digest);
    if (!this.#models.has(digest)) throw callFailed("PLUGIN_FAILED", label, "the model is not loaded");
    checkBatch(label, batch, count, { inputs, outputs }, this.#limits);
    const value = await this.#call(
      label,
      deadlineMs,
      () => ({ method: "onnxEvaluate", digest, batch, count, inputs, outputs }),
    );
    try {
      return checkValues(value, count, count * outputs);
    } catch (error) {
      throw callFailed("PLUGIN_FAILED", label, `its answer cannot be used: ${(error as Error).message}`);
    }
  }

  /** The last user's drops the session; without any model the cell rests until the next one. */
  async unload(digest: string): Promise<void> {
    const model = this.#models.get(digest);
    if (model === undefined || --model.users > 0) return;
    this.#models.delete(digest);
    if (this.#models.size === 0 && !this.#pool.busy) return this.cell.rest();
    await this.#call(
      this.#label("onnxUnload", digest),
      this.#limits.lowerMs,
      () => ({ method: "onnxUnload", digest }),
    );
    if ((this.cell.rss ?? 0) > RECYCLE_BYTES && !this.#pool.busy) {
      this.cell.recycle("replaced for its memory");
    }
  }

  async close(): Promise<void> {
    await this.cell.close();
  }

  async #start(): Promise<void> {
    const { script, wasm } = await this.#options.runtime();
    const text = typeof script === "string" ? script : new TextDecoder().decode(script);
    const label: CallLabel = { plugin: "onnxruntime-web", method: "spawn", file: "onnxruntime-web" };
    try {
      const { worker } = await this.cell.addWorker({ mode: "onnx", script: text, wasm }, label);
      this.#pool.add(worker);
    } catch (error) {
      this.#started = undefined;
      throw error;
    }
  }

  async #loadAll(life: number): Promise<void> {
    const { clock } = this.#options;
    const deadlineMs = this.#limits.lowerMs;
    for (const { key: digest, bytes, external } of this.#models.values()) {
      for (const worker of this.#pool.workers) {
        const label = this.#label("onnxLoad", digest);
        const message = () => ({ method: "onnxLoad", digest, bytes, external }) as const;
        await this.cell.callIn(life, {
          worker,
          label,
          message,
          deadlineMs,
          deadline: clock.monotonic() + deadlineMs,
        });
      }
    }
  }

  async #call(label: CallLabel, deadlineMs: number, message: () => CallMessage): Promise<unknown> {
    const deadline = this.#options.clock.monotonic() + deadlineMs;
    const errors = {
      full: () => callFailed("BUSY", label, `${this.#limits.queue} calls wait already`),
      late: () =>
        callFailed("PLUGIN_TIMEOUT", label, `exceeded ${Math.round(deadlineMs)} ms waiting for its turn`),
    };
    return await this.#pool.run(deadline, errors, (worker) => {
      return this.cell.call({ worker, label, deadline, deadlineMs, message });
    });
  }

  #label(method: Method, digest: string): CallLabel {
    return { plugin: `onnxruntime-web, model ${digest.slice(0, 12)}`, method, file: "onnxruntime-web" };
  }
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
