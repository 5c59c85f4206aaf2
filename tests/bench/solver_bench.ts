/**
 * Complete solves in TypeScript and in WebAssembly, beside native IPOPT's in the same run where Debian's
 * coinor-libipopt-dev is installed. Each side in its own fastest form: ours dense or sparse.
 */
import {
  createSolver,
  createSparseSolver,
  createSparseWasmSolver,
  createWasmSolver,
  isSparse,
  type SolveResult,
  type SparseProblem,
  type Structure,
} from "../../runtime/solver/mod.ts";
import { controlProblem } from "../solver/control_problem.ts";
import { module } from "../solver/forms.ts";
import { factorisations } from "./ldlt_bench.ts";
import { median } from "./median.ts";
import { type Native, nativeTimes } from "./native_ipopt.ts";
import { codeOf } from "./problem_code.ts";
import type { BenchRow } from "./row.ts";
import { smallProblems } from "./solver_problems.ts";
import { type TimedProblem, timedProblem } from "./timed_problem.ts";

interface Timed {
  readonly form: string;
  readonly micros: number;
}

export async function solverBench(): Promise<BenchRow[]> {
  const codes = smallProblems().map((problem) => codeOf(problem.name, problem));
  const native = await nativeTimes(codes);
  const others = typeof native === "string" ? new Map<string, Native>() : native;
  const rows: BenchRow[] = [];
  const ratios = new Map<string, number[]>([["fastest", []]]);
  for (const problem of codes.map(timedProblem)) {
    const forms = formsOf(problem).map(({ form, solve }) => ({
      form,
      micros: median(solve, 7, 70_000),
      solve,
    }));
    const fastest = forms.reduce((a, b) => b.micros < a.micros ? b : a);
    const result = fastest.solve();
    const other = others.get(problem.name);
    if (other !== undefined && other.status === 0 && result.status === 0) {
      ratios.get("fastest")!.push(other.micros / fastest.micros);
      for (const { form, micros } of forms) {
        ratios.set(form, [...ratios.get(form) ?? [], other.micros / micros]);
      }
    }
    rows.push({
      name: `solver: ${problem.name}`,
      value: fastest.micros,
      unit: "µs",
      note: `${outcome(result)}; ${listed(forms, 1)}${beside(other, fastest.micros)}`,
    });
  }
  if (typeof native === "string") {
    rows.push({ name: "solver: native over ours", value: NaN, unit: "×", note: `not measured: ${native}` });
  } else rows.push(...means(ratios));
  rows.push(
    ...control(8000, 5, others.get("control16000")),
    ...control(80_000, 1, others.get("control160000")),
  );
  return [...rows, ...await factorisations()];
}

function formsOf({ dense, sparse }: TimedProblem): { readonly form: string; solve(): SolveResult }[] {
  const { n, m, jacobianStructure, hessianStructure } = sparse;
  const [script, wasm] = [createSolver(n, m), createWasmSolver(module, n, m)];
  const forms = [
    { form: "TypeScript", solve: () => script.solve(dense) },
    { form: "WebAssembly", solve: () => wasm.solve(dense) },
  ];
  if (!isSparse(n, m, jacobianStructure.iRow.length + hessianStructure.iRow.length)) return forms;
  return [...forms, ...sparseForms(sparse)];
}

function sparseForms(sparse: SparseProblem) {
  const { n, m, jacobianStructure, hessianStructure } = sparse;
  const script = createSparseSolver(n, m, jacobianStructure, hessianStructure);
  const wasm = createSparseWasmSolver(module, n, m, jacobianStructure, hessianStructure);
  return [
    { form: "sparse TypeScript", solve: () => script.solve(sparse) },
    { form: "sparse WebAssembly", solve: () => wasm.solve(sparse) },
  ];
}

function means(ratios: ReadonlyMap<string, readonly number[]>): BenchRow[] {
  return ["fastest", "TypeScript", "WebAssembly"].map((form) => {
    const of = ratios.get(form) ?? [];
    const mean = Math.exp(of.reduce((sum, ratio) => sum + Math.log(ratio), 0) / of.length);
    const least = Math.min(...of);
    return {
      name: form === "fastest" ? "solver: native over ours" : `solver: native over ${form}, dense`,
      value: mean,
      unit: "×",
      note: `geometric mean over ${of.length} problems, least ${least.toFixed(1)}${
        form === "fastest" ? "; goal ≥ 30" : ""
      }`,
    };
  });
}

/** First solves, the order of elimination included. */
function control(stages: number, rounds: number, other: Native | undefined): BenchRow[] {
  const problem = controlProblem(stages);
  const { n, m, jacobianStructure, hessianStructure } = problem;
  const fresh: Readonly<
    Record<string, (j: Structure, h: Structure) => ReturnType<typeof createSparseSolver>>
  > = {
    "TypeScript": (j, h) => createSparseSolver(n, m, j, h),
    "WebAssembly": (j, h) => createSparseWasmSolver(module, n, m, j, h),
  };
  let note = "";
  const forms = Object.entries(fresh).map(([form, create]) => {
    const times = Array.from({ length: rounds }, () => {
      const start = performance.now();
      note = outcome(create(jacobianStructure, hessianStructure).solve(problem));
      return (performance.now() - start) * 1000;
    });
    return { form, micros: times.sort((a, b) => a - b)[rounds >> 1] };
  });
  const fastest = Math.min(...forms.map(({ micros }) => micros));
  return [{
    name: `solver: control of ${(2 * stages).toLocaleString("en")} variables`,
    value: fastest / 1000,
    unit: "ms",
    note: `${note}; ${listed(forms, 1000)} ms${beside(other, fastest)}; goal ≤ native`,
  }];
}

function outcome({ status, iterations, objective }: SolveResult): string {
  return `${status === 0 ? "" : `status ${status}, `}${iterations} iterations to ${objective.toPrecision(9)}`;
}

function listed(forms: readonly Timed[], unit: number): string {
  return forms.map(({ form, micros }) => `${form} ${(micros / unit).toFixed(micros / unit < 100 ? 1 : 0)}`)
    .join(", ");
}

function beside(other: Native | undefined, micros: number): string {
  if (other === undefined) return "";
  const ratio = (other.micros / micros).toFixed(1);
  const status = other.status === 0 ? "" : `status ${other.status}, `;
  return `; IPOPT ${status}${other.iterations} iterations, ${other.micros.toFixed(0)} µs: ${ratio} ×`;
}
