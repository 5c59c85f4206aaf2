import { SetpointError } from "../../runtime/errors.ts";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../std/assert.ts";
import { DESCENT } from "./plugins.ts";
import { bowl, runOf, startHost } from "./start.ts";

async function openDescent(host: ReturnType<typeof startHost>["host"]) {
  const plugin = await host.open({ id: "descent", text: DESCENT });
  await plugin.load("bowl", bowl(1));
  return plugin;
}

Deno.test("optimize() solves a loaded problem in one of the workers", async () => {
  await using started = startHost({ optimizerWorkers: 2 });
  const plugin = await openDescent(started.host);
  await plugin.load("other", bowl(-2));
  const answers = await Promise.all(
    [0, 1, 2, 3].map((k) => plugin.optimize(k % 2 === 0 ? "bowl" : "other", runOf())),
  );
  answers.forEach(({ status, x, ms }, k) => {
    assertEquals(status, "solved");
    for (const value of x) assertAlmostEquals(value, k % 2 === 0 ? 1 : -2, 1e-6);
    assert(ms > 0);
  });
  plugin.unload("other");
  const error = await assertRejects(async () => await plugin.optimize("other", runOf()), SetpointError);
  assertStringIncludes(error.message, "not loaded");
});

/** Says where its tapes run, and what the lifted one gives through a solve in its own memory. */
const TELLER = `
import { createLiftedSolver, definePlugin, LiftedNlp, type OptimizationProblem } from "setpoint";
export default definePlugin({
  name: "test/teller",
  version: "1.0.0",
  kind: "optimizer",
  optimize({ exact, lifted, parameters, x0, lo, hi }: OptimizationProblem) {
    lifted.setRun({ parameters, x0 });
    const nlp = new LiftedNlp(lifted);
    const shift = (at: number, i: number) => at - x0[i];
    nlp.begin(lo.map(shift), hi.map(shift), x0.map(shift));
    const { x: z, iterations } = createLiftedSolver(nlp).solve();
    const message = [exact, lifted.tape].map(({ machine }) => machine.constructor.name).join();
    return { status: "solved" as const, x: x0.map((start, i) => start + z[i]), iterations, evaluations: 0, message };
  },
});`;

Deno.test("the tapes of an optimizer's worker run in WebAssembly, and so does their solver", async () => {
  await using started = startHost({ optimizerWorkers: 1 });
  const plugin = await started.host.open({ id: "teller", text: TELLER });
  await plugin.load("bowl", bowl(1));
  const { x, message } = await plugin.optimize("bowl", runOf());
  assertEquals(message, "WasmMachine,WasmMachine");
  for (const value of x) assertAlmostEquals(value, 1, 1e-6);
});

Deno.test("optimize() gives a run its seed: the same numbers for the same seed", async () => {
  await using started = startHost({ optimizerWorkers: 1 });
  const plugin = await openDescent(started.host);
  const numbers = async (seed?: number) => (await plugin.optimize("bowl", { ...runOf(8), seed })).message;
  assertEquals(await numbers(5), await numbers(5));
  assert(await numbers(5) !== await numbers(6));
});

Deno.test("an optimizer that watches its time answers timeout by itself", async () => {
  await using started = startHost({ optimizerWorkers: 1, limits: { graceMs: 60_000 } });
  const plugin = await openDescent(started.host);
  const began = performance.now();
  const { status } = await plugin.optimize("bowl", runOf(6, 200));
  assertEquals(status, "timeout");
  assert(performance.now() - began >= 190);
  assertEquals(started.host.status()[0].failures, 0);
});

Deno.test("an optimizer that spins is killed at its deadline, and the next run has its problem again", async () => {
  await using started = startHost({ optimizerWorkers: 2 });
  const plugin = await openDescent(started.host);
  const error = await assertRejects(() => plugin.optimize("bowl", runOf(1, 300)), SetpointError);
  assertEquals(error.code, "PLUGIN_TIMEOUT");
  assertEquals(error.message, 'Cannot call "test/descent@1.0.0".optimize: exceeded 300 ms');
  assertAlmostEquals((await plugin.optimize("bowl", runOf(0, 20_000))).x[0], 1, 1e-6);
});

Deno.test("SIGKILL in the middle of a solve fails it and its neighbour at once, and the next one works", async () => {
  await using started = startHost({ optimizerWorkers: 2 });
  const plugin = await openDescent(started.host);
  const calls = [plugin.optimize("bowl", runOf(1, 60_000)), plugin.optimize("bowl", runOf(1, 60_000))];
  Deno.kill(started.host.status()[0].pid!, "SIGKILL");
  for (const call of calls) {
    assertEquals((await assertRejects(() => call, SetpointError)).code, "PLUGIN_DIED");
  }
  assertAlmostEquals((await plugin.optimize("bowl", runOf(0, 20_000))).x[1], 1, 1e-6);
});

Deno.test("aborting rejects at once; an optimizer that listens keeps its process", async () => {
  await using started = startHost({ optimizerWorkers: 1, limits: { graceMs: 60_000 } });
  const plugin = await openDescent(started.host);
  const pid = started.host.status()[0].pid;
  const controller = new AbortController();
  const call = plugin.optimize("bowl", runOf(5, 60_000), controller.signal);
  setTimeout(() => controller.abort(new Error("enough")), 50);
  await assertRejects(() => call, Error, "enough");
  assertAlmostEquals((await plugin.optimize("bowl", runOf(0, 20_000))).x[0], 1, 1e-6);
  assertEquals(started.host.status()[0].pid, pid);
  await assertRejects(
    () => plugin.optimize("bowl", runOf(), AbortSignal.abort(new Error("never"))),
    Error,
    "never",
  );
});

Deno.test("an optimizer that does not listen is killed after its cancellation", async () => {
  await using started = startHost({ optimizerWorkers: 1 });
  const plugin = await openDescent(started.host);
  const pid = started.host.status()[0].pid;
  const controller = new AbortController();
  const call = plugin.optimize("bowl", runOf(1, 60_000), controller.signal);
  setTimeout(() => controller.abort(new Error("enough")), 50);
  await assertRejects(() => call, Error, "enough");
  assertAlmostEquals((await plugin.optimize("bowl", runOf(0, 20_000))).x[0], 1, 1e-6);
  assert(started.host.status()[0].pid !== pid);
});

const LIES = [
  { fault: 2, says: "its x has length 3, expected 2" },
  { fault: 4, says: "its status is unknown" },
  { fault: 7, says: "cannot descend" },
] as const;

for (const { fault, says } of LIES) {
  Deno.test(`an answer of the wrong shape is refused: ${says}`, async () => {
    await using started = startHost({ optimizerWorkers: 1 });
    const plugin = await openDescent(started.host);
    const error = await assertRejects(() => plugin.optimize("bowl", runOf(fault)), SetpointError);
    assertEquals(error.code, "PLUGIN_FAILED");
    assertStringIncludes(error.message, says);
  });
}

Deno.test("NaN in an answer arrives as it is: the guard judges it", async () => {
  await using started = startHost({ optimizerWorkers: 1 });
  const plugin = await openDescent(started.host);
  assertEquals((await plugin.optimize("bowl", runOf(3))).x, Float64Array.of(NaN, NaN));
});
