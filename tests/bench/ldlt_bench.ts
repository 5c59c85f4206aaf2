/** LDLᵀ in TypeScript and in WebAssembly against as many multiply-adds in a plain loop. */
import { DenseLdlt } from "../../runtime/solver/linear_algebra/ldlt.ts";
import { seeded } from "../graph/random_graph.ts";
import { compile } from "../solver/build.ts";
import { median } from "./median.ts";
import type { BenchRow } from "./row.ts";

/** Orders, and the longest time that WebAssembly should take, µs. */
const ORDERS = [[100, 70], [300, 1600]] as const;

export async function factorisations(): Promise<BenchRow[]> {
  const folder = "runtime/solver/linear_algebra";
  const twins = { [`${folder}/columns.ts`]: `${folder}/columns_simd.ts` };
  const flags = ["-O2", "--runtime", "stub"];
  const bytes = await compile(new URL("../../", import.meta.url), "tests/bench/ldlt_entry.ts", twins, flags);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource));
  const wasm = instance.exports as unknown as {
    readonly memory: WebAssembly.Memory;
    matrix(n: number): number;
    factor(n: number): number;
  };
  return ORDERS.flatMap(([n, goal]) => {
    const random = seeded(n);
    const matrix = Float64Array.from({ length: n * n }, () => random() - 0.5);
    const address = wasm.matrix(n);
    new Float64Array(wasm.memory.buffer, address, n * n).set(matrix);
    const ldlt = new DenseLdlt(n);
    const script = () => {
      ldlt.a.set(matrix);
      ldlt.factor(n, 1e-40);
    };
    const plain = median(() => plainLoop(matrix, ldlt.a, n), 9, 100_000);
    const row = (form: string, run: () => void, note: string) => {
      const value = median(run, 9, 100_000);
      const share = (value / plain).toFixed(2);
      const name = `solver: LDLᵀ n = ${n}, ${form}`;
      return { name, value, unit: "µs", note: `${share} of a plain loop of ${plain.toFixed(0)} µs${note}` };
    };
    return [row("WebAssembly", () => wasm.factor(n), `; goal ≤ ${goal}`), row("TypeScript", script, "")];
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
