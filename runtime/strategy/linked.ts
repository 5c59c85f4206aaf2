import type { Lifted } from "../graph/nonsmooth.ts";
import type { ConfigSchema } from "../graph/config_schema.ts";
import type { Json, LoweredMessage, OpaqueSpec, PluginKind, SkillFile, SkillSpec } from "../graph/skill.ts";
import type { Note, Variable } from "./strategy.ts";

/** The way to the plugins; the kernel's goes over cells. */
export interface SkillDriver {
  kindOf(cls: string): Promise<PluginKind>;
  /** What the configs of a class may be; undefined: anything. Default: anything. */
  schemaOf?(cls: string): Promise<ConfigSchema | undefined>;
  /** @throws {SkillError} What is wrong with the skill. @throws {SetpointError} What went wrong with the plugin. */
  lower(spec: SkillSpec): Promise<LoweredMessage>;
  /** Names of a composition's skills, in order. @throws As `lower`. */
  sequence(spec: SkillSpec): Promise<readonly string[]>;
}

/** Digest-checked bytes of a file that a skill names. @throws {SetpointError} FILE_MISSING and what a store throws. */
export type FileResolver = (path: string, skill: string) => Promise<SkillFile>;

/** What a search may move, in `units`. */
export interface SearchVariable {
  readonly name: string;
  /** decision: of the optimizer's inputs. actuator: a setpoint behind decisions that share it; see allocation. */
  readonly role: "decision" | "actuator";
  readonly type: "Operative" | "Calculated";
  readonly units: string;
  /** One unit of movement: the threshold, else the larger of the moves. */
  readonly scale: number;
  /** Largest moves of one run, ≥ 0. */
  readonly up: number;
  readonly down: number;
  /** ∓Infinity where there is none. */
  readonly min: number;
  readonly max: number;
  /** Where its present value comes from: index into `measured`, or into `pre.outputs`. */
  readonly from: "measured" | "pre";
  readonly index: number;
}

/** A limit of a skill, or the hard `min` and `max` of a variable that nobody moves directly. */
export interface LinkedLimit {
  /** The skill's name, else the variable's; of a training range both. */
  readonly name: string;
  readonly skill?: string;
  /** What is limited, and its units. */
  readonly variable: string;
  readonly units: string;
  readonly mode: "score" | "soft" | "hard";
  readonly lower: number;
  readonly upper: number;
  readonly physicalLower: number;
  readonly physicalUpper: number;
  readonly weight: number;
  readonly priority: number;
  /** The values that the skill's model was trained with. */
  readonly training?: boolean;
  /** Output of `exact` that has the limited value. */
  readonly output: number;
  /** hard: index into `rows`. */
  readonly row?: number;
  /** soft: output of `exact` that has what the violation adds to the cost. */
  readonly penalty?: number;
  /** What the skill writes: the score of a constraint. */
  readonly outputs: readonly string[];
}

/** A hard row: output 1 + k of `exact` and of `problem.exact` is kept in [lower, upper]. */
export interface HardRow {
  /** For a person: the limit's or the group's name. */
  readonly name: string;
  /** Index into `limits`; undefined for the row that ties a group to its actuators (0 = 0, in thresholds). */
  readonly limit?: number;
  readonly lower: number;
  readonly upper: number;
}

/** Node "opaque" with index k, in every tape of the strategy, is entry k. */
export interface WiredOpaque extends OpaqueSpec {
  readonly skill: string;
  /** Index for `evaluate` of the plugin. */
  readonly local: number;
}

export interface LinkedOpaque extends WiredOpaque {
  readonly spec: SkillSpec;
  /** engine onnx: the model. */
  readonly model?: SkillFile;
}

/** A problem as an optimizer gets it. */
export interface LinkedProblem {
  /** Output 0: what is minimised, then one output a hard row. */
  readonly exact: ArrayBuffer;
  readonly lifted: Lifted;
  readonly limits: readonly { readonly lower: number; readonly upper: number }[];
}

/** A setpoint that an operator can move, behind one or more Calculated decisions. */
export type LinkedActuator = Omit<SearchVariable, "role" | "type" | "from">;

/** A Calculated decision and the actuators that make it. */
export interface ActuatorGroup {
  /** Index into `search`. */
  readonly decision: number;
  readonly name: string;
  readonly scale: number;
  /** Indices into `allocation.actuators`. */
  readonly actuators: readonly number[];
  /** True: its actuators are variables of the search themselves, because what it can reach is no interval of its own. */
  readonly joint: boolean;
}

/**
 * From values of Calculated decisions to setpoints: variables δ of the actuators in thresholds (start 0), minimise Σδ²,
 * every group on its target. Parameters: the measured values, then one target a group.
 */
export interface LinkedAllocation {
  readonly actuators: readonly LinkedActuator[];
  readonly groups: readonly ActuatorGroup[];
  /** Row g: (value of group g − target)/scale, to be 0. */
  readonly problem: LinkedProblem;
  /** Variables: the actuators' values; parameters: measured; outputs: the groups' values. */
  readonly reach: ArrayBuffer;
}

/** A strategy as one graph. Plain data and buffers: immutable, to be cached by digest and posted. */
export interface LinkedStrategy {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  readonly legacy: boolean;
  readonly schedule?: string;
  readonly variables: readonly Variable[];
  /** Number of skills of the strategy. */
  readonly skills: number;
  /** The class whose plugin optimizes. */
  readonly optimizer: string;
  /** Of the optimizer's skill, with the defaults of its schema. */
  readonly optimizerConfig: { readonly [key: string]: Json };
  /** The Operative and Informative variables, in the file's order: the parameters of every tape. */
  readonly measured: readonly string[];
  /** Decisions in the order of the optimizer's inputs, then actuators of joint groups: the variables of the tapes. */
  readonly search: readonly SearchVariable[];
  /** How many of `search` are decisions. */
  readonly decisions: number;
  /** `scale` of `search`. */
  readonly scale: Float64Array;
  /** The Calculated variables after PreCalculateVariables; no variables, parameters: measured. */
  readonly pre: { readonly tape: ArrayBuffer; readonly outputs: readonly string[] };
  /** Outputs: what is minimised, the hard rows, then `outputs`; any of them not finite fails the evaluation. */
  readonly exact: ArrayBuffer;
  readonly rows: readonly HardRow[];
  readonly limits: readonly LinkedLimit[];
  readonly outputs: {
    /** The cost feature alone; the soft penalties come on top in output 0. */
    readonly cost: number;
    readonly costVariable: string;
    /** Latest value by variable. */
    readonly variables: { readonly [name: string]: number };
  };
  readonly problem: LinkedProblem;
  readonly allocation?: LinkedAllocation;
  readonly opaques: readonly LinkedOpaque[];
  /** Warnings and notes, of loading and linking. */
  readonly notes: readonly Note[];
}
