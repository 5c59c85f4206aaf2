import { assert, assertEquals } from "@std/assert";
import optimizer from "../../plugins/optimizer/optimizer.ts";
import { createLiftedSolver } from "../../runtime/engine/tape_solver.ts";
import { WasmMachine } from "../../runtime/engine/wasm_machine.ts";
import type { NodeId } from "../../runtime/graph/expr.ts";
import { Graph } from "../../runtime/graph/expr.ts";
import { LiftedProblem } from "../../runtime/graph/lifted.ts";
import { LiftedNlp } from "../../runtime/graph/lifted_nlp.ts";
import { type HardLimit, lift } from "../../runtime/graph/nonsmooth.ts";
import { localMachine } from "../../runtime/graph/tape_machine.ts";
import { stressedStates } from "../bench/states.ts";
import { randomCorners } from "../graph/random_corners.ts";
import { load, plantRun } from "../plugins/optimizer_problem.ts";
import { linkKiln } from "../strategy/kiln.ts";
import { ENGINE_MACHINE } from "./engine.ts";

const FORMS = [localMachine, ENGINE_MACHINE];

/** min `cost` in −3 ≤ z ≤ 3 with the limits, once in either form. */
function both(graph: Graph, variables: number, cost: NodeId, limits: readonly HardLimit[] = []): LiftedNlp[] {
  const scale = new Float64Array(variables).fill(1);
  return FORMS.map((machineOf) => {
    const made = lift({ graph, variables, parameters: 0, cost, limits, scale });
    const lifted = new LiftedProblem(made, machineOf);
    lifted.setRun({ parameters: [], x0: new Float64Array(variables), rho: 1e-7 });
    const nlp = new LiftedNlp(lifted);
    nlp.begin(scale.map(() => -3), scale.map(() => 3), scale.map((_, i) => 0.9 - 0.2 * i));
    return nlp;
  });
}

/** A bent valley with a limit: some 20 iterations. */
function valley(): LiftedNlp[] {
  const g = new Graph();
  const [x, y] = [g.variable(0), g.variable(1)];
  const bend = g.binary("sub", y, g.binary("mul", x, x));
  const away = g.binary("sub", g.constant(2), x);
  const cost = g.binary(
    "add",
    g.binary("mul", g.constant(100), g.binary("mul", bend, bend)),
    g.binary("mul", away, away),
  );
  return both(g, 2, cost, [{ node: g.binary("mul", x, y), lower: -1, upper: 5 }]);
}

Deno.test("the optimizer gives the same result in both forms on 60 stressed states of the kiln", async () => {
  const linked = await linkKiln();
  const forms = FORMS.map((machineOf) => load(linked.problem, machineOf));
  for (const state of stressedStates(60, 41)) {
    const [plain, compiled] = forms.map((loaded) => optimizer.optimize(plantRun(linked, loaded, state)));
    assertEquals(compiled, plain);
  }
});

Deno.test("both forms take the same steps on 100 random costs with corners, rows and bounds", () => {
  let solved = 0;
  for (let seed = 0; seed < 100; seed++) {
    const { graph, variables, cost } = randomCorners(seed);
    const limits = [{
      node: graph.binary("add", graph.variable(0), graph.variable(1)),
      lower: -0.5,
      upper: 1,
    }];
    const [plain, compiled] = both(graph, variables, cost, seed % 2 === 0 ? limits : []).map((nlp) => {
      const result = createLiftedSolver(nlp).solve({ mu_strategy: seed % 3 === 0 ? "adaptive" : "monotone" });
      const { x, objective, status, iterations, evaluations, mult_g, mult_x_L, mult_x_U, kkt_error } = result;
      if (status === 0) solved++;
      const multipliers = [...mult_g, ...mult_x_L, ...mult_x_U];
      return { x: [...x], objective, status, iterations, evaluations, multipliers, kkt_error };
    });
    assertEquals(compiled, plain, `seed ${seed}`);
  }
  assert(solved >= 100, `${solved} of 200 solved`);
});

