import { assert, assertEquals } from "@std/assert";
import { seededRandom } from "../../runtime/graph/seeded_random.ts";
import { EliminationTree } from "../../runtime/solver/linear_algebra/elimination_tree.ts";
import { SparseLdlt } from "../../runtime/solver/linear_algebra/sparse_ldlt.ts";

interface Triplets {
  readonly n: number;
  readonly rows: number[];
  readonly columns: number[];
  readonly values: number[];
}

function build(t: Triplets): SparseLdlt {
  const places = new Int32Array(t.rows.length);
  const count = t.rows.length;
  const ldlt = new SparseLdlt(t.n, count, new Int32Array(t.rows), new Int32Array(t.columns), places);
  t.values.forEach((value, k) => ldlt.values[places[k]] += value);
  return ldlt;
}

function multiply(t: Triplets, x: Float64Array): Float64Array {
  const y = new Float64Array(t.n);
  t.values.forEach((value, k) => {
    y[t.rows[k]] += value * x[t.columns[k]];
    if (t.rows[k] !== t.columns[k]) y[t.columns[k]] += value * x[t.rows[k]];
  });
  return y;
}

/** Number of negative eigenvalues by cyclic Jacobi rotations: slow, simple and unrelated to any factorisation. */
function negativeEigenvalues(t: Triplets): number {
  const n = t.n;
  const a = Array.from({ length: n }, () => new Float64Array(n));
  t.values.forEach((value, k) => {
    a[t.rows[k]][t.columns[k]] += value;
    if (t.rows[k] !== t.columns[k]) a[t.columns[k]][t.rows[k]] += value;
  });
  for (let sweep = 0; sweep < 30; sweep++) {
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(a[p][q]) < 1e-15) continue;
        const angle = 0.5 * Math.atan2(2 * a[p][q], a[q][q] - a[p][p]);
        const c = Math.cos(angle);
        const s = Math.sin(angle);
        for (let i = 0; i < n; i++) {
          const u = a[i][p];
          const v = a[i][q];
          a[i][p] = c * u - s * v;
          a[i][q] = s * u + c * v;
        }
        for (let i = 0; i < n; i++) {
          const u = a[p][i];
          const v = a[q][i];
          a[p][i] = c * u - s * v;
          a[q][i] = s * u + c * v;
        }
      }
    }
  }
  return a.filter((row, i) => row[i] < 0).length;
}

function randomSymmetric(n: number, perColumn: number, random: () => number, diagonal: boolean): Triplets {
  const t: Triplets = { n, rows: [], columns: [], values: [] };
  for (let j = 0; j < n; j++) {
    if (diagonal) add(t, j, j, random() - 0.5);
    for (let k = 0; k < perColumn; k++) add(t, Math.floor(random() * n), j, random() - 0.5);
  }
  return t;
}

function add(t: Triplets, row: number, column: number, value: number): void {
  t.rows.push(row);
  t.columns.push(column);
  t.values.push(value);
}

/** Saddle point [H Jᵀ; J 0] of a chain: row i ties x_i, x_{i+1} and u_i, as in optimal control. */
function chain(stages: number): Triplets {
  const n = 3 * stages;
  const t: Triplets = { n, rows: [], columns: [], values: [] };
  for (let i = 0; i < stages; i++) {
    add(t, stages + i, stages + i, 1 + i / stages);
    add(t, 2 * stages + i, i, -1.01);
    if (i + 1 < stages) add(t, 2 * stages + i, i + 1, 1);
    add(t, 2 * stages + i, stages + i, -0.1);
  }
  return t;
}

function worstError(t: Triplets, ldlt: SparseLdlt, random: () => number): number {
  const x = Float64Array.from({ length: t.n }, () => random() - 0.5);
  const b = multiply(t, x);
  ldlt.solve(b);
  // One refinement, as the solver does always.
  const rest = multiply(t, b).map((value) => -value);
  const rhs = multiply(t, x);
  for (let i = 0; i < t.n; i++) rest[i] += rhs[i];
  ldlt.solve(rest);
  return b.reduce((worst, value, i) => Math.max(worst, Math.abs(value + rest[i] - x[i])), 0);
}

Deno.test("SparseLdlt agrees with the eigenvalues in inertia and solves 120 random indefinite systems", () => {
  const random = seededRandom(7);
  let solved = 0;
  for (let trial = 0; trial < 120; trial++) {
    const t = randomSymmetric(1 + Math.floor(random() * 24), 1 + trial % 4, random, trial % 3 !== 0);
    const ldlt = build(t);
    // Without a diagonal a few of the patterns are singular whatever the values.
    if (!ldlt.factor(1e-12)) continue;
    solved++;
    assertEquals(ldlt.negatives, negativeEigenvalues(t), `trial ${trial}`);
    assert(worstError(t, ldlt, random) < 1e-6, `trial ${trial}`);
  }
  assert(solved > 100, `${solved}`);
});

