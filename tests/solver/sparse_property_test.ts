import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  createSolver,
  createSparseSolver,
  createSparseWasmSolver,
  type DenseProblem,
  isSparse,
  type SparseProblem,
  type Structure,
} from "../../runtime/solver/mod.ts";
import { seeded } from "../graph/random_graph.ts";
import { module } from "./forms.ts";

type Network = SparseProblem & { readonly hessianStructure: Structure };

/**
 * Points tied in random pairs, f = Σ w·(x_i − x_j − d)⁴/4 + Σ 0.05·x²: convex. Rows are sparse sums, some of them equations,
 * some free, one over all variables; some variables are fixed. All is feasible at a drawn point.
 */
function network(random: () => number): Network {
  const n = 60 + Math.floor(random() * 90);
  const m = Math.floor(random() * 30);
  const pick = (k: number) => Math.floor(random() * k);
  const pairs = Array.from(
    { length: 2 * n },
    () => ({ i: pick(n), j: pick(n), w: 0.2 + random(), d: random() - 0.5 }),
  );
  const inside = Float64Array.from({ length: n }, () => 2 * random() - 1);
  const places = Array.from(
    { length: m },
    (_, row) =>
      row === 0
        ? Array.from({ length: n }, (_, j) => ({ j, c: random() }))
        : Array.from({ length: 2 + pick(4) }, () => ({ j: pick(n), c: random() - 0.5 })),
  );
  const rowAt = (x: Float64Array, row: number) => places[row].reduce((sum, { j, c }) => sum + c * x[j], 0);
  const kinds = places.map(() => pick(4));
  const gl = Float64Array.from(
    kinds,
    (kind, row) => kind === 3 ? -Infinity : rowAt(inside, row) - (kind ? 0.1 : 0),
  );
  const gu = Float64Array.from(
    kinds,
    (kind, row) => kind > 1 ? Infinity : rowAt(inside, row) + (kind ? 0.1 : 0),
  );
  const fixed = inside.map(() => Number(random() < 0.1));
  const hessianRow: number[] = [];
  const hessianColumn: number[] = [];
  // Places of pairs come in both triangles and several times.
  for (const { i, j } of pairs) hessianRow.push(i, j, i), hessianColumn.push(i, j, j);
  for (let j = 0; j < n; j++) hessianRow.push(j), hessianColumn.push(j);
  const flat = places.flatMap((of, row) => of.map(({ j, c }) => ({ row, j, c })));
  return {
    ...{ n, m, gl, gu },
    x0: new Float64Array(n),
    xl: inside.map((value, j) => fixed[j] ? value : -2),
    xu: inside.map((value, j) => fixed[j] ? value : 2),
    jacobianStructure: {
      iRow: Int32Array.from(flat, ({ row }) => row),
      jCol: Int32Array.from(flat, ({ j }) => j),
    },
    hessianStructure: { iRow: Int32Array.from(hessianRow), jCol: Int32Array.from(hessianColumn) },
    objective: (x) =>
      pairs.reduce((sum, { i, j, w, d }) => sum + w * (x[i] - x[j] - d) ** 4 / 4, 0) +
      x.reduce((sum, value) => sum + 0.05 * value * value, 0),
    gradient(x, g) {
      for (let j = 0; j < n; j++) g[j] = 0.1 * x[j];
      for (const { i, j, w, d } of pairs) {
        const slope = w * (x[i] - x[j] - d) ** 3;
        g[i] += slope;
        g[j] -= slope;
      }
      return true;
    },
    constraints(x, c) {
      for (let row = 0; row < m; row++) c[row] = rowAt(x, row);
      return true;
    },
    jacobian(_x, values) {
      flat.forEach(({ c }, k) => values[k] = c);
      return true;
    },
    hessian(x, sigma, _lambda, values) {
      pairs.forEach(({ i, j, w, d }, k) => {
        const curvature = 3 * sigma * w * (x[i] - x[j] - d) ** 2;
        values[3 * k] = values[3 * k + 1] = curvature;
        // A pair of a point with itself has no curvature: what stands on the diagonal twice cancels.
        values[3 * k + 2] = i === j ? -2 * curvature : -curvature;
      });
      values.fill(0.1 * sigma, 3 * pairs.length);
      return true;
    },
  };
}

/** The same with its matrices written out. */
function writtenOut(sparse: Network): DenseProblem {
  const { n, jacobianStructure, hessianStructure } = sparse;
  const spread = (
    { iRow, jCol }: Structure,
    to: Float64Array,
    symmetric: boolean,
    write: (v: Float64Array) => boolean,
  ) => {
    const values = new Float64Array(iRow.length);
    const done = write(values);
    to.fill(0);
    iRow.forEach((i, k) => {
      const j = jCol[k];
      to[symmetric ? Math.max(i, j) * n + Math.min(i, j) : i * n + j] += values[k];
    });
    return done;
  };
  return {
    ...sparse,
    jacobian: (x, to) => spread(jacobianStructure, to, false, (v) => sparse.jacobian(x, v)),
    hessian: (x, sigma, lambda, to) =>
      spread(hessianStructure, to, true, (v) => sparse.hessian!(x, sigma, lambda, v)),
  };
}

Deno.test("40 random networks have one answer in the dense form, the sparse one and both of its targets", () => {
  const random = seeded(40);
  let served = 0;
  for (let trial = 0; trial < 40; trial++) {
    const problem = network(random);
    const { n, m, jacobianStructure, hessianStructure } = problem;
    if (isSparse(n, m, jacobianStructure.iRow.length + hessianStructure.iRow.length)) served++;
    const expected = createSolver(n, m).solve(writtenOut(problem));
    assertEquals(expected.status, 0, `trial ${trial}`);
    const script = createSparseSolver(n, m, jacobianStructure, hessianStructure);
    const wasm = createSparseWasmSolver(module, n, m, jacobianStructure, hessianStructure);
    const [a, b] = [script.solve(problem), wasm.solve(problem)];
    assertEquals([a.status, a.iterations], [0, expected.iterations], `trial ${trial}`);
    assertAlmostEquals(a.objective, expected.objective, 1e-8, `trial ${trial}`);
    assertEquals([b.iterations, b.objective], [a.iterations, a.objective]);
    assertEquals(b.x, a.x);
    const { hessian: _, ...without } = problem;
    const limited = script.solve(without, { tol: 1e-6 });
    assert(limited.status === 0 || limited.status === 1, `trial ${trial}: ${limited.status}`);
    assertAlmostEquals(limited.objective, expected.objective, 1e-4, `trial ${trial}`);
  }
  assert(served > 10, `${served} of them are served sparse by solve()`);
});
