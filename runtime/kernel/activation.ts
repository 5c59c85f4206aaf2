import type { OpaqueRoute, OptimizationResult, PluginHandle, PluginHost } from "../cells/host.ts";
import { SetpointError, setpointError } from "../errors.ts";
import type { Intervals } from "../graph/interval.ts";
import { didYouMean } from "../graph/nearest_names.ts";
import type { LinkedStrategy } from "../strategy/linked.ts";
import type { Strategy, Variable } from "../strategy/strategy.ts";
import { Evaluator } from "./evaluate.ts";
import { checkGolden } from "./golden_check.ts";
import { onnxModelOf } from "./onnx_model.ts";
import type { GatedVariable } from "./gate.ts";
import type { CycleStrategy } from "../journal/cycle.ts";
import type { ModelTrust } from "./control.ts";
import { type RefereeCase, unjudged } from "./referee.ts";
import type { Warning } from "./types.ts";

/** Unknown names that are told, and those of them that are compared with what is missing. */
const MOST_UNKNOWN = 100;
const MOST_HINTS = 20;

export interface ActivationParts {
  /** What `linked` was made from. */
  readonly strategy: Strategy;
  readonly linked: LinkedStrategy;
  readonly host: PluginHost;
  /** The plugin of each class that has foreign code, and the optimizer's. */
  readonly handles: ReadonlyMap<string, PluginHandle>;
  readonly optimizer: PluginHandle;
  /** Solves the allocation, whatever the strategy's own optimizer is. */
  readonly allocator: PluginHandle;
  /** Unique among the activations of a process. */
  readonly number: number;
  /** Digest of each file that the strategy is made of, by path. */
  readonly artifacts: Readonly<Record<string, string>>;
  /** Files of them that lie beside the strategy file, absolute. */
  readonly local: readonly string[];
  /** What the referee compares. Default: nothing. */
  readonly samples?: readonly RefereeCase[];
  readonly options: { readonly max_iterations?: number; readonly tolerance?: number };
  /** Gives up the plugins of its own. */
  readonly release: () => Promise<void>;
}

export interface OptimizeCall {
  /** Parameters of the tapes. */
  readonly parameters: Float64Array;
  readonly x0: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

export type Optimized = OptimizationResult & { readonly ms: number };

/** A linked strategy that can run: compiled, its plugins started, its problems loaded by the optimizer. */
export class Activation {
  readonly strategy: Strategy;
  readonly linked: LinkedStrategy;
  readonly identity: CycleStrategy;
  readonly artifacts: Readonly<Record<string, string>>;
  readonly local: readonly string[];
  /** In the order of the parameters. */
  readonly measuredVariables: readonly GatedVariable[];
  readonly samples: readonly RefereeCase[];
  /** Kept up to date by the referee. */
  trust: ModelTrust;
  readonly #parts: ActivationParts;
  readonly #exact: Evaluator;
  readonly #pre: Evaluator;
  readonly #reach: Evaluator | undefined;
  /** Problems are kept under a key of this activation alone: another one of the same strategy may come and go. */
  readonly #key: string;
  readonly #byName: ReadonlyMap<string, Variable>;
  readonly #measuredAt: ReadonlyMap<string, number>;
  readonly #names: readonly { readonly name: string; readonly output: number }[];
  /** Loaded by ONNX Runtime. */
  readonly #models: string[] = [];
  #holders = 0;
  #retired: (() => void) | undefined;

  constructor(parts: ActivationParts) {
    const { linked } = parts;
    const call = (skill: number, inputs: Float64Array, count: number) => this.#evaluate(skill, inputs, count);
    this.#parts = parts;
    this.strategy = parts.strategy;
    this.linked = linked;
    this.artifacts = parts.artifacts;
    this.local = parts.local;
    this.samples = parts.samples ?? [];
    this.trust = { doubts: [], open: this.samples.map(unjudged) };
    this.identity = { name: linked.name, version: linked.version, digest: linked.digest };
    this.#exact = new Evaluator(linked.exact, call);
    this.#pre = new Evaluator(linked.pre.tape, call);
    this.#reach = linked.allocation && new Evaluator(linked.allocation.reach, call);
    this.#key = `${linked.digest}:${parts.number}`;
    this.#byName = new Map(linked.variables.map((variable) => [variable.name, variable]));
    this.#measuredAt = new Map(linked.measured.map((name, k) => [name, k]));
    this.#names = Object.entries(linked.outputs.variables).map(([name, output]) => ({ name, output }));
    this.measuredVariables = linked.measured.map((name) => this.variable(name));
  }

