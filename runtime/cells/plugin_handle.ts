/** In the kernel: one open plugin. Every call has a deadline, and every failure names plugin, method and skill. */
import type { Clock } from "../clock.ts";
import type { OptimizationResult } from "../graph/optimization.ts";
import type { Json, LoweredMessage, OpaqueSpec, SkillSpec } from "../graph/skill.ts";
import {
  checkLowered,
  checkResult,
  checkSequence,
  checkValues,
  checkWithJacobians,
  type PluginDescription,
} from "./answers.ts";
import { checkBatch } from "./batch.ts";
import { callFailed, type CallLabel } from "./call_errors.ts";
import type { AnswerAsk, CallOptions } from "./cell_life.ts";
import type { Limits } from "./limits.ts";
import type { OnnxHost } from "./onnx_host.ts";
import type { CallMessage, Method, WireRun } from "./protocol.ts";
import { SkillNumbers } from "./skill_numbers.ts";
import type { SupervisedCell } from "./supervised_cell.ts";
import { WorkerPool } from "./worker_pool.ts";

export type { PluginDescription } from "./answers.ts";

/** Where an opaque node of a problem is evaluated. */
export type OpaqueRoute =
  & { /** Difference step of each input. */ readonly steps?: readonly number[] }
  & (
    | {
      readonly engine: "self";
      readonly handle: PluginHandle;
      readonly skill: SkillSpec;
      /** Index into the lowered skill's opaques. */
      readonly opaque: number;
      /** Whether it tells its Jacobian. Default false. */
      readonly jacobian?: boolean;
    }
    | { readonly engine: "onnx"; readonly digest: string; readonly inputs: number; readonly outputs: number }
  );

/** A linked problem, as an optimizer gets it once. */
export interface ProblemMessage {
  /** A tape's buffer: output 0 is minimised, then one output a hard limit. */
  readonly exact: ArrayBuffer;
  /** `Lifted` of runtime/graph/nonsmooth.ts. */
  readonly lifted: unknown;
  readonly limits: readonly { readonly lower: number; readonly upper: number }[];
  /** By the number that an opaque node has in the tapes. */
  readonly opaques: readonly OpaqueRoute[];
  /** Of the optimizer's skill; default {}. */
  readonly config?: { readonly [key: string]: Json };
  /** Named in messages. */
  readonly strategy?: string;
}

export interface OptimizationRun {
  readonly parameters: Float64Array;
  readonly x0: Float64Array;
  readonly lo: Float64Array;
  readonly hi: Float64Array;
  /** Thresholds. */
  readonly scale: Float64Array;
  readonly deadlineMs: number;
  /** Default 1. */
  readonly seed?: number;
  /** `SearchOptions` of the SDK; default none. */
  readonly options?: WireRun["options"];
}

export interface HandleOptions {
  readonly cell: SupervisedCell;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly description: PluginDescription;
  readonly file: string;
  readonly text: string;
  readonly workers: readonly number[];
  readonly onnx: () => OnnxHost;
}

export class PluginHandle {
  readonly description: PluginDescription;
  readonly #options: HandleOptions;
  readonly #pool: WorkerPool;
  readonly #skills = new SkillNumbers();
  readonly #opaques = new WeakMap<SkillSpec, readonly OpaqueSpec[]>();
  readonly #problems = new Map<string, ProblemMessage>();
  /** "life worker digest" of every problem that a worker has. */
  readonly #loaded = new Set<string>();

  constructor(options: HandleOptions) {
    this.#options = options;
    this.description = Object.freeze({ ...options.description });
    const { clock, limits: { queue } } = options;
    this.#pool = new WorkerPool({ clock, queue });
    for (const worker of options.workers) this.#pool.add(worker);
  }

