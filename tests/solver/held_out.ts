import type { BookProblem } from "./book_problem.ts";
import { book } from "./formula_jet.ts";

/*
 * Problems that nothing in the solver was chosen by: HS from W. Hock and K. Schittkowski, Lecture Notes in Economics and
 * Mathematical Systems 187 (1981); S from K. Schittkowski, ibid. 282 (1987); BT from P. T. Boggs and J. W. Tolle, SIAM J.
 * Numer. Anal. 21 (1984); the others, by their names, from the CUTE collection. Best values as published, to more digits
 * where the book has fewer than seven.
 */

const ROSENBROCK = "100*(x2 - x1^2)^2 + (1 - x1)^2";
const SUZUKI = "x1^2 + x2^2 + 2*x3^2 + x4^2 - 5*x1 - 5*x2 - 21*x3 + 7*x4";
const same = (n: number, value: number) => Array.from({ length: n }, () => value);
const sum = (from: number, to: number, term: (i: number) => string) =>
  Array.from({ length: to - from + 1 }, (_, k) => `(${term(from + k)})`).join(" + ");

export const HELD_OUT: readonly BookProblem[] = [
  book("HS 8", [2, 1], "-1 + 0*x1", { rows: ["x1^2 + x2^2 = 25", "x1*x2 = 9"], best: -1 }),
  book("HS 16", [-2, 1], ROSENBROCK, {
    lower: [-0.5],
    upper: [0.5, 1],
    rows: ["x1 + x2^2 >= 0", "x1^2 + x2 >= 0"],
    best: 0.25,
  }),
  book("HS 26", [-2.6, 2, 2], "(x1 - x2)^2 + (x2 - x3)^4", { rows: ["(1 + x2^2)*x1 + x3^4 = 3"], best: 0 }),
  book("HS 46", [Math.SQRT1_2, 1.75, 0.5, 2, 2], "(x1 - x2)^2 + (x3 - 1)^2 + (x4 - 1)^4 + (x5 - 1)^6", {
    rows: ["x1^2*x4 + sin(x4 - x5) = 1", "x2 + x3^4*x4^2 = 2"],
    best: 0,
  }),
  book(
    "HS 54",
    [6e3, 1.5, 4e6, 2, 3e-3, 5e7],
    "-exp(-(((x1 - 1e4)^2/6.4e7 + (x1 - 1e4)*(x2 - 1)/2e4 + (x2 - 1)^2)/0.96 + (x3 - 2e6)^2/4.9e13 " +
      "+ (x4 - 10)^2/2.5e3 + (x5 - 1e-3)^2/2.5e-3 + (x6 - 1e8)^2/2.5e17)/2)",
    {
      lower: [0, -10, 0, 0, -1, 0],
      upper: [2e4, 10, 1e7, 20, 1, 2e8],
      rows: ["x1 + 4e3*x2 = 1.76e4"],
      best: -Math.exp(-27 / 280),
    },
  ),
  book(
    "HS 56",
    [1, 1, 1, ...same(3, Math.asin(Math.sqrt(1 / 4.2))), Math.asin(Math.sqrt(5 / 7.2))],
    "-x1*x2*x3",
    {
      rows: [
        "x1 - 4.2*sin(x4)^2 = 0",
        "x2 - 4.2*sin(x5)^2 = 0",
        "x3 - 4.2*sin(x6)^2 = 0",
        "x1 + 2*x2 + 2*x3 - 7.2*sin(x7)^2 = 0",
      ],
      best: -3.456,
    },
  ),
  book(
    "HS 62",
    [0.7, 0.2, 0.1],
    "-32.174*(255*log((x1 + x2 + x3 + 0.03)/(0.09*x1 + x2 + x3 + 0.03)) " +
      "+ 280*log((x2 + x3 + 0.03)/(0.07*x2 + x3 + 0.03)) + 290*log((x3 + 0.03)/(0.13*x3 + 0.03)))",
    { lower: 0, upper: 1, rows: ["x1 + x2 + x3 = 1"], best: -26272.51448 },
  ),
  book("HS 72", same(4, 1), "1 + x1 + x2 + x3 + x4", {
    lower: 0.001,
    upper: [4e5, 3e5, 2e5, 1e5],
    rows: [
      "4/x1 + 2.25/x2 + 1/x3 + 0.25/x4 <= 0.0401",
      "0.16/x1 + 0.36/x2 + 0.64/x3 + 0.64/x4 <= 0.010085",
    ],
    best: 727.67937,
  }),
  book("HS 74", same(4, 0), "3*x1 + 1e-6*x1^3 + 2*x2 + 2e-6*x2^3/3", {
    lower: [0, 0, -0.55, -0.55],
    upper: [1200, 1200, 0.55, 0.55],
    rows: [
      "-0.55 <= x4 - x3 <= 0.55",
      "x1 - 1000*sin(-x3 - 0.25) - 1000*sin(-x4 - 0.25) = 894.8",
      "x2 - 1000*sin(x3 - 0.25) - 1000*sin(x3 - x4 - 0.25) = 894.8",
      "1000*sin(x4 - 0.25) + 1000*sin(x4 - x3 - 0.25) = -1294.8",
    ],
    best: 5126.4981,
  }),
  geometric(),
  reaction(),
  book("S 206", [-1.2, 1], "(x2 - x1^2)^2 + 100*(1 - x1)^2", { best: 0 }),
  book("S 211", [-1.2, 1], "100*(x2 - x1^3)^2 + (1 - x1)^2", { best: 0 }),
  book("S 217", [10, 10], "-x2", {
    lower: [0],
    rows: ["x1 - 2*x2 >= -1", "x1^2 + x2^2 = 1"],
    best: -0.8,
  }),
  book("S 219", same(4, 10), "-x1", { rows: ["x2 - x1^3 - x3^2 = 0", "x1^2 - x2 - x4^2 = 0"], best: -1 }),
  book("S 221", [0.25, 0.25], "-x1", { lower: 0, upper: 1, rows: ["-(x1 - 1)^3 - x2 >= 0"], best: -1 }),
  book("S 222", [1.3, 0.2], "-x1", { lower: 0, rows: ["-(x1 - 1)^3 - x2 >= -0.125"], best: -1.5 }),
  book("S 224", [0.1, 0.1], "2*x1^2 + x2^2 - 48*x1 - 40*x2", {
    lower: 0,
    upper: 6,
    rows: ["0 <= x1 + 3*x2 <= 18", "0 <= x1 + x2 <= 8"],
    best: -304,
  }),
  book("S 225", [3, 1], "x1^2 + x2^2", {
    rows: ["x1 + x2 >= 1", "x1^2 + x2^2 >= 1", "9*x1^2 + x2^2 >= 9", "x1^2 - x2 >= 0", "x2^2 - x1 >= 0"],
    best: 2,
  }),
  book("S 226", [0.8, 0.05], "-x1*x2", { lower: 0, rows: ["0 <= x1^2 + x2^2 <= 1"], best: -0.5 }),
  book("S 234", [1, 1], "(x2 - x1)^4 - (1 - x1)", {
    lower: 0.2,
    upper: 2,
    rows: ["x1^2 + x2^2 <= 1"],
    best: -0.8,
  }),
  book("S 235", [-2, 3, 1], "0.01*(x1 - 1)^2 + (x2 - x1^2)^2", { rows: ["x1 + x3^2 = -1"], best: 0.04 }),
  book("S 246", [-1.2, 2, 0], "100*(x3 - ((x1 + x2)/2)^2)^2 + (1 - x1)^2 + (1 - x2)^2", { best: 0 }),
  book("S 250", same(3, 10), "-x1*x2*x3", {
    lower: 0,
    upper: [20, 11, 42],
    rows: ["0 <= x1 + 2*x2 + 2*x3 <= 72"],
    best: -3300,
  }),
  book("S 254", same(3, 1), `log(x3)/${Math.LN10} - x2`, {
    lower: [-Infinity, -Infinity, 1],
    rows: ["x2^2 + x3^2 = 4", "x3 - x1^2 = 1"],
    best: -Math.sqrt(3),
  }),
  book("S 262", same(4, 1), "-0.5*x1 - x2 - 0.5*x3 - x4", {
    lower: 0,
    rows: [
      "x1 + x2 + x3 + x4 <= 10",
      "0.2*x1 + 0.5*x2 + x3 + 2*x4 <= 10",
      "2*x1 + x2 + 0.5*x3 + 0.2*x4 <= 10",
      "x1 + x2 + x3 - 2*x4 = 6",
    ],
    best: -10,
  }),
  hilbert(8),
  book(
    "S 282",
    [-1.2, ...same(9, 0)],
    `(x1 - 1)^2 + (x10 - 1)^2 + 10*(${sum(1, 9, (i) => `${10 - i}*(x${i}^2 - x${i + 1})^2`)})`,
    { best: 0 },
  ),
  book("S 308", [3, 0.1], "(x1^2 + x2^2 + x1*x2)^2 + sin(x1)^2 + cos(x2)^2", { best: 0.77319906 }),
  book("S 326", [4, 3], "x1^2 + x2^2 - 16*x1 - 10*x2", {
    lower: 0,
    upper: 10,
    rows: ["x1^2 - 6*x1 + 4*x2 <= 11", "x1*x2 - 3*x2 - exp(x1 - 3) >= -1"],
    best: -79.807821,
  }),
  book("S 329", [14.35, 8.6], "(x1 - 10)^3 + (x2 - 20)^3", {
    lower: [13, 0],
    upper: [16, 15],
    rows: ["(x1 - 5)^2 + (x2 - 5)^2 >= 100", "0 <= (x1 - 6)^2 + (x2 - 5)^2 <= 82.81"],
    best: -6961.81381,
  }),
  book("S 335", same(3, 1), "-(0.001*x1 + x2)", {
    rows: ["-1000*x1^2 - 100*x2^2 + x3 = 0", "100*x1^2 + 400*x2^2 + x3 = 0.01"],
    best: -0.0044721349,
  }),
  book("S 343", [22.3, 0.5, 125], "-0.0201e-7*x1^4*x2*x3^2", {
    lower: 0,
    upper: [36, 5, 125],
    rows: ["x1^2*x2 <= 675", "1e-7*x1^2*x3^2 <= 0.419"],
    best: -5.6847825,
  }),
  book("S 353", [0, 0, 0.4, 0.6], "-(24.55*x1 + 26.75*x2 + 39*x3 + 40.5*x4)", {
    lower: 0,
    rows: [
      "2.3*x1 + 5.6*x2 + 11.1*x3 + 1.3*x4 >= 5",
      "12*x1 + 11.9*x2 + 41.8*x3 + 52.1*x4 - 1.645*sqrt(0.28*x1^2 + 0.19*x2^2 + 20.5*x3^2 + 0.62*x4^2) >= 12",
      "x1 + x2 + x3 + x4 = 1",
    ],
    best: -39.933673,
  }),
  book("S 394", same(20, 2), sum(1, 20, (i) => `${i}*(x${i}^2 + x${i}^4)`), {
    rows: [`${sum(1, 20, (i) => `x${i}^2`)} = 1`],
    best: 1.9166667,
  }),
  book("BT 7", [-2, 1, 1, 1, 1], "100*(x2 - x1^2)^2 + (x1 - 1)^2", {
    rows: ["x1*x2 - x3^2 = 1", "x2^2 - x4^2 + x1 = 0", "x5^2 + x1 = 0.5"],
    best: 306.5,
  }),
  book("BT 12", same(5, 2), "0.01*x1^2 + x2^2", {
    rows: ["x1 + x2 - x3^2 = 25", "x1^2 + x2^2 - x4^2 = 25", "x1 - x5^2 = 2"],
    best: 6.188118812,
  }),
  book("CB2", [1, 0.1, 0], "x3", {
    rows: ["x3 - x1^2 - x2^4 >= 0", "x3 - (2 - x1)^2 - (2 - x2)^2 >= 0", "x3 - 2*exp(x2 - x1) >= 0"],
    best: 1.952224494,
  }),
  book("MADSEN", [3, 1, 0], "x3", {
    rows: ["x1^2 + x2^2 + x1*x2", "sin(x1)", "cos(x2)"]
      .flatMap((g) => [`x3 - (${g}) >= 0`, `x3 + (${g}) >= 0`]),
    best: 0.6164324356,
  }),
  book("POLAK1", [50, 0.05, 0], "x3", {
    rows: ["x3 - exp(0.001*x1^2 + (x2 - 1)^2) >= 0", "x3 - exp(0.001*x1^2 + (x2 + 1)^2) >= 0"],
    best: Math.E,
  }),
  book("TWOBARS", [1, 1], "x1*sqrt(1 + x2^2)", {
    lower: [0.2, 0.1],
    upper: [4, 1.6],
    rows: ["+", "-"].map((sign) => `0.124*sqrt(1 + x2^2)*(8/x1 ${sign} 1/(x1*x2)) <= 1`),
    best: 1.50865241,
  }),
  book("CANTILVR", same(5, 1), "0.0624*(x1 + x2 + x3 + x4 + x5)", {
    lower: 1e-6,
    rows: ["61/x1^3 + 37/x2^3 + 19/x3^3 + 7/x4^3 + 1/x5^3 <= 1"],
    best: 1.339956361,
  }),
  book("ROSENMMX", same(5, 0), "x5", {
    rows: [
      "0",
      "x1^2 + x2^2 + x3^2 + x4^2 + x1 - x2 + x3 - x4 - 8",
      "x1^2 + 2*x2^2 + x3^2 + 2*x4^2 - x1 - x4 - 10",
      "2*x1^2 + x2^2 + x3^2 + 2*x1 - x2 - x4 - 5",
    ].map((g) => `x5 - (${SUZUKI}) - 10*(${g}) >= 0`),
    best: -44,
  }),
];

