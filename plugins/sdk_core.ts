/**
 * The core of the SDK: what a plugin needs to say what it is, to describe expressions, and to evaluate and sample what it
 * is given. Solver, readers of models, formulas and the search of lifted problems are in sdk.ts.
 */
import { didYouMean } from "../runtime/graph/nearest_names.ts";
import type { ConfigSchema } from "../runtime/graph/config_schema.ts";
import type { PluginExample, PluginLimits, PluginTest } from "../runtime/graph/manifest.ts";
import {
  PLUGIN_KINDS,
  PLUGIN_NAME,
  PLUGIN_VERSION,
  type PluginKind,
} from "../runtime/graph/plugin_identity.ts";
import type { Lowered, SkillSpec } from "../runtime/graph/skill.ts";
import type { OptimizationProblem, OptimizationResult } from "../runtime/graph/optimization.ts";

export { Graph, GraphError } from "../runtime/graph/expr.ts";
export type { Expression, Node, NodeId } from "../runtime/graph/expr.ts";
export type { BinaryOp, Op, UnaryOp } from "../runtime/graph/ops.ts";
export * as op from "../runtime/graph/operators.ts";
export { describe, type Operand, type Term } from "../runtime/graph/term.ts";
export { decodeExpression, encodeExpression, tooLarge } from "../runtime/graph/expression.ts";
export { compileTape, Tape } from "../runtime/graph/tape.ts";
export type { OpaqueCall, TapeSpec } from "../runtime/graph/tape.ts";
export type { Stages } from "../runtime/graph/stages.ts";
export type { Intervals } from "../runtime/graph/interval.ts";
export type {
  HardLimit,
  Lifted,
  LiftedAuxiliary,
  LiftedBranch,
  LiftedRow,
  LiftRequest,
} from "../runtime/graph/nonsmooth.ts";
export { LiftedProblem } from "../runtime/graph/lifted.ts";
export type { Held, LiftedRun, Side } from "../runtime/graph/lifted.ts";
export type {
  OptimizationProblem,
  OptimizationResult,
  SearchOptions,
} from "../runtime/graph/optimization.ts";
export { type PointValues, valuesAt, withAnswers } from "../runtime/graph/many_points.ts";
export { patternSearch, type SearchBox } from "../runtime/graph/pattern_search.ts";
export { sampleBox } from "../runtime/graph/box_sample.ts";
export { didYouMean, nearestNames } from "../runtime/graph/nearest_names.ts";
export { log, type PluginLogLevel } from "../runtime/graph/plugin_log.ts";
export { seededRandom } from "../runtime/graph/seeded_random.ts";
export { SDK_VERSION } from "../runtime/graph/sdk_version.ts";
export type { PluginExample, PluginLimits, PluginTest, TestLimit } from "../runtime/graph/manifest.ts";
export type { ConfigSchema, SchemaType, ValueSchema } from "../runtime/graph/config_schema.ts";
export { SkillError } from "../runtime/graph/skill.ts";
export type {
  Json,
  KnownAnswers,
  Limit,
  Lowered,
  ModelCheck,
  OpaqueSpec,
  PluginKind,
  SkillFile,
  SkillProblem,
  SkillSpec,
  Source,
  VariableInfo,
} from "../runtime/graph/skill.ts";

interface Common {
  /** "publisher/name": letters, digits, `.`, `_`, `-`; at most 100 characters. */
  readonly name: string;
  /** Semantic version, e.g. "1.2.0". */
  readonly version: string;
  /** One sentence for a person. */
  readonly description?: string;
  /** Versions of the SDK that it works with, compared with {@linkcode SDK_VERSION}, e.g. "^1.0.0". Default: any. */
  readonly sdk?: string;
  /** What the config of its skills may be; checked, and completed by the defaults, before the plugin sees it. */
  readonly config?: ConfigSchema;
  /** What it needs. Above the runtime's defaults a strategy must grant it; below, the plugin gets no more. */
  readonly limits?: PluginLimits;
  /** Configs that work, for readers. */
  readonly examples?: readonly PluginExample[];
  /** Run whenever the plugin is opened; one that fails keeps it out. */
  readonly tests?: readonly PluginTest[];
}

