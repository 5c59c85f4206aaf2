/** In a worker: problems are decoded once and kept, runs go to the optimizer. */
import {
  type Lifted,
  LiftedProblem,
  type OptimizationResult,
  type OptimizerPlugin,
  Tape,
} from "../../plugins/sdk_core.ts";
import type { MachineMaker } from "../graph/tape_machine.ts";
import type { CallMessage, WireProblem, WireRun } from "./protocol.ts";
import { seededRandom } from "../graph/seeded_random.ts";
import { given } from "./given.ts";
import type { SyncCall } from "./sync_call.ts";

/** A tape takes differences at ± 2^-10 of the scale that it is given. */
const SCALE_PER_STEP = 2 ** 10;

interface LoadedProblem {
  readonly exact: Tape;
  readonly lifted: LiftedProblem;
  readonly limits: WireProblem["limits"];
  readonly config: WireProblem["config"];
}

type OptimizerMessage = Extract<CallMessage, { digest: string; method: "load" | "unload" | "optimize" }>;

export class OptimizerCalls {
  readonly #plugin: OptimizerPlugin;
  readonly #sync: SyncCall;
  readonly #now: () => number;
  readonly #machineOf: MachineMaker | undefined;
  readonly #problems = new Map<string, LoadedProblem>();

  /** @param machineOf Where tapes are to run. */
  constructor(plugin: OptimizerPlugin, sync: SyncCall, now: () => number, machineOf?: MachineMaker) {
    this.#plugin = plugin;
    this.#sync = sync;
    this.#now = now;
    this.#machineOf = machineOf;
  }

  /** @param call The number of the call, by which it can be cancelled. */
  call(message: OptimizerMessage, call: number): unknown {
    switch (message.method) {
      case "load":
        this.#problems.set(message.digest, this.#load(message.problem));
        return null;
      case "unload":
        this.#problems.delete(message.digest);
        return null;
      case "optimize":
        return this.#optimize(message.digest, message.run, call);
    }
  }

  #load(problem: WireProblem): LoadedProblem {
    const exact = Tape.decode(problem.exact, this.#machineOf);
    const lifted = new LiftedProblem(problem.lifted as Lifted, this.#machineOf);
    for (const tape of [exact, lifted.tape]) {
      const outputs = new Map(tape.opaques.map((opaque) => [opaque.skill, opaque.outputs]));
      tape.evaluate = (skill, batch, count, jacobians = false) => {
        const rows = jacobians ? count + batch.length : count;
        return this.#sync.evaluate(skill, batch, count, rows * outputs.get(skill)!, jacobians);
      };
      tape.opaques.forEach(({ skill, inputs }, call) => {
        if (problem.jacobians.includes(skill)) tape.setOpaqueJacobian(call);
        const steps = problem.steps[skill];
        if (steps?.length === inputs) tape.setOpaqueScale(call, steps.map((step) => step * SCALE_PER_STEP));
      });
    }
    lifted.tape.differencesWithValue = true;
    return { exact, lifted, limits: problem.limits, config: problem.config };
  }

  #optimize(digest: string, run: WireRun, call: number): OptimizationResult {
    const problem = this.#problems.get(digest);
    if (problem === undefined) throw new TypeError(`Cannot find the problem ${digest}`);
    const { parameters, x0, lo, hi, scale } = run;
    const end = this.#now() + run.deadlineMs;
    this.#sync.begin(call);
    problem.exact.evaluateError = problem.lifted.tape.evaluateError = undefined;
    problem.exact.setParameters(parameters);
    const result = this.#plugin.optimize({
      ...problem,
      parameters,
      x0,
      lo,
      hi,
      scale,
      options: run.options,
      remaining: () => end - this.#now(),
      cancelled: () => this.#sync.cancelled(),
      now: this.#now,
      random: seededRandom(run.seed),
    });
    if (this.#sync.fatal !== undefined) throw this.#sync.fatal;
    if (!(result?.x instanceof Float64Array)) {
      throw new TypeError(
        `Cannot use the answer of "optimize": got ${
          given(result)
        }, expected {status, x, …} with x a Float64Array`,
      );
    }
    const { status, x, iterations, evaluations, message, multipliers, starts } = result;
    return { status, x, iterations, evaluations, message, multipliers, starts };
  }
}
