import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import type { DenseProblem, Iteration } from "../../runtime/solver/mod.ts";
import { atLeast, type BookProblem, denseForm, equals } from "./book_problem.ts";
import { everyForm } from "./forms.ts";
import { HOCK_SCHITTKOWSKI } from "./hock_schittkowski.ts";

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

/** Maratos' example in Powell's form: steps that converge quadratically raise both the objective and the violation. */
function maratos(steepness: number, angle: number): DenseProblem {
  return denseForm({
    name: "maratos",
    x0: [Math.cos(angle), Math.sin(angle)],
    f: (x) => x[0].square().plus(x[1].square()).minus(1).times(2 * steepness).minus(x[0]),
    rows: [equals((x) => x[0].square().plus(x[1].square()), 1)],
    best: -1,
  });
}

everyForm("second-order corrections take Maratos' example in full steps", ({ solve }) => {
  // IPOPT 3.11.9 takes 4 and 31 iterations.
  const problem = maratos(10, 0.5);
  const corrected = solve(problem, { watchdog_shortened_iter_trigger: 0 });
  assertEquals([corrected.status, corrected.iterations], [0, 4]);
  assertAlmostEquals(corrected.objective, -1, 1e-8);
  const plain = solve(problem, { watchdog_shortened_iter_trigger: 0, max_soc: 0 });
  assertEquals([plain.status, plain.iterations], [0, 31]);
});

everyForm("the watchdog takes three steps on trust where the search has shortened ten", ({ solve }) => {
  // IPOPT 3.11.9 takes 16 iterations with the letters below, and 213 without a watchdog.
  const problem = maratos(100, 1);
  const seen: Iteration[] = [];
  const watched = solve(problem, { intermediate: (at) => void seen.push(at) });
  assertEquals([watched.status, watched.iterations], [0, 16]);
  assertEquals(seen.map(({ tag }) => tag).join(""), " ffffffffffwwwfhh");
  assertEquals(seen.slice(11, 14).map(({ alpha_pr }) => alpha_pr), [1, 1, 1]);
  assert(seen[11].objective > 400 && seen[14].objective < seen[10].objective);
  const alone = solve(problem, { watchdog_shortened_iter_trigger: 0 });
  assertEquals([alone.status, alone.iterations], [0, 213]);
});

everyForm("the watchdog goes back to where it began when trust was in vain", ({ solve }) => {
  const seen: Iteration[] = [];
  const problem = maratos(10, 3);
  const result = solve(problem, { intermediate: (at) => void seen.push(at), watchdog_trial_iter_max: 1 });
  assertEquals(result.status, 0);
  assertAlmostEquals(result.objective, -1, 1e-6);
  const trusted = seen.findIndex(({ tag }) => tag === "w");
  assert(trusted > 0);
  // One step on trust, then the shortened step from the iterate before it.
  assert(seen[trusted].objective > seen[trusted - 1].objective + 1);
  assert(seen[trusted + 1].objective < seen[trusted - 1].objective);
});

everyForm(
  "soft restoration takes steps that lower the error where the filter has none to offer",
  ({ solve }) => {
    const problem = denseForm({ ...book("40"), x0: [-1, -2, 3, 0] });
    const run = (soft_resto_pderror_reduction_factor: number) => {
      let letters = "";
      const intermediate = ({ tag }: Iteration) => void (letters += tag);
      const { status, iterations } = solve(problem, { soft_resto_pderror_reduction_factor, intermediate });
      return { status, iterations, letters };
    };
    const [soft, hard] = [run(0.9999), run(0)];
    assertEquals([soft.status, hard.status], [0, 0]);
    assert(/s+S/.test(soft.letters) && !soft.letters.includes("R"), soft.letters);
    assert(!/[sS]/.test(hard.letters) && hard.letters.includes("R"), hard.letters);
    assert(soft.iterations < hard.iterations, `${soft.iterations}, without ${hard.iterations}`);
  },
);

everyForm(
  "adaptive µ and limited memory take IPOPT's iterations where τ, δc or a step back decides",
  ({ solve }) => {
    const ellipse = denseForm({
      name: "ellipse",
      x0: [0, 0],
      f: (x) => x[0].minus(20).square().plus(x[1].plus(20).square()),
      rows: [equals((x) => x[0].square().times(0.01).plus(x[1].square()), 1)],
      best: NaN,
    });
    const adaptive = { mu_strategy: "adaptive" } as const;
    const limited = { hessian_approximation: "limited-memory" } as const;
    // By IPOPT 3.11.9.
    for (
      const [problem, options, iterations] of [
        [denseForm(book("34")), adaptive, 7],
        [ellipse, adaptive, 16],
        [denseForm(book("22")), limited, 6],
        [maratos(10, 3), limited, 35],
        [maratos(10, 3), {}, 169],
      ] as const
    ) {
      const result = solve(problem, options);
      assertEquals([result.status, result.iterations], [0, iterations]);
    }
  },
);

