import { seeded } from "../graph/random_graph.ts";
import { atLeast, type BookProblem, equals } from "../solver/book_problem.ts";
import { HOCK_SCHITTKOWSKI } from "../solver/hock_schittkowski.ts";
import type { Jet } from "../solver/jet.ts";

/** The small problems of the comparison with native IPOPT: those of the book, and families of our own with seeds. */
export function smallProblems(): BookProblem[] {
  return [
    ...HOCK_SCHITTKOWSKI.map((problem) => ({ ...problem, name: `hs${problem.name.padStart(3, "0")}` })),
    ...[10, 30, 100].map(rosenbrock),
    ...[5, 10, 20].map(quadratic),
    ...[[3, 4], [5, 6], [10, 8]].map(([inputs, hidden]) => network(inputs, hidden, false)),
    ...[[3, 4], [5, 6]].map(([inputs, hidden]) => network(inputs, hidden, true)),
    ...[10, 40].map(chain),
    ...[10, 20].map(portfolio),
    fit(),
  ];
}

function all<T>(n: number, of: (k: number) => T): T[] {
  return Array.from({ length: n }, (_, k) => of(k));
}

function sum(terms: readonly Jet[]): Jet {
  return terms.slice(1).reduce((total, term) => total.plus(term), terms[0]);
}

function rosenbrock(n: number): BookProblem {
  return {
    name: `rosenbrock${n}`,
    x0: all(n, (k) => k % 2 ? 1 : -1.2),
    f: (x) =>
      sum(all(n - 1, (k) => x[k + 1].minus(x[k].square()).square().times(100).plus(x[k].minus(1).square()))),
    best: 0,
  };
}

/** A convex QP with a box and n/2 inequalities. */
function quadratic(n: number): BookProblem {
  const random = seeded(n);
  const draw = () => 2 * random() - 1;
  const squares = all(n, () => all(n, draw));
  const target = all(n, () => 3 * draw());
  const rows = all(n >> 1, () => all(n, draw));
  return {
    name: `qp${n}`,
    x0: all(n, () => 0),
    bounds: [[-1, 1]],
    f: (x) =>
      sum(squares.map((w, k) => sum(w.map((c, j) => x[j].times(c))).minus(target[k]).square()))
        .plus(sum(x.map((v) => v.square())).times(0.01)),
    rows: rows.map((w) => atLeast((x) => sum(w.map((c, j) => x[j].times(c))), -0.5)),
    best: NaN,
  };
}

/** An output of a network with one hidden layer of tanh over a box, and other outputs as constraints. */
function network(inputs: number, hidden: number, constrained: boolean): BookProblem {
  const random = seeded(100 * inputs + hidden);
  const draw = () => 2 * random() - 1;
  const first = all(hidden, () => all(inputs + 1, draw));
  const output = () => {
    const weights = all(hidden, draw);
    return (x: readonly Jet[]) => {
      const layer = first.map((w) => tanh(sum(x.map((v, j) => v.times(w[j]))).plus(w[inputs])));
      return sum(layer.map((v, k) => v.times(weights[k])));
    };
  };
  const cost = output();
  return {
    name: `network${inputs}x${hidden}${constrained ? "+3" : ""}`,
    x0: all(inputs, () => 0.1),
    bounds: [[-1, 1]],
    f: cost,
    ...(constrained && { rows: all(3, () => atLeast(output(), -0.2)) }),
    best: NaN,
  };
}

function tanh(u: Jet): Jet {
  return u.times(2).exp().plus(1).power(-1).times(-2).plus(1);
}

/** A hanging chain of n links between two points: least potential energy. */
function chain(n: number): BookProblem {
  // Coordinates of the inner joints: all x, then all y.
  const joints = n - 1;
  const at = (v: readonly Jet[], k: number) => [v[k], v[joints + k]] as const;
  const link = (v: readonly Jet[], k: number) => {
    if (k === 0) return at(v, 0)[0].square().plus(at(v, 0)[1].square());
    const [x, y] = at(v, k - 1);
    if (k === joints) return x.minus(1).square().plus(y.square());
    const [p, q] = at(v, k);
    return p.minus(x).square().plus(q.minus(y).square());
  };
  return {
    name: `chain${n}`,
    x0: all(2 * joints, (k) => k < joints ? (k + 1) / n : -0.3 * Math.sin(Math.PI * (k - joints + 1) / n)),
    f: (v) => sum(all(joints, (k) => at(v, k)[1])),
    rows: all(n, (k) => equals((v) => link(v, k).times(n * n), 1.5 ** 2)),
    best: NaN,
  };
}

/** Least variance for a wanted return: weights that add up to 1, none below 0. */
function portfolio(n: number): BookProblem {
  const random = seeded(1000 + n);
  const factors = all(3, () => all(n, () => 2 * random() - 1));
  const own = all(n, () => 0.1 + random());
  const gain = all(n, () => random());
  return {
    name: `portfolio${n}`,
    x0: all(n, () => 1 / n),
    bounds: [[0, 1]],
    f: (x) =>
      sum([
        ...factors.map((w) => sum(w.map((c, j) => x[j].times(c))).square()),
        ...own.map((c, j) => x[j].square().times(c)),
      ]),
    rows: [equals((x) => sum([...x]), 1), atLeast((x) => sum(gain.map((c, j) => x[j].times(c))), 0.6)],
    best: NaN,
  };
}

/** Two decays fitted to twenty noisy points. */
function fit(): BookProblem {
  const random = seeded(7);
  const times = all(20, (k) => k / 4);
  const seen = times.map((t) => 3 * Math.exp(-0.4 * t) + Math.exp(-2 * t) + 0.05 * (random() - 0.5));
  return {
    name: "fit20",
    x0: [2, 0.2, 2, 3],
    bounds: [[0, 10]],
    f: (x) =>
      sum(
        times.map((t, k) =>
          x[0].times(x[1].times(-t).exp()).plus(x[2].times(x[3].times(-t).exp())).minus(seen[k]).square()
        ),
      ),
    best: NaN,
  };
}