  /** Whether any setpoint has a deadband or is rounded. */
  get rounds(): boolean {
    return this.linked.variables.some(({ deadband, round }) => deadband !== undefined || round !== undefined);
  }

  get version(): string {
    return this.linked.version;
  }

  variable(name: string): Variable {
    return this.#byName.get(name)!;
  }

  /** Index into the measured values; undefined for what is not measured. */
  measuredAt(name: string): number | undefined {
    return this.#measuredAt.get(name);
  }

  /** Loads the problems into the optimizer; once, before the first run. */
  async prepare(): Promise<void> {
    const { linked, optimizer, allocator, handles } = this.#parts;
    const opaques = linked.opaques.map((
      { engine, spec, local, file, inputs, outputs, steps, jacobian },
    ): OpaqueRoute => ({
      ...(steps && { steps }),
      ...(engine === "onnx"
        ? { engine, digest: onnxModelOf(spec, file!).key, inputs, outputs }
        : { engine, handle: handles.get(spec.class)!, skill: spec, opaque: local, jacobian }),
    }));
    await this.#loadModels();
    const { name: strategy, optimizerConfig: config } = linked;
    await optimizer.load(this.#key, { ...linked.problem, opaques, config, strategy });
    if (linked.allocation) {
      await allocator.load(this.#allocationKey, { ...linked.allocation.problem, opaques, strategy });
    }
  }

  async #loadModels(): Promise<void> {
    const { onnx } = this.#parts.host;
    try {
      for (const opaque of this.linked.opaques) {
        const { engine, spec, file, inputs, outputs } = opaque;
        if (engine !== "onnx") continue;
        const { key, bytes, external } = onnxModelOf(spec, file!);
        await onnx.load(key, bytes, external);
        this.#models.push(key);
        await checkGolden(opaque, (batch, count) => onnx.evaluate(key, batch, count, inputs, outputs));
      }
    } catch (error) {
      await this.#unloadModels();
      throw error;
    }
  }

  async #unloadModels(): Promise<void> {
    await Promise.all(this.#models.map((key) => this.#parts.host.onnx.unload(key)));
  }

  /** Waits `ms` at most for plugins with foreign code that are just starting again: that is not their own time. */
  async awake(ms: number): Promise<void> {
    const { handles, host } = this.#parts;
    const classes = new Set(
      this.linked.opaques.filter(({ engine }) => engine === "self").map(({ spec }) => spec.class),
    );
    await Promise.all([
      ...[...classes].map((cls) => handles.get(cls)?.awake(ms)),
      ...this.#models.slice(0, 1).map((key) => host.onnx.awake(key, ms)),
    ]);
  }

  /** Present values of what the search moves. @param measured In the order of the measured variables. */
  async startPoint(measured: Float64Array): Promise<Float64Array> {
    const pre = await this.#pre.outputsAt(measured, new Float64Array(0));
    return Float64Array.from(
      this.linked.search,
      ({ from, index }) => (from === "measured" ? measured : pre)[index],
    );
  }

  /** All outputs of the exact tape. */
  outputs(measured: Float64Array, x: Float64Array): Promise<Float64Array> {
    return this.#exact.outputsAt(measured, x);
  }

  /** Bounds of the hard rows' values wherever the search may go. */
  rowRanges(measured: Float64Array, lower: Float64Array, upper: Float64Array): Intervals {
    return this.#exact.ranges(measured, lower, upper, 1, this.linked.rows.length);
  }

  /** Values of the groups of the allocation at given setpoints. */
  reached(measured: Float64Array, setpoints: Float64Array): Promise<Float64Array> {
    return this.#reach!.outputsAt(measured, setpoints);
  }

  /** The first value of the strategy that is not finite, in words; undefined where all are. */
  firstNotFinite(outputs: Float64Array): string | undefined {
    const named = this.#names.find(({ output }) => !Number.isFinite(outputs[output]));
    if (named !== undefined) return `"${named.name}" is ${outputs[named.output]}`;
    const at = outputs.findIndex((value) => !Number.isFinite(value));
    return at < 0
      ? undefined
      : `a value of "${this.linked.outputs.costVariable}" on the way is ${outputs[at]}`;
  }

  async optimize(
    { parameters, x0, lower: lo, upper: hi, deadlineMs, signal }: OptimizeCall,
  ): Promise<Optimized> {
    const { optimizer, options } = this.#parts;
    const run = { parameters, x0, lo, hi, scale: this.linked.scale, deadlineMs, options };
    return await optimizer.optimize(this.#key, run, signal);
  }

  /** The allocation problem: variables are movements in thresholds, so x0 is 0. */
  async solveAllocation(
    { parameters, x0, lower: lo, upper: hi, deadlineMs }: OptimizeCall,
  ): Promise<Optimized> {
    const scale = new Float64Array(x0.length).fill(1);
    return await this.#parts.allocator.optimize(this.#allocationKey, {
      parameters,
      x0,
      lo,
      hi,
      scale,
      deadlineMs,
      options: {},
    });
  }

