/**
 * What passes between a strategy, the linker and the plugins: types only, free of any other layer. plugins/sdk.ts gives
 * them to plugin authors.
 */
import type { Expression } from "./expr.ts";

export type { PluginKind } from "./plugin_identity.ts";

/** One variable of a strategy, as far as a plugin may know it. */
export interface VariableInfo {
  /** As the strategy names it: "Operative", "Informative", "Calculated", "Delta", "Predicted" … */
  readonly type: string;
  /** As written: never converted. */
  readonly units: string;
  /** All in `units`. */
  readonly threshold?: number;
  readonly min?: number;
  readonly max?: number;
}

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A file that the skill's config names by a key that ends in `_path`; read and digest-checked by the kernel. */
export interface SkillFile {
  /** Its path, for messages. */
  readonly name: string;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/** One skill of a strategy, as its plugin gets it. */
export interface SkillSpec {
  readonly name: string;
  /** Name of the strategy, where it belongs to one. */
  readonly strategy?: string;
  /** The class by which the strategy calls the plugin. */
  readonly class: string;
  /** Names of variables. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Checked by the plugin's schema and completed by its defaults, where it has one. */
  readonly config: { readonly [key: string]: Json };
  /** All variables of the strategy by name. */
  readonly variables: { readonly [name: string]: VariableInfo };
  /** By config key, e.g. "model_path". */
  readonly files: { readonly [configKey: string]: SkillFile };
  /** True for a file without `apiVersion`: unit mismatches are warnings. */
  readonly legacy: boolean;
}

/**
 * One scalar that a lowered skill reads. value: the variable's latest value before the skill; measured: its value when
 * the run starts (`V_current`); threshold: its declared threshold (`V_threshold`).
 */
export interface Source {
  readonly variable: string;
  readonly role: "value" | "measured" | "threshold";
}

/** An operating range of one variable, in the variable's units; ∓Infinity where a side is open. */
export interface Limit {
  readonly variable: string;
  /** score: informs only. soft: adds to what is minimised. hard: holds in every published answer. */
  readonly mode: "score" | "soft" | "hard";
  /** op_min, op_max. */
  readonly lower: number;
  readonly upper: number;
  /** var_min, var_max. */
  readonly physicalLower: number;
  readonly physicalUpper: number;
  /** Cost of a soft violation as large as the range. */
  readonly weight: number;
  /** Order of soft limits: 1 gives way last, 2 before it …; 0 (no priority) gives way first. */
  readonly priority: number;
  /** The values that a model was trained with: an answer outside of them carries a warning. Default false. */
  readonly training?: boolean;
}

/**
 * What is wrong with a skill, or worth a note. `path`: where in the skill, e.g. ["config", "formula"]; `offset`:
 * characters into that text.
 */
export interface SkillProblem {
  /** One of the codes of runtime/errors.ts; default STRATEGY_INVALID, for notes SKILL_NOTE. */
  readonly code?: string;
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly offset?: number;
  readonly variable?: string;
}

/** Thrown by `lower` and `sequence`: the strategy cannot be loaded. All problems of the skill travel at once. */
export class SkillError extends Error {
  readonly problems: readonly SkillProblem[];
  constructor(problems: readonly SkillProblem[]) {
    super(problems.map((problem) => problem.message).join("\n"));
    this.name = "SkillError";
    this.problems = problems;
  }
}

/**
 * Somebody else's code inside an expression: a node of op "opaque" with index i is `opaques[i]`. self: the plugin's own
 * `evaluate`; onnx: the model file under config key `file`, run by ONNX Runtime.
 */
export interface OpaqueSpec {
  readonly engine: "self" | "onnx";
  /** Of engine onnx. */
  readonly file?: string;
  /** Lengths of the input vector and of the answer. */
  readonly inputs: number;
  readonly outputs: number;
  /** Step of the difference quotient an input, in the units of the opaque node's input; 0: one that fits its value. */
  readonly steps?: readonly number[];
  /** engine self: whether the plugin's `jacobian` is asked in the place of differences. Default: if it has one. */
  readonly jacobian?: boolean;
  /** engine onnx: what the model must give, or it does not load. More than one: one of them must hold. Default: nothing. */
  readonly golden?: readonly KnownAnswers[];
}

/** A model that became an expression, for the referee: ONNX Runtime gives the same numbers, or nobody should trust it. */
export interface ModelCheck {
  /** Config key of the model. */
  readonly file: string;
  /** The model as ONNX, where the file is of another kind. */
  readonly onnx?: Uint8Array;
  /** From the model's own inputs to its own outputs, without scaling. */
  readonly expression: Expression;
  /** The range of each input that the model was trained in, in the model's own numbers. */
  readonly lower: readonly number[];
  readonly upper: readonly number[];
}

/** Inputs and answers of a model in its own numbers. */
export interface KnownAnswers {
  /** count × inputs, row-major. */
  readonly batch: Float64Array;
  /** count × outputs. */
  readonly answers: Float64Array;
  readonly count: number;
}

/** What a {@linkcode ModelCheck} found at random points of the training range, as it crosses a process. */
export interface ModelSample extends KnownAnswers {
  readonly file: string;
  readonly onnx?: Uint8Array;
}

/** A skill as its plugin describes it, inside the plugin's process. */
export interface Lowered {
  /** Parameters of the graph are `sources` in order; outputs as the skill's `outputs`, in order. */
  readonly expression: Expression;
  readonly sources: readonly Source[];
  /** Default none. */
  readonly opaques?: readonly OpaqueSpec[];
  /** Default none. */
  readonly limits?: readonly Limit[];
  /** Warnings and notes that do not stop the load. Default none. */
  readonly notes?: readonly SkillProblem[];
  /** Default: there is nothing to compare. */
  readonly check?: ModelCheck;
}

/** {@linkcode Lowered} as it crosses a process: the expression is the flat buffer of `encodeExpression`. */
export interface LoweredMessage {
  readonly expression: Uint8Array;
  readonly sources: readonly Source[];
  readonly opaques: readonly OpaqueSpec[];
  readonly limits: readonly Limit[];
  readonly notes: readonly SkillProblem[];
  readonly sample?: ModelSample;
}
