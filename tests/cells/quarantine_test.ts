/** The ways out of a quarantine. */
import { SetpointError } from "../../runtime/errors.ts";
import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "../std/assert.ts";
import { skillOf, SQUARES } from "./plugins.ts";
import { startHost } from "./start.ts";

const POINT = Float64Array.of(3, 4);
const BAD = skillOf("bad", { config: { fault: "throw" } });

type Started = ReturnType<typeof startHost>;

async function shutOut({ host }: Started) {
  const plugin = await host.open({ id: "squares@1", text: SQUARES });
  while (host.status()[0].state !== "quarantined") {
    await assertRejects(() => plugin.evaluate(BAD, 0, POINT, 1, 20_000), SetpointError);
  }
  return plugin;
}

for (const name of ["test/squares", "test/squares@2.0.0", "squares@1"]) {
  Deno.test(`endQuarantine("${name}") lets a plugin work again at once`, async () => {
    await using started = startHost({ limits: { quarantineAfter: 2 } });
    const plugin = await shutOut(started);
    const quarantine = started.host.status()[0].quarantine_ms!;
    assertEquals(quarantine > 50_000 && quarantine <= 60_000, true);
    assertEquals(started.host.endQuarantine(name), ["squares@1"]);
    assertEquals(await plugin.evaluate(skillOf("s"), 0, POINT, 1, 20_000), Float64Array.of(25));
    const [{ state, quarantine_ms }] = started.host.status();
    assertEquals([state, quarantine_ms], ["ready", null]);
  });
}

Deno.test("endQuarantine() of what is not in one names those that are", async () => {
  await using started = startHost({ limits: { quarantineAfter: 2 } });
  assertThrows(() => started.host.endQuarantine("test/squares"), SetpointError, "none is");
  await shutOut(started);
  const error = assertThrows(() => started.host.endQuarantine("other"), SetpointError);
  assertEquals(error.code, "NOT_FOUND");
  assertStringIncludes(error.message, '"test/squares"');
});

Deno.test("endQuarantine() forgives starts too", async () => {
  await using started = startHost({ limits: { startsPerHour: 2, backoffMs: 1, quarantineAfter: 100 } });
  const { host } = started;
  const plugin = await host.open({ id: "squares", text: SQUARES });
  const loop = skillOf("loop", { config: { fault: "loop" } });
  while (host.status()[0].state !== "quarantined") {
    await plugin.evaluate(loop, 0, POINT, 1, 300).catch(() => {});
  }
  assertStringIncludes(host.status()[0].last_failure!, "started 2 times within an hour");
  host.endQuarantine("test/squares");
  assertEquals(await plugin.evaluate(skillOf("s"), 0, POINT, 1, 20_000), Float64Array.of(25));
  assertEquals(host.status()[0].starts_last_hour, 1);
});

Deno.test("a new version is not shut out for what the old one did", async () => {
  await using started = startHost({ limits: { quarantineAfter: 2 } });
  await shutOut(started);
  const next = await started.host.open({ id: "squares@2", text: SQUARES.replace('"2.0.0"', '"2.0.1"') });
  assertEquals(await next.evaluate(skillOf("s"), 0, POINT, 1, 20_000), Float64Array.of(25));
  assertEquals(started.host.status().map(({ state }) => state), ["quarantined", "ready"]);
});

Deno.test("a plugin that ends its process at every third call is shut out in the end, the calls between work", async () => {
  await using started = startHost({ limits: { startsPerHour: 5, backoffMs: 1 } });
  const { host } = started;
  const plugin = await host.open({
    id: "third",
    text: SQUARES.replace("calls++;", "if (++calls === 3) (() => { while (true); })();"),
  });
  let good = 0;
  while (host.status()[0].state !== "quarantined") {
    await plugin.evaluate(skillOf("s"), 0, POINT, 1, 2_000).then(() => good++, () => {});
  }
  assertEquals(good >= 8, true, `${good} good answers`);
});
