import { assert, assertAlmostEquals, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type Problem, solve, type Structure } from "../../runtime/solver/mod.ts";
import { asProblem, controlProblem } from "./control_problem.ts";
import { module } from "./forms.ts";
import { hs071, hs071Optimum } from "./hs071.ts";

const JACOBIAN: Structure = {
  iRow: Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1),
  jCol: Int32Array.of(0, 1, 2, 3, 0, 1, 2, 3),
};
const LOWER: Structure = {
  iRow: Int32Array.of(0, 1, 1, 2, 2, 2, 3, 3, 3, 3),
  jCol: Int32Array.of(0, 0, 1, 0, 1, 2, 0, 1, 2, 3),
};

/** HS071 as the manual of `ipopt-wasm` writes it. */
function written(change: Partial<Problem> = {}): Problem {
  const filled = (length: number, write: (to: Float64Array) => boolean) => {
    const to = new Float64Array(length);
    write(to);
    return to;
  };
  return {
    n: 4,
    m: 2,
    x0: [1, 5, 5, 1],
    xl: [1, 1, 1, 1],
    xu: [5, 5, 5, 5],
    gl: [25, 40],
    gu: [2e19, 40],
    nele_jac: 8,
    nele_hess: 10,
    eval_f: (x) => hs071.objective(x),
    eval_grad_f: (x) => filled(4, (to) => hs071.gradient(x, to)),
    eval_g: (x) => filled(2, (to) => hs071.constraints(x, to)),
    eval_jac_g: (x, structure) => structure ? JACOBIAN : filled(8, (to) => hs071.jacobian(x, to)),
    eval_h(x, sigma, lambda, structure) {
      if (structure) return LOWER;
      const full = filled(16, (to) => hs071.hessian!(x, sigma, lambda, to));
      return Float64Array.from(LOWER.iRow, (row, k) => full[row * 4 + LOWER.jCol[k]]);
    },
    ...change,
  };
}

/** The same values in other places. */
function rearranged(
  structure: Structure,
  take: (k: number) => readonly (readonly [number, number, number])[],
) {
  const places = [...structure.iRow.keys()].flatMap((k) =>
    take(k).map(([i, j, share]) => ({ i, j, k, share }))
  );
  return {
    structure: {
      iRow: Int32Array.from(places, ({ i }) => i),
      jCol: Int32Array.from(places, ({ j }) => j),
    },
    values: (of: ArrayLike<number>) => Float64Array.from(places, ({ k, share }) => share * of[k]),
    count: places.length,
  };
}

Deno.test("solve() takes what ipopt-wasm takes and gives back what it does", async () => {
  const result = await solve(written());
  assertEquals([result.status, result.iterations], [0, 8]);
  // IPOPT 3.11.9 says the same.
  assertAlmostEquals(result.objective, 17.01401714518, 1e-10);
  result.x.forEach((value, j) => assertAlmostEquals(value, hs071Optimum.x[j], 1e-6));
  for (const [name, length] of Object.entries({ constraints: 2, mult_g: 2, mult_x_L: 4, mult_x_U: 4 })) {
    assertEquals((result as unknown as Record<string, Float64Array>)[name].length, length, name);
  }
  // IPOPT's signs: the objective falls by 0.5523 for each unit by which the product may be smaller.
  assertAlmostEquals(result.mult_g[0], -0.5522937, 1e-6);
  assertAlmostEquals(result.mult_g[1], 0.1614686, 1e-6);
  assertAlmostEquals(result.mult_x_L[0], 1.0878713, 1e-6);
});

Deno.test("solve() adds up entries of one place and takes either triangle, in any order", async () => {
  const expected = await solve(written());
  const jacobian = rearranged(JACOBIAN, (k) => {
    const [i, j] = [JACOBIAN.iRow[k], JACOBIAN.jCol[k]];
    return [[i, j, 0.25], [i, j, 0.75]];
  });
  const upper = rearranged(LOWER, (k) => {
    const [i, j] = [LOWER.iRow[k], LOWER.jCol[k]];
    return k % 2 ? [[j, i, 1]] : [[i, j, 0.5], [j, i, 0.5]];
  });
  const base = written();
  const result = await solve({
    ...base,
    nele_jac: jacobian.count,
    nele_hess: upper.count,
    eval_jac_g: (x, structure) =>
      structure ? jacobian.structure : jacobian.values(base.eval_jac_g!(x, false) as Float64Array),
    eval_h: (x, sigma, lambda, structure) =>
      structure ? upper.structure : upper.values(base.eval_h!(x, sigma, lambda, false) as Float64Array),
  });
  assertEquals([result.status, result.iterations], [expected.status, expected.iterations]);
  assertAlmostEquals(result.objective, expected.objective, 1e-9);
});

Deno.test("a sparse problem adds up entries of one place and takes either triangle too", async () => {
  const base = asProblem(controlProblem(60));
  const expected = await solve(base);
  const structure = base.eval_jac_g!(base.x0 as Float64Array, true) as Structure;
  const doubled = rearranged(structure, (k) => {
    const [i, j] = [structure.iRow[k], structure.jCol[k]];
    return [[i, j, 0.5], [i, j, 0.5]];
  });
  const { nele_jac: _, ...rest } = base;
  const result = await solve({
    ...rest,
    eval_jac_g: (x, asked) =>
      asked ? doubled.structure : doubled.values(base.eval_jac_g!(x, false) as Float64Array),
  });
  assertEquals([result.status, result.iterations], [0, expected.iterations]);
  assertAlmostEquals(result.objective, expected.objective, 1e-9);
});

