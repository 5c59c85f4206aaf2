import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { createSolver, type DenseProblem, solveDense } from "../../runtime/solver/mod.ts";
import { atLeast, type BookProblem, denseForm, equals } from "./book_problem.ts";
import { HOCK_SCHITTKOWSKI } from "./hock_schittkowski.ts";
import { hs071 } from "./hs071.ts";

const INF = Infinity;

function book(name: string): BookProblem {
  return HOCK_SCHITTKOWSKI.find((problem) => problem.name === name)!;
}

/** (x₀ − 1)² + (x₁ − 2)² + x₂² with the given rows and bounds. */
function bowl(rest: Partial<BookProblem>): DenseProblem {
  return denseForm({
    name: "bowl",
    x0: [0, 0, 0],
    f: (x) => x[0].minus(1).square().plus(x[1].minus(2).square()).plus(x[2].square()),
    best: 0,
    ...rest,
  });
}

/** Maratos' example: full steps that converge quadratically raise both the objective and the violation. */
const MARATOS = denseForm({
  name: "maratos",
  x0: [Math.cos(1), Math.sin(1)],
  f: (x) => x[0].square().plus(x[1].square()).minus(1).times(2).minus(x[0]),
  rows: [equals((x) => x[0].square().plus(x[1].square()), 1)],
  best: -1,
});

Deno.test("second-order corrections take Maratos' example in full steps", () => {
  const corrected = solveDense(MARATOS);
  assertEquals(corrected.status, 0);
  assertAlmostEquals(corrected.objective, -1, 1e-8);
  const plain = solveDense(MARATOS, { max_soc: 0 });
  assertEquals(plain.status, 0);
  assert(corrected.iterations <= plain.iterations, `${corrected.iterations}, without ${plain.iterations}`);
});

Deno.test("the watchdog does not lose what is solved without it, nor the other way", () => {
  for (const name of ["7", "38", "64", "83", "100"]) {
    const problem = book(name);
    for (const watchdog_shortened_iter_trigger of [0, 1, 3]) {
      const { status, objective } = solveDense(denseForm(problem), { watchdog_shortened_iter_trigger });
      assertEquals(status, 0, `${name} with ${watchdog_shortened_iter_trigger}`);
      assertAlmostEquals(objective, problem.best, 1e-5 * Math.max(1, Math.abs(problem.best)), name);
    }
  }
});

Deno.test("bounds that nearly touch, or touch, hold their variable", () => {
  for (const width of [0, 1e-14, 1e-10, 1e-6, 1e-3]) {
    const result = solveDense(bowl({ bounds: [[-INF, INF], [1.5, 1.5 + width], [-INF, INF]] }));
    assertEquals(result.status, 0, `${width}`);
    assert(result.x[1] >= 1.5 && result.x[1] <= 1.5 + width, `${width}: ${result.x[1]}`);
    assertAlmostEquals(result.x[0], 1, 1e-6);
  }
});

Deno.test("a problem whose every variable is fixed is solved or infeasible without a step", () => {
  const bounds = [[1, 1], [2, 2], [3, 3]] as const;
  assertEquals(solveDense(bowl({ bounds })).status, 0);
  const rows = [equals((x) => x[0].plus(x[1]), 7)];
  const { status, iterations } = solveDense(bowl({ bounds, rows }));
  assertEquals([status, iterations], [2, 0]);
});

Deno.test("repeated and dependent rows do not disturb the answer", () => {
  const sum = equals((x) => x[0].plus(x[1]).plus(x[2]), 1);
  const twice = equals((x) => x[0].plus(x[1]).plus(x[2]).times(2), 2);
  for (const rows of [[sum, sum], [sum, twice], [sum, twice, equals((x) => x[0].times(0))]]) {
    const result = solveDense(bowl({ rows }));
    assertEquals(result.status, 0);
    assertAlmostEquals(result.objective, 4 / 3, 1e-6);
  }
});

Deno.test("a start outside of the bounds, on a bound or far away leads to the same answer", () => {
  const problem = book("71");
  for (const x0 of [[0, 9, -3, 1e6], [1, 1, 1, 1], [5, 5, 5, 5], [-1e8, 3, 3, 3]]) {
    const result = solveDense(denseForm({ ...problem, x0 }));
    assertEquals(result.status, 0, `${x0}`);
    // Rows are scaled by the gradients at the start: far away that costs some digits, as with IPOPT.
    assertAlmostEquals(result.objective, problem.best, 1e-4, `${x0}`);
    assert(result.x.every((value) => value >= 1 && value <= 5));
  }
});

Deno.test("a value that cannot be computed ends with −13 at the start and shortens the step later", () => {
  // √x and ln x are undefined on the way of the full step.
  const walls = denseForm({
    name: "walls",
    x0: [4, 4],
    f: (x) => x[0].power(0.5).minus(x[0].log().times(3)).plus(x[1]),
    rows: [atLeast((x) => x[1].power(0.5).plus(x[0]), 1)],
    best: NaN,
  });
  const solved = solveDense(walls);
  assertEquals(solved.status, 0);
  assertAlmostEquals(solved.x[0], 36, 1e-4);
  assertEquals(solveDense({ ...walls, x0: new Float64Array([-1, 4]) }).status, -13);
  assertEquals(solveDense({ ...walls, x0: new Float64Array([4, -1]) }).status, -13);
});

