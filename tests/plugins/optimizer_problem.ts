/** Optimization problems as a worker of a cell makes them, where the test runs. */
import { Graph, type NodeId } from "../../runtime/graph/expr.ts";
import { LiftedProblem } from "../../runtime/graph/lifted.ts";
import { type HardLimit, lift, type Lifted } from "../../runtime/graph/nonsmooth.ts";
import { compileTape, type EvaluateOpaque, Tape } from "../../runtime/graph/tape.ts";
import type { MachineMaker } from "../../runtime/graph/tape_machine.ts";
import { ENGINE_MACHINE } from "../engine/engine.ts";
import type { OptimizationProblem, SearchOptions } from "../../plugins/sdk.ts";
import { searchBounds } from "../../runtime/strategy/bounds.ts";
import type { LinkedStrategy } from "../../runtime/strategy/linked.ts";
import { seeded } from "../graph/random_graph.ts";
import { Plant } from "../strategy/plant.ts";

export interface Setting {
  readonly x0: ArrayLike<number>;
  readonly lo: ArrayLike<number>;
  readonly hi: ArrayLike<number>;
  /** Default: all 1. */
  readonly scale?: ArrayLike<number>;
  /** Default: none. */
  readonly parameters?: ArrayLike<number>;
  readonly options?: SearchOptions;
  readonly evaluate?: EvaluateOpaque;
  /** Default 60 s of real time. */
  readonly deadlineMs?: number;
  readonly cancelled?: () => boolean;
  /** Default: real time. */
  readonly now?: () => number;
  readonly seed?: number;
}

export interface Buffers {
  readonly exact: ArrayBuffer;
  readonly lifted: Lifted;
  readonly limits: readonly { readonly lower: number; readonly upper: number }[];
}

/** A decoded problem: one object of tapes for all runs, as in a worker. */
export interface Loaded {
  readonly exact: Tape;
  readonly lifted: LiftedProblem;
  readonly limits: Buffers["limits"];
}

/** @param machineOf Where tapes run. Default: in WebAssembly, as in a worker. */
export function load({ exact, lifted, limits }: Buffers, machineOf: MachineMaker = ENGINE_MACHINE): Loaded {
  return { exact: Tape.decode(exact, machineOf), lifted: new LiftedProblem(lifted, machineOf), limits };
}

/** `build` gives the cost and the hard limits. */
export function graphProblem(
  variables: number,
  parameters: number,
  build: (graph: Graph) => { readonly cost: NodeId; readonly limits?: readonly HardLimit[] },
  scale: ArrayLike<number> = new Float64Array(variables).fill(1),
): Loaded {
  const graph = new Graph();
  const { cost, limits = [] } = build(graph);
  const outputs = [cost, ...limits.map(({ node }) => node)];
  return load({
    exact: compileTape(graph, { variables, parameters, outputs }).buffer,
    lifted: lift({ graph, variables, parameters, cost, limits, scale }),
    limits,
  });
}

export function runOf(loaded: Loaded, setting: Setting): OptimizationProblem {
  const { x0, lo, hi, deadlineMs = 60_000, now = () => performance.now() } = setting;
  const { exact, lifted, limits } = loaded;
  const parameters = Float64Array.from(setting.parameters ?? []);
  const end = now() + deadlineMs;
  exact.evaluateError = lifted.tape.evaluateError = undefined;
  for (const tape of [exact, lifted.tape]) tape.evaluate = setting.evaluate;
  lifted.tape.differencesWithValue = true;
  exact.setParameters(parameters);
  return {
    exact,
    lifted,
    limits,
    parameters,
    x0: Float64Array.from(x0),
    lo: Float64Array.from(lo),
    hi: Float64Array.from(hi),
    scale: Float64Array.from(setting.scale ?? new Float64Array(x0.length).fill(1)),
    options: setting.options ?? {},
    remaining: () => end - now(),
    cancelled: setting.cancelled ?? (() => false),
    now,
    random: seeded(setting.seed ?? 1),
  };
}

/** What the kernel would ask for in one state of a plant. */
export function plantRun(
  linked: LinkedStrategy,
  loaded: Loaded,
  state: Readonly<Record<string, number>>,
  more: Partial<Setting> = {},
): OptimizationProblem {
  const { measured, x0 } = new Plant(linked, state);
  const { lower, upper } = searchBounds(linked, measured, x0);
  return runOf(loaded, { parameters: measured, x0, lo: lower, hi: upper, scale: linked.scale, ...more });
}
