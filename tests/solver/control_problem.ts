import type { Problem, Structure } from "../../runtime/solver/mod.ts";

/**
 * Optimal control: minimise h·Σ u_i² with x_{i+1} = x_i + h·(x_i² + u_i), h = 1/stages, x_0 = 1, x_stages = 0, −2 ≤ u ≤ 2,
 * from x_i = 1 − i/stages, u = 0. Variables x_1 … x_{stages−1}, then u_0 … u_{stages−1}.
 */
export function controlProblem(stages: number): Problem {
  const h = 1 / stages;
  const states = stages - 1;
  const n = states + stages;
  const state = (x: Float64Array, i: number) => i === 0 ? 1 : i === stages ? 0 : x[i - 1];
  const jacobianRow: number[] = [];
  const jacobianColumn: number[] = [];
  for (let i = 0; i < stages; i++) {
    if (i > 0) jacobianRow.push(i), jacobianColumn.push(i - 1);
    if (i < states) jacobianRow.push(i), jacobianColumn.push(i);
    jacobianRow.push(i), jacobianColumn.push(states + i);
  }
  const jacobian: Structure = { iRow: new Int32Array(jacobianRow), jCol: new Int32Array(jacobianColumn) };
  const diagonal = Int32Array.from({ length: n }, (_, i) => i);
  return {
    n,
    m: stages,
    x0: Float64Array.from({ length: n }, (_, k) => k < states ? 1 - (k + 1) * h : 0),
    xl: Float64Array.from({ length: n }, (_, k) => k < states ? -Infinity : -2),
    xu: Float64Array.from({ length: n }, (_, k) => k < states ? Infinity : 2),
    gl: new Float64Array(stages),
    gu: new Float64Array(stages),
    nele_jac: jacobian.iRow.length,
    nele_hess: n,
    eval_f(x) {
      let sum = 0;
      for (let i = 0; i < stages; i++) sum += x[states + i] * x[states + i];
      return h * sum;
    },
    eval_grad_f: (x) => Float64Array.from(x, (value, k) => k < states ? 0 : 2 * h * value),
    eval_g: (x) =>
      Float64Array.from({ length: stages }, (_, i) => {
        const here = state(x, i);
        return state(x, i + 1) - here - h * (here * here + x[states + i]);
      }),
    eval_jac_g(x, structure) {
      if (structure) return jacobian;
      const values = new Float64Array(jacobian.iRow.length);
      let put = 0;
      for (let i = 0; i < stages; i++) {
        if (i > 0) values[put++] = -1 - 2 * h * x[i - 1];
        if (i < states) values[put++] = 1;
        values[put++] = -h;
      }
      return values;
    },
    eval_h(_x, objFactor, lambda, structure) {
      if (structure) return { iRow: diagonal, jCol: diagonal };
      return Float64Array.from(
        { length: n },
        (_, k) => k < states ? -2 * h * lambda[k + 1] : 2 * h * objFactor,
      );
    },
  };
}
