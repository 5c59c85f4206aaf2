import { assert, assertAlmostEquals, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { DenseProblem, SolveOptions } from "../../runtime/solver/mod.ts";
import { atLeast, denseForm } from "./book_problem.ts";
import { everyForm } from "./forms.ts";
import { hs071, hs071Optimum } from "./hs071.ts";

/** √x and ln x are undefined on the way of the full step. */
const WALLS = denseForm({
  name: "walls",
  x0: [100, 100],
  f: (x) => x[0].power(0.5).minus(x[0].log().times(3)).plus(x[1]),
  rows: [atLeast((x) => x[1].power(0.5), 1)],
  best: NaN,
});

const CALLBACKS = ["objective", "gradient", "constraints", "jacobian", "hessian"] as const;

/** The problem with one callback failing in its `k`-th call. */
function failing(callback: typeof CALLBACKS[number], k: number, fail: () => never): DenseProblem {
  let calls = 0;
  const original = hs071[callback] as (...given: unknown[]) => never;
  return {
    ...hs071,
    [callback]: (...given: unknown[]) => ++calls === k ? fail() : original(...given),
  };
}

everyForm("what cannot be computed ends with −13 at the start and shortens the step later", ({ solve }) => {
  let [objectives, rows] = [0, 0];
  const solved = solve({
    ...WALLS,
    objective(x) {
      const value = WALLS.objective(x);
      if (Number.isNaN(value)) objectives++;
      return value;
    },
    constraints(x, c) {
      const done = WALLS.constraints(x, c);
      if (Number.isNaN(c[0])) rows++;
      return done;
    },
  });
  assertEquals(solved.status, 0);
  [36, 1].forEach((value, j) => assertAlmostEquals(solved.x[j], value, 1e-4));
  // Otherwise the test would show nothing.
  assert(objectives > 0 && rows > 0, `${objectives} objectives, ${rows} rows were undefined`);
  assertEquals(solve({ ...WALLS, x0: new Float64Array([-1, 4]) }).status, -13);
  assertEquals(solve({ ...WALLS, x0: new Float64Array([4, -1]) }).status, -13);
});

everyForm("a start that is no number is told by name", ({ solve }) => {
  const names = { variable_names: ["a", "b", "c", "d"] };
  const { status, message } = solve({ ...hs071, x0: Float64Array.of(1, 5, NaN, 1) }, names);
  assertEquals(status, -13);
  assertStringIncludes(message, "the start of c is NaN");
});

everyForm(
  "NaN in a gradient, a Jacobian or a Hessian later ends with −13, not with an answer",
  ({ solve }) => {
    for (const callback of ["gradient", "jacobian", "hessian"] as const) {
      let calls = 0;
      const original = hs071[callback] as (...given: unknown[]) => boolean;
      const spoiled = (...given: unknown[]) => {
        const done = original(...given);
        if (++calls === 4) (given.at(-1) as Float64Array)[0] = NaN;
        return done;
      };
      assertEquals(solve({ ...hs071, [callback]: spoiled }).status, -13, callback);
    }
  },
);

everyForm("an exception in each of the callbacks is told and never leaves the solver", ({ solve }) => {
  for (const callback of CALLBACKS) {
    const refused = solve(failing(callback, 1, () => {
      throw new Error(`no ${callback} today`);
    }));
    assertEquals(refused.status, -13, callback);
    assertStringIncludes(refused.message, `${callback}: no ${callback} today`);
  }
});

everyForm("a later exception cuts the step, or ends the solve where no step can be cut", ({ solve }) => {
  for (const callback of CALLBACKS) {
    const result = solve(failing(callback, 4, () => {
      throw new Error("once");
    }));
    assertStringIncludes(result.message, `${callback}: once`);
    if (callback === "objective" || callback === "constraints") {
      assertEquals(result.status, 0, callback);
      assertAlmostEquals(result.objective, hs071Optimum.objective, 1e-6);
    } else {
      assertEquals(result.status, -13, callback);
    }
  }
});

everyForm("exceptions of intermediate and cancelled stop the solve and are told", ({ solve }) => {
  for (const callback of ["intermediate", "cancelled"] as const) {
    let calls = 0;
    const options: SolveOptions = {
      [callback]: () => {
        if (++calls === 3) throw new Error("no more");
        return callback === "intermediate";
      },
    };
    const { status, message } = solve(hs071, options);
    assertEquals(status, 5, callback);
    assertStringIncludes(message, `${callback}: no more`);
  }
});

everyForm("an exception during the derivative test is told, and the solve goes on", ({ solve }) => {
  const problem = failing("gradient", 2, () => {
    throw new Error("once");
  });
  const { status, message } = solve(problem, { derivative_test: "first-order" });
  assertEquals(status, 0);
  assertStringIncludes(message, "derivative_test: once");
});

everyForm("a thrown text is told as it is", ({ solve }) => {
  const { status, message } = solve(failing("objective", 1, () => {
    throw "a text";
  }));
  assertEquals(status, -13);
  assertStringIncludes(message, "objective: a text");
});

everyForm("bounds that leave no number end with −11 and say which", ({ solve }) => {
  const { xl, xu, gl, gu } = hs071;
  const names = { variable_names: ["a", "b", "c", "d"], constraint_names: ["product", "square"] };
  const cases: readonly (readonly [Partial<DenseProblem>, string])[] = [
    [{ xl: xl.with(1, 6) }, "the lower bound 6 of b is above its upper bound 5"],
    [{ xl: xl.with(0, NaN) }, "the lower bound of a is not a number"],
    [{ xu: xu.with(3, NaN) }, "the upper bound of d is not a number"],
    [{ gl: gl.with(1, 41) }, "the lower bound 41 of square is above its upper bound 40"],
    [{ gu: gu.with(0, NaN) }, "the upper bound of product is not a number"],
    [{ xl: xl.with(2, Infinity), xu: xu.with(2, Infinity) }, "the lower bound of c is Infinity"],
  ];
  for (const [change, said] of cases) {
    const { status, message } = solve({ ...hs071, ...change }, names);
    assertEquals(status, -11, said);
    assertStringIncludes(message, said);
  }
});

everyForm("lengths that do not fit and missing callbacks are refused by name", ({ create }) => {
  const solver = create(hs071);
  const short = Float64Array.of(1, 2, 3);
  for (const name of ["x0", "xl", "xu"] as const) {
    assertThrows(() => solver.solve({ ...hs071, [name]: short }), RangeError, `${name} has 3 entries`);
  }
  for (const name of ["gl", "gu"] as const) {
    assertThrows(() => solver.solve({ ...hs071, [name]: short }), RangeError, `expected m = 2`);
  }
  assertThrows(() => solver.solve({ ...hs071, n: 3 }), RangeError, "3 variables and 2 constraints");
  const empty = new Float64Array(0);
  const warm_start = { mult_g: empty, mult_x_L: hs071.x0, mult_x_U: hs071.x0 };
  assertThrows(() => solver.solve(hs071, { warm_start }), RangeError, "mult_g has 0 entries, expected m = 2");
  assertThrows(() => solver.solve(hs071, { x_unit: short }), RangeError, "x_unit has 3 entries");
  assertThrows(() => solver.solve(hs071, { x_unit: hs071.x0.with(1, 0) }), RangeError, "x_unit[1] is 0");
  for (const callback of ["objective", "gradient", "constraints", "jacobian"] as const) {
    const without: Record<string, unknown> = { ...hs071, [callback]: undefined };
    const run = () => solver.solve(without as unknown as DenseProblem);
    assertThrows(run, TypeError, `${callback} is missing`);
  }
  const by = { lagrangian: short, constraints: Float64Array.of(0, 0) };
  assertThrows(() => solver.sensitivity(hs071, by), RangeError, "lagrangian has 3 entries");
  solver.solve(hs071);
  assertThrows(() => solver.reducedHessian(hs071, [4]), RangeError, "variable 4: expected 0 to 3");
});
