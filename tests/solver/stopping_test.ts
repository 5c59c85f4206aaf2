import { assert, assertEquals } from "@std/assert";
import type { DenseProblem, SolveOptions } from "../../runtime/solver/mod.ts";
import { everyForm } from "./forms.ts";
import { hs071 } from "./hs071.ts";

everyForm("a deadline is kept within one callback, and the point stays inside the bounds", ({ solve }) => {
  for (const callsBefore of [0, 1, 5, 17, 40]) {
    let time = 0;
    let late = 0;
    const tick = <T>(value: T): T => {
      if (time > callsBefore * 10) late++;
      time += 10;
      return value;
    };
    const slow: DenseProblem = {
      ...hs071,
      objective: (x) => tick(hs071.objective(x)),
      gradient: (x, g) => tick(hs071.gradient(x, g)),
      constraints: (x, c) => tick(hs071.constraints(x, c)),
      jacobian: (x, v) => tick(hs071.jacobian(x, v)),
      hessian: (x, s, y, v) => tick(hs071.hessian!(x, s, y, v)),
    };
    for (const [limit, status] of [["max_wall_time", -5], ["max_cpu_time", -4]] as const) {
      [time, late] = [0, 0];
      const result = solve(slow, { now: () => time, [limit]: callsBefore * 0.01 });
      assertEquals(result.status, status, `${callsBefore}`);
      assert(late <= 1, `${late} callbacks after the deadline`);
      assert(result.x.every((value) => value >= 1 && value <= 5), `${result.x}`);
    }
  }
});

everyForm("a function, an AbortSignal and a shared flag stop the solve with 5", ({ solve }) => {
  for (const asked of [0, 1, 7, 30]) {
    let looks = 0;
    const controller = new AbortController();
    const cancel_flag = new Int32Array(new SharedArrayBuffer(4));
    const ways: readonly (readonly [SolveOptions, () => void])[] = [
      [{ cancelled: () => looks > asked }, () => {}],
      [{ signal: controller.signal }, () => controller.abort()],
      [{ cancel_flag }, () => void Atomics.store(cancel_flag, 0, 1)],
    ];
    for (const [options, stop] of ways) {
      looks = 0;
      let after = 0;
      const counted: DenseProblem = {
        ...hs071,
        objective(x) {
          if (looks > asked) after++;
          if (++looks > asked) stop();
          return hs071.objective(x);
        },
      };
      // HS071 takes 9 evaluations of the objective: it must be solved where nothing has stopped it by then.
      assertEquals(
        solve(counted, options).status,
        asked < 9 ? 5 : 0,
        `${Object.keys(options)} after ${asked}`,
      );
      if (asked < 9) assertEquals(after, 0, `${Object.keys(options)} after ${asked}`);
    }
  }
});

everyForm("intermediate stops the solve at the iterate that it sees", ({ solve }) => {
  for (const last of [0, 3, 7]) {
    const { status, iterations } = solve(hs071, { intermediate: ({ iteration }) => iteration < last });
    assertEquals([status, iterations], [5, last]);
  }
});

everyForm("max_iter counts iterations as IPOPT does", ({ solve }) => {
  for (const max_iter of [0, 1, 7]) {
    const { status, iterations } = solve(hs071, { max_iter });
    assertEquals([status, iterations], [-1, max_iter]);
  }
  assertEquals(solve(hs071, { max_iter: 8 }).status, 0);
});

everyForm("1,000 solves of one solver give the same answer in the same memory", ({ create }) => {
  const solver = create(hs071);
  const first = solver.solve(hs071);
  const { iterations, objective } = first;
  const x = first.x.slice();
  const memory = () => (solver as { memoryBytes?: number }).memoryBytes;
  const before = memory();
  for (let k = 0; k < 1000; k++) solver.solve(hs071, { mu_strategy: k % 2 ? "adaptive" : "monotone" });
  const last = solver.solve(hs071);
  assertEquals([last.iterations, last.objective, memory()], [iterations, objective, before]);
  assertEquals(last.x, x);
  assertEquals(last.x.buffer, first.x.buffer, "the arrays of the result are the solver's own");
});

everyForm("what one solve was given is forgotten in the next", ({ create }) => {
  const solver = create(hs071);
  const { iterations } = solver.solve(hs071);
  solver.solve(hs071, { tol: 1e-3, max_iter: 2, mu_init: 10, bound_push: 0.3, nlp_scaling_method: "none" });
  solver.solve(hs071, { x_unit: Float64Array.of(1, 2, 3, 4), nlp_scaling_method: "user-scaling" });
  const warm_start = solver.solve({ ...hs071, xl: hs071.xu });
  solver.solve(hs071, { warm_start, warm_start_init_point: "yes" });
  solver.solve(hs071, { toll: 1 });
  assertEquals(solver.solve(hs071).iterations, iterations);
});