/** A plugin for skills of one class. At least one of `lower` and `evaluate` is there. */
export interface SkillPlugin extends Common {
  readonly kind: "model" | "function" | "constraint";
  /**
   * Describes the skill as expressions over its inputs; called once, when the strategy is loaded. Default: one opaque
   * node over the values of all inputs, evaluated by `evaluate`.
   * @throws {SkillError} If the skill's config cannot work, with all problems at once.
   */
  lower?(skill: SkillSpec): Lowered;
  /**
   * Values of an opaque node at many points. Synchronous, and it may call nobody.
   * @param skill The same object for every call of one skill, so it may be a WeakMap's key.
   * @param batch count × inputs, row-major; valid during the call only.
   * @param opaque Index into `Lowered.opaques`.
   * @returns count × outputs, row-major; NaN where it cannot be computed.
   */
  evaluate?(skill: SkillSpec, batch: Float64Array, count: number, opaque: number): Float64Array;
  /**
   * Derivatives of what `evaluate` gives, at the same points. Default: central differences, 2 · inputs more points each.
   * At a corner any slope between those of its sides is right. Proven at the plugin's own tests; without one not used.
   * @returns count × outputs × inputs, row-major; not finite where it is not known: differences are taken there.
   */
  jacobian?(skill: SkillSpec, batch: Float64Array, count: number, opaque: number): Float64Array;
}

/** A plugin that puts skills in an order. */
export interface CompositionPlugin extends Common {
  readonly kind: "composition";
  /** Names of the skills to run, in order. @throws {SkillError} */
  sequence(skill: SkillSpec): readonly string[];
}

/** A plugin that finds the point. */
export interface OptimizerPlugin extends Common {
  readonly kind: "optimizer";
  /**
   * Finds the point; called once a run, synchronous. It looks at `remaining` and `cancelled` now and then: at the
   * deadline its process is ended, and the run has no answer. What it throws fails the run.
   */
  optimize(problem: OptimizationProblem): OptimizationResult;
}

/** What a plugin file's default export is, of any kind. */
export type Plugin = SkillPlugin | CompositionPlugin | OptimizerPlugin;

const PARTS = [
  ...["name", "version", "kind", "description", "sdk"],
  ...["config", "limits", "examples", "tests"],
];
const SKILL_METHODS = ["lower", "evaluate", "jacobian"];
const METHODS: Readonly<Record<PluginKind, readonly string[]>> = {
  model: SKILL_METHODS,
  function: SKILL_METHODS,
  constraint: SKILL_METHODS,
  composition: ["sequence"],
  optimizer: ["optimize"],
};

/**
 * Checks a plugin and gives it back; a plugin file has the result as its default export.
 * @throws {TypeError} If a part is missing or of the wrong type.
 */
export function definePlugin<const P extends Plugin>(plugin: P): P {
  const { name, version, kind } = plugin;
  if (typeof name !== "string" || !PLUGIN_NAME.test(name)) {
    throw new TypeError(`Cannot define a plugin named ${JSON.stringify(name)}: expected "publisher/name"`);
  }
  if (typeof version !== "string" || !PLUGIN_VERSION.test(version)) {
    throw new TypeError(
      `Cannot define "${name}": its version is ${JSON.stringify(version)}, expected e.g. "1.0.0"`,
    );
  }
  if (!PLUGIN_KINDS.includes(kind)) {
    throw new TypeError(
      `Cannot define "${name}": its kind is ${JSON.stringify(kind)}, expected ${PLUGIN_KINDS.join(", ")}`,
    );
  }
  const methods = METHODS[kind];
  const parts = plugin as unknown as Readonly<Record<string, unknown>>;
  const odd = Object.keys(parts).find((key) => ![...PARTS, ...methods].includes(key));
  if (odd !== undefined) {
    const hint = didYouMean(odd, [...PARTS, ...methods]) ||
      `, expected ${[...PARTS, ...methods].join(", ")}`;
    throw new TypeError(`Cannot define "${name}": a plugin of kind "${kind}" has no "${odd}"${hint}`);
  }
  const given = methods.filter((method) => parts[method] !== undefined);
  for (const method of given) {
    if (typeof parts[method] !== "function") {
      throw new TypeError(
        `Cannot define "${name}": "${method}" is a ${typeof parts[method]}, expected a function`,
      );
    }
  }
  if (given.length === 0) {
    const needed = methods.filter((method) => method !== "jacobian").join(" or ");
    throw new TypeError(`Cannot define "${name}": a plugin of kind "${kind}" needs ${needed}`);
  }
  if (given.includes("jacobian") && !given.includes("evaluate")) {
    throw new TypeError(`Cannot define "${name}": a "jacobian" needs an "evaluate" beside it`);
  }
  return plugin;
}
