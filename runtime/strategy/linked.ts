import type { Problem } from "../errors.ts";
import type { Limit, OpaqueSpec, SkillSpec } from "../graph/skill.ts";
import type { Lifted } from "../graph/nonsmooth.ts";
import type { Note, Strategy } from "./strategy.ts";

/** One value that the search may choose. */
export interface Decision {
  readonly name: string;
  /** Operative: a setpoint itself. Calculated: stands for actuators. Actuator: chosen along with the Calculated ones that share it. */
  readonly kind: "operative" | "calculated" | "actuator";
  /** One unit of movement: threshold, else the largest move; > 0, in the variable's units. */
  readonly scale: number;
}

/** A limit of the strategy and where its value is among the outputs of the exact tape. */
export interface LinkedLimit extends Limit {
  readonly skill: string;
  /** The variable that the skill writes its score to. */
  readonly score: string;
  readonly output: number;
}

/** Foreign code in a tape: node number `skill` of its opaque calls is the index into {@linkcode LinkedStrategy.opaques}. */
export interface LinkedOpaque {
  /** As its plugin got it. */
  readonly spec: SkillSpec;
  /** Index into the skill's own `opaques`. */
  readonly index: number;
  readonly opaque: OpaqueSpec;
}

/** What an optimizer gets; plain data. */
export interface ProblemMessage {
  /** Output 0: what is minimised; then one output a hard limit. Variables: the decisions. */
  readonly exact: ArrayBuffer;
  readonly lifted: Lifted;
  readonly limits: readonly { readonly lower: number; readonly upper: number }[];
}

/** After the solve: the least movement of the actuators that meets the targets of the Calculated decisions. */
export interface LinkedAllocation {
  /** Variables: the actuators. Parameters: the measured values, then one target a group. */
  readonly problem: ProblemMessage;
  /** Actuators in the order of the problem's variables. */
  readonly actuators: readonly { readonly name: string; readonly scale: number }[];
  /** Calculated decisions in the order of the targets; `decision`: index into the decisions. */
  readonly groups: readonly {
    readonly name: string;
    readonly decision: number;
    readonly actuators: readonly string[];
  }[];
}

/** A strategy as one graph, compiled; immutable, and all of it can be posted. */
export interface LinkedStrategy {
  readonly strategy: Strategy;
  /** Skill that is the optimizer, and its class. */
  readonly optimizer: { readonly skill: string; readonly class: string };
  /** The parameters of every tape, in order: all Operative and Informative variables. */
  readonly measured: readonly string[];
  readonly decisions: readonly Decision[];
  /** Variables: the decisions. Parameters: the measured values. */
  readonly exact: ArrayBuffer;
  readonly outputs: {
    /** What is minimised (cost and soft penalties) is output 0; the cost feature alone. */
    readonly cost: number;
    /** Soft penalties, one a soft limit. */
    readonly penalties: readonly number[];
    /** By variable: its latest value at the end. */
    readonly variables: ReadonlyMap<string, number>;
    /** Every write of every skill, for the check that all is finite: output → where it comes from. */
    readonly writes: readonly {
      readonly skill: string;
      readonly variable: string;
      readonly output: number;
    }[];
  };
  /** All limits of the strategy, and which of them are the hard ones of the problem, in its order. */
  readonly limits: readonly LinkedLimit[];
  readonly hard: readonly number[];
  /** Parameters: the measured values, no variables. Outputs: x0 of every decision, in order. */
  readonly start: ArrayBuffer;
  readonly problem: ProblemMessage;
  readonly allocation: LinkedAllocation | null;
  readonly opaques: readonly LinkedOpaque[];
  readonly warnings: readonly Note[];
}

/** Lower and upper bounds of every decision for one state of the plant. */
export interface Box {
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** Decisions that are fixed for want of an actuator that could move them, and the like. */
  readonly notes: readonly Problem[];
}
