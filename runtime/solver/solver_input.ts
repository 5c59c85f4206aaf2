import type { DenseProblem } from "./dense_problem.ts";
import type { SolveOptions } from "./options.ts";

/** @throws {RangeError} If a size is not a whole number in its range. */
export function checkSizes(n: number, m: number): void {
  if (Number.isInteger(n) && n >= 1 && Number.isInteger(m) && m >= 0) return;
  throw new RangeError(
    `Cannot make a solver for ${n} variables and ${m} constraints: expected whole numbers, at least 1 variable`,
  );
}

/** @throws {RangeError} If a problem is not of n variables and m constraints; {TypeError} If a callback is missing. */
export function checkProblem(problem: DenseProblem, n: number, m: number): void {
  if (problem.n !== n || problem.m !== m) {
    throw new RangeError(
      `Cannot solve a problem of ${problem.n} variables and ${problem.m} constraints: expected ${n} and ${m}`,
    );
  }
  checkLengths(problem, n, m);
  const callbacks = m > 0 ? ["objective", "gradient", "constraints", "jacobian"] : ["objective", "gradient"];
  checkCallbacks(problem, problem.hessian === undefined ? callbacks : [...callbacks, "hessian"]);
}

/** What both kinds of problems have. */
type Bounds = Readonly<Record<"x0" | "xl" | "xu" | "gl" | "gu", ArrayLike<number>>>;

/** @throws {RangeError} If start or bounds are not as many as there are variables or constraints. */
export function checkLengths({ x0, xl, xu, gl, gu }: Bounds, n: number, m: number): void {
  checkAll({ x0, xl, xu }, n, "n");
  checkAll({ gl, gu }, m, "m");
}

/** @throws {TypeError} If one of them is no function. */
export function checkCallbacks(problem: object, names: readonly string[]): void {
  for (const name of names) {
    const callback = (problem as Readonly<Record<string, unknown>>)[name];
    if (typeof callback === "function") continue;
    const state = callback === undefined ? "is missing" : `is ${typeof callback}, expected a function`;
    throw new TypeError(`Cannot solve: ${name} ${state}`);
  }
}

/** @throws {RangeError} If an array of the options has another length, or a unit is no size. */
export function checkGiven({ x_unit, warm_start }: SolveOptions, n: number, m: number): void {
  if (x_unit !== undefined) {
    checkAll({ x_unit }, n, "n");
    const at = x_unit.findIndex((unit) => !(unit > 0 && unit < Infinity));
    if (at >= 0) {
      throw new RangeError(`Cannot solve: x_unit[${at}] is ${x_unit[at]}, expected a size above 0`);
    }
  }
  if (warm_start === undefined) return;
  const { mult_g, mult_x_L, mult_x_U } = warm_start;
  checkAll({ mult_x_L, mult_x_U }, n, "n");
  checkAll({ mult_g }, m, "m");
}

/** @throws {RangeError} If derivatives by a parameter do not fit. */
export function checkParameter(
  n: number,
  m: number,
  lagrangian: Float64Array,
  constraints: Float64Array,
): void {
  checkAll({ lagrangian }, n, "n");
  checkAll({ constraints }, m, "m");
}

function checkAll(arrays: Readonly<Record<string, ArrayLike<number>>>, expected: number, size: string): void {
  for (const [name, array] of Object.entries(arrays)) {
    const length = (array as ArrayLike<number> | undefined)?.length;
    if (length === expected) continue;
    const state = length === undefined ? "is missing" : `has ${length} entries`;
    throw new RangeError(`Cannot solve: ${name} ${state}, expected ${size} = ${expected}`);
  }
}