Deno.test("solve() needs no constraints and no Hessian", async () => {
  const free: Problem = {
    n: 2,
    m: 0,
    x0: [0, 0],
    xl: [-1e19, -1e19],
    xu: [1e19, 0.5],
    gl: [],
    gu: [],
    eval_f: ([a, b]) => (a - 1) ** 2 + (b - 1) ** 2,
    eval_grad_f: ([a, b]) => [2 * (a - 1), 2 * (b - 1)],
  };
  const { status, x } = await solve(free);
  assertEquals(status, 0);
  [1, 0.5].forEach((value, j) => assertAlmostEquals(x[j], value, 1e-6));
});

/** The problem, and whether its callbacks are given arrays in a memory of WebAssembly. */
function inMemory(problem: Problem): [{ wasm: boolean }, Problem] {
  const seen = { wasm: false };
  const eval_f = (x: Float64Array) => {
    seen.wasm = x.buffer.byteLength > 1e5;
    return problem.eval_f(x);
  };
  return [seen, { ...problem, eval_f }];
}

Deno.test("solve() runs small problems in TypeScript, larger ones in solver.wasm where that is given", async () => {
  const { eval_h: _, ...quasi } = asProblem(controlProblem(40));
  for (const problem of [written(), asProblem(controlProblem(40)), quasi]) {
    const script = await solve(problem);
    const [seen, spied] = inMemory(problem);
    const wasm = await solve(spied, { module });
    assertEquals([wasm.status, wasm.iterations, wasm.objective], [0, script.iterations, script.objective]);
    assertEquals(seen.wasm, problem.n + problem.m >= 50);
    assertEquals(wasm.x.buffer.byteLength, 8 * problem.n, "the result does not hold on to that memory");
  }
});

/** solver.wasm with room for 2 MB: the largest number of pages is written anew. */
async function narrow(): Promise<WebAssembly.Module> {
  const bytes = await Deno.readFile(new URL("../../runtime/solver/solver.wasm", import.meta.url));
  // Section 5: its length, one memory, with a maximum; least and greatest as numbers of seven bits a byte.
  const at = bytes.findIndex((byte, k) => byte === 5 && bytes[k + 2] === 1 && bytes[k + 3] === 1);
  const greatest = at + 2 + bytes[at + 1] - 3;
  assertEquals([...bytes.slice(greatest, greatest + 3)], [0x80, 0x80, 1]);
  bytes.set([0x80 + 32, 0x80, 0], greatest);
  return new WebAssembly.Module(bytes);
}

Deno.test("solve() runs in TypeScript what does not fit into the memory of solver.wasm", async () => {
  const module = await narrow();
  const [small, fits] = inMemory(asProblem(controlProblem(40)));
  await solve(fits, { module });
  assert(small.wasm);
  const [large, problem] = inMemory(asProblem(controlProblem(2000)));
  const { status, iterations, x } = await solve(problem, { module });
  assert(!large.wasm);
  const script = await solve(problem);
  assertEquals([status, iterations], [0, script.iterations]);
  assertEquals(x, script.x);
});

Deno.test("solve() refuses what does not fit, by name", async () => {
  const places = (iRow: number[], jCol: number[]) => ({
    iRow: Int32Array.from(iRow),
    jCol: Int32Array.from(jCol),
  });
  const cases: readonly (readonly [Partial<Record<keyof Problem, unknown>>, string])[] = [
    [{ n: 0 }, "0 variables"],
    [{ n: 4.5 }, "4.5 variables"],
    [{ m: -1 }, "-1 constraints"],
    [{ x0: [1, 5, 5] }, "x0 has 3 entries, expected n = 4"],
    [{ xl: undefined }, "xl is missing, expected n = 4"],
    [{ gu: [1] }, "gu has 1 entries, expected m = 2"],
    [{ eval_f: 5 }, "eval_f is number, expected a function"],
    [{ eval_grad_f: undefined }, "eval_grad_f is missing"],
    [{ eval_g: undefined }, "eval_g is missing"],
    [{ eval_jac_g: undefined }, "eval_jac_g is missing"],
    [{ eval_h: 1 }, "eval_h is number"],
    [{ eval_jac_g: () => places([2], [0]), nele_jac: 1 }, "eval_jac_g: place 0 is (2, 0), outside 2 × 4"],
    [{ eval_jac_g: () => places([0, 0], [1, -1]), nele_jac: 2 }, "eval_jac_g: place 1 is (0, -1)"],
    [{ eval_h: () => places([0, 4], [0, 0]), nele_hess: 2 }, "eval_h: place 1 is (4, 0), outside 4 × 4"],
    [{ eval_h: () => places([0, 1], [0]) }, "eval_h: 2 rows for 1 columns"],
    [{ eval_jac_g: () => new Float64Array(8) }, "eval_jac_g: with structure set it must give iRow and jCol"],
    [{ nele_jac: 7 }, "eval_jac_g: its structure has 8 places, expected 7"],
    [{ nele_hess: 16 }, "eval_h: its structure has 10 places, expected 16"],
  ];
  for (const [change, said] of cases) {
    const error = await assertRejects(() => solve(written(change as Partial<Problem>)));
    assert(error instanceof RangeError || error instanceof TypeError, `${error}`);
    assertStringIncludes(error.message, said);
  }
});

Deno.test("a callback that gives too few values is told by name and ends with −13", async () => {
  const base = written();
  for (const name of ["eval_grad_f", "eval_g", "eval_jac_g", "eval_h"] as const) {
    const short = (...given: unknown[]) =>
      given.at(-1) === true ? (base[name] as (...given: unknown[]) => unknown)(...given) : [1];
    const { status, message } = await solve({ ...base, [name]: short });
    assertEquals(status, -13, name);
    assertStringIncludes(message, `${name} gave 1 values, expected`);
  }
});
