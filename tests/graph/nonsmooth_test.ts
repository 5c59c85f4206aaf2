import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Graph, type NodeId } from "../../runtime/graph/expr.ts";
import { LiftedProblem } from "../../runtime/graph/lifted.ts";
import { type HardLimit, lift, type Lifted } from "../../runtime/graph/nonsmooth.ts";
import { findDirections } from "../../runtime/graph/directions.ts";
import { CODE } from "../../runtime/graph/opcodes.ts";
import { compileTape } from "../../runtime/graph/tape.ts";
import { decodeProgram, WIDTH } from "../../runtime/graph/program.ts";
import { type CornerCost, randomCorners } from "./random_corners.ts";
import { seeded } from "./random_graph.ts";

interface Case {
  readonly made: CornerCost;
  readonly lifted: Lifted;
  readonly problem: LiftedProblem;
  readonly x0: number[];
  readonly scale: number[];
}

function makeCase(seed: number, random: () => number): Case {
  const made = randomCorners(seed);
  const x0 = Array.from({ length: made.variables }, () => random() * 2 - 1);
  const scale = x0.map(() => 0.5 + random());
  const { graph, variables, cost } = made;
  const lifted = lift({ graph, variables, parameters: 0, cost, limits: [], scale, maxBranches: 40 });
  const problem = new LiftedProblem(structuredClone(lifted));
  problem.setRun({ parameters: [], x0, strictMargin: 0, looseMargin: 0 });
  return { made, lifted, problem, x0, scale };
}

function exactCost({ made, x0, scale }: Case, z: ArrayLike<number>): number {
  return made.exact(x0.map((x, i) => x + scale[i] * z[i]));
}

/** The objective, Infinity where a row or a bound of t is violated by more than `tolerance`. */
function objective(problem: LiftedProblem, v: Float64Array, tolerance: number): number {
  const out = new Float64Array(1 + problem.rows.length);
  problem.tape.value(v, out);
  const kept = problem.rows.every((row, k) =>
    out[1 + k] >= row.lower - tolerance && out[1 + k] <= row.upper + tolerance
  );
  const inside = problem.auxiliaries.every(({ lower, upper }, k) =>
    v[problem.variables + k] >= lower - tolerance && v[problem.variables + k] <= upper + tolerance
  );
  return kept && inside ? out[0] : Infinity;
}

function randomPoint(problem: LiftedProblem, random: () => number): Float64Array {
  const v = new Float64Array(problem.size);
  for (let i = 0; i < problem.variables; i++) v[i] = random() * 4 - 2;
  return v;
}

Deno.test("lift() reaches the exact cost at its start, on the sides that the exact functions take, on 300 random costs", () => {
  const random = seeded(1);
  let [branches, auxiliaries] = [0, 0];
  for (let seed = 0; seed < 300; seed++) {
    const made = makeCase(seed, random);
    branches += made.problem.branches.length;
    auxiliaries += made.problem.auxiliaries.length;
    for (let round = 0; round < 20; round++) {
      const v = randomPoint(made.problem, random);
      made.problem.setSides(made.problem.sidesAt(v));
      made.problem.start(v);
      const exact = exactCost(made, v);
      assertAlmostEquals(
        objective(made.problem, v, 1e-9),
        exact,
        1e-9 * Math.max(1, Math.abs(exact)),
        `seed ${seed}`,
      );
    }
  }
  assert(branches > 1000 && auxiliaries > 200, `${branches} branches and ${auxiliaries} auxiliary variables`);
});

Deno.test("lift() is never below the exact cost, whatever the sides and the auxiliary variables are", () => {
  const random = seeded(2);
  let feasible = 0;
  for (let seed = 0; seed < 300; seed++) {
    const made = makeCase(seed, random);
    const { problem } = made;
    for (let round = 0; round < 40; round++) {
      const v = randomPoint(problem, random);
      const sides = problem.sidesAt(v);
      if (round % 2 === 0) {
        for (let k = 0; k < sides.length; k++) if (random() < 0.3) sides[k] = 1 - sides[k];
      }
      problem.setSides(sides);
      problem.start(v);
      for (let k = problem.variables; k < v.length; k++) if (random() < 0.7) v[k] += random() * 2 - 1;
      const value = objective(problem, v, 0);
      if (value === Infinity) continue;
      feasible++;
      const exact = exactCost(made, v);
      assert(
        value >= exact - 1e-9 * Math.max(1, Math.abs(exact)),
        `seed ${seed}: ${value} is below ${exact}`,
      );
    }
  }
  assert(feasible > 2000, `${feasible} points were feasible`);
});

