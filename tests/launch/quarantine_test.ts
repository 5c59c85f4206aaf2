/** A plugin that fails again and again, as the people who run the process see it, and how they let it out. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { faultyStrategy, GUESS, STATE } from "../faults/faulty_plant.ts";
import { Folders, Service, task } from "./process.ts";

Deno.test("a plugin in quarantine shows everywhere, and deno task plugins --release lets it out", async () => {
  await using folders = await Folders.make();
  const file = `${folders.root}/plant/strategy.yaml`;
  await Deno.mkdir(`${folders.root}/plant`);
  await Deno.writeTextFile(file, faultyStrategy(false));
  await Deno.writeTextFile(`${folders.root}/plant/guess.ts`, GUESS);
  await using service = await Service.start(folders, ["--mode", "api", "--strategy", file]);
  const optimize = (fault: number) => service.json("/optimize", { input_data: { ...STATE, fault } });
  const guess = async () => {
    const { cells } = await service.json("/plugins") as { cells: { plugins: { name: string }[] }[] };
    return cells.find(({ plugins }) => plugins[0]?.name === "test/guess") as unknown as Record<
      string,
      unknown
    >;
  };
  const plugins = (...flags: string[]) => task(["plugins", "--state", folders.state, ...flags]);
  const quarantined = async () =>
    /^setpoint_cell_quarantined\{cell=".*guess.*"\} (\d)$/m.exec(
      await (await fetch(`${service.url}/metrics`)).text(),
    )?.[1];
  assertEquals((await optimize(0)).outcome, "solved");
  assertEquals([(await guess()).state, await quarantined()], ["ready", "0"]);

  for (let k = 0; k < 10 && (await guess()).state !== "quarantined"; k++) await optimize(3);
  const { state, failures, last_failure, quarantine_ms, pid } = await guess();
  assertEquals([state, pid, await quarantined()], ["quarantined", null, "1"]);
  assert(Number(failures) >= 5 && Number(quarantine_ms) > 30_000);
  assertStringIncludes(String(last_failure), "no guess today");
  const health = await service.json("/health") as { status: string; reasons: { message: string }[] };
  assertEquals(health.status, "unhealthy");
  assertStringIncludes(JSON.stringify(health.reasons), "deno task plugins --release test/guess");
  const refused = await optimize(0) as { outcome: string; reason: { code: string; message: string } };
  assertStringIncludes(JSON.stringify(refused), "in quarantine for");

  const wrong = await plugins("--release", "test/other");
  assert(wrong.code !== 0);
  assertStringIncludes(wrong.stderr, '"test/guess"');
  const shown = await plugins("--release", "test/guess");
  assertEquals(shown.code, 0, shown.stderr);
  assertStringIncludes(shown.stdout, "test/guess 1.0.0");
  assert(!shown.stdout.includes("(quarantined)"), shown.stdout);
  assertEquals((await optimize(0)).outcome, "solved");
  assertEquals([(await guess()).state, await quarantined()], ["ready", "0"]);
  assertEquals((await service.json("/health")).status, "healthy");
});