/** What no point satisfies. */
export const INFEASIBLE: readonly BookProblem[] = [
  book("no real circle", [0, 0], "x1", { rows: ["x1^2 + x2^2 <= -1"], best: NaN }),
  book("more than the box holds", same(3, 0.5), "x1^2", {
    lower: 0,
    upper: 1,
    rows: ["x1 + x2 + x3 >= 4"],
    best: NaN,
  }),
  book("hyperbola and line apart", [1, 1], "x1 + x2", { rows: ["x1*x2 = 1", "x1 + x2 = 0"], best: NaN }),
  book("exponential too small", [3, 3], "x1", { rows: ["exp(x1) + x2^2 = 0.5", "x1 >= 0"], best: NaN }),
];

/** What falls without end. */
export const UNBOUNDED: readonly BookProblem[] = [
  book("a plane", [1, 1], "-x1 - x2", { best: -Infinity }),
  book("a saddle in a quadrant", [1, 1], "x1 - x2^2", { lower: 0, rows: ["x1 + x2 >= 1"], best: -Infinity }),
  book("along a parabola", [1, 1], "-x1", { lower: 0, rows: ["x1 - x2^2 >= 0"], best: -Infinity }),
  book("a cube", [1, 1], "x2^2 - x1^3", { best: -Infinity }),
];

