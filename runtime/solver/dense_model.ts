import { Model } from "./core/model.ts";
import type { DenseProblem } from "./dense_problem.ts";
import { ITERATION_HEADER, iterationLine, iterationOf } from "./iteration.ts";
import type { SolveOptions } from "./options.ts";
import { checkGiven, checkProblem } from "./solver_input.ts";

const FAR = 1e19;

/** The callbacks of a {@linkcode DenseProblem} as the core calls them: exceptions, deadline and cancelling included. */
export class DenseModel extends Model {
  #problem: DenseProblem | undefined;
  #options: SolveOptions = {};
  #now: (() => number) | undefined;
  #started = 0;
  #wallLimit = Infinity;
  #cpuLimit = Infinity;
  #stopped = false;
  /** The first exception of a callback. */
  failure: string | undefined;
  /** IPOPT's return code where a limit of time was reached. */
  outOfTime: number | undefined;

  /**
   * @throws {RangeError} If a length differs from the one that the memory was made for.
   * @throws {TypeError} If a callback is missing.
   */
  begin(problem: DenseProblem, options: SolveOptions): void {
    checkProblem(problem, this.n, this.m);
    checkGiven(options, this.n, this.m);
    const { x0, xl, xu, gl, gu } = problem;
    this.x0.set(x0);
    this.xl.set(xl);
    this.xu.set(xu);
    this.gl.set(gl);
    this.gu.set(gu);
    if (options.x_unit !== undefined) this.unit.set(options.x_unit);
    else this.unit.fill(1);
    const { warm_start } = options;
    this.startG.set(warm_start?.mult_g ?? []);
    this.startL.set(warm_start?.mult_x_L ?? []);
    this.startU.set(warm_start?.mult_x_U ?? []);
    this.#problem = problem;
    this.#options = options;
    this.#now = options.now;
    this.#started = this.#now?.() ?? 0;
    this.#wallLimit = options.max_wall_time ?? FAR;
    this.#cpuLimit = options.max_cpu_time ?? FAR;
    this.failure = undefined;
    this.outOfTime = undefined;
    this.#stopped = false;
  }

  /** Lets go of the callbacks. */
  end(): void {
    this.#problem = undefined;
    this.#options = {};
  }

  override objective(x: Float64Array): number {
    try {
      return this.#problem!.objective(x);
    } catch (error) {
      this.#failed("objective", error);
      return NaN;
    }
  }

  override gradient(x: Float64Array, g: Float64Array): boolean {
    try {
      return this.#problem!.gradient(x, g);
    } catch (error) {
      return this.#failed("gradient", error);
    }
  }

  override constraints(x: Float64Array, c: Float64Array): boolean {
    try {
      return this.#problem!.constraints(x, c);
    } catch (error) {
      return this.#failed("constraints", error);
    }
  }

  override jacobian(x: Float64Array, values: Float64Array): boolean {
    try {
      return this.#problem!.jacobian(x, values);
    } catch (error) {
      return this.#failed("jacobian", error);
    }
  }

  override hessian(x: Float64Array, sigma: number, lambda: Float64Array, values: Float64Array): boolean {
    try {
      return this.#problem!.hessian!(x, sigma, lambda, values);
    } catch (error) {
      return this.#failed("hessian", error);
    }
  }

  /** Once true, always: the core asks again on its way out. */
  override cancelled(): boolean {
    this.#stopped ||= this.#asked();
    return this.#stopped;
  }

  #asked(): boolean {
    const elapsed = this.elapsed();
    if (elapsed > this.#wallLimit || elapsed > this.#cpuLimit) {
      this.outOfTime = elapsed > this.#wallLimit ? -5 : -4;
      return true;
    }
    const { cancelled, signal, cancel_flag } = this.#options;
    if (signal?.aborted || (cancel_flag !== undefined && Atomics.load(cancel_flag, 0) !== 0)) return true;
    if (cancelled === undefined) return false;
    try {
      return cancelled();
    } catch (error) {
      return !this.#failed("cancelled", error);
    }
  }

  override elapsed(): number {
    return this.#now === undefined ? 0 : (this.#now() - this.#started) / 1000;
  }

  override report(progress: Float64Array): boolean {
    const { intermediate, print, print_level = 5 } = this.#options;
    const printing = print !== undefined && print_level >= 5;
    if (intermediate === undefined && !printing) return true;
    const at = iterationOf(progress);
    if (printing) {
      if (at.iteration % 10 === 0) print(ITERATION_HEADER);
      print(iterationLine(at));
    }
    try {
      return intermediate?.(at) !== false;
    } catch (error) {
      return this.#failed("intermediate", error);
    }
  }

  #failed(callback: string, error: unknown): false {
    this.failure ??= `${callback}: ${error instanceof Error ? error.message : String(error)}`;
    return false;
  }
}
