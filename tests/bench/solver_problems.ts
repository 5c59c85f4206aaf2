import type { DenseProblem } from "../../runtime/solver/mod.ts";

/** The problems of ipopt/driver.c by the same formulas, each callback as fast as it can be written by hand. */
export interface TimedProblem extends DenseProblem {
  readonly name: string;
}

export function smallProblems(): TimedProblem[] {
  return [hs035(), hs043(), hs071(), rosenbrock(10), rosenbrock(30), rosenbrock(100)];
}

function all(n: number, value: number): Float64Array {
  return new Float64Array(n).fill(value);
}

function hs035(): TimedProblem {
  const second = [4, 2, 2, 2, 4, 0, 2, 0, 2];
  return {
    name: "hs035",
    n: 3,
    m: 1,
    x0: all(3, 0.5),
    xl: all(3, 0),
    xu: all(3, 2e19),
    gl: all(1, -2e19),
    gu: all(1, 3),
    objective: (x) =>
      9 - 8 * x[0] - 6 * x[1] - 4 * x[2] + 2 * x[0] * x[0] + 2 * x[1] * x[1] + x[2] * x[2] + 2 * x[0] * x[1] +
      2 * x[0] * x[2],
    gradient(x, g) {
      g[0] = -8 + 4 * x[0] + 2 * x[1] + 2 * x[2];
      g[1] = -6 + 4 * x[1] + 2 * x[0];
      g[2] = -4 + 2 * x[2] + 2 * x[0];
      return true;
    },
    constraints(x, c) {
      c[0] = x[0] + x[1] + 2 * x[2];
      return true;
    },
    jacobian(_x, v) {
      v[0] = v[1] = 1;
      v[2] = 2;
      return true;
    },
    hessian(_x, sigma, _lambda, v) {
      for (let k = 0; k < 9; k++) v[k] = sigma * second[k];
      return true;
    },
  };
}

function hs043(): TimedProblem {
  return {
    name: "hs043",
    n: 4,
    m: 3,
    x0: all(4, 0),
    xl: all(4, -2e19),
    xu: all(4, 2e19),
    gl: all(3, -2e19),
    gu: new Float64Array([8, 10, 5]),
    objective: (x) =>
      x[0] * x[0] + x[1] * x[1] + 2 * x[2] * x[2] + x[3] * x[3] - 5 * x[0] - 5 * x[1] - 21 * x[2] + 7 * x[3],
    gradient(x, g) {
      g[0] = 2 * x[0] - 5;
      g[1] = 2 * x[1] - 5;
      g[2] = 4 * x[2] - 21;
      g[3] = 2 * x[3] + 7;
      return true;
    },
    constraints(x, g) {
      const [a, b, c, d] = [x[0] * x[0], x[1] * x[1], x[2] * x[2], x[3] * x[3]];
      g[0] = a + b + c + d + x[0] - x[1] + x[2] - x[3];
      g[1] = a + 2 * b + c + 2 * d - x[0] - x[3];
      g[2] = 2 * a + b + c + 2 * x[0] - x[1] - x[3];
      return true;
    },
    jacobian(x, v) {
      v[0] = 2 * x[0] + 1;
      v[1] = 2 * x[1] - 1;
      v[2] = 2 * x[2] + 1;
      v[3] = 2 * x[3] - 1;
      v[4] = 2 * x[0] - 1;
      v[5] = 4 * x[1];
      v[6] = 2 * x[2];
      v[7] = 4 * x[3] - 1;
      v[8] = 4 * x[0] + 2;
      v[9] = 2 * x[1] - 1;
      v[10] = 2 * x[2];
      v[11] = -1;
      return true;
    },
    hessian(_x, s, y, v) {
      v.fill(0);
      v[0] = 2 * s + 2 * y[0] + 2 * y[1] + 4 * y[2];
      v[5] = 2 * s + 2 * y[0] + 4 * y[1] + 2 * y[2];
      v[10] = 4 * s + 2 * y[0] + 2 * y[1] + 2 * y[2];
      v[15] = 2 * s + 2 * y[0] + 4 * y[1];
      return true;
    },
  };
}

export function hs071(): TimedProblem {
  return {
    name: "hs071",
    n: 4,
    m: 2,
    x0: new Float64Array([1, 5, 5, 1]),
    xl: all(4, 1),
    xu: all(4, 5),
    gl: new Float64Array([25, 40]),
    gu: new Float64Array([2e19, 40]),
    objective: (x) => x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2],
    gradient(x, g) {
      g[0] = x[3] * (2 * x[0] + x[1] + x[2]);
      g[1] = x[0] * x[3];
      g[2] = x[0] * x[3] + 1;
      g[3] = x[0] * (x[0] + x[1] + x[2]);
      return true;
    },
    constraints(x, c) {
      c[0] = x[0] * x[1] * x[2] * x[3];
      c[1] = x[0] * x[0] + x[1] * x[1] + x[2] * x[2] + x[3] * x[3];
      return true;
    },
    jacobian(x, v) {
      v[0] = x[1] * x[2] * x[3];
      v[1] = x[0] * x[2] * x[3];
      v[2] = x[0] * x[1] * x[3];
      v[3] = x[0] * x[1] * x[2];
      for (let k = 0; k < 4; k++) v[4 + k] = 2 * x[k];
      return true;
    },
    hessian(x, s, y, v) {
      v[0] = s * 2 * x[3] + 2 * y[1];
      v[4] = s * x[3] + y[0] * x[2] * x[3];
      v[5] = v[10] = v[15] = 2 * y[1];
      v[8] = s * x[3] + y[0] * x[1] * x[3];
      v[9] = y[0] * x[0] * x[3];
      v[12] = s * (2 * x[0] + x[1] + x[2]) + y[0] * x[1] * x[2];
      v[13] = s * x[0] + y[0] * x[0] * x[2];
      v[14] = s * x[0] + y[0] * x[0] * x[1];
      return true;
    },
  };
}

function rosenbrock(n: number): TimedProblem {
  return {
    name: `rosenbrock${n}`,
    n,
    m: 0,
    x0: Float64Array.from({ length: n }, (_, i) => i % 2 ? 1 : -1.2),
    xl: all(n, -2e19),
    xu: all(n, 2e19),
    gl: new Float64Array(0),
    gu: new Float64Array(0),
    objective(x) {
      let sum = 0;
      for (let i = 0; i + 1 < n; i++) {
        const a = x[i + 1] - x[i] * x[i];
        const b = 1 - x[i];
        sum += 100 * a * a + b * b;
      }
      return sum;
    },
    gradient(x, g) {
      g.fill(0);
      for (let i = 0; i + 1 < n; i++) {
        const a = x[i + 1] - x[i] * x[i];
        g[i] += -400 * a * x[i] - 2 * (1 - x[i]);
        g[i + 1] += 200 * a;
      }
      return true;
    },
    constraints: () => true,
    jacobian: () => true,
    hessian(x, s, _lambda, v) {
      v.fill(0);
      for (let i = 0; i + 1 < n; i++) {
        v[i * n + i] += s * (1200 * x[i] * x[i] - 400 * x[i + 1] + 2);
        v[(i + 1) * n + i + 1] += s * 200;
        v[(i + 1) * n + i] = -400 * s * x[i];
      }
      return true;
    },
  };
}
