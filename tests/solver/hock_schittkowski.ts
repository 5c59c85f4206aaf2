import { atLeast, type BookProblem, equals, range } from "./book_problem.ts";
import type { Jet } from "./jet.ts";

/*
 * Test problems from W. Hock and K. Schittkowski, Test Examples for Nonlinear Programming Codes, Lecture Notes in
 * Economics and Mathematical Systems 187, Springer 1981; numbers as there. Left out are those whose best value is not
 * the only local one that a solver may end in.
 */

const INF = Infinity;
const same = (n: number, value: number) => Array.from({ length: n }, () => value);
const weighted = (x: readonly Jet[], ...w: number[]) =>
  w.slice(1).reduce((sum, c, i) => sum.plus(x[i + 1].times(c)), x[0].times(w[0]));
const product = (x: readonly Jet[]) => x.slice(1).reduce((p, y) => p.times(y), x[0]);
const banana = (x: readonly Jet[], i = 0) =>
  x[i + 1].minus(x[i].square()).square().times(100).plus(x[i].minus(1).square());

export const HOCK_SCHITTKOWSKI: readonly BookProblem[] = [
  { name: "1", x0: [-2, 1], bounds: [[-INF, INF], [-1.5, INF]], f: (x) => banana(x), best: 0 },
  {
    name: "3",
    x0: [10, 1],
    bounds: [[-INF, INF], [0, INF]],
    f: (x) => x[1].plus(x[1].minus(x[0]).square().times(1e-5)),
    best: 0,
  },
  {
    name: "4",
    x0: [1.125, 0.125],
    bounds: [[1, INF], [0, INF]],
    f: (x) => x[0].plus(1).power(3).over(3).plus(x[1]),
    best: 8 / 3,
  },
  {
    name: "5",
    x0: [0, 0],
    bounds: [[-1.5, 4], [-3, 3]],
    f: (x) => x[0].plus(x[1]).sin().plus(x[0].minus(x[1]).square()).plus(weighted(x, -1.5, 2.5)).plus(1),
    best: -Math.sqrt(3) / 2 - Math.PI / 3,
  },
  {
    name: "6",
    x0: [-1.2, 1],
    f: (x) => x[0].minus(1).square(),
    rows: [equals((x) => x[1].minus(x[0].square()).times(10))],
    best: 0,
  },
  {
    name: "7",
    x0: [2, 2],
    f: (x) => x[0].square().plus(1).log().minus(x[1]),
    rows: [equals((x) => x[0].square().plus(1).square().plus(x[1].square()), 4)],
    best: -Math.sqrt(3),
  },
  {
    name: "9",
    x0: [0, 0],
    f: (x) => x[0].times(Math.PI / 12).sin().times(x[1].times(Math.PI / 16).cos()),
    rows: [equals((x) => weighted(x, 4, -3))],
    best: -0.5,
  },
  {
    name: "10",
    x0: [-10, 10],
    f: (x) => x[0].minus(x[1]),
    rows: [
      atLeast((x) => x[0].square().times(-3).plus(x[0].times(x[1]).times(2)).minus(x[1].square()).plus(1)),
    ],
    best: -1,
  },
  {
    name: "11",
    x0: [4.9, 0.1],
    f: (x) => x[0].minus(5).square().plus(x[1].square()).minus(25),
    rows: [atLeast((x) => x[1].minus(x[0].square()))],
    best: -8.498464223,
  },
  {
    name: "12",
    x0: [0, 0],
    f: (x) => x[0].square().times(0.5).plus(x[1].square()).minus(x[0].times(x[1])).plus(weighted(x, -7, -7)),
    rows: [atLeast((x) => x[0].square().times(-4).minus(x[1].square()).plus(25))],
    best: -30,
  },
  {
    name: "14",
    x0: [2, 2],
    f: (x) => x[0].minus(2).square().plus(x[1].minus(1).square()),
    rows: [
      atLeast((x) => x[0].square().times(-0.25).minus(x[1].square()).plus(1)),
      equals((x) => weighted(x, 1, -2), -1),
    ],
    best: 9 - 2.875 * Math.sqrt(7),
  },
  {
    name: "18",
    x0: [2, 2],
    bounds: [[2, 50], [0, 50]],
    f: (x) => x[0].square().times(0.01).plus(x[1].square()),
    rows: [atLeast((x) => x[0].times(x[1]), 25), atLeast((x) => x[0].square().plus(x[1].square()), 25)],
    best: 5,
  },
  {
    name: "21",
    x0: [-1, -1],
    bounds: [[2, 50], [-50, 50]],
    f: (x) => x[0].square().times(0.01).plus(x[1].square()).minus(100),
    rows: [atLeast((x) => weighted(x, 10, -1), 10)],
    best: -99.96,
  },
  {
    name: "22",
    x0: [2, 2],
    f: (x) => x[0].minus(2).square().plus(x[1].minus(1).square()),
    rows: [atLeast((x) => weighted(x, -1, -1), -2), atLeast((x) => x[1].minus(x[0].square()))],
    best: 1,
  },
  {
    name: "24",
    x0: [1, 0.5],
    bounds: [[0, INF]],
    f: (x) => x[0].minus(3).square().minus(9).times(x[1].power(3)).over(27 * Math.sqrt(3)),
    rows: [
      atLeast((x) => weighted(x, 1 / Math.sqrt(3), -1)),
      range((x) => weighted(x, 1, Math.sqrt(3)), 0, 6),
    ],
    best: -1,
  },
  {
    name: "28",
    x0: [-4, 1, 1],
    f: (x) => x[0].plus(x[1]).square().plus(x[1].plus(x[2]).square()),
    rows: [equals((x) => weighted(x, 1, 2, 3), 1)],
    best: 0,
  },
  {
    name: "29",
    x0: [1, 1, 1],
    f: (x) => product(x).times(-1),
    rows: [atLeast((x) => weighted(x.map((y) => y.square()), -1, -2, -4), -48)],
    best: -16 * Math.SQRT2,
  },
  {
    name: "30",
    x0: [1, 1, 1],
    bounds: [[1, 10], [-10, 10], [-10, 10]],
    f: (x) => weighted(x.map((y) => y.square()), 1, 1, 1),
    rows: [atLeast((x) => x[0].square().plus(x[1].square()), 1)],
    best: 1,
  },
  {
    name: "32",
    x0: [0.1, 0.7, 0.2],
    bounds: [[0, INF]],
    f: (x) => weighted(x, 1, 3, 1).square().plus(x[0].minus(x[1]).square().times(4)),
    rows: [
      atLeast((x) => weighted([x[1], x[2]], 6, 4).minus(x[0].power(3)), 3),
      equals((x) => weighted(x, 1, 1, 1), 1),
    ],
    best: 1,
  },
  {
    name: "34",
    x0: [0, 1.05, 2.9],
    bounds: [[0, 100], [0, 100], [0, 10]],
    f: (x) => x[0].times(-1),
    rows: [atLeast((x) => x[1].minus(x[0].exp())), atLeast((x) => x[2].minus(x[1].exp()))],
    best: -Math.log(Math.log(10)),
  },
  {
    name: "35",
    x0: [0.5, 0.5, 0.5],
    bounds: [[0, INF]],
    f: (x) =>
      weighted(x, -8, -6, -4).plus(9).plus(weighted(x.map((y) => y.square()), 2, 2, 1))
        .plus(x[0].times(x[1]).times(2)).plus(x[0].times(x[2]).times(2)),
    rows: [atLeast((x) => weighted(x, -1, -1, -2), -3)],
    best: 1 / 9,
  },
  {
    name: "36",
    x0: [10, 10, 10],
    bounds: [[0, 20], [0, 11], [0, 42]],
    f: (x) => product(x).times(-1),
    rows: [atLeast((x) => weighted(x, -1, -2, -2), -72)],
    best: -3300,
  },
  {
    name: "38",
    x0: [-3, -1, -3, -1],
    bounds: [[-10, 10]],
    f: (x) =>
      banana(x).plus(x[3].minus(x[2].square()).square().times(90)).plus(x[2].minus(1).square())
        .plus(x[1].minus(1).square().plus(x[3].minus(1).square()).times(10.1))
        .plus(x[1].minus(1).times(x[3].minus(1)).times(19.8)),
    best: 0,
  },
  {
    name: "39",
    x0: [2, 2, 2, 2],
    f: (x) => x[0].times(-1),
    rows: [
      equals((x) => x[1].minus(x[0].power(3)).minus(x[2].square())),
      equals((x) => x[0].square().minus(x[1]).minus(x[3].square())),
    ],
    best: -1,
  },
  {
    name: "40",
    x0: same(4, 0.8),
    f: (x) => product(x).times(-1),
    rows: [
      equals((x) => x[0].power(3).plus(x[1].square()), 1),
      equals((x) => x[0].square().times(x[3]).minus(x[2])),
      equals((x) => x[3].square().minus(x[1])),
    ],
    best: -0.25,
  },
  {
    name: "42",
    x0: same(4, 1),
    f: (x) => weighted(x.map((y, i) => y.minus(i + 1).square()), 1, 1, 1, 1),
    rows: [equals((x) => x[0], 2), equals((x) => x[2].square().plus(x[3].square()), 2)],
    best: 28 - 10 * Math.SQRT2,
  },
  {
    name: "43",
    x0: same(4, 0),
    f: (x) => weighted(x.map((y) => y.square()), 1, 1, 2, 1).plus(weighted(x, -5, -5, -21, 7)),
    rows: [
      atLeast((x) => weighted(x.map((y) => y.square()), -1, -1, -1, -1).minus(weighted(x, 1, -1, 1, -1)), -8),
      atLeast((x) => weighted(x.map((y) => y.square()), -1, -2, -1, -2).plus(weighted(x, 1, 0, 0, 1)), -10),
      atLeast((x) => weighted(x.map((y) => y.square()), -2, -1, -1, 0).plus(weighted(x, -2, 1, 0, 1)), -5),
    ],
    best: -44,
  },
  {
    name: "48",
    x0: [3, 5, -3, 2, -2],
    f: (x) => x[0].minus(1).square().plus(x[1].minus(x[2]).square()).plus(x[3].minus(x[4]).square()),
    rows: [equals((x) => weighted(x, 1, 1, 1, 1, 1), 5), equals((x) => weighted(x, 0, 0, 1, -2, -2), -3)],
    best: 0,
  },
  {
    name: "50",
    x0: [35, -31, 11, 5, -5],
    f: (x) =>
      x[0].minus(x[1]).square().plus(x[1].minus(x[2]).square()).plus(x[2].minus(x[3]).power(4))
        .plus(x[3].minus(x[4]).square()),
    rows: [
      equals((x) => weighted(x, 1, 2, 3, 0, 0), 6),
      equals((x) => weighted(x, 0, 1, 2, 3, 0), 6),
      equals((x) => weighted(x, 0, 0, 1, 2, 3), 6),
    ],
    best: 0,
  },
  {
    name: "52",
    x0: same(5, 2),
    f: (x) =>
      x[0].times(4).minus(x[1]).square().plus(x[1].plus(x[2]).minus(2).square()).plus(x[3].minus(1).square())
        .plus(x[4].minus(1).square()),
    rows: [
      equals((x) => weighted(x, 1, 3)),
      equals((x) => weighted(x, 0, 0, 1, 1, -2)),
      equals((x) => weighted(x, 0, 1, 0, 0, -1)),
    ],
    best: 1859 / 349,
  },
  {
    name: "60",
    x0: same(3, 2),
    bounds: [[-10, 10]],
    f: (x) => x[0].minus(1).square().plus(x[0].minus(x[1]).square()).plus(x[1].minus(x[2]).power(4)),
    rows: [equals((x) => x[0].times(x[1].square().plus(1)).plus(x[2].power(4)), 4 + 3 * Math.SQRT2)],
    best: 0.03256820025,
  },
  {
    name: "64",
    x0: same(3, 1),
    bounds: [[1e-5, INF]],
    f: (x) => weighted(x, 5, 20, 10).plus(weighted(x.map((y) => y.power(-1)), 50_000, 72_000, 144_000)),
    rows: [atLeast((x) => weighted(x.map((y) => y.power(-1)), -4, -32, -120), -1)],
    best: 6299.842428,
  },
  {
    name: "66",
    x0: [0, 1.05, 2.9],
    bounds: [[0, 100], [0, 100], [0, 10]],
    f: (x) => weighted(x, -0.8, 0, 0.2),
    rows: [atLeast((x) => x[1].minus(x[0].exp())), atLeast((x) => x[2].minus(x[1].exp()))],
    best: 0.5181632741,
  },
  {
    name: "71",
    x0: [1, 5, 5, 1],
    bounds: [[1, 5]],
    f: (x) => x[0].times(x[3]).times(weighted(x, 1, 1, 1)).plus(x[2]),
    rows: [atLeast(product, 25), equals((x) => weighted(x.map((y) => y.square()), 1, 1, 1, 1), 40)],
    best: 17.0140173,
  },
  {
    name: "76",
    x0: same(4, 0.5),
    bounds: [[0, INF]],
    f: (x) =>
      weighted(x.map((y) => y.square()), 1, 0.5, 1, 0.5).minus(x[0].times(x[2])).plus(x[2].times(x[3]))
        .plus(weighted(x, -1, -3, 1, -1)),
    rows: [
      atLeast((x) => weighted(x, -1, -2, -1, -1), -5),
      atLeast((x) => weighted(x, -3, -1, -2, 1), -4),
      atLeast((x) => weighted(x, 0, 1, 4, 0), 1.5),
    ],
    best: -4.681818181,
  },
  { name: "78", x0: [-2, 1.5, 2, -1, -1], f: product, rows: ofProduct(), best: -2.91970041 },
  {
    name: "80",
    x0: [-2, 2, 2, -1, -1],
    bounds: [[-2.3, 2.3], [-2.3, 2.3], [-3.2, 3.2], [-3.2, 3.2], [-3.2, 3.2]],
    f: (x) => product(x).exp(),
    rows: ofProduct(),
    best: 0.0539498478,
  },
  {
    name: "83",
    x0: [78, 33, 27, 27, 27],
    bounds: [[78, 102], [33, 45], [27, 45], [27, 45], [27, 45]],
    f: (x) =>
      x[2].square().times(5.3578547).plus(x[0].times(x[4]).times(0.8356891)).plus(x[0].times(37.293239))
        .minus(40792.141),
    rows: [
      range(
        (x) =>
          weighted([x[1].times(x[4]), x[0].times(x[3]), x[2].times(x[4])], 5.6858e-3, 6.262e-4, -2.2053e-3)
            .plus(85.334407),
        0,
        92,
      ),
      range(
        (x) =>
          weighted([x[1].times(x[4]), x[0].times(x[1]), x[2].square()], 7.1317e-3, 2.9955e-3, 2.1813e-3)
            .plus(80.51249),
        90,
        110,
      ),
      range(
        (x) =>
          weighted([x[2].times(x[4]), x[0].times(x[2]), x[2].times(x[3])], 4.7026e-3, 1.2547e-3, 1.9085e-3)
            .plus(9.300961),
        20,
        25,
      ),
    ],
    best: -30665.53867,
  },
  {
    name: "100",
    x0: [1, 2, 0, 4, 0, 1, 1],
    f: (x) =>
      x[0].minus(10).square().plus(x[1].minus(12).square().times(5)).plus(x[2].power(4))
        .plus(x[3].minus(11).square().times(3)).plus(x[4].power(6).times(10)).plus(x[5].square().times(7))
        .plus(x[6].power(4)).minus(x[5].times(x[6]).times(4)).minus(x[5].times(10)).minus(x[6].times(8)),
    rows: [
      atLeast(
        (x) => weighted([x[0].square(), x[1].power(4), x[2], x[3].square(), x[4]], -2, -3, -1, -4, -5),
        -127,
      ),
      atLeast((x) => weighted([x[0], x[1], x[2].square(), x[3], x[4]], -7, -3, -10, -1, 1), -282),
      atLeast((x) => weighted([x[0], x[1].square(), x[5].square(), x[6]], -23, -1, -6, 8), -196),
      atLeast((x) =>
        weighted(
          [x[0].square(), x[1].square(), x[0].times(x[1]), x[2].square(), x[5], x[6]],
          -4,
          -1,
          3,
          -2,
          -5,
          11,
        )
      ),
    ],
    best: 680.6300573,
  },
  {
    name: "113",
    x0: [2, 3, 5, 5, 1, 2, 7, 3, 6, 10],
    f: (x) =>
      x[0].square().plus(x[1].square()).plus(x[0].times(x[1])).plus(weighted(x, -14, -16)).plus(45)
        .plus(weighted(
          x.slice(2).map((y, i) => y.minus([10, 5, 3, 1, 0, 11, 10, 7][i]).square()),
          1,
          4,
          1,
          2,
          5,
          7,
          2,
          1,
        )),
    rows: [
      atLeast((x) => weighted([x[0], x[1], x[6], x[7]], -4, -5, 3, -9), -105),
      atLeast((x) => weighted([x[0], x[1], x[6], x[7]], -10, 8, 17, -2)),
      atLeast((x) => weighted([x[0], x[1], x[8], x[9]], 8, -2, -5, 2), -12),
      atLeast(
        (x) => weighted([x[0].minus(2).square(), x[1].minus(3).square(), x[2].square(), x[3]], -3, -4, -2, 7),
        -120,
      ),
      atLeast((x) => weighted([x[0].square(), x[1], x[2].minus(6).square(), x[3]], -5, -8, -1, 2), -40),
      atLeast(
        (x) =>
          weighted([x[0].minus(8).square(), x[1].minus(4).square(), x[4].square(), x[5]], -0.5, -2, -3, 1),
        -30,
      ),
      atLeast((x) =>
        weighted([x[0].square(), x[1].minus(2).square(), x[0].times(x[1]), x[4], x[5]], -1, -2, 2, -14, 6)
      ),
      atLeast((x) => weighted([x[0], x[1], x[8].minus(8).square(), x[9]], 3, -6, -12, 7)),
    ],
    best: 24.3062091,
  },
];

/** The rows that problems 78 and 80 share. */
function ofProduct() {
  return [
    equals((x) => weighted(x.map((y) => y.square()), 1, 1, 1, 1, 1), 10),
    equals((x) => x[1].times(x[2]).minus(x[3].times(x[4]).times(5))),
    equals((x) => x[0].power(3).plus(x[1].power(3)), -1),
  ];
}
