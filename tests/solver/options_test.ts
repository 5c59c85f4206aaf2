import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { iterationLine } from "../../runtime/solver/iteration.ts";
import { createSolver, describeStatus, options, solveDense } from "../../runtime/solver/mod.ts";
import { atLeast, denseForm } from "./book_problem.ts";
import { everyForm } from "./forms.ts";
import { hs071 } from "./hs071.ts";
import { IPOPT_OPTION_RUNS } from "./ipopt_option_runs.ts";
import { IPOPT_OPTIONS } from "./ipopt_options.ts";

/** Ours, and those that IPOPT got after 3.11. */
const NOT_IN_3_11 = ["max_wall_time", "evaluate_orig_obj_at_resto_trial", "function_noise", "sb"];
/** IPOPT 3.14 has raised 1e6 to 1e20. */
const CHANGED = ["max_cpu_time"];

Deno.test("options() has IPOPT's defaults and ranges", () => {
  const native = new Map(IPOPT_OPTIONS.map(([name, ...rest]) => [name, rest]));
  const listed = options().filter(({ name }) => !NOT_IN_3_11.includes(name));
  assertEquals(listed.map(({ name }) => name).sort(), [...native.keys()].sort());
  for (const { name, default: value, min = -Infinity, max = Infinity, choices } of listed) {
    const [first, below, middle, above, last] = native.get(name)!;
    if (choices !== undefined) {
      assertEquals(value, first, name);
      continue;
    }
    if (CHANGED.includes(name)) continue;
    assert(Math.abs(Number(value) - Number(middle)) <= 1e-5 * Math.abs(Number(middle)), name);
    // An open end is the number beside it; ours has no memory of 0 steps.
    const lower = name === "limited_memory_max_history" ? 1 : Number(first.replace("inf", "Infinity"));
    const upper = Number(last.replace("+inf", "Infinity"));
    assert(below === "<" && lower > -Infinity ? min > lower : min === lower, `${name} from ${min}`);
    assert(above === "<" && upper < Infinity ? max < upper : max === upper, `${name} to ${max}`);
    if (lower > -Infinity) assert(Math.abs(min - lower) < 1e-12, `${name} from ${min}`);
    if (upper < Infinity) assert(Math.abs(max - upper) < 1e-12, `${name} to ${max}`);
  }
});

Deno.test("every option that options() lists is taken, out of range it is refused by name", () => {
  for (const { name, default: value, min, max, choices } of options()) {
    const taken = solveDense(hs071, { [name]: value, max_iter: 0 });
    assertEquals(taken.status, -1, `${name}: ${taken.message}`);
    const wrong = choices !== undefined ? ["maybe"] : [(min ?? 0) - 1, "1", NaN];
    if (max !== undefined && max < Infinity) wrong.push(max + 1);
    if (min === undefined || min === -Infinity) wrong.shift();
    for (const bad of wrong) {
      const refused = solveDense(hs071, { [name]: bad });
      assertEquals(refused.status, -12, `${name} = ${bad}`);
      assertStringIncludes(refused.message, `"${name}"`);
    }
  }
});

everyForm("each option changes the solve of HS071 as it does in IPOPT", ({ solve }) => {
  let runs = 0;
  for (const [name, ...cases] of IPOPT_OPTION_RUNS) {
    for (const run of cases) {
      const [text, iterations, status = "0"] = run.split(/[=/]/);
      const value = Number.isNaN(Number(text)) ? text : Number(text);
      const result = solve(hs071, { [name]: value });
      assertEquals(
        [result.status, result.iterations],
        [Number(status), Number(iterations)],
        `${name} = ${text}`,
      );
      runs++;
    }
  }
  assert(runs > 250, `${runs}`);
});

Deno.test("an unknown option is refused with the names that were perhaps meant", () => {
  const of = (name: string) => solveDense(hs071, { [name]: 1 });
  assertEquals(of("toll").status, -12);
  assertStringIncludes(of("toll").message, 'Cannot set option "toll": did you mean "tol"?');
  assertStringIncludes(of("max_iterations").message, '"max_iter"');
  assertStringIncludes(of("linear_solver").message, "options() lists");
});

Deno.test("a limit of time is not taken where there is no clock to hold it", () => {
  for (const limit of ["max_wall_time", "max_cpu_time"]) {
    const { status, message } = solveDense(hs071, { [limit]: 10 });
    assertEquals(status, -12);
    assertStringIncludes(message, `"${limit}" without the clock \`now\``);
    assertEquals(solveDense(hs071, { [limit]: 10, now: () => 0 }).status, 0);
  }
});

Deno.test("an exact Hessian is not asked for where the problem has none", () => {
  const { hessian: _, ...without } = hs071;
  const result = solveDense(without, { hessian_approximation: "exact" });
  assertEquals(result.status, -12);
  assertStringIncludes(result.message, "no Hessian");
});