Deno.test("A lifted objective and its rows hold no corner and no condition that depends on a variable", () => {
  const random = seeded(3);
  for (let seed = 0; seed < 300; seed++) {
    const { lifted } = makeCase(seed, random);
    const program = decodeProgram(lifted.tape);
    const end = program.outputEnds[lifted.layout.starts - 1] * WIDTH;
    const { low, high } = findDirections(program);
    for (let at = program.fixed * WIDTH; at < end; at += WIDTH) {
      const op = program.code[at];
      const corner = op === CODE.min || op === CODE.max || op === CODE.abs;
      if (op === CODE.select) {
        assert(
          program.code[at + 3] < program.code[program.fixed * WIDTH + 1],
          `seed ${seed}: a condition varies`,
        );
      } else {assert(
          !corner || low[program.code[at + 1]] === high[program.code[at + 1]],
          `seed ${seed}: operation ${op} is left`,
        );}
    }
  }
});

Deno.test("LiftedProblem.branchSides() says true or false only where every point of the box agrees", () => {
  const random = seeded(4);
  let decided = 0;
  for (let seed = 0; seed < 200; seed++) {
    const { problem } = makeCase(seed, random);
    const centre = randomPoint(problem, random);
    const radius = random() * 0.5;
    const lower = centre.map((z) => z - radius);
    const upper = centre.map((z) => z + radius);
    const said = problem.branchSides(lower, upper);
    for (let round = 0; round < 30; round++) {
      const z = centre.map((c) => c + radius * (random() * 2 - 1));
      problem.sidesAt(z).forEach((side, k) => {
        if (said[k] !== "undecided") assertEquals(side === 1, said[k] === "true", `seed ${seed} branch ${k}`);
      });
    }
    decided += said.filter((side) => side !== "undecided").length;
  }
  assert(decided > 200, `${decided} branches were decided`);
});

function liftOf(
  build: (g: Graph, x: NodeId[]) => NodeId,
  variables = 2,
  limits: (g: Graph, x: NodeId[]) => HardLimit[] = () => [],
): LiftedProblem {
  const g = new Graph();
  const x = Array.from({ length: variables }, (_, i) => g.variable(i));
  const cost = build(g, x);
  const lifted = lift({
    graph: g,
    variables,
    parameters: 0,
    cost,
    limits: limits(g, x),
    scale: x.map(() => 1),
  });
  const problem = new LiftedProblem(lifted);
  problem.setRun({ parameters: [], x0: x.map(() => 0) });
  return problem;
}

Deno.test("lift() takes corners of the right sign without a branch, nested ones of one kind as one variable", () => {
  const ramps = liftOf((g, [x, y]) => {
    const score = g.binary(
      "min",
      g.constant(1),
      g.binary("min", g.binary("add", x, y), g.binary("sub", g.constant(2), x)),
    );
    return g.binary("sub", g.unary("abs", y), g.binary("mul", g.constant(100), score));
  });
  assertEquals([ramps.branches.length, ramps.auxiliaries.length, ramps.rows.length], [0, 2, 4]);
  assertEquals(ramps.auxiliaries.map(({ upper }) => upper).sort(), [1, Infinity]);

  const wrong = liftOf((g, [x, y]) => g.binary("mul", g.constant(3), g.binary("min", x, y)));
  assertEquals([wrong.branches.map(({ kind }) => kind), wrong.auxiliaries.length, wrong.rows.length], [
    ["min"],
    0,
    0,
  ]);

  const mixed = liftOf((g, [x, y]) =>
    g.binary("min", x, g.binary("min", g.unary("abs", y), g.binary("max", x, y)))
  );
  assertEquals([mixed.branches.length, mixed.auxiliaries.length], [2, 2]);
  const relevant = [[0, 1], [1, 0]].map((sides) => {
    mixed.setSides(sides);
    return [...mixed.relevant()];
  });
  assertEquals(relevant, [[0, 1], [1, 1]]);
});

