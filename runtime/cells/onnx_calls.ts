/** In a worker: ONNX Runtime Web, brought as text and bytes, with one session a model. */
import type { CallMessage } from "./protocol.ts";

/** The part of onnxruntime-web that is used. */
interface OnnxTensor {
  readonly type: string;
  readonly data: unknown;
  dispose(): void;
}

interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly inputMetadata: readonly {
    readonly name: string;
    readonly isTensor: boolean;
    readonly type?: string;
    readonly shape?: readonly (number | string)[];
  }[];
  run(feeds: Record<string, OnnxTensor>): Promise<Record<string, OnnxTensor>>;
  release(): Promise<void>;
}

export interface OnnxModule {
  readonly env: {
    logLevel: string;
    readonly wasm: { wasmBinary?: Uint8Array; numThreads?: number; proxy?: boolean };
  };
  readonly Tensor: new (
    type: string,
    data: Float32Array | Float64Array,
    dims: readonly number[],
  ) => OnnxTensor;
  readonly InferenceSession: { create(bytes: Uint8Array, options: object): Promise<OnnxSession> };
}

type OnnxMessage = Extract<CallMessage, { method: "onnxLoad" | "onnxUnload" | "onnxEvaluate" }>;
type EvaluateMessage = Extract<OnnxMessage, { method: "onnxEvaluate" }>;

interface Model {
  readonly session: OnnxSession;
  /** Width and element type of each input, in the order of the session's names. */
  readonly inputs: readonly { readonly name: string; readonly width: number; readonly type: string }[];
  /** Rows of one run: the whole batch, or what the model's file fixes. */
  readonly rows: number | undefined;
}

export class OnnxCalls {
  readonly #onnx: OnnxModule;
  readonly #models = new Map<string, Model>();

  constructor(onnx: OnnxModule, wasm: Uint8Array) {
    this.#onnx = onnx;
    onnx.env.wasm.wasmBinary = wasm;
    onnx.env.wasm.numThreads = 1;
    onnx.env.wasm.proxy = false;
    onnx.env.logLevel = "error";
  }

  async call(message: OnnxMessage): Promise<unknown> {
    switch (message.method) {
      case "onnxLoad":
        if (!this.#models.has(message.digest)) {
          this.#models.set(message.digest, await this.#load(message));
        }
        return null;
      case "onnxUnload":
        await this.#models.get(message.digest)?.session.release();
        this.#models.delete(message.digest);
        return null;
      case "onnxEvaluate":
        return await this.#evaluate(message);
    }
  }

  async #load({ bytes, external }: Extract<OnnxMessage, { method: "onnxLoad" }>): Promise<Model> {
    const session = await this.#onnx.InferenceSession.create(bytes, {
      executionProviders: ["wasm"],
      ...(external.length > 0 &&
        { externalData: external.map(({ name, bytes }) => ({ path: name, data: bytes })) }),
    });
    const shapes = session.inputMetadata.map(({ name, isTensor, type, shape }) => {
      if (!isTensor || shape === undefined || type !== "float32" && type !== "float64") {
        throw new TypeError(
          `Cannot run the model: its input "${name}" is ${type ?? "no tensor"}, expected float numbers`,
        );
      }
      const widths = shape.slice(1);
      const width = widths.reduce(
        (product: number, size) => isKnown(size) ? product * size : NaN,
        1,
      );
      return { name, type, width, rows: isKnown(shape[0]) && shape[0] > 0 ? shape[0] : undefined };
    });
    const model = { session, inputs: shapes, rows: shapes.find(({ rows }) => rows !== undefined)?.rows };
    await this.#warmUp(model);
    return model;
  }

  /** The first run compiles, which takes many times as long as the others, and is no fault of a call's. */
  async #warmUp(model: Model): Promise<void> {
    const width = model.inputs.reduce((sum, input) => sum + input.width, 0);
    if (Number.isNaN(width)) return;
    const rows = model.rows ?? 1;
    try {
      const results = await model.session.run(
        this.#feeds(model, new Float64Array(rows * width), rows, width),
      );
      for (const name of model.session.outputNames) results[name].dispose();
    } catch {
      // a model that cannot run says so when it is asked
    }
  }

  async #evaluate({ digest, batch, count, inputs, outputs }: EvaluateMessage): Promise<Float64Array> {
    const model = this.#models.get(digest);
    if (model === undefined) throw new TypeError(`Cannot find the model ${digest}`);
    const answer = new Float64Array(count * outputs);
    const rows = model.rows ?? count;
    if (count % rows !== 0) {
      throw new RangeError(`Cannot run ${count} rows: the model takes ${rows} at a time`);
    }
    for (let start = 0; start < count; start += rows) {
      const part = batch.subarray(start * inputs, (start + rows) * inputs);
      await this.#run(model, part, rows, inputs, answer.subarray(start * outputs, (start + rows) * outputs));
    }
    return answer;
  }

  async #run(
    model: Model,
    batch: Float64Array,
    rows: number,
    inputs: number,
    answer: Float64Array,
  ): Promise<void> {
    const results = await model.session.run(this.#feeds(model, batch, rows, inputs));
    const width = answer.length / rows;
    let column = 0;
    for (const name of model.session.outputNames) {
      const { type, data } = results[name];
      if (type !== "float32" && type !== "float64") continue;
      const values = data as Float32Array | Float64Array;
      const own = values.length / rows;
      for (let row = 0; row < rows; row++) {
        for (let k = 0; k < own && column + k < width; k++) {
          answer[row * width + column + k] = values[row * own + k];
        }
      }
      column += own;
    }
    for (const name of model.session.outputNames) results[name].dispose();
    if (column !== width) throw new RangeError(`Cannot use the model's ${column} outputs: expected ${width}`);
  }

  #feeds(model: Model, batch: Float64Array, rows: number, inputs: number): Record<string, OnnxTensor> {
    const stated = model.inputs.map(({ width }) =>
      Number.isNaN(width) && model.inputs.length === 1 ? inputs : width
    );
    if (stated.reduce((sum, width) => sum + width, 0) !== inputs) {
      throw new RangeError(`Cannot give ${inputs} inputs to a model of ${stated.join(" + ")}`);
    }
    const feeds: Record<string, OnnxTensor> = {};
    let column = 0;
    model.inputs.forEach(({ name, type }, k) => {
      const width = stated[k];
      const data = type === "float64" ? new Float64Array(rows * width) : new Float32Array(rows * width);
      for (let row = 0; row < rows; row++) {
        for (let i = 0; i < width; i++) data[row * width + i] = batch[row * inputs + column + i];
      }
      feeds[name] = new this.#onnx.Tensor(type, data, [rows, width]);
      column += width;
    });
    return feeds;
  }
}

/** A dimension that the file leaves empty arrives as −1 in 32 bits without a sign. */
function isKnown(size: number | string): size is number {
  return typeof size === "number" && size < 2 ** 31;
}
