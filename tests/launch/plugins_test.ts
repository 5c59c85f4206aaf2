/** The commands for plugins beside a running service: a change goes through plugin:dev into the running process. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { alive, Folders, kill, Service, task, tree } from "./process.ts";
import { eventually } from "../std/eventually.ts";

const STRATEGY = `apiVersion: setpoint/v1
name: live
version: 1.0.0
variables:
  flow: { type: Operative, units: t/h, threshold: 1, min: 0, max: 10 }
  cost: { type: CalculatedKPI, units: "-" }
plugins: { Live: live.ts }
skills:
  live: { class: Live, inputs: [flow], outputs: [cost], config: { factor: 2 } }
  all: { class: CompositionSkill, outputs: [cost], config: { skill_sequence: [live] } }
  best: { class: OptimizationSkill, inputs: [flow], outputs: [flow], config: { cost_skill_name: all, cost_feature_name: cost } }
tasks:
  - { name: CalculateRecommendations, skill_sequence: [best] }
`;

Deno.test("plugin:dev takes what passes into the running process, and nothing else; deno task plugins shows it", async () => {
  await using folders = await Folders.make();
  const { root, state } = folders;
  const env = { INIT_CWD: root };
  await task(["plugin:new", "source", "--kind", "function"], { env });
  const source = await Deno.readTextFile(`${root}/source.ts`);
  await Deno.mkdir(`${root}/plant`);
  await Deno.writeTextFile(`${root}/plant/live.ts`, source);
  await Deno.writeTextFile(`${root}/plant/strategy.yaml`, STRATEGY);
  await using service = await Service.start(folders, [
    "--mode",
    "api",
    "--strategy",
    `${root}/plant/strategy.yaml`,
  ]);
  const costAt5 = async () => (await service.json("/optimize", { input_data: { flow: 5 } })).cost_before;
  assertEquals(await costAt5(), 10);

  const dev = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "plugin:dev", "source.ts", "--out", "plant/live.ts"],
    env: { ...env, NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  try {
    const version = (text: string) => source.replace('"0.1.0"', `"${text}"`);
    await eventually(
      "the same source is built",
      async () => (await Deno.readTextFile(`${root}/plant/live.ts`)).includes("setpoint:module source.ts"),
    );
    const broken = version("0.2.0").replace("outputs: { y: 6 }", "outputs: { y: 7 }");
    await Deno.writeTextFile(`${root}/source.ts`, broken);
    await Deno.writeTextFile(`${root}/factor.ts`, "export const tripled = (x: number): number => 1.5 * x;\n");
    const tripled = version("0.3.0")
      .replace("outputs: { y: 6 }", "outputs: { y: 9 }")
      .replace("Number(skill.config.factor)", "tripled(Number(skill.config.factor))");
    await new Promise((done) => setTimeout(done, 2_000));
    assertEquals(await costAt5(), 10);
    await Deno.writeTextFile(`${root}/source.ts`, `import { tripled } from "./factor.ts";\n${tripled}`);
    await eventually("the new version answers", async () => await costAt5() === 15);
  } finally {
    const processes = tree(dev.pid);
    kill(dev.pid, "SIGTERM");
    await eventually("plugin:dev has ended", () => alive(processes).length === 0).catch(() =>
      processes.forEach((pid) => kill(pid, "SIGKILL"))
    );
    await dev.status;
  }
  // somebody writes a version past plugin:dev that cannot run
  const good = await Deno.readTextFile(`${root}/plant/live.ts`);
  await Deno.writeTextFile(`${root}/plant/live.ts`, good.replace("outputs: { y: 9 }", "outputs: { y: 8 }"));
  const refused = async () => (await service.json("/plugins")).refused as string | null;
  await eventually("/plugins says why it is not in use", async () => await refused() !== null);
  assertStringIncludes((await refused())!, '"y" is 9, expected 8');
  assertStringIncludes((await task(["plugins", "--state", state])).stdout, '"y" is 9, expected 8');
  const lines = (await Deno.readTextFile(`${state}/logs/app.log`)).split("\n");
  assert(lines.some((line) => line.includes('"level":"warning"') && line.includes("expected 8")));
  assertEquals(await costAt5(), 15);
  await Deno.writeTextFile(`${root}/plant/live.ts`, good);
  await eventually("the good one is in use again", async () => await refused() === null);
  const shown = await task(["plugins", "--state", state]);
  assertEquals(shown.code, 0, shown.stderr);
  assertStringIncludes(shown.stdout, "my/source 0.3.0");
  assert(!shown.stdout.includes("0.2.0"));
  assertStringIncludes(shown.stdout, "my/source 0.3.0: wall_ms 250, lower_ms 5000, heap_mb 256, rss_mb 512,");
  const { cells } = await service.json("/plugins") as { cells: Record<string, unknown>[] };
  const live = cells.find(({ plugins }) => JSON.stringify(plugins).includes("my/source"))!;
  for (const key of ["state", "limits", "calls", "failures", "restarts", "p50_ms", "p99_ms", "rss_bytes"]) {
    assert(live[key] !== undefined && live[key] !== null, key);
  }
  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  assertStringIncludes(metrics, 'name="my/source",version="0.3.0",kind="function"');
  assertStringIncludes(metrics, "setpoint_cell_call_seconds{");
});
