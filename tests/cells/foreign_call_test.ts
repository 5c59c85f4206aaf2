import { SetpointError } from "../../runtime/errors.ts";
import type { Json } from "../../runtime/graph/skill.ts";
import { eventually } from "../std/eventually.ts";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../std/assert.ts";
import { BOWL, DESCENT, skillOf, SQUARES } from "./plugins.ts";
import { foreignProblem, runOf, startHost } from "./start.ts";

/** An optimizer over a problem whose cost is computed by a plugin in another process. */
async function open(host: ReturnType<typeof startHost>["host"], config: Record<string, Json> = {}) {
  const [descent, squares] = await Promise.all([
    host.open({ id: "descent", text: DESCENT }),
    host.open({ id: "squares", text: SQUARES }),
  ]);
  const skill = skillOf("s", { config });
  await squares.lower(skill);
  await descent.load("foreign", foreignProblem({ engine: "self", handle: squares, skill, opaque: 0 }));
  return { descent, squares };
}

Deno.test("a solve calls a plugin of another process in its middle, with derivatives by differences", async () => {
  await using started = startHost({ optimizerWorkers: 1 });
  const { descent } = await open(started.host);
  const { x, iterations } = await descent.optimize("foreign", runOf(0, 60_000));
  assertEquals(iterations, 200);
  for (const value of x) assertAlmostEquals(value, 0, 1e-6);
});

Deno.test("a plugin that fails at the start point fails the solve, by name", async () => {
  await using started = startHost({ optimizerWorkers: 1 });
  const { descent } = await open(started.host, { fault: "throw" });
  const error = await assertRejects(() => descent.optimize("foreign", runOf(0, 60_000)), SetpointError);
  assertEquals(error.code, "EVALUATION_FAILED");
  assertStringIncludes(error.message, 'Cannot call "test/squares@2.0.0".evaluate');
  assertStringIncludes(error.message, "no square today");
});

Deno.test("a plugin that fails later gives NaN twice; the third failure ends the solve", async () => {
  await using started = startHost({ optimizerWorkers: 1, limits: { quarantineAfter: 100 } });
  const { descent } = await open(started.host, { fault: "later", after: 20 });
  const error = await assertRejects(() => descent.optimize("foreign", runOf(0, 60_000)), SetpointError);
  assertEquals(error.code, "EVALUATION_FAILED");
  assertStringIncludes(error.message, "tired");
  const squares = started.host.status().find(({ id }) => id === "squares")!;
  assertEquals(squares.failures, 3);
});

Deno.test("a plugin that loops is killed at its own deadline; the optimizer's process lives on", async () => {
  await using started = startHost({ optimizerWorkers: 1, limits: { wallMs: 150 } });
  const { descent } = await open(started.host, { fault: "loop" });
  const pid = started.host.status().find(({ id }) => id === "descent")!.pid;
  const error = await assertRejects(() => descent.optimize("foreign", runOf(0, 60_000)), SetpointError);
  assertEquals(error.code, "EVALUATION_FAILED");
  assertStringIncludes(error.message, "exceeded 150 ms");
  assertEquals(started.host.status().find(({ id }) => id === "descent")!.pid, pid);
});

Deno.test("a solve gives a plugin the time that the plugin was granted, not the optimizer's", async () => {
  await using started = startHost({ optimizerWorkers: 1, limits: { wallMs: 40 } });
  const { host } = started;
  const slow = SQUARES.replace("calls++;", "for (const end = Date.now() + 80; Date.now() < end;);");
  const [descent, squares] = await Promise.all([
    host.open({ id: "descent", text: DESCENT.replace("k < 200", "k < 3") }),
    host.open({ id: "squares", text: slow, limits: { wall_ms: 20_000 } }),
  ]);
  const skill = skillOf("s");
  await squares.lower(skill);
  await descent.load("foreign", foreignProblem({ engine: "self", handle: squares, skill, opaque: 0 }));
  const { iterations } = await descent.optimize("foreign", runOf(0, 60_000));
  assertEquals([iterations, host.status().find(({ id }) => id === "squares")!.failures], [3, 0]);
});

