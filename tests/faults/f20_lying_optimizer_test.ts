/** F20: the kernel believes no optimizer, and without its guard the lies would be published. */
import { assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT } from "../../runtime/config.ts";
import { eventually } from "../std/eventually.ts";
import { openFaulty, STATE } from "./faulty_plant.ts";
import { type Lie, tellAll, type Told } from "./lies.ts";

const REFUSED: Partial<Record<Lie, string>> = {
  "a setpoint above its bound": 'sets "y" to 7, outside 4.5 to 5.5',
  "a setpoint below its bound": 'sets "x" to 1.4, outside 1.5 to 3.5',
  "a broken hard limit": 'breaks the limit of "limit"',
  "a point dearer than not moving": "more than the -4.75 of not moving",
  "NaN": 'sets "x" to NaN',
  "Infinity": 'sets "y" to Infinity',
};

Deno.test("F20: an optimizer that lies is refused by the guard, with the lie, and nothing moves", async () => {
  const told = await tellAll();
  for (const [lie, says] of Object.entries(REFUSED) as [Lie, string][]) {
    const { outcome, reason, after } = told[lie];
    assertEquals(outcome, "failed", lie);
    assertStringIncludes(reason!, "ANSWER_REFUSED", lie);
    assertStringIncludes(reason!, says);
    assertEquals(after, lie === "a broken hard limit" ? [5, 8.9] : [STATE.x, STATE.y]);
  }
  // its own word on the cost is not even asked for
  assertEquals(told["a wrong cost"].outcome, "solved");
  assertAlmostEquals(told["a wrong cost"].cost!, 0.25 - 5.25, 1e-12);
  assertEquals(told["the truth"], { outcome: "solved", cost: -5.5, after: [3, 5.5] });
});

Deno.test("F20: with the guard off the same lies are published", async () => {
  const told = await withoutGuard();
  const expected: Partial<Record<Lie, readonly number[]>> = {
    "a setpoint above its bound": [3, 7],
    "a setpoint below its bound": [1.4, 5],
    "a broken hard limit": [6, 9.4],
    "a point dearer than not moving": [1.6, 4.6],
  };
  for (const [lie, after] of Object.entries(expected) as [Lie, readonly number[]][]) {
    assertEquals([told[lie].outcome, told[lie].after], ["solved", after], lie);
  }
  assertEquals(told["the truth"].after, [3, 5.5]);
  // what is no number does not even come that far
  assertEquals([told["NaN"].outcome, told["Infinity"].outcome], ["failed", "failed"]);
});

/** The same run in a process whose import map has guard_off.ts in the guard's place. */
async function withoutGuard(): Promise<Record<Lie, Told>> {
  const { imports } = JSON.parse(Deno.readTextFileSync(`${ROOT}/deno.json`));
  const absolute = Object.fromEntries(
    Object.entries(imports as Record<string, string>).map((
      [name, target],
    ) => [name, target.startsWith("./") ? `file://${ROOT}/${target.slice(2)}` : target]),
  );
  const here = new URL(".", import.meta.url).href;
  const guard = new URL("../../runtime/kernel/guard.ts", import.meta.url).href;
  const map = {
    imports: absolute,
    scopes: { [`file://${ROOT}/runtime/`]: { ...absolute, [guard]: `${here}guard_off.ts` } },
  };
  const folder = await Deno.makeTempDir({ prefix: "setpoint-guard-off-" });
  try {
    await Deno.writeTextFile(`${folder}/map.json`, JSON.stringify(map));
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-prompt", "--no-check", "--cached-only", "--quiet"],
        ...["--config", `${ROOT}/deno.json`, "--import-map", `${folder}/map.json`],
        ...["--allow-read", "--allow-write", "--allow-env", "--allow-sys", "--allow-run"],
        `${here}lies.ts`,
      ],
      env: { NO_COLOR: "1" },
    }).output();
    const text = new TextDecoder().decode(stdout);
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    return JSON.parse(text);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const LATE = `
import { definePlugin, type OptimizationProblem } from "setpoint";
export default definePlugin({
  name: "test/late",
  version: "1.0.0",
  kind: "optimizer",
  optimize({ parameters, x0, now, remaining }: OptimizationProblem) {
    const end = now() + remaining() + parameters[2];
    while (parameters[2] > 0 && now() < end);
    return { status: "solved" as const, x: Float64Array.of(x0[0], x0[1] + (parameters[2] > 0 ? 0.4 : 0.1)), iterations: 1, evaluations: 1 };
  },
});
`;

Deno.test("F20: an answer that comes too late is no answer, and is no later cycle's either", async () => {
  await using opened = await openFaulty({ optimizer: LATE, deadlineMs: 2_000 });
  assertEquals((await opened.answer(STATE)).outcome, "solved");
  const late = await opened.answer({ ...STATE, fault: 700 });
  assertEquals([late.outcome, late.reason!.code], ["timeout", "PLUGIN_TIMEOUT"]);
  assertEquals(late.actuators.map(({ after }) => after), [STATE.x, STATE.y]);
  let next = await opened.answer(STATE);
  // a busy machine may take longer to start the process again
  await eventually("the next has time", async () => {
    if (next.outcome === "timeout") next = await opened.answer(STATE);
    return next.outcome !== "timeout";
  });
  assertEquals(next.outcome, "solved", JSON.stringify(next.reason));
  assertAlmostEquals(next.actuators.find(({ name }) => name === "y")!.delta, 0.1, 1e-12);
});