Deno.test("a solve leaves WebAssembly once an iteration, and a cancel is heard in the next one", () => {
  const [, nlp] = valley();
  const solver = createLiftedSolver(nlp);
  let asked = 0;
  const whole = solver.solve({ cancelled: () => (asked++, false) });
  assertEquals(whole.status, 0);
  assert(asked <= whole.iterations + 2, `asked ${asked} times in ${whole.iterations} iterations`);
  asked = 0;
  const cut = solver.solve({ cancelled: () => ++asked > 5 });
  assertEquals([cut.status, cut.iterations < 7], [5, true]);
});

Deno.test("the limit of time ends a solve in the iteration in which it passes", () => {
  const [, nlp] = valley();
  let time = 0;
  const { status, iterations } = createLiftedSolver(nlp).solve({
    max_wall_time: 0.04,
    now: () => time += 10,
  });
  assertEquals(status, -5);
  assert(iterations <= 5, `${iterations} iterations`);
});

Deno.test("intermediate and print tell the same of both forms; false stops", () => {
  const told = valley().map((nlp) => {
    const lines: unknown[] = [];
    const solver = createLiftedSolver(nlp);
    solver.solve({
      intermediate: (at) => (lines.push(at), true),
      print: (line) => lines.push(line),
      print_level: 5,
    });
    const { status } = solver.solve({ intermediate: ({ iteration }) => iteration < 3 });
    return [...lines, status, solver.solve({ no_such_option: 1 } as Record<string, number>).message];
  });
  assertEquals(told[1], told[0]);
  assertEquals(told[1].at(-2), 5);
});

Deno.test("1,000 solves in one memory do not let it grow", () => {
  const [, nlp] = valley();
  const { machine } = nlp.lifted.tape;
  assert(machine instanceof WasmMachine);
  const solver = createLiftedSolver(nlp);
  assertEquals(solver.solve().status, 0);
  const before = machine.memoryBytes;
  for (let k = 0; k < 1000; k++) solver.solve();
  assertEquals(machine.memoryBytes, before);
});

Deno.test("many solvers of one problem share its memory, and do not disturb each other", () => {
  const [, nlp] = valley();
  const { machine } = nlp.lifted.tape;
  assert(machine instanceof WasmMachine);
  const first = createLiftedSolver(nlp);
  const [...x] = first.solve().x;
  const before = machine.memoryBytes;
  for (let k = 0; k < 300; k++) {
    const other = new LiftedNlp(nlp.lifted);
    other.begin([-3, -3], [3, 3], [-1, k % 3]);
    createLiftedSolver(other).solve({ max_iter: k });
  }
  assertEquals(machine.memoryBytes, before);
  assertEquals([...first.solve().x], x);
});

Deno.test("a problem that nobody has any more gives back tape and solver", () => {
  const before = Deno.memoryUsage().rss;
  for (let k = 0; k < 6000; k++) {
    const [, nlp] = valley();
    assertEquals(createLiftedSolver(nlp).solve().status, 0);
  }
  // kept, they would be 6,000 memories of some 200 kB; the engine collects when it likes
  const grown = (Deno.memoryUsage().rss - before) / 2 ** 20;
  assert(grown < 600, `${grown} MB`);
});

Deno.test("foreign code inside a solve is asked for the same in both forms; where it fails the step is cut", () => {
  const g = new Graph();
  const [x, y] = [g.variable(0), g.variable(1)];
  const foreign = g.slice(g.opaque(3, g.concat([x, y]), 2), 0, 1);
  const cost = g.binary("add", foreign, g.binary("mul", y, y));
  const told = both(g, 2, cost).map((nlp) => {
    const batches: number[][] = [];
    const { tape } = nlp.lifted;
    tape.differencesWithValue = true;
    tape.evaluate = (_, batch, count) => {
      batches.push([...batch]);
      if (batches.length === 3) throw new Error("away");
      const rows = Array.from({ length: count }, (_, k) => [Math.cosh(batch[2 * k] - 0.4), batch[2 * k + 1]]);
      return Float64Array.from(rows.flat());
    };
    nlp.lifted.setSides([]);
    const { x: end, status, iterations } = createLiftedSolver(nlp).solve({ tol: 1e-6, max_iter: 40 });
    return { batches, end: [...end], status, iterations, error: String(tape.evaluateError) };
  });
  assertEquals(told[1], told[0]);
  assertEquals([told[1].status, told[1].error], [0, "Error: away"]);
  assert(Math.abs(told[1].end[0] - 0.4) < 1e-3, `${told[1].end}`);
});