  /**
   * What a caller's names are: an unknown one is a warning, a value for a variable that is computed is refused.
   * @throws {SetpointError} INPUT_INVALID, with every such variable.
   */
  checkNames(values: Readonly<Record<string, unknown>>): Warning[] {
    const extra = Object.keys(values).filter((name) => !this.#measuredAt.has(name));
    const computed = extra.flatMap((name) => this.#byName.get(name) ?? []);
    if (computed.length > 0) {
      throw new SetpointError(computed.map(({ name, type }) => ({
        code: "INPUT_INVALID",
        message:
          `Cannot set "${name}": it is ${type}, which is computed; expected values for Operative and Informative variables`,
        variable: name,
      })));
    }
    const missing = this.linked.measured.filter((name) => !Object.hasOwn(values, name));
    return extra.slice(0, MOST_UNKNOWN).map((name, k) => ({
      code: "UNKNOWN_VARIABLE",
      message: `"${name.slice(0, 100)}" is no variable of the strategy${
        k < MOST_HINTS ? didYouMean(name, missing) : ""
      }; it was ignored`,
      variable: name.slice(0, 100),
    }));
  }

  /** Keeps the activation alive while in use. */
  hold(): Disposable {
    this.#holders++;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        if (--this.#holders === 0) this.#retired?.();
      },
    };
  }

  /** Waits until nobody uses it, then frees what the plugins keep for it. */
  async retire(): Promise<void> {
    const { optimizer, allocator, linked } = this.#parts;
    if (this.#holders > 0) await new Promise<void>((resolve) => this.#retired = resolve);
    optimizer.unload(this.#key);
    if (linked.allocation) allocator.unload(this.#allocationKey);
    await this.#unloadModels();
    await this.#parts.release();
  }

  get #allocationKey(): string {
    return `${this.#key}:allocation`;
  }

  async #evaluate(skill: number, inputs: Float64Array, count: number): Promise<Float64Array> {
    const { engine, spec, local, file, inputs: width, outputs } = this.linked.opaques[skill];
    if (engine === "onnx") {
      const { key } = onnxModelOf(spec, file!);
      return await this.#parts.host.onnx.evaluate(key, inputs, count, width, outputs);
    }
    const handle = this.#parts.handles.get(spec.class);
    if (handle === undefined) {
      throw setpointError("UNKNOWN_CLASS", `Cannot evaluate "${spec.name}": its plugin is not open`);
    }
    return await handle.evaluate(spec, local, inputs, count);
  }
}