Deno.test("an exception in each of the callbacks is told and never leaves the solver", () => {
  const form = denseForm(book("71"));
  for (const callback of ["objective", "gradient", "constraints", "jacobian", "hessian"] as const) {
    const always = () => {
      throw new Error(`no ${callback} today`);
    };
    const refused = solveDense({ ...form, [callback]: always });
    assert(refused.status < 0, `${callback}: ${refused.status}`);
    assertStringIncludes(refused.message, `no ${callback} today`);
  }
  for (const callback of ["objective", "constraints"] as const) {
    let calls = 0;
    const original = form[callback].bind(form) as (x: Float64Array, out: Float64Array) => never;
    const fourth = (x: Float64Array, out: Float64Array) => {
      if (++calls === 4) throw new Error("once");
      return original(x, out);
    };
    const result = solveDense({ ...form, [callback]: fourth });
    assertEquals(result.status, 0, callback);
    assertAlmostEquals(result.objective, 17.0140173, 1e-5);
    assertStringIncludes(result.message, "once");
  }
});

Deno.test("an objective without a bound ends with 4", () => {
  const falling = denseForm({
    name: "falling",
    x0: [0, 0],
    bounds: [[0, INF], [-INF, INF]],
    f: (x) => x[0].times(-1).minus(x[1]),
    rows: [equals((x) => x[0].minus(x[1]))],
    best: -INF,
  });
  const result = solveDense(falling);
  assertEquals(result.status, 4);
  assert(result.iterations < 50, `${result.iterations}`);
});

Deno.test("what no point satisfies ends with 2 at a point of least violation", () => {
  const apart = bowl({
    rows: [
      atLeast((x) => x[0].square().plus(x[1].square()).times(-1), -1),
      atLeast((x) => x[0].plus(x[1]), 3),
    ],
  });
  const result = solveDense(apart);
  assertEquals(result.status, 2);
  // A disc and a half plane, both symmetric in the two variables: so is the point between them.
  assertAlmostEquals(result.x[0], result.x[1], 1e-3);
});

Deno.test("more equations than variables end with −10, reversed bounds with −11", () => {
  const rows = [1, 2, 3, 4].map((k) => equals((x) => x[0].times(k).plus(x[1]).plus(x[2]), k));
  assertEquals(solveDense(bowl({ rows })).status, -10);
  assertEquals(solveDense(bowl({ bounds: [[0, 1], [2, 1], [0, 1]] })).status, -11);
});

Deno.test("scales of 1e−4 to 1e8 in objective and rows keep the answer", () => {
  for (const scale of [1e-4, 1, 1e4, 1e8]) {
    const result = solveDense(
      bowl({
        f: (x) => x[0].minus(1).square().plus(x[1].minus(2).square()).plus(x[2].square()).times(scale),
        rows: [atLeast((x) => x[0].plus(x[1]).times(-scale), -2 * scale)],
      }),
      { bound_relax_factor: 0 },
    );
    assertEquals(result.status, 0, `${scale}`);
    assertAlmostEquals(result.x[0], 0.5, 1e-3, `${scale}`);
    assertAlmostEquals(result.x[1], 1.5, 1e-3, `${scale}`);
  }
});

Deno.test("a row that is scaled far down at the start is not relaxed by as much", () => {
  const form = denseForm({ ...book("71"), x0: [0, 9, -3, 1e6] });
  const { status, kkt_error } = solveDense(form);
  assertEquals(status, 0);
  assert(kkt_error.constraint_violation < 1e-5, `${kkt_error.constraint_violation}`);
});

Deno.test("1,000 solves of one solver give the same answer and no growth", () => {
  const form = hs071;
  const solver = createSolver(form.n, form.m);
  const first = solver.solve(form);
  const { iterations, x, objective } = { ...first, x: first.x.slice() };
  for (let k = 0; k < 1000; k++) solver.solve(form);
  const last = solver.solve(form);
  assertEquals([last.iterations, last.objective], [iterations, objective]);
  assertEquals(last.x, x);
  assert(last.x === first.x, "the arrays of the result are the solver's own");
});

Deno.test("a deadline is kept within one callback, a cancelled solve too, and the point stays inside the bounds", () => {
  const form = denseForm(book("71"));
  for (const callsBefore of [0, 1, 5, 17, 40]) {
    let time = 0;
    let late = 0;
    const tick = <T>(value: T): T => {
      if (time > callsBefore * 10) late++;
      time += 10;
      return value;
    };
    const slow: DenseProblem = {
      ...form,
      objective: (x) => tick(form.objective(x)),
      gradient: (x, g) => tick(form.gradient(x, g)),
      constraints: (x, c) => tick(form.constraints(x, c)),
      jacobian: (x, v) => tick(form.jacobian(x, v)),
      hessian: (x, s, y, v) => tick(form.hessian(x, s, y, v)),
    };
    const result = solveDense(slow, { now: () => time, max_wall_time: callsBefore * 0.01 });
    assertEquals(result.status, -5, `${callsBefore}`);
    assert(late <= 1, `${late} callbacks after the deadline`);
    assert(result.x.every((value) => value >= 1 && value <= 5), `${result.x}`);

    let asked = 0;
    const cancelled = solveDense(form, { cancelled: () => ++asked > callsBefore });
    assertEquals(cancelled.status, 5);
  }
});

Deno.test("free rows and rows that hold everywhere change nothing", () => {
  const idle = { g: book("71").f, lower: -INF, upper: INF };
  const form = denseForm({ ...book("71"), rows: [...book("71").rows!, idle] });
  const result = solveDense(form);
  assertEquals(result.status, 0);
  assertAlmostEquals(result.objective, 17.0140173, 1e-5);
  assertAlmostEquals(result.constraints[2], result.objective, 1e-9);
  assertEquals(result.mult_g[2], 0);
});