Deno.test("a cancel wakes an optimizer that waits for another plugin", async () => {
  await using started = startHost({ optimizerWorkers: 1, limits: { graceMs: 60_000 } });
  const { descent } = await open(started.host, { fault: "loop" });
  const pid = started.host.status().find(({ id }) => id === "descent")!.pid;
  const controller = new AbortController();
  const call = descent.optimize("foreign", runOf(0, 60_000), controller.signal);
  setTimeout(() => controller.abort(new Error("enough")), 200);
  await assertRejects(() => call, Error, "enough");
  const status = () => started.host.status().find(({ id }) => id === "descent")!;
  await eventually("it has nothing to do", () => status().state === "ready");
  assertEquals(status().pid, pid);
});

Deno.test("a plugin that asks without being an optimizer ends its process", async () => {
  await using started = startHost({ optimizerWorkers: 1 });
  const { descent, squares } = await open(started.host);
  const error = await assertRejects(
    () =>
      descent.load("x", foreignProblem({ engine: "self", handle: descent, skill: skillOf("s"), opaque: 0 })),
    SetpointError,
  );
  assertStringIncludes(error.message, "may not call an optimizer");
  await assertRejects(
    () => squares.load("x", foreignProblem({ engine: "onnx", digest: "", inputs: 2, outputs: 1 })),
    SetpointError,
  );
  assert(started.host.status().every(({ state }) => state === "ready"));
});

/** A descent over BOWL from (3, −2), and how many points BOWL was asked for. */
async function descend(host: ReturnType<typeof startHost>["host"], config: Record<string, Json> = {}) {
  const [descent, bowl] = await Promise.all([
    host.open({ id: "descent", text: DESCENT }),
    host.open({ id: "bowl", text: BOWL }),
  ]);
  const [skill, counter] = [skillOf("s", { config }), skillOf("c", { config: { count: true } })];
  const { opaques: [{ jacobian }] } = await bowl.lower(skill);
  await bowl.lower(counter);
  const pointsOf = async () => (await bowl.evaluate(counter, 0, Float64Array.of(0, 0), 1))[0];
  const before = await pointsOf();
  const route = { engine: "self", handle: bowl, skill, opaque: 0, jacobian } as const;
  await descent.load("foreign", foreignProblem(route));
  const result = await descent.optimize("foreign", runOf(0, 60_000));
  return { ...result, points: await pointsOf() - before - 1 };
}

Deno.test("a plugin that tells its Jacobian is asked for one point a step and derivative, not for differences", async () => {
  await using started = startHost({ optimizerWorkers: 1 });
  const { x, iterations, points } = await descend(started.host);
  assertEquals([iterations, points], [200, 400]);
  for (const value of x) assertAlmostEquals(value, 0, 1e-12);
});

Deno.test("a Jacobian that is not known is replaced by differences", async () => {
  await using started = startHost({ optimizerWorkers: 1 });
  const { x, points } = await descend(started.host, { fault: "nan" });
  assertEquals(points, 200 * (1 + 1 + 5));
  for (const value of x) assertAlmostEquals(value, 0, 1e-6);
});

for (
  const [fault, says] of [["length", "it gave 1 derivatives, expected 2"], [
    "throw",
    "no slope today",
  ]] as const
) {
  Deno.test(`a Jacobian with the fault "${fault}" fails the evaluation, by name`, async () => {
    await using started = startHost({
      optimizerWorkers: 1,
      limits: { quarantineAfter: 100 },
    });
    const error = await assertRejects(() => descend(started.host, { fault }), SetpointError);
    assertEquals(error.code, "EVALUATION_FAILED");
    assertStringIncludes(error.message, says);
    assertStringIncludes(error.message, "test/bowl@1.0.0");
  });
}

Deno.test("a Jacobian that no test proves is not used, and a note says so", async () => {
  await using started = startHost();
  const plugin = await started.host.open({ id: "bowl", text: BOWL.replace(/ {2}tests: .*/, "") });
  const { opaques, notes } = await plugin.lower(skillOf("s"));
  assertEquals(opaques[0].jacobian, false);
  assertStringIncludes(notes[0].message, 'The Jacobian of skill "s" is not used');
});

Deno.test("a plugin whose Jacobian is wrong at its own test is not opened, and is told where and by how much", async () => {
  await using started = startHost();
  const text = BOWL.replace("2 * x", "2 * x + 0.01");
  const error = await assertRejects(() => started.host.open({ id: "bowl", text }), SetpointError);
  assertEquals(error.code, "PLUGIN_INVALID");
  assertStringIncludes(
    error.message,
    "its Jacobian is wrong: output 0 has slope 2.01 along input 0 at [1, 2]",
  );
});
