import type { Problem, SparseProblem, Structure } from "../../runtime/solver/mod.ts";

/**
 * Optimal control: minimise h·Σ u_i² with x_{i+1} = x_i + h·(x_i² + u_i), h = 1/stages, x_0 = 1, x_stages = 0, −2 ≤ u ≤ 2,
 * from x_i = 1 − i/stages, u = 0. Variables x_1 … x_{stages−1}, then u_0 … u_{stages−1}.
 */
export function controlProblem(stages: number): SparseProblem & { readonly hessianStructure: Structure } {
  const h = 1 / stages;
  const states = stages - 1;
  const n = states + stages;
  const jacobianRow: number[] = [];
  const jacobianColumn: number[] = [];
  for (let i = 0; i < stages; i++) {
    if (i > 0) jacobianRow.push(i), jacobianColumn.push(i - 1);
    if (i < states) jacobianRow.push(i), jacobianColumn.push(i);
    jacobianRow.push(i), jacobianColumn.push(states + i);
  }
  const diagonal = Int32Array.from({ length: n }, (_, i) => i);
  return {
    n,
    m: stages,
    x0: Float64Array.from({ length: n }, (_, k) => k < states ? 1 - (k + 1) * h : 0),
    xl: Float64Array.from({ length: n }, (_, k) => k < states ? -Infinity : -2),
    xu: Float64Array.from({ length: n }, (_, k) => k < states ? Infinity : 2),
    gl: new Float64Array(stages),
    gu: new Float64Array(stages),
    jacobianStructure: { iRow: new Int32Array(jacobianRow), jCol: new Int32Array(jacobianColumn) },
    hessianStructure: { iRow: diagonal, jCol: diagonal },
    objective(x) {
      let sum = 0;
      for (let i = 0; i < stages; i++) sum += x[states + i] * x[states + i];
      return h * sum;
    },
    gradient(x, g) {
      for (let k = 0; k < n; k++) g[k] = k < states ? 0 : 2 * h * x[k];
      return true;
    },
    constraints(x, c) {
      let here = 1;
      for (let i = 0; i < stages; i++) {
        const next = i < states ? x[i] : 0;
        c[i] = next - here - h * (here * here + x[states + i]);
        here = next;
      }
      return true;
    },
    jacobian(x, values) {
      let put = 0;
      for (let i = 0; i < stages; i++) {
        if (i > 0) values[put++] = -1 - 2 * h * x[i - 1];
        if (i < states) values[put++] = 1;
        values[put++] = -h;
      }
      return true;
    },
    hessian(_x, sigma, lambda, values) {
      for (let k = 0; k < n; k++) values[k] = k < states ? -2 * h * lambda[k + 1] : 2 * h * sigma;
      return true;
    },
  };
}

/** A sparse problem as `solve` takes it. */
export function asProblem(sparse: SparseProblem & { readonly hessianStructure: Structure }): Problem {
  const { n, m, jacobianStructure, hessianStructure } = sparse;
  const filled = (length: number, write: (to: Float64Array) => boolean) => {
    const values = new Float64Array(length);
    write(values);
    return values;
  };
  const nele_jac = jacobianStructure.iRow.length;
  const nele_hess = hessianStructure.iRow.length;
  return {
    ...sparse,
    nele_jac,
    nele_hess,
    eval_f: (x) => sparse.objective(x),
    eval_grad_f: (x) => filled(n, (to) => sparse.gradient(x, to)),
    eval_g: (x) => filled(m, (to) => sparse.constraints(x, to)),
    eval_jac_g: (x, structure) =>
      structure ? jacobianStructure : filled(nele_jac, (to) => sparse.jacobian(x, to)),
    eval_h: (x, sigma, lambda, structure) =>
      structure ? hessianStructure : filled(nele_hess, (to) => sparse.hessian!(x, sigma, lambda, to)),
  };
}