Deno.test("describeStatus() has a sentence for each of IPOPT's codes that a solve can end with", () => {
  const codes = [0, 1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -10, -11, -12, -13, -100];
  const sentences = codes.map(describeStatus);
  assertEquals(new Set(sentences).size, codes.length);
  for (const sentence of sentences) assert(/^[A-Z].{10,}[^.]$/.test(sentence), sentence);
});

/** What IPOPT 3.11.9 prints for the same problem. */
const TABLE = `
iter    objective    inf_pr   inf_du lg(mu)  ||d||  lg(rg) alpha_du alpha_pr  ls
   0  1.6109693e+01 1.12e+01 5.28e-01  -1.0 0.00e+00    -  0.00e+00 0.00e+00   0
   1  1.6982239e+01 7.30e-01 1.02e+01  -1.0 6.11e-01    -  7.19e-02 1.00e+00f  1
   2  1.7318411e+01 3.60e-02 5.05e-01  -1.0 1.61e-01    -  1.00e+00 1.00e+00h  1
   3  1.6849424e+01 2.78e-01 6.68e-02  -1.7 2.85e-01    -  7.94e-01 1.00e+00h  1
   4  1.7051199e+01 4.71e-03 2.78e-03  -1.7 6.06e-02    -  1.00e+00 1.00e+00h  1
   5  1.7011979e+01 7.19e-03 8.50e-03  -3.8 3.66e-02    -  9.45e-01 9.98e-01h  1
   6  1.7014271e+01 1.74e-05 9.78e-06  -3.8 3.33e-03    -  1.00e+00 1.00e+00h  1
   7  1.7014021e+01 1.23e-07 1.82e-07  -5.7 2.69e-04    -  1.00e+00 1.00e+00h  1
   8  1.7014017e+01 1.77e-11 2.52e-11  -8.6 3.32e-06    -  1.00e+00 1.00e+00h  1
`.trim().split("\n");

/** IPOPT 3.11.9 on x₀² over 0 ≤ x ≤ 1 with x₀ + x₁ + x₂ ≥ 4, as far as into its restoration. */
const RESTORATION = `
iter    objective    inf_pr   inf_du lg(mu)  ||d||  lg(rg) alpha_du alpha_pr  ls
   0  2.5000000e-01 2.50e+00 5.00e-01  -1.0 0.00e+00    -  0.00e+00 0.00e+00   0
   1  5.5787771e-01 1.26e+00 8.19e-01  -1.0 9.93e-01    -  3.55e-01 4.99e-01h  1
   2  9.9494467e-01 1.02e+00 1.77e+00  -1.0 1.33e+00    -  4.10e-01 1.88e-01h  1
   3  9.9994940e-01 1.01e+00 1.60e+02  -1.0 3.34e-01    -  1.00e+00 2.44e-02h  1
   4  9.9998966e-01 1.00e+00 1.88e+04  -1.0 3.38e-01    -  1.00e+00 8.73e-03h  1
   5  9.9999992e-01 1.00e+00 1.96e+08  -1.0 3.20e-01    -  1.00e+00 9.61e-05h  1
   6r 9.9999992e-01 1.00e+00 1.00e+03   0.0 0.00e+00    -  0.00e+00 4.81e-07R  2
   7r 9.9800102e-01 1.00e+00 1.00e-05   0.0 4.00e-03    -  1.00e+00 1.00e+00f  1
`.trim().split("\n");

Deno.test("the table tells of a restoration and of ties in rounding as IPOPT's, in every solve of a solver", () => {
  const apart = denseForm({
    name: "apart",
    x0: [0.5, 0.5, 0.5],
    bounds: [[0, 1]],
    f: (x) => x[0].square(),
    rows: [atLeast((x) => x[0].plus(x[1]).plus(x[2]), 4)],
    best: NaN,
  });
  const solver = createSolver(apart.n, apart.m);
  for (let k = 0; k < 2; k++) {
    const lines: string[] = [];
    solver.solve(apart, { print: (line) => void lines.push(line) });
    assertEquals(lines.slice(0, RESTORATION.length), RESTORATION);
  }
  const at = { iteration: 1, phase: "regular", objective: 0.5, inf_pr: 0, inf_du: 0, mu: 1 } as const;
  const rest = { d_norm: 0, regularization_size: 0, alpha_du: 1, ls_trials: 6, tag: "f" };
  assertStringIncludes(iterationLine({ ...at, ...rest, alpha_pr: 1 / 32 }), " 3.12e-02f ");
  assertStringIncludes(iterationLine({ ...at, ...rest, alpha_pr: 3 / 64 + 1 / 256 }), " 5.08e-02f ");
});

Deno.test("print_level 5 prints IPOPT's table, column by column", () => {
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  solveDense(hs071, { print });
  assertEquals(lines.slice(0, -1), TABLE.slice(0, -1));
  // The residuals of the last line are rounding's.
  assertEquals(lines.at(-1)!.slice(0, 18), TABLE.at(-1)!.slice(0, 18));
  lines.length = 0;
  solveDense(hs071, { print, print_level: 4 });
  assertEquals(lines, []);
});
