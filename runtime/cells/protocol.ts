/** What the kernel and a cell say to each other; one frame each. Types only: the kernel checks what it gets (answers.ts). */
import type { LogLine } from "../graph/plugin_log.ts";
import type { Json, SkillProblem, SkillSpec } from "../graph/skill.ts";

/** What a worker of a cell is for. */
export type SpawnMessage =
  | { readonly mode: "plugin"; readonly text: string; readonly file: string }
  | { readonly mode: "onnx"; readonly script: string; readonly wasm: Uint8Array };

/** A skill goes to a worker once; later calls name it by number. */
export interface SkillReference {
  readonly id: number;
  readonly spec?: SkillSpec;
  /** Numbers that the worker may forget. */
  readonly forget?: readonly number[];
}

/** A file beside a model, by the name that the model gives it. */
export interface ExternalBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export type CallMessage =
  | { readonly method: "spawn"; readonly spawn: SpawnMessage }
  | { readonly method: "lower" | "sequence"; readonly skill: SkillReference }
  | {
    readonly method: "evaluate";
    readonly skill: SkillReference;
    readonly opaque: number;
    readonly batch: Float64Array;
    readonly count: number;
    readonly jacobians: boolean;
  }
  | { readonly method: "load"; readonly digest: string; readonly problem: WireProblem }
  | { readonly method: "unload"; readonly digest: string }
  | { readonly method: "optimize"; readonly digest: string; readonly run: WireRun }
  | {
    readonly method: "onnxLoad";
    readonly digest: string;
    readonly bytes: Uint8Array;
    readonly external: readonly ExternalBytes[];
  }
  | { readonly method: "onnxUnload"; readonly digest: string }
  | {
    readonly method: "onnxEvaluate";
    readonly digest: string;
    readonly batch: Float64Array;
    readonly count: number;
    readonly inputs: number;
    readonly outputs: number;
  };

export type Method = CallMessage["method"];

/** A problem as an optimizer's worker keeps it: tapes as their flat buffers. */
export interface WireProblem {
  readonly exact: ArrayBuffer;
  /** `Lifted` of runtime/graph, plain data. */
  readonly lifted: unknown;
  readonly limits: readonly { readonly lower: number; readonly upper: number }[];
  /** Difference steps of each opaque call, by its number; the others have none. */
  readonly steps: readonly (readonly number[] | null)[];
  /** Numbers of the opaque calls whose code tells its Jacobian. */
  readonly jacobians: readonly number[];
  /** Of the optimizer's skill. */
  readonly config: { readonly [key: string]: Json };
}

export interface WireRun {
  readonly parameters: Float64Array;
  readonly x0: Float64Array;
  readonly lo: Float64Array;
  readonly hi: Float64Array;
  readonly scale: Float64Array;
  readonly deadlineMs: number;
  readonly seed: number;
  /** `SearchOptions` of the SDK. */
  readonly options: { readonly max_iterations?: number; readonly tolerance?: number };
}

export type ToCell =
  | { readonly t: "beat" }
  | { readonly t: "call"; readonly worker: number; readonly call: number; readonly message: CallMessage }
  | { readonly t: "cancel"; readonly worker: number; readonly call: number }
  | {
    readonly t: "supply";
    readonly worker: number;
    readonly ask: number;
    readonly values: Float64Array | null;
    readonly error: string;
  };

/** Why a call failed, in the plugin's words. */
export interface CallError {
  /** skill: a SkillError; invalid: the file is no plugin; evaluation: foreign code failed; failed: all else. */
  readonly kind: "skill" | "invalid" | "evaluation" | "failed";
  readonly message: string;
  readonly problems?: readonly SkillProblem[];
  /** In the plugin's file, from 1. */
  readonly line?: number;
  readonly column?: number;
}

export type Answer =
  & { readonly t: "answer"; readonly worker: number; readonly call: number }
  & ({ readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: CallError });

export type FromCell =
  | { readonly t: "ready" }
  | { readonly t: "beat"; readonly rss: number; readonly heap: number }
  /** The cell ends itself, and says why. */
  | { readonly t: "end"; readonly reason: string }
  | LogLine & { readonly t: "log"; readonly worker: number }
  | Answer
  | {
    readonly t: "ask";
    readonly worker: number;
    readonly call: number;
    readonly ask: number;
    readonly opaque: number;
    readonly count: number;
    readonly jacobians: boolean;
    readonly batch: Float64Array;
  };

/** What a worker posts to its cell: a whole frame of an answer, a batch that it waits for, a line for the log, or its heap, bytes. */
export type FromWorker = Uint8Array<ArrayBuffer> | WorkerAsk | LogLine | number;

/** Goes to a worker at rest, which answers with its heap. */
export const PING = 0;

export interface WorkerAsk {
  readonly call: number;
  readonly ask: number;
  readonly opaque: number;
  readonly count: number;
  readonly jacobians: boolean;
  /** Floats of the batch, and the most that the answer may have. */
  readonly inputs: number;
  readonly outputs: number;
  readonly data: SharedArrayBuffer;
}

/** Places in the Int32Array that a cell and its worker share. */
export const CONTROL = { state: 0, cancelled: 1, ask: 2, errorBytes: 3, length: 4 } as const;
export const STATE = { idle: 0, waiting: 1, done: 2, failed: 3 } as const;