everyForm(
  "mu_target ends a solve as in IPOPT: solved, or with 3 where the damping is left over",
  ({ solve }) => {
    const run = (name: string) => solve(denseForm(book(name)), { mu_target: 0.1 });
    const [within, damped] = [run("38"), run("4")];
    assertEquals([within.status, within.iterations], [0, 11]);
    assertEquals([damped.status, damped.iterations], [3, 7]);
    assertAlmostEquals(damped.objective, 2.8654660, 1e-6);
  },
);

everyForm("minus mult_g is what a unit of a constraint's bound costs", ({ solve }) => {
  const rows = (load: number) => [atLeast((x) => x[0].plus(x[1]).plus(x[2]), load)];
  const [less, at, more] = [4.999, 5, 5.001].map((load) => solve(bowl({ rows: rows(load) })));
  assertAlmostEquals(-at.mult_g[0], (more.objective - less.objective) / 0.002, 1e-5);
});

everyForm("no answer is called solved that its own callbacks do not confirm", ({ solve }) => {
  const problem = denseForm(book("71"));
  let calls = 0;
  const counted = {
    ...problem,
    gradient: (x: Float64Array, g: Float64Array) => (calls++, problem.gradient(x, g)),
  };
  assertEquals(solve(counted).status, 0);
  // The last gradient of a solve is the one by which it is confirmed.
  const last = calls;
  calls = 0;
  const turned = {
    ...problem,
    gradient(x: Float64Array, g: Float64Array) {
      const done = problem.gradient(x, g);
      if (++calls === last) g[1] += 1e-3;
      return done;
    },
  };
  assertEquals(solve(turned).status, 1);
});

everyForm("bounds that nearly touch, or touch, hold their variable", ({ solve }) => {
  for (const width of [0, 1e-14, 1e-10, 1e-6, 1e-3]) {
    const result = solve(bowl({ bounds: [[-INF, INF], [1.5, 1.5 + width], [-INF, INF]] }));
    assertEquals(result.status, 0, `${width}`);
    assert(result.x[1] >= 1.5 && result.x[1] <= 1.5 + width, `${width}: ${result.x[1]}`);
    assertAlmostEquals(result.x[0], 1, 1e-6);
  }
});

everyForm("fixed variables stay where they are, and the others find their optimum", ({ solve }) => {
  const rows = [equals((x) => x[0].plus(x[1]).plus(x[2]), 3)];
  for (const fixed of [0, 1, 2]) {
    const bounds = [0, 1, 2].map((k) => k === fixed ? [0.25, 0.25] as const : [-INF, INF] as const);
    const { status, x } = solve(bowl({ bounds, rows }));
    assertEquals(status, 0);
    assertEquals(x[fixed], 0.25);
    // Both free ones are off their own optimum by the same amount.
    const [a, b] = [0, 1, 2].filter((k) => k !== fixed);
    const optimum = [1, 2, 0];
    assertAlmostEquals(x[a] - optimum[a], x[b] - optimum[b], 1e-7);
    assertAlmostEquals(x[0] + x[1] + x[2], 3, 1e-8);
  }
});

everyForm("a problem whose every variable is fixed is solved or infeasible without a step", ({ solve }) => {
  const bounds = [[1, 1], [2, 2], [3, 3]] as const;
  assertEquals(solve(bowl({ bounds })).status, 0);
  const rows = [equals((x) => x[0].plus(x[1]), 7)];
  const { status, iterations, violations } = solve(bowl({ bounds, rows }));
  assertEquals([status, iterations, violations[0].amount], [2, 0, 4]);
});

everyForm("repeated and dependent rows do not disturb the answer", ({ solve }) => {
  const sum = equals((x) => x[0].plus(x[1]).plus(x[2]), 1);
  const twice = equals((x) => x[0].plus(x[1]).plus(x[2]).times(2), 2);
  for (const rows of [[sum, sum], [sum, twice], [sum, twice, equals((x) => x[0].times(0))]]) {
    const result = solve(bowl({ rows }));
    assertEquals(result.status, 0);
    assertAlmostEquals(result.objective, 4 / 3, 1e-6);
  }
});

everyForm("a start outside of the bounds, on a bound or far away leads to the same answer", ({ solve }) => {
  const problem = book("71");
  for (const x0 of [[0, 9, -3, 1e6], [1, 1, 1, 1], [5, 5, 5, 5], [-1e8, 3, 3, 3]]) {
    const form = denseForm({ ...problem, x0 });
    const result = solve(form);
    assertEquals(result.status, 0, `${x0}`);
    // Rows are scaled by the gradients at the start: far away that costs some digits, as with IPOPT.
    assertAlmostEquals(result.objective, problem.best, 1e-4, `${x0}`);
    assert(result.x.every((value) => value >= 1 && value <= 5));
    assert(result.kkt_error.constraint_violation < 1e-5, `${result.kkt_error.constraint_violation}`);
  }
});

