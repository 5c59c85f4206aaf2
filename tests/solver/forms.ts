import {
  createSolver,
  createSparseSolver,
  createSparseWasmSolver,
  createWasmSolver,
  type DenseProblem,
  type SolveOptions,
  type Solver,
  type SolveResult,
  type SparseProblem,
} from "../../runtime/solver/mod.ts";

/** solver.wasm, compiled once for all tests of a file. */
export const module = new WebAssembly.Module(
  await Deno.readFile(new URL("../../runtime/solver/solver.wasm", import.meta.url)),
);

/** The same problem with all places of its matrices listed: the sparse path on a dense structure. */
export function sparseForm(form: DenseProblem): SparseProblem {
  const { n, m, hessian } = form;
  const jacobianStructure = {
    iRow: Int32Array.from({ length: m * n }, (_, k) => Math.floor(k / n)),
    jCol: Int32Array.from({ length: m * n }, (_, k) => k % n),
  };
  if (hessian === undefined) return { ...form, jacobianStructure };
  const iRow: number[] = [];
  const jCol: number[] = [];
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) iRow.push(i), jCol.push(j);
  const full = new Float64Array(n * n);
  return {
    ...form,
    jacobianStructure,
    hessianStructure: { iRow: new Int32Array(iRow), jCol: new Int32Array(jCol) },
    hessian(x, sigma, lambda, values) {
      const done = hessian(x, sigma, lambda, full);
      iRow.forEach((i, k) => values[k] = full[i * n + jCol[k]]);
      return done;
    },
  };
}

/** One of the four ways in which a dense problem can be solved; each call of `solve` begins with fresh memory. */
export interface Form {
  readonly name: string;
  create(problem: DenseProblem): Solver;
  solve(problem: DenseProblem, options?: SolveOptions): SolveResult;
}

function form(name: string, create: (problem: DenseProblem) => Solver): Form {
  return { name, create, solve: (problem, options) => create(problem).solve(problem, options) };
}

/** A sparse solver that takes dense problems. */
function sparse(problem: DenseProblem, make: (of: SparseProblem) => Solver<SparseProblem>): Solver {
  const solver = make(sparseForm(problem));
  return {
    n: solver.n,
    m: solver.m,
    solve: (given, options) => solver.solve(sparseForm(given), options),
    sensitivity: (given, by) => solver.sensitivity(sparseForm(given), by),
    reducedHessian: (given, variables) => solver.reducedHessian(sparseForm(given), variables),
  };
}

export const FORMS: readonly Form[] = [
  form("TypeScript", ({ n, m }) => createSolver(n, m)),
  form("WebAssembly", ({ n, m }) => createWasmSolver(module, n, m)),
  form(
    "sparse TypeScript",
    (problem) =>
      sparse(
        problem,
        ({ n, m, jacobianStructure, hessianStructure }) =>
          createSparseSolver(n, m, jacobianStructure, hessianStructure),
      ),
  ),
  form(
    "sparse WebAssembly",
    (problem) =>
      sparse(
        problem,
        ({ n, m, jacobianStructure, hessianStructure }) =>
          createSparseWasmSolver(module, n, m, jacobianStructure, hessianStructure),
      ),
  ),
];

/** One test a form. */
export function everyForm(name: string, run: (form: Form) => void): void {
  for (const form of FORMS) Deno.test(`${name} (${form.name})`, () => run(form));
}
