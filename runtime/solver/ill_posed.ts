import type { DenseProblem } from "./dense_problem.ts";
import type { SolveOptions } from "./options.ts";

const FAR = 1e19;

/** What is wrong with a problem that ended with −10, −11 or −13, by name where it can be seen from the data. */
export function describeIllPosed(
  status: number,
  problem: DenseProblem,
  options: SolveOptions,
): string | undefined {
  const { n, m, x0, xl, xu, gl, gu } = problem;
  const variable = (j: number) => options.variable_names?.[j] ?? `x[${j}]`;
  const constraint = (i: number) => options.constraint_names?.[i] ?? `g[${i}]`;
  if (status === -13) {
    const j = x0.findIndex((value) => !Number.isFinite(value));
    return j < 0 ? undefined : `the start of ${variable(j)} is ${x0[j]}`;
  }
  if (status === -10) {
    let [equations, free] = [0, 0];
    for (let i = 0; i < m; i++) if (gl[i] === gu[i]) equations++;
    for (let j = 0; j < n; j++) if (xl[j] !== xu[j]) free++;
    return `${equations} equality constraints, ${free} free variables`;
  }
  if (status !== -11) return undefined;
  return wrongBound(xl, xu, variable) ?? wrongBound(gl, gu, constraint);
}

function wrongBound(
  lower: Float64Array,
  upper: Float64Array,
  name: (k: number) => string,
): string | undefined {
  for (let k = 0; k < lower.length; k++) {
    if (Number.isNaN(lower[k])) return `the lower bound of ${name(k)} is not a number`;
    if (Number.isNaN(upper[k])) return `the upper bound of ${name(k)} is not a number`;
    if (lower[k] > upper[k]) {
      return `the lower bound ${lower[k]} of ${name(k)} is above its upper bound ${upper[k]}`;
    }
    if (lower[k] >= FAR) return `the lower bound of ${name(k)} is ${lower[k]}: no number is above it`;
    if (upper[k] <= -FAR) return `the upper bound of ${name(k)} is ${upper[k]}: no number is below it`;
  }
  return undefined;
}
