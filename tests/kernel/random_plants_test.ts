import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { seeded } from "../graph/random_graph.ts";
import { openKernel } from "./open_kernel.ts";
import { strategyOf } from "./small_strategy.ts";

/** A formula and what it computes, made side by side. */
interface Term {
  readonly text: string;
  readonly value: (x: number, y: number) => number;
}

/** Corners, jumps, products and curves over two variables. */
function randomTerm(random: () => number, depth: number): Term {
  const pick = Math.floor(random() * (depth === 0 ? 3 : 12));
  const term = () => randomTerm(random, depth - 1);
  const number = Number((4 * random() - 2).toFixed(2));
  const both = (make: (a: string, b: string) => string, compute: (a: number, b: number) => number): Term => {
    const [a, b] = [term(), term()];
    return { text: make(a.text, b.text), value: (x, y) => compute(a.value(x, y), b.value(x, y)) };
  };
  const one = (make: (a: string) => string, compute: (a: number) => number): Term => {
    const a = term();
    return { text: make(a.text), value: (x, y) => compute(a.value(x, y)) };
  };
  switch (pick) {
    case 0:
      return { text: "x", value: (x) => x };
    case 1:
      return { text: "y", value: (_, y) => y };
    case 2:
      return { text: `(${number} * x + ${-number} * y + 1)`, value: (x, y) => number * x + -number * y + 1 };
    case 3:
      return both((a, b) => `min(${a}, ${b})`, Math.min);
    case 4:
      return both((a, b) => `max(${a}, ${b})`, Math.max);
    case 5:
      return one((a) => `abs(${a} - ${number})`, (a) => Math.abs(a - number));
    case 6:
      return both((a, b) => `(${a} * ${b} / 4)`, (a, b) => a * b / 4);
    case 7:
      return both((a, b) => `(1 if ${a} < ${b} else 2)`, (a, b) => (a < b ? 1 : 2));
    case 8:
      return one((a) => `(${a})**2 / 4`, (a) => a ** 2 / 4);
    case 9:
      return one((a) => `tanh(${a})`, Math.tanh);
    case 10:
      return one((a) => `clip(${a}, -1, 1)`, (a) => Math.min(1, Math.max(-1, a)));
    default:
      return both((a, b) => `(${a} - ${number} * ${b})`, (a, b) => a - number * b);
  }
}

const PLANTS = 80;
const GRID = 60;

Deno.test(`optimize() of ${PLANTS} random plants reports the exact cost, holds its limits, and finds the best of a grid`, async () => {
  await using opened = await openKernel();
  const random = seeded(1234);
  let short = 0;
  const worst: string[] = [];
  for (let k = 0; k < PLANTS; k++) {
    const cost = randomTerm(random, 4);
    const limited = randomTerm(random, 2);
    const state = { x: 4 * random() - 2, y: 4 * random() - 2 };
    const at = limited.value(state.x, state.y);
    const limit = at + (random() < 0.5 ? -0.3 : 0.3);
    const setpoints = { x: { threshold: 1 }, y: { threshold: 1 } };
    const hard = k % 2 === 0;
    const config = strategyOf({
      setpoints,
      cost: `${cost.text} + 0 * (x + y)`,
      ...(hard && { limits: { [`${limited.text} + 0 * (x + y)`]: { op_max: limit, mode: "hard" } } }),
    });
    const answer = await opened.answer(state, config);
    const holds = (x: number, y: number) =>
      !hard || limited.value(x, y) <= limit + 1e-6 * Math.max(1, Math.abs(limit));
    let best = Infinity;
    for (let i = 0; i <= GRID; i++) {
      for (let j = 0; j <= GRID; j++) {
        const [x, y] = [state.x - 1 + 2 * i / GRID, state.y - 1 + 2 * j / GRID];
        if (holds(x, y)) best = Math.min(best, cost.value(x, y));
      }
    }
    if (answer.outcome === "infeasible") {
      if (best < Infinity) worst.push(`${k}: infeasible, but ${best} is there: ${limited.text} <= ${limit}`);
      short += Number(best < Infinity);
      continue;
    }
    assertEquals(answer.outcome, "solved", `${k}: ${cost.text} ${JSON.stringify(answer.reason)}`);
    const [x, y] = answer.actuators.map(({ after }) => after);
    assert(Math.abs(x - state.x) <= 1 + 1e-9 && Math.abs(y - state.y) <= 1 + 1e-9);
    assert(holds(x, y), `${k}: ${limited.text} is ${limited.value(x, y)}, limit ${limit}`);
    assertAlmostEquals(answer.cost_function_value!, cost.value(x, y), 1e-9 * Math.max(1, Math.abs(best)));
    const before = cost.value(state.x, state.y);
    if (holds(state.x, state.y)) {
      assert(answer.cost_function_value! <= before + 1e-9 * Math.max(1, Math.abs(before)));
    }
    if (answer.cost_function_value! <= best + 1e-3 * Math.max(1, Math.abs(best))) continue;
    short++;
    worst.push(`${k}: ${answer.cost_function_value}, the grid has ${best}: ${cost.text}`);
  }
  // a solve may end in a local optimum of a product of corners
  assert(short <= 2, `${short} of ${PLANTS}\n${worst.join("\n")}`);
});
