import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { DenseProblem } from "../../runtime/solver/mod.ts";
import { seededRandom } from "../../runtime/graph/seeded_random.ts";
import { everyForm } from "./forms.ts";

interface KnownQp {
  readonly problem: DenseProblem;
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * min ½xᵀHx + qᵀx with rows and bounds, H positive definite, made backwards from its solution: x and the multipliers of
 * a chosen active set are drawn first, then q is what stationarity asks for and the bounds what complementarity does.
 */
function knownQp(random: () => number): KnownQp {
  const draw = () => 4 * random() - 2;
  const n = 2 + Math.floor(random() * 6);
  const m = Math.floor(random() * n);
  const x = Float64Array.from({ length: n }, draw);
  const root = Float64Array.from({ length: n * n }, draw);
  const h = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      h[i * n + j] = i === j ? 0.5 : 0;
      for (let k = 0; k < n; k++) h[i * n + j] += root[k * n + i] * root[k * n + j];
    }
  }
  const a = Float64Array.from({ length: m * n }, draw);
  const row = (v: Float64Array, r: number) => v.reduce((sum, value, j) => sum + a[r * n + j] * value, 0);
  const y = new Float64Array(m);
  const gl = new Float64Array(m).fill(-Infinity);
  const gu = new Float64Array(m).fill(Infinity);
  for (let r = 0; r < m; r++) {
    const at = row(x, r);
    const kind = Math.floor(random() * 4);
    if (kind === 0) {
      gl[r] = gu[r] = at;
      y[r] = draw();
    } else if (kind === 1) {
      gu[r] = at;
      y[r] = 0.5 + random();
    } else if (kind === 2) {
      gl[r] = at;
      y[r] = -0.5 - random();
    } else {
      gl[r] = at - 0.5 - random();
      gu[r] = at + 0.5 + random();
    }
  }
  const xl = x.map((value) => value - 0.5 - random());
  const xu = x.map((value) => value + 0.5 + random());
  const q = new Float64Array(n);
  // At most one variable sits on a bound, so that the active gradients stay independent.
  const pinned = random() < 0.5 ? Math.floor(random() * n) : -1;
  for (let j = 0; j < n; j++) {
    q[j] = -x.reduce((sum, value, k) => sum + h[j * n + k] * value, 0);
    for (let r = 0; r < m; r++) q[j] -= a[r * n + j] * y[r];
    if (j === pinned) {
      xl[j] = x[j];
      q[j] += 1;
    }
  }
  const times = (v: Float64Array, j: number) => v.reduce((sum, value, k) => sum + h[j * n + k] * value, 0);
  return {
    x,
    y,
    problem: {
      n,
      m,
      x0: Float64Array.from({ length: n }, draw),
      xl,
      xu,
      gl,
      gu,
      objective: (v) => v.reduce((sum, value, j) => sum + value * (0.5 * times(v, j) + q[j]), 0),
      gradient(v, g) {
        for (let j = 0; j < n; j++) g[j] = times(v, j) + q[j];
        return true;
      },
      constraints(v, c) {
        for (let r = 0; r < m; r++) c[r] = row(v, r);
        return true;
      },
      jacobian(_v, values) {
        values.set(a);
        return true;
      },
      hessian(_v, sigma, _lambda, values) {
        for (let k = 0; k < n * n; k++) values[k] = sigma * h[k];
        return true;
      },
    },
  };
}

everyForm(
  "300 random convex QPs made from their KKT solution are solved, with their multipliers",
  ({ solve }) => {
    const random = seededRandom(2026);
    for (let trial = 0; trial < 300; trial++) {
      const { problem, x, y } = knownQp(random);
      const result = solve(problem);
      assertEquals(result.status, 0, `trial ${trial}`);
      const scale = 1e-4 * Math.max(1, ...y.map(Math.abs));
      result.x.forEach((value, j) => assertAlmostEquals(value, x[j], scale, `trial ${trial}, x[${j}]`));
      result.mult_g.forEach((value, r) =>
        assertAlmostEquals(value, y[r], 100 * scale, `trial ${trial}, y[${r}]`)
      );
    }
  },
);

everyForm("100 random convex QPs are solved without their Hessians", ({ solve }) => {
  const random = seededRandom(99);
  for (let trial = 0; trial < 100; trial++) {
    const { problem, x } = knownQp(random);
    const { hessian: _, ...rest } = problem;
    const result = solve(rest);
    assert(result.status === 0 || result.status === 1, `trial ${trial}: ${result.status}`);
    result.x.forEach((value, j) => assertAlmostEquals(value, x[j], 1e-3, `trial ${trial}, x[${j}]`));
  }
});