Deno.test("SparseLdlt solves saddle points of long chains with zero diagonals and the inertia of their rows", () => {
  const random = seededRandom(3);
  for (const stages of [1, 2, 7, 50, 3000]) {
    const t = chain(stages);
    const ldlt = build(t);
    assert(ldlt.factor(1e-14), `${stages} stages`);
    assertEquals(ldlt.negatives, stages);
    assert(worstError(t, ldlt, random) < 1e-7, `${stages} stages`);
  }
});

Deno.test("SparseLdlt solves a chain with rows that tie everything together, with little more fill", () => {
  const random = seededRandom(11);
  const stages = 3000;
  const t = chain(stages);
  for (let k = 0; k < 3; k++) {
    for (let j = 0; j < 2 * stages; j++) add(t, t.n + k, j, random() - 0.5);
  }
  const tied = { ...t, n: t.n + 3 };
  const ldlt = build(tied);
  assert(ldlt.factor(1e-14));
  assertEquals(ldlt.negatives, stages + 3);
  assert(worstError(tied, ldlt, random) < 1e-6);
  const below = (of: SparseLdlt) => of.tree.belowStart[of.tree.supernodes];
  assert(below(ldlt) <= below(build(chain(stages))) + 4 * t.n, `${below(ldlt)}`);
});

Deno.test("SparseLdlt says that a matrix with two equal rows is singular", () => {
  const t: Triplets = {
    n: 4,
    rows: [0, 1, 2, 2, 3, 3],
    columns: [0, 1, 0, 1, 0, 1],
    values: [1, 1, 1, 2, 1, 2],
  };
  assertEquals(build(t).factor(1e-13), false);
});

Deno.test("SparseLdlt adds up duplicate entries and takes either triangle", () => {
  const t: Triplets = { n: 2, rows: [0, 0, 1, 1], columns: [0, 1, 1, 0], values: [2, 0.5, 3, 0.5] };
  const ldlt = build(t);
  assert(ldlt.factor(1e-14));
  const b = new Float64Array([3, 4]);
  ldlt.solve(b);
  assert(Math.abs(b[0] - 1) < 1e-15 && Math.abs(b[1] - 1) < 1e-15);
});

Deno.test("SparseLdlt factorises the same pattern again with other values", () => {
  const random = seededRandom(11);
  const t = randomSymmetric(40, 3, random, true);
  const places = new Int32Array(t.rows.length);
  const ldlt = new SparseLdlt(t.n, t.rows.length, new Int32Array(t.rows), new Int32Array(t.columns), places);
  for (let round = 0; round < 5; round++) {
    ldlt.values.fill(0);
    for (let k = 0; k < t.values.length; k++) {
      t.values[k] = random() - 0.5;
      ldlt.values[places[k]] += t.values[k];
    }
    assert(ldlt.factor(1e-13));
    assert(worstError(t, ldlt, random) < 1e-6);
  }
});

Deno.test("EliminationTree orders a grid and an arrow with little fill", () => {
  const side = 30;
  const rows: number[] = [];
  const columns: number[] = [];
  for (let i = 0; i < side; i++) {
    for (let j = 0; j < side; j++) {
      if (i + 1 < side) rows.push((i + 1) * side + j), columns.push(i * side + j);
      if (j + 1 < side) rows.push(i * side + j + 1), columns.push(i * side + j);
    }
  }
  const grid = fill(side * side, rows, columns);
  // The natural order of a 30 × 30 grid fills 26,130 entries; minimum degree needs about a third.
  assert(grid < 13_000, `${grid}`);
  const arrow = Array.from({ length: 499 }, (_, i) => i + 1);
  assert(fill(500, arrow, arrow.map(() => 0)) < 2_000);
});

function fill(n: number, rows: number[], columns: number[]): number {
  const count = rows.length;
  const tree = new EliminationTree(
    n,
    count,
    new Int32Array(rows),
    new Int32Array(columns),
    new Int32Array(count),
  );
  let sum = 0;
  for (let s = 0; s < tree.supernodes; s++) {
    const width = tree.first[s + 1] - tree.first[s];
    sum += width * (width - 1) / 2 + width * (tree.belowStart[s + 1] - tree.belowStart[s]);
  }
  return sum;
}
