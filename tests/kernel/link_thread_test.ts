import { encodeExpression, Graph } from "setpoint";
import { systemClock } from "../../runtime/clock.ts";
import { SetpointError } from "../../runtime/errors.ts";
import { LinkThread } from "../../runtime/kernel/link_thread.ts";
import { linkStrategy } from "../../runtime/strategy/link.ts";
import type { LinkPlace } from "../../runtime/strategy/link.ts";
import { readStrategy } from "../../runtime/strategy/load.ts";
import { assertEquals, assertRejects } from "../std/assert.ts";
import { inProcessDriver, noFiles } from "../strategy/in_process_driver.ts";
import { HEAD } from "../strategy/plant.ts";
import { smallPlugins } from "../strategy/small_plugins.ts";

const TEXT = `${HEAD}objective: {minimize: cost}
variables:
  x: {type: Operative, threshold: 1}
  p: {type: Predicted, max: 9}
  cost: {type: CalculatedKPI}
skills:
  p: {class: Formula, inputs: [x], outputs: [p], config: {formula: "max(x, 1 - x) + floor(x)"}}
  f: {class: Formula, inputs: [p], outputs: [cost], config: {formula: p * p}}
tasks:
  - {name: Main, skill_sequence: [p, f]}
`;
const sound = inProcessDriver(smallPlugins);

function link(place?: LinkPlace, text = TEXT) {
  return linkStrategy(readStrategy(text, { file: "s.yaml" }), sound, noFiles, place);
}

Deno.test("A strategy that is linked on a thread is the same as one that is linked here, notes and problems too", async () => {
  using thread = new LinkThread(systemClock);
  const there: LinkPlace = (request) => thread.link(request);
  assertEquals(structuredClone(await link(there)), structuredClone(await link()));
  for (const wrong of [TEXT.replace("p * p", "p * q"), TEXT.replace("inputs: [p]", "inputs: [x]")]) {
    const [here, far] = [
      await assertRejects(() => link(undefined, wrong)),
      await assertRejects(() => link(there, wrong)),
    ];
    assertEquals((far as SetpointError).problems, (here as SetpointError).problems);
  }
  const extra = TEXT.replace(
    "  f: {",
    '  g: {class: Formula, inputs: [x], outputs: [cost], config: {formula: "x"}}\n  f: {',
  );
  assertEquals((await link(there, extra)).notes, (await link(undefined, extra)).notes);
});

Deno.test("The kernel's event loop goes on while a large description is linked", async () => {
  using thread = new LinkThread(systemClock);
  const graph = new Graph();
  let value = graph.parameter(0);
  for (let k = 0; k < 20_000; k++) {
    value = graph.binary("mul", graph.unary("tanh", value), graph.parameter(0));
  }
  const expression = encodeExpression({ graph, sources: 1, outputs: [value] });
  const driver: typeof sound = {
    ...sound,
    lower: async (spec) =>
      spec.name === "p" ? { ...await sound.lower(spec), expression } : await sound.lower(spec),
  };
  const order: string[] = [];
  await linkStrategy(readStrategy(TEXT), driver, noFiles, async (request) => {
    const linking = thread.link(request).finally(() => order.push("linked"));
    await systemClock.sleep(0);
    order.push("another turn of the loop");
    return await linking;
  });
  assertEquals(order, ["another turn of the loop", "linked"]);
});

Deno.test("What takes too long to link is refused by name, and the next strategy is linked on a new thread", async () => {
  let late = true;
  const clock = {
    ...systemClock,
    after: (ms: number, fn: () => void) => systemClock.after(late && ms === 30_000 ? 0 : ms, fn),
  };
  using thread = new LinkThread(clock);
  const there: LinkPlace = (request) => thread.link(request);
  await assertRejects(
    () => link(there),
    SetpointError,
    'Cannot link strategy "strategy": it takes longer than 30 s',
  );
  late = false;
  assertEquals((await link(there)).search.map(({ name }) => name), ["x"]);
});
