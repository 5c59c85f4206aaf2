/** Complete solves beside native IPOPT's in the same run, where Debian's coinor-libipopt-dev is installed. */
import { DenseLdlt } from "../../runtime/solver/linear_algebra/ldlt.ts";
import { createSolver, solve } from "../../runtime/solver/mod.ts";
import { seeded } from "../graph/random_graph.ts";
import { asProblem, controlProblem } from "../solver/control_problem.ts";
import type { BenchRow } from "./row.ts";
import { smallProblems } from "./solver_problems.ts";

const HEADER = "/usr/include/coin/IpStdCInterface.h";

interface Native {
  readonly status: number;
  readonly iterations: number;
  readonly objective: number;
  readonly micros: number;
}

export async function solverBench(): Promise<BenchRow[]> {
  const native = await nativeTimes();
  const rows: BenchRow[] = [];
  const ratios: number[] = [];
  for (const problem of smallProblems()) {
    const solver = createSolver(problem.n, problem.m);
    const micros = median(() => solver.solve(problem), 15, 200_000);
    const { iterations, objective } = solver.solve(problem);
    const other = native.get(problem.name);
    if (other !== undefined) ratios.push(other.micros / micros);
    rows.push({
      name: `solver: ${problem.name}`,
      value: micros,
      unit: "µs",
      note: `${iterations} iterations to ${objective.toPrecision(9)}${beside(other, micros)}`,
    });
  }
  if (ratios.length > 0) {
    const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
    rows.push({
      name: "solver: native over ours",
      value: mean,
      unit: "×",
      note: "geometric mean; goal ≥ 30",
    });
  }
  rows.push(...await control(native.get("control16000")), ...factorisations());
  return rows;
}

async function control(other: Native | undefined): Promise<BenchRow[]> {
  const problem = asProblem(controlProblem(8000));
  const times: number[] = [];
  let iterations = 0;
  for (let k = 0; k < 5; k++) {
    const start = performance.now();
    ({ iterations } = await solve(problem));
    times.push((performance.now() - start) * 1000);
  }
  const micros = times.sort((a, b) => a - b)[2];
  return [{
    name: "solver: control of 16,000 variables",
    value: micros / 1000,
    unit: "ms",
    note: `${iterations} iterations, order of elimination included${beside(other, micros)}; goal ≤ native`,
  }];
}

/** LDLᵀ against as many multiply-adds in a plain loop. */
function factorisations(): BenchRow[] {
  return [100, 300].map((n) => {
    const random = seeded(n);
    const matrix = Float64Array.from({ length: n * n }, () => random() - 0.5);
    const ldlt = new DenseLdlt(n);
    const micros = median(
      () => {
        ldlt.a.set(matrix);
        ldlt.factor(n, 1e-40);
      },
      9,
      100_000,
    );
    const plain = median(() => plainLoop(matrix, ldlt.a, n), 9, 100_000);
    return {
      name: `solver: LDLᵀ n = ${n}`,
      value: micros,
      unit: "µs",
      note: `${(micros / plain).toFixed(2)} of as many multiply-adds in a plain loop (${
        plain.toFixed(0)
      } µs)`,
    };
  });
}

/** n³/6 multiply-adds column by column. */
function plainLoop(from: Float64Array, to: Float64Array, n: number): void {
  for (let k = 0; k < n; k++) {
    for (let j = k; j < n; j++) {
      const factor = from[k * n + j] * 1e-3;
      for (let i = j; i < n; i++) to[j * n + i] -= factor * from[k * n + i];
    }
  }
}

function beside(other: Native | undefined, micros: number): string {
  if (other === undefined) return "";
  const ratio = (other.micros / micros).toFixed(1);
  return `; IPOPT ${other.iterations} iterations, ${other.micros.toFixed(0)} µs: ${ratio} ×`;
}

/** Median of `rounds` rounds of some hundred ms at most, µs a call. */
function median(run: () => void, rounds: number, microsARound: number): number {
  const time = (calls: number) => {
    const start = performance.now();
    for (let k = 0; k < calls; k++) run();
    return (performance.now() - start) * 1000 / calls;
  };
  time(3);
  const calls = Math.max(1, Math.min(2000, Math.round(microsARound / rounds / time(3))));
  return Array.from({ length: rounds }, () => time(calls)).sort((a, b) => a - b)[rounds >> 1];
}

/** Builds and runs the C driver. Empty where there is no IPOPT or no compiler. */
async function nativeTimes(): Promise<Map<string, Native>> {
  const times = new Map<string, Native>();
  try {
    await Deno.stat(HEADER);
  } catch {
    return times;
  }
  const folder = await Deno.makeTempDir();
  try {
    const source = decodeURIComponent(new URL("./ipopt/driver.c", import.meta.url).pathname);
    const program = `${folder}/driver`;
    const build = await new Deno.Command("cc", { args: ["-O2", source, "-lipopt", "-lm", "-o", program] })
      .output();
    if (!build.success) return times;
    const { stdout } = await new Deno.Command(program).output();
    for (const line of new TextDecoder().decode(stdout).trim().split("\n")) {
      const [name, ...figures] = line.split(" ");
      const [status, iterations, objective, micros] = figures.map(Number);
      times.set(name, { status, iterations, objective, micros });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return times;
}