  /**
   * Describes a skill as expressions. @param deadlineMs Default `lowerMs`.
   * @throws {SkillError} With the skill's problems. @throws {SetpointError} PLUGIN_*
   */
  async lower(skill: SkillSpec, deadlineMs: number = this.#options.limits.lowerMs): Promise<LoweredMessage> {
    this.#expect("lower", ["model", "function", "constraint"]);
    const label = this.#label("lower", skill);
    const value = await this.#callSkill(
      label,
      deadlineMs,
      skill,
      (reference) => ({ method: "lower", skill: reference }),
    );
    const { tests = [] } = this.description;
    const answer = this.#checked(label, () => checkLowered(value, Object.keys(skill.files)));
    const lowered = tests.length > 0 ? answer : withoutJacobians(answer, skill.name);
    this.#opaques.set(skill, lowered.opaques);
    return lowered;
  }

  /** Names of the skills that a composition runs, in order. @throws {SkillError} @throws {SetpointError} PLUGIN_* */
  async sequence(skill: SkillSpec): Promise<string[]> {
    this.#expect("sequence", ["composition"]);
    const label = this.#label("sequence", skill);
    const { lowerMs } = this.#options.limits;
    const value = await this.#callSkill(
      label,
      lowerMs,
      skill,
      (reference) => ({ method: "sequence", skill: reference }),
    );
    return this.#checked(label, () => checkSequence(value));
  }

  /**
   * Evaluates an opaque node of a skill. @param batch count × inputs, row-major. @param deadlineMs Default `wallMs`.
   * @param jacobians Only of a node that tells them. @returns count × outputs; with `jacobians` then count × outputs ×
   * inputs. @throws {SetpointError} PLUGIN_*
   */
  async evaluate(
    skill: SkillSpec,
    opaque: number,
    batch: Float64Array,
    count: number,
    deadlineMs: number = this.#options.limits.wallMs,
    jacobians = false,
  ): Promise<Float64Array> {
    this.#expect("evaluate", ["model", "function", "constraint"]);
    const label = this.#label("evaluate", skill);
    const spec = this.#opaques.get(skill)?.[opaque];
    if (spec !== undefined) checkBatch(label, batch, count, spec, this.#options.limits, jacobians);
    const value = await this.#callSkill(label, deadlineMs, skill, (reference) => {
      return { method: "evaluate", skill: reference, opaque, batch, count, jacobians };
    });
    return this.#checked(
      label,
      () =>
        jacobians && spec !== undefined
          ? checkWithJacobians(value, count, spec)
          : checkValues(value, count, spec && count * spec.outputs),
    );
  }

  /**
   * Gives a problem to the optimizer: now to every worker at rest, or to the first that is, and to the others, also of
   * later lives, before their first run of it. @throws {SetpointError}
   */
  async load(digest: string, problem: ProblemMessage): Promise<void> {
    this.#expect("load", ["optimizer"]);
    const label = this.#label("load");
    for (const route of problem.opaques) {
      if (
        route.engine === "self" &&
        !["model", "function", "constraint"].includes(route.handle.description.kind)
      ) {
        throw callFailed("PLUGIN_FAILED", label, "an optimizer may not call an optimizer");
      }
    }
    this.#problems.set(digest, problem);
    this.#options.cell.prepare = (life) => this.#loadAll(life);
    const { lowerMs } = this.#options.limits;
    const free = this.#pool.workers.filter((worker) => this.#pool.isFree(worker));
    const load = (pinned?: number) => {
      const task = (worker: number) => this.#loadOne(worker, digest);
      return this.#pool.run(this.#deadline(lowerMs), this.#waitErrors(label, lowerMs), task, pinned);
    };
    try {
      await Promise.all(free.length === 0 ? [load()] : free.map(load));
    } catch (error) {
      this.#problems.delete(digest);
      throw error;
    }
  }

  /** Solves a loaded problem. `ms` is the time from its dispatch to its answer. @throws {SetpointError} */
  async optimize(
    digest: string,
    run: OptimizationRun,
    signal?: AbortSignal,
  ): Promise<OptimizationResult & { readonly ms: number }> {
    this.#expect("optimize", ["optimizer"]);
    const { clock, limits } = this.#options;
    const problem = this.#problems.get(digest);
    const label = this.#label("optimize", undefined, problem?.strategy);
    if (problem === undefined) {
      throw callFailed("PLUGIN_FAILED", label, `the problem ${digest} is not loaded`);
    }
    const end = this.#deadline(run.deadlineMs);
    const task = async (worker: number) => {
      signal?.throwIfAborted();
      await this.#loadOne(worker, digest);
      const start = clock.monotonic();
      const value = await this.#options.cell.call({
        ...{ worker, label, signal, deadlineMs: run.deadlineMs, deadline: end + limits.graceMs },
        message: () => ({
          method: "optimize",
          digest,
          run: {
            ...run,
            seed: run.seed ?? 1,
            options: run.options ?? {},
            deadlineMs: end - clock.monotonic(),
          },
        }),
        answerAsk: (...ask) => this.#route(problem, ...ask),
      });
      const ms = clock.monotonic() - start;
      const result = this.#checked(label, () => checkResult(value, run.x0.length, problem.limits.length));
      return { ...result, ms };
    };
    const result = this.#pool.run(end, this.#waitErrors(label, run.deadlineMs), task);
    return await (signal === undefined ? result : unlessAborted(result, signal));
  }

  /** Waits `ms` at most until its process takes calls; what keeps it from that the next call tells. */
  async awake(ms: number): Promise<void> {
    const label = this.#label("evaluate");
    await this.#options.cell.awake({ label, deadline: this.#deadline(ms), deadlineMs: ms }).catch(() => {});
  }

  /** Drops a problem. */
  unload(digest: string): void {
    this.#problems.delete(digest);
    const label = this.#label("unload");
    const { lowerMs } = this.#options.limits;
    for (const worker of this.#pool.workers) {
      this.#pool.run(this.#deadline(lowerMs), this.#waitErrors(label, lowerMs), async () => {
        await this.#options.cell.call({
          ...{ worker, label, deadlineMs: lowerMs, deadline: this.#deadline(lowerMs) },
          message: (life) => {
            this.#loaded.delete(`${life} ${worker} ${digest}`);
            return { method: "unload", digest };
          },
        });
      }, worker).catch(() => {
        // a worker that died has forgotten it anyway
      });
    }
  }

  async #loadAll(life: number): Promise<void> {
    const old = [...this.#loaded].filter((key) => !key.startsWith(`${life} `));
    for (const key of old) this.#loaded.delete(key);
    await Promise.all(this.#pool.workers.map(async (worker) => {
      for (const digest of this.#problems.keys()) {
        await this.#options.cell.callIn(life, this.#loadCall(worker, digest));
      }
    }));
  }

  async #loadOne(worker: number, digest: string): Promise<void> {
    const { cell } = this.#options;
    if (cell.usableLife !== undefined && this.#loaded.has(`${cell.usableLife} ${worker} ${digest}`)) return;
    await cell.call(this.#loadCall(worker, digest));
  }

  #loadCall(worker: number, digest: string): CallOptions {
    const { lowerMs } = this.#options.limits;
    return {
      ...{ worker, label: this.#label("load"), deadlineMs: lowerMs, deadline: this.#deadline(lowerMs) },
      message: (life) => {
        this.#loaded.add(`${life} ${worker} ${digest}`);
        const { exact, lifted, limits, opaques, config = {} } = this.#problems.get(digest)!;
        const steps = opaques.map((route) => route.steps ?? null);
        const jacobians = [...opaques.keys()].filter((k) => tellsJacobian(opaques[k]));
        return { method: "load", digest, problem: { exact, lifted, limits, steps, jacobians, config } };
      },
    };
  }

  #route(
    problem: ProblemMessage,
    ...[{ opaque, batch, count, jacobians }, left]: Parameters<AnswerAsk>
  ): Promise<Float64Array> {
    const route = problem.opaques[opaque];
    if (route === undefined) return Promise.reject(new TypeError(`there is no opaque node ${opaque}`));
    // what a strategy grants the plugin that is asked holds in a solve too
    const { wallMs } = route.engine === "self" ? route.handle.#options.limits : this.#options.limits;
    const deadlineMs = Math.max(1, Math.min(wallMs, left));
    if (jacobians && !tellsJacobian(route)) {
      return Promise.reject(new TypeError(`node ${opaque} has no Jacobian`));
    }
    if (route.engine === "self") {
      return route.handle.evaluate(route.skill, route.opaque, batch, count, deadlineMs, jacobians);
    }
    return this.#options.onnx().evaluate(route.digest, batch, count, route.inputs, route.outputs, deadlineMs);
  }

  async #callSkill(
    label: CallLabel,
    deadlineMs: number,
    skill: SkillSpec,
    message: (reference: ReturnType<SkillNumbers["reference"]>) => CallMessage,
  ): Promise<unknown> {
    const deadline = this.#deadline(deadlineMs);
    return await this.#pool.run(deadline, this.#waitErrors(label, deadlineMs), async (worker) => {
      try {
        return await this.#options.cell.call({
          ...{ worker, label, deadline, deadlineMs },
          message: (life) => message(this.#skills.reference(skill, life)),
        });
      } catch (error) {
        if ((error as { code?: string }).code === "FRAME_TOO_LARGE") this.#skills.forgetAll();
        throw error;
      }
    });
  }

  #deadline(ms: number): number {
    return this.#options.clock.monotonic() + ms;
  }

  #label(method: Method, skill?: SkillSpec, strategy = skill?.strategy): CallLabel {
    const { name, version } = this.description;
    return {
      plugin: `${name}@${version}`,
      method,
      file: this.#options.file,
      text: this.#options.text,
      ...(skill && { skill: skill.name }),
      ...(strategy !== undefined && { strategy }),
    };
  }

  #waitErrors(label: CallLabel, deadlineMs: number): { full(): Error; late(): Error } {
    const { queue } = this.#options.limits;
    return {
      full: () => callFailed("BUSY", label, `${queue} calls wait already`),
      late: () =>
        callFailed("PLUGIN_TIMEOUT", label, `exceeded ${Math.round(deadlineMs)} ms waiting for its turn`),
    };
  }

  #expect(method: Method, kinds: readonly string[]): void {
    const { kind } = this.description;
    if (!kinds.includes(kind)) {
      throw callFailed("PLUGIN_FAILED", this.#label(method), `it is of kind "${kind}"`);
    }
  }

  /** An answer of the wrong shape is the plugin's failure. */
  #checked<T>(label: CallLabel, check: () => T): T {
    try {
      return check();
    } catch (error) {
      throw callFailed("PLUGIN_FAILED", label, `its answer cannot be used: ${(error as Error).message}`);
    }
  }
}

/** A Jacobian that no test of the plugin's own proves is not used. */
function withoutJacobians(lowered: LoweredMessage, skill: string): LoweredMessage {
  if (!lowered.opaques.some(({ jacobian }) => jacobian)) return lowered;
  const message =
    `The Jacobian of skill "${skill}" is not used, differences are taken: its plugin has no test that proves it`;
  return {
    ...lowered,
    opaques: lowered.opaques.map((spec) => ({ ...spec, jacobian: false })),
    notes: [...lowered.notes, { message, path: ["class"] }],
  };
}

function tellsJacobian(route: OpaqueRoute): boolean {
  return route.engine === "self" && route.jacobian === true;
}

/** Rejects when the signal aborts; what `promise` brings afterwards is dropped. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