/** Waves on a slope over [−2, 2]², inside or outside of a circle; derivatives by hand. */
function waves(random: () => number): DenseProblem {
  const [a, b, c, d, e, r] = Array.from({ length: 6 }, () => 2 * random() - 1);
  const inside = random() < 0.5;
  const radius = 1.2 + r * 0.5;
  return {
    n: 2,
    m: 1,
    x0: new Float64Array(2),
    xl: new Float64Array([-2, -2]),
    xu: new Float64Array([2, 2]),
    gl: new Float64Array([inside ? -Infinity : radius ** 2]),
    gu: new Float64Array([inside ? radius ** 2 : Infinity]),
    objective: ([x, y]) => Math.sin(2 * x + a) * Math.cos(y + b) + c * x + d * y + 0.2 * e * x * y,
    gradient([x, y], g) {
      g[0] = 2 * Math.cos(2 * x + a) * Math.cos(y + b) + c + 0.2 * e * y;
      g[1] = -Math.sin(2 * x + a) * Math.sin(y + b) + d + 0.2 * e * x;
      return true;
    },
    constraints([x, y], g) {
      g[0] = x * x + y * y;
      return true;
    },
    jacobian([x, y], values) {
      values[0] = 2 * x;
      values[1] = 2 * y;
      return true;
    },
    hessian([x, y], sigma, lambda, h) {
      h[0] = -4 * sigma * Math.sin(2 * x + a) * Math.cos(y + b) + 2 * lambda[0];
      h[1] = h[2] = sigma * (-2 * Math.cos(2 * x + a) * Math.sin(y + b) + 0.2 * e);
      h[3] = -sigma * Math.sin(2 * x + a) * Math.cos(y + b) + 2 * lambda[0];
      return true;
    },
  };
}

everyForm(
  "the best of a few starts is no worse than a grid of 160,000 points on 30 random problems",
  ({ solve }) => {
    const random = seededRandom(5);
    for (let trial = 0; trial < 30; trial++) {
      const problem = waves(random);
      const best = Math.min(
        ...starts().map((x0) => {
          const result = solve({ ...problem, x0 });
          assertEquals(result.status, 0, `trial ${trial} from ${x0}`);
          return result.objective;
        }),
      );
      const grid = gridBest(problem);
      assert(best <= grid + 1e-6, `trial ${trial}: ${best}, grid ${grid}`);
    }
  },
);

function starts(): Float64Array[] {
  const steps = [-1.7, -0.85, 0.1, 0.85, 1.7];
  return steps.flatMap((x) => steps.map((y) => new Float64Array([x, y])));
}

function gridBest(problem: DenseProblem): number {
  const point = new Float64Array(2);
  const row = new Float64Array(1);
  let best = Infinity;
  for (let i = 0; i <= 400; i++) {
    for (let j = 0; j <= 400; j++) {
      point[0] = -2 + i / 100;
      point[1] = -2 + j / 100;
      problem.constraints(point, row);
      if (row[0] < problem.gl[0] || row[0] > problem.gu[0]) continue;
      best = Math.min(best, problem.objective(point));
    }
  }
  return best;
}

/** min cᵀx with Σ of rows a·x = b and 0 ≤ x ≤ u, feasible at a drawn point; no curvature anywhere. */
function linearProgram(random: () => number): DenseProblem {
  const n = 3 + Math.floor(random() * 3);
  const m = 1 + Math.floor(random() * 2);
  const a = Float64Array.from({ length: m * n }, () => 2 * random() - 1);
  const c = Float64Array.from({ length: n }, () => 2 * random() - 1);
  const inside = Float64Array.from({ length: n }, () => 0.2 + 0.6 * random());
  const b = rowsOf(a, inside, m);
  return {
    n,
    m,
    x0: new Float64Array(n),
    xl: new Float64Array(n),
    xu: new Float64Array(n).fill(1),
    gl: b,
    gu: b,
    objective: (x) => x.reduce((sum, value, j) => sum + c[j] * value, 0),
    gradient: (_x, g) => (g.set(c), true),
    constraints: (x, values) => (values.set(rowsOf(a, x, m)), true),
    jacobian: (_x, values) => (values.set(a), true),
    hessian: (_x, _sigma, _lambda, values) => (values.fill(0), true),
  };
}

function rowsOf(a: Float64Array, x: Float64Array, m: number): Float64Array {
  const n = x.length;
  return Float64Array.from(
    { length: m },
    (_, i) => x.reduce((sum, value, j) => sum + a[i * n + j] * value, 0),
  );
}

/** The least objective of all vertices: n − m variables at a bound, the rest by Cramer's rule. */
function bestVertex(problem: DenseProblem): number {
  const { n, m, gl } = problem;
  const a = new Float64Array(m * n);
  problem.jacobian(problem.x0, a);
  let best = Infinity;
  for (let code = 0; code < 3 ** n; code++) {
    const x = Float64Array.from({ length: n }, (_, j) => Math.floor(code / 3 ** j) % 3);
    const basic = [...x.keys()].filter((j) => x[j] === 2);
    if (basic.length !== m) continue;
    for (const j of basic) x[j] = 0;
    const rest = rowsOf(a, x, m).map((value, i) => gl[i] - value);
    const at = (i: number, k: number) => a[i * n + basic[k]];
    if (m === 1) x[basic[0]] = rest[0] / at(0, 0);
    else {
      const det = at(0, 0) * at(1, 1) - at(0, 1) * at(1, 0);
      x[basic[0]] = (rest[0] * at(1, 1) - at(0, 1) * rest[1]) / det;
      x[basic[1]] = (at(0, 0) * rest[1] - rest[0] * at(1, 0)) / det;
    }
    if (x.every((value) => value >= -1e-12 && value <= 1 + 1e-12)) {
      best = Math.min(best, problem.objective(x));
    }
  }
  return best;
}

everyForm("200 random linear programs reach their best vertex", ({ solve }) => {
  const random = seededRandom(17);
  for (let trial = 0; trial < 200; trial++) {
    const problem = linearProgram(random);
    const { status, objective } = solve(problem);
    assertEquals(status, 0, `trial ${trial}`);
    assertAlmostEquals(objective, bestVertex(problem), 1e-6, `trial ${trial}`);
  }
});