/** HS 103: a geometric program. */
function geometric(): BookProblem {
  const term = (factor: number, ...powers: number[]) =>
    [String(factor), ...powers.flatMap((p, i) => p === 0 ? [] : [`x${i + 1}^(${p})`])].join("*");
  const f = [
    term(10, 1, -1, 0, 2, 0, -3, 0.5),
    term(15, -1, -2, 1, 1, -1, 0, -0.5),
    term(20, -2, 1, 0, -1, -2, 1),
    term(25, 2, 2, -1, 0, 0.5, -2, 1),
  ].join(" + ");
  const rows = [
    [
      term(0.5, 0.5, 0, -1, 0, 0, -2, 1),
      term(0.7, 3, 1, -2, 0, 0, 1, 0.5),
      term(0.2, 0, -1, 1, -0.5, 0, 2 / 3, 0.25),
    ],
    [term(1.3, -0.5, 1, -1, 0, -1, 1), term(0.8, 0, 0, 1, -1, -1, 2), term(3.1, -1, 0.5, 0, -2, -1, 1 / 3)],
    [
      term(2, 1, 0, -1.5, 0, 1, -1, 1 / 3),
      term(0.1, 0, 1, -0.5, 0, 1, -1, -0.5),
      term(1, -1, 1, 0.5, 0, 1),
      term(0.65, 0, -2, 1, 0, 1, -1, 1),
    ],
    [
      term(0.2, -2, 1, 0, -1, 0.5, 0, 1 / 3),
      term(0.3, 0.5, 2, 1, 1 / 3, -2 / 3, 0, 0.25),
      term(0.4, -3, -2, 1, 0, 1, 0, 0.75),
      term(0.5, 0, 0, -2, 1, 0, 0, 0.5),
    ],
  ];
  return book("HS 103", same(7, 6), f, {
    lower: [...same(6, 0.1), 0.01],
    upper: 10,
    rows: [...rows.map((terms) => `${terms.join(" + ")} <= 1`), `100 <= ${f} <= 3000`],
    best: 543.667958,
  });
}