everyForm("an objective without a bound ends with 4", ({ solve }) => {
  const falling = denseForm({
    name: "falling",
    x0: [0, 0],
    bounds: [[0, INF], [-INF, INF]],
    f: (x) => x[0].times(-1).minus(x[1]),
    rows: [equals((x) => x[0].minus(x[1]))],
    best: -INF,
  });
  const result = solve(falling);
  assertEquals(result.status, 4);
  assert(result.iterations < 50, `${result.iterations}`);
});

everyForm(
  "what no point satisfies ends with 2 at a point of least violation, by name and amount",
  ({ solve }) => {
    const apart = bowl({
      rows: [
        atLeast((x) => x[0].square().plus(x[1].square()).times(-1), -1),
        atLeast((x) => x[0].plus(x[1]), 3),
      ],
    });
    const result = solve(apart, { constraint_names: ["disc", "half plane"] });
    assertEquals(result.status, 2);
    // A disc and a half plane, both symmetric in the two variables: so is the point between them.
    assertAlmostEquals(result.x[0], result.x[1], 1e-3);
    assert(result.violations.length > 0);
    const at = [result.x[0] ** 2 + result.x[1] ** 2 - 1, 3 - result.x[0] - result.x[1]];
    for (const { name, constraint, amount } of result.violations) {
      assertEquals(name, ["disc", "half plane"][constraint]);
      assertAlmostEquals(amount, at[constraint], 1e-6);
      assertStringIncludes(result.message, name);
    }
  },
);

everyForm("too few degrees of freedom end with −10, with both numbers", ({ solve }) => {
  const rows = [1, 2, 3].map((k) => equals((x) => x[0].times(k).plus(x[1]).plus(x[2]), k));
  const { status, message } = solve(bowl({ rows, bounds: [[1, 1], [-INF, INF], [-INF, INF]] }));
  assertEquals(status, -10);
  assertStringIncludes(message, "3 equality constraints, 2 free variables");
});

everyForm("scales of 1e−4 to 1e8 in objective and rows keep the answer", ({ solve }) => {
  for (const scale of [1e-4, 1, 1e4, 1e8]) {
    const result = solve(
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

everyForm(
  "variables of sizes 1e−6 to 1e6 side by side are solved, with their units or without",
  ({ solve }) => {
    const sizes = [1e-6, 1, 1e6];
    const problem = denseForm({
      name: "sizes",
      x0: [0, 0, 0],
      f: (x) =>
        x[0].times(1e6).minus(1).square().plus(x[1].minus(2).square()).plus(
          x[2].times(1e-6).minus(3).square(),
        ),
      rows: [atLeast((x) => x[0].times(-1e6).minus(x[1]).minus(x[2].times(1e-6)), -3)],
      best: 3,
    });
    const options = { nlp_scaling_method: "user-scaling", x_unit: Float64Array.from(sizes) } as const;
    for (const { status, x } of [solve(problem), solve(problem, options)]) {
      assertEquals(status, 0);
      [0, 1, 2].forEach((want, k) => assertAlmostEquals(x[k] / sizes[k], want, 1e-3));
    }
  },
);

everyForm("free rows and rows that hold everywhere change nothing", ({ solve }) => {
  const idle = { g: book("71").f, lower: -INF, upper: INF };
  const form = denseForm({ ...book("71"), rows: [...book("71").rows!, idle] });
  const result = solve(form);
  assertEquals(result.status, 0);
  assertAlmostEquals(result.objective, 17.0140173, 1e-5);
  assertAlmostEquals(result.constraints[2], result.objective, 1e-9);
  assertEquals(result.mult_g[2], 0);
});

everyForm("a stopped solve gives back its best feasible iterate", ({ solve }) => {
  let notTheLast = 0;
  for (const problem of HOCK_SCHITTKOWSKI) {
    const form = denseForm(problem);
    for (const max_iter of [2, 4, 6]) {
      const feasible: number[] = [];
      const intermediate = ({ inf_pr, objective, phase }: Iteration) => {
        if (phase === "regular" && inf_pr <= 1e-6) feasible.push(objective);
      };
      const { status, objective } = solve(form, { max_iter, intermediate });
      if (status !== -1 || feasible.length === 0) continue;
      assertAlmostEquals(objective, Math.min(...feasible), 1e-9 * Math.max(1, Math.abs(objective)));
      if (feasible.at(-1)! > Math.min(...feasible)) notTheLast++;
    }
  }
  assert(notTheLast > 0);
});
