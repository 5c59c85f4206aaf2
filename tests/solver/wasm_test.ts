import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { createSolver, createWasmSolver, type DenseProblem } from "../../runtime/solver/mod.ts";
import { Settings } from "../../runtime/solver/core/settings.ts";
import { SETTING_NAMES } from "../../runtime/solver/setting_names.ts";
import { denseForm } from "./book_problem.ts";
import { buildSolver } from "./build.ts";
import { module } from "./forms.ts";
import { HOCK_SCHITTKOWSKI } from "./hock_schittkowski.ts";
import { hs071, hs071Optimum } from "./hs071.ts";

const SOLVER = new URL("../../runtime/solver/", import.meta.url);
const committed = await Deno.readFile(new URL("solver.wasm", SOLVER));

Deno.test("solver.wasm is what the sources give, built from a clean folder", async () => {
  const folder = await Deno.makeTempDir();
  for (const part of ["core", "linear_algebra", "wasm"]) {
    await Deno.mkdir(`${folder}/${part}`);
    for await (const { name } of Deno.readDir(new URL(part, SOLVER))) {
      await Deno.copyFile(new URL(`${part}/${name}`, SOLVER), `${folder}/${part}/${name}`);
    }
  }
  const built = await buildSolver(new URL(`file://${folder}/`));
  await Deno.remove(folder, { recursive: true });
  assert(built.length === committed.length && built.every((byte, k) => byte === committed[k]));
});

Deno.test("solver.wasm imports its callbacks alone and has a largest memory", () => {
  const imports = WebAssembly.Module.imports(module).map(({ name }) => name).sort();
  assertEquals(imports, [
    "cancelled",
    "constraints",
    "elapsed",
    "gradient",
    "hessian",
    "jacobian",
    "objective",
    "report",
  ]);
  const nothing = Object.fromEntries(imports.map((name) => [name, () => 0]));
  const { memory } = new WebAssembly.Instance(module, { entry: nothing }).exports;
  if (!(memory instanceof WebAssembly.Memory)) throw new Error("no memory");
  const pages = memory.buffer.byteLength / 65536;
  assertThrows(() => memory.grow(16_385 - pages), RangeError);
  memory.grow(16_384 - pages);
});

Deno.test("both targets give the same bits, statuses and iterations on the book's problems", () => {
  const variants = [{}, { mu_strategy: "adaptive" }, { hessian_approximation: "limited-memory" }] as const;
  for (const book of HOCK_SCHITTKOWSKI) {
    const problem = denseForm(book);
    const solver = createWasmSolver(module, problem.n, problem.m);
    for (const options of variants) {
      const a = createSolver(problem.n, problem.m).solve(problem, { ...options, max_iter: 500 });
      const b = solver.solve(problem, { ...options, max_iter: 500 });
      assertEquals(
        [b.status, b.iterations, b.evaluations],
        [a.status, a.iterations, a.evaluations],
        book.name,
      );
      assertEquals([...b.x, ...b.mult_g, b.objective], [...a.x, ...a.mult_g, a.objective], book.name);
    }
  }
});

Deno.test("a callback of one solve may run another of the same module", () => {
  const outer = createWasmSolver(module, 4, 2);
  const inner = createWasmSolver(module, 4, 2);
  const nested: DenseProblem = {
    ...hs071,
    objective(x) {
      assertEquals(inner.solve(hs071).status, 0);
      return hs071.objective(x);
    },
  };
  assertAlmostEquals(outer.solve(nested).objective, hs071Optimum.objective, 1e-6);
});

Deno.test("SETTING_NAMES lists the fields of Settings in the order of set()", () => {
  const settings = new Settings();
  const fields = settings as unknown as Record<string, number | boolean>;
  SETTING_NAMES.forEach((name, index) => {
    const value = typeof fields[name] === "boolean" ? !fields[name] : 7;
    settings.set(index, Number(value));
    assertEquals(fields[name], value, name);
  });
  assertEquals([...SETTING_NAMES].sort(), Object.keys(new Settings()).sort());
});