/** HS 111: chemical equilibrium in logarithms of the mole numbers. */
function reaction(): BookProblem {
  const c = [-6.089, -17.164, -34.054, -5.914, -24.721, -14.986, -24.1, -10.708, -26.662, -22.179];
  const total = sum(1, 10, (k) => `exp(x${k})`);
  return book(
    "HS 111",
    same(10, -2.3),
    sum(1, 10, (j) => `exp(x${j})*(${c[j - 1]} + x${j} - log(${total}))`),
    {
      lower: -100,
      upper: 100,
      rows: [
        "exp(x1) + 2*exp(x2) + 2*exp(x3) + exp(x6) + exp(x10) = 2",
        "exp(x4) + 2*exp(x5) + exp(x6) + exp(x7) = 1",
        "exp(x3) + exp(x7) + exp(x8) + 2*exp(x9) + exp(x10) = 1",
      ],
      best: -47.76109026,
    },
  );
}

/** S 277 to 280: linear, with a Hilbert matrix, all of it active at x = (1 … 1). */
function hilbert(n: number): BookProblem {
  const at = (i: number, j: number) => 1 / (i + j);
  const c = Array.from({ length: n }, (_, i) => same(n, 0).reduce((s, _, j) => s + at(i, j + 1), 0));
  return book("S 279", same(n, 0), sum(1, n, (i) => `${c[i - 1]}*x${i}`), {
    lower: 0,
    rows: c.map((value, i) => `${sum(1, n, (j) => `${at(i, j)}*x${j}`)} >= ${value}`),
    best: c.reduce((s, value) => s + value),
  });
}