Deno.test("lift() sees the sign of a factor: a score under a positive function is lifted, under one of unknown sign branched", () => {
  const score = (g: Graph, v: NodeId) => g.binary("min", g.constant(1), v);
  const known = liftOf((g, [x, y]) => g.unary("neg", g.binary("mul", g.unary("exp", y), score(g, x))));
  assertEquals([known.branches.length, known.auxiliaries.length], [0, 1]);
  const unknown = liftOf((g, [x, y]) => g.unary("neg", g.binary("mul", y, score(g, x))));
  assertEquals([unknown.branches.length, unknown.auxiliaries.length], [1, 0]);
});

Deno.test("lift() bounds an auxiliary variable by what its corner can be, so that no monotone range is left", () => {
  const problem = liftOf((g, [x, y]) => {
    const least = g.binary(
      "min",
      g.binary("add", g.constant(1), g.unary("exp", x)),
      g.binary("add", g.constant(2), g.unary("exp", y)),
    );
    return g.binary("div", g.constant(1), least);
  });
  assertEquals(problem.auxiliaries.length, 1);
  assert(problem.auxiliaries[0].lower > 0.999, String(problem.auxiliaries[0].lower));
});

Deno.test("A jump is a branch with a margin inside on both sides, and the side that is not chosen restricts nothing", () => {
  const problem = liftOf((g, [x, y]) => {
    const ramp = g.binary("div", g.binary("sub", g.constant(1), x), g.constant(0.6));
    const score = g.select(
      g.binary("lt", x, g.constant(0)),
      g.constant(0),
      g.binary("min", g.constant(1), ramp),
    );
    return g.binary("sub", y, score);
  });
  assertEquals(problem.branches.map(({ kind }) => kind), ["lt"]);
  assertEquals([...problem.sidesAt([0])], [0]);
  assertEquals([...problem.sidesAt([-1e-12])], [1]);
  const rowsAt = (z: number) => {
    const v = Float64Array.of(z, 0, 0);
    problem.start(v);
    const out = new Float64Array(1 + problem.rows.length);
    problem.tape.value(v, out);
    return problem.rows.map((row, k) => row.branch >= 0 ? out[1 + k] : NaN).filter((value) =>
      !Number.isNaN(value)
    )[0];
  };
  const [v, xl, xu] = [Float64Array.of(0.5, 0, 0), new Float64Array(3), new Float64Array(3)];
  problem.setSides([0]);
  problem.start(v);
  assert(rowsAt(0) > 0 && rowsAt(2e-9) < 0);
  problem.bounds([-1, -1], [1, 1], v, xl, xu);
  assertEquals([xl[2], xu[2]], [-Infinity, 1]);
  problem.setSides([1]);
  assert(rowsAt(0) > 0 && rowsAt(-2e-9) < 0);
  problem.start(v);
  problem.bounds([-1, -1], [1, 1], v, xl, xu);
  assertEquals([xl[2], xu[2]], [v[2], v[2]]);
  const out = new Float64Array(1 + problem.rows.length);
  problem.tape.value(Float64Array.of(-1, 0, 1e9), out);
  assertEquals(
    problem.rows.every((row, k) => out[1 + k] <= row.upper),
    true,
    "a fixed t and its rows do not bind",
  );
});

Deno.test("The second operand of a decided `and` is no restriction", () => {
  const problem = liftOf((g, [x, y]) => {
    const both = g.binary("and", g.binary("lt", g.constant(0), x), g.binary("lt", y, g.constant(0)));
    return g.binary("add", g.binary("sub", y, x), g.binary("mul", both, g.constant(500)));
  });
  assertEquals(problem.branches.length, 2);
  problem.setSides([0, 0]);
  assertEquals([...problem.relevant()], [1, 0]);
  problem.setSides([1, 0]);
  assertEquals([...problem.relevant()], [1, 1]);
});

Deno.test("Hard limits on corners of the right sign are rows on their pieces, other limits keep their sign", () => {
  const problem = liftOf((_g, [x]) => x, 2, (g, [x, y]) => [
    { node: g.binary("max", x, g.unary("abs", y)), lower: -Infinity, upper: 3 },
    { node: g.binary("min", x, y), lower: -Infinity, upper: 5 },
    { node: g.unary("exp", y), lower: 0.5, upper: 2 },
  ]);
  assertEquals(problem.auxiliaries.length, 0);
  assertEquals(problem.branches.map(({ kind }) => kind), ["min"]);
  const limits = problem.rows.filter((row) => row.limit >= 0).map((
    { limit, lower, upper },
  ) => [limit, lower, upper]);
  assertEquals(limits, [[0, -3, 3], [0, -Infinity, 3], [1, -Infinity, 5], [2, 0.5, 2]]);
});

Deno.test("Corners that share their arguments are looked at once each, not once on every way to them", () => {
  const graph = new Graph();
  const [x, y] = [graph.variable(0), graph.variable(1)];
  // each of the two before it: there are 10^12 ways down
  const corners = [x, y];
  for (let k = 0; k < 60; k++) corners.push(graph.binary("max", corners[k + 1], corners[k]));
  const node = corners.at(-1)!;
  const request = { graph, variables: 2, parameters: 0, scale: [1, 1] };
  const limited = lift({ ...request, cost: x, limits: [{ node, lower: -Infinity, upper: 5 }] });
  assertEquals(limited.rows.map(({ limit, upper }) => [limit, upper]), [[0, 5], [0, 5]]);
  assertEquals(lift({ ...request, cost: node, limits: [], maxAuxiliaries: 60 }).rows.length, 2);
});

Deno.test("Beyond the limit of branches corners are rounded off by at most half the width, conditions are held", () => {
  const g = new Graph();
  const x = [g.variable(0), g.variable(1)];
  const hidden = g.binary(
    "max",
    g.constant(0),
    g.linear([1, 2, -1, 1, 0.5, -2], g.concat(x), [0.1, 0.2, 0.3]),
  );
  const network = g.linear([1, -1, 2], hidden);
  const step = g.binary("mul", g.binary("lt", x[0], x[1]), g.constant(7));
  const cost = g.binary("add", network, step);
  const none = lift({
    graph: g,
    variables: 2,
    parameters: 0,
    cost,
    limits: [],
    scale: [1, 1],
    maxBranches: 0,
  });
  // of the three units, two enter with +: they are lifted
  assertEquals([none.branches.length, none.stepped, none.smoothed, none.auxiliaries.length], [0, 0, 1, 2]);
  assertEquals([none.steps!.held, none.steps!.quantities.length, none.ranged.length], [1, 1, 1]);
  const problem = new LiftedProblem(none);
  const random = seeded(5);
  for (const width of [0.1, 1e-6]) {
    problem.setRun({ parameters: [], x0: [0, 0], width });
    for (let round = 0; round < 50; round++) {
      const v = Float64Array.of(random() * 2 - 1, random() * 2 - 1, 0, 0);
      problem.holdAt(v.slice(0, 2));
      problem.start(v);
      const units = [v[0] + 2 * v[1] + 0.1, -v[0] + v[1] + 0.2, 0.5 * v[0] - 2 * v[1] + 0.3].map((u) =>
        Math.max(0, u)
      );
      const exact = units[0] - units[1] + 2 * units[2] + (v[0] < v[1] ? 7 : 0);
      assertAlmostEquals(objective(problem, v, 1e-12), exact, width / 2 + 1e-12);
    }
  }
});

Deno.test("The layers of a large ReLU network are rounded off as vectors, not turned into hundreds of variables", () => {
  const g = new Graph();
  const random = seeded(6);
  let node = g.concat([g.variable(0), g.variable(1)]);
  for (const [rows, columns] of [[64, 2], [64, 64], [1, 64]]) {
    node = g.linear(
      Float64Array.from({ length: rows * columns }, () => (random() * 2 - 1) / Math.sqrt(columns)),
      node,
    );
    if (rows > 1) node = g.binary("max", g.constant(0), node);
  }
  const kpi = g.binary("max", node, g.variable(0));
  const exact = compileTape(g, { variables: 2, parameters: 0, outputs: [kpi] });
  const lifted = lift({ graph: g, variables: 2, parameters: 0, cost: kpi, limits: [], scale: [1, 1] });
  assert(lifted.auxiliaries.length <= 48 && lifted.branches.length <= 12 && lifted.smoothed > 50);
  const problem = new LiftedProblem(lifted);
  problem.setRun({ parameters: [], x0: [0, 0], width: 1e-7 });
  const [v, out, size] = [new Float64Array(problem.size), new Float64Array(1), problem.rows.length];
  v[0] = 0.4;
  v[1] = -0.7;
  problem.setSides(problem.sidesAt(v));
  problem.start(v);
  exact.value(v.subarray(0, 2), out);
  assertAlmostEquals(objective(problem, v, 1e-9), out[0], 1e-5, `${size} rows`);
});

Deno.test("The objective of a lifted problem has the proximal term, and parameters pass through", () => {
  const g = new Graph();
  const cost = g.binary("mul", g.parameter(0), g.binary("sub", g.variable(0), g.parameter(1)));
  const lifted = lift({ graph: g, variables: 1, parameters: 2, cost, limits: [], scale: [4] });
  const problem = new LiftedProblem(lifted);
  problem.setRun({ parameters: [3, 10], x0: [12], rho: 0.5 });
  assertAlmostEquals(objective(problem, Float64Array.of(2), 0), 3 * (12 + 8 - 10) + 0.5 * 4, 1e-12);
});

Deno.test("A condition that joins ramps is lifted as a corner, one that jumps stays a branch", () => {
  const over = (g: Graph, v: NodeId, limit: number) => g.binary("lt", g.constant(limit), v);
  const falling = (g: Graph, v: NodeId) =>
    g.binary("div", g.binary("sub", g.constant(225), v), g.constant(75));
  const rising = (g: Graph, v: NodeId) => g.binary("div", g.binary("sub", v, g.constant(30)), g.constant(10));
  const counts = (build: (g: Graph, x: NodeId[]) => NodeId) => {
    const { branches, auxiliaries } = liftOf(build);
    return [branches.length, auxiliaries.length];
  };
  // 2 (x − 150) if x > 150 else 0
  const excess = (g: Graph, x: NodeId) => g.binary("mul", g.constant(2), g.binary("sub", x, g.constant(150)));
  assertEquals(counts((g, [x]) => g.select(over(g, x, 150), excess(g, x), g.constant(0))), [0, 1]);
  // (x > 150)·2 (x − 150)
  assertEquals(counts((g, [x]) => g.binary("mul", over(g, x, 150), excess(g, x))), [0, 1]);
  // −score with a ramp on both sides: (x − 30)/10 if x < 40 else (1 if x <= 150 else (225 − x)/75)
  const score = (g: Graph, x: NodeId) => {
    const right = g.select(g.binary("le", x, g.constant(150)), g.constant(1), falling(g, x));
    return g.select(g.binary("lt", x, g.constant(40)), rising(g, x), right);
  };
  assertEquals(counts((g, [x, y]) => g.binary("sub", y, score(g, g.binary("mul", x, y)))), [0, 1]);
  // x if x < y else y
  assertEquals(counts((g, [x, y]) => g.unary("neg", g.select(g.binary("lt", x, y), x, y))), [0, 1]);
  // jumps, and ramps that meet elsewhere
  assertEquals(counts((g, [x]) => g.select(over(g, x, 150), excess(g, x), g.constant(-1))), [1, 0]);
  assertEquals(counts((g, [x]) => g.unary("neg", g.select(over(g, x, 149), falling(g, x), g.constant(1)))), [
    1,
    0,
  ]);
  assertEquals(counts((g, [x]) => g.binary("mul", over(g, x, 150), g.constant(500))), [1, 0]);
});

Deno.test("A lifted score of ramps written as conditions equals the conditions everywhere", () => {
  const problem = liftOf((g, [x]) => {
    const right = g.select(
      g.binary("le", x, g.constant(1)),
      g.constant(1),
      g.binary("div", g.binary("sub", g.constant(4), x), g.constant(3)),
    );
    const rising = g.binary(
      "add",
      g.constant(1),
      g.binary("mul", g.constant(0.5), g.binary("add", x, g.constant(1))),
    );
    return g.unary("neg", g.select(g.binary("lt", x, g.constant(-1)), rising, right));
  });
  for (let x = -6; x <= 6; x += 0.25) {
    const v = Float64Array.of(x, 0, 0);
    problem.start(v);
    const exact = x < -1 ? 1 + 0.5 * (x + 1) : x <= 1 ? 1 : (4 - x) / 3;
    assertAlmostEquals(objective(problem, v, 1e-12), -exact, 1e-12, `at ${x}`);
  }
});
