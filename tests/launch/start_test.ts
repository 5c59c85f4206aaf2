import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ROOT } from "../../runtime/config.ts";
import { alive, Folders, kill, Service, task, tree } from "./process.ts";
import { eventually } from "../std/eventually.ts";

Deno.test("deno task start runs its first cycle, and SIGTERM ends everything with 0", async () => {
  await using folders = await Folders.make();
  await using service = await Service.start(folders);
  await eventually("the first cycle is journalled", async () => {
    const { cycles } = await service.json("/cycles") as { cycles: { outcome: string; origin: string }[] };
    return cycles.some(({ outcome, origin }) => outcome === "solved" && origin === "schedule");
  });
  const health = await service.json("/health");
  assertEquals(health.status, "healthy", JSON.stringify(health));
  assertEquals((health.historian as { simulated: boolean }).simulated, true);
  assertEquals(Deno.statSync(`${folders.state}/token`).mode! & 0o777, 0o600);

  const mine = tree(service.process.pid);
  assert(mine.length >= 4, `task, launcher, kernel and cells: ${mine}`);
  Deno.kill(service.process.pid, "SIGTERM");
  assertEquals((await service.process.status).code, 0);
  await eventually("no process is left", () => alive(mine).length === 0);
  assert(!Deno.readTextFileSync(`${folders.state}/logs/app.log`).includes('"error"'));
  assertEquals([...Deno.readDirSync(folders.state)].some(({ name }) => name === "run.json"), false);
});

Deno.test("Ctrl-C in a terminal ends deno task start with 0 and leaves no process", async () => {
  await using folders = await Folders.make();
  const command = `exec "${Deno.execPath()}" task --quiet start --port 0 ${folders.flags.join(" ")}`;
  const terminal = new Deno.Command("script", {
    args: ["-qefc", command, "/dev/null"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  });
  await using service = await Service.start(folders, [], terminal);
  const mine = tree(service.process.pid);
  const keyboard = service.process.stdin.getWriter();
  await keyboard.write(new Uint8Array([3]));
  assertEquals((await service.process.status).code, 0);
  await keyboard.close().catch(() => {});
  await eventually("no process is left", () => alive(mine).length === 0);
});

Deno.test("kill -9 of the launcher leaves no process", async () => {
  await using folders = await Folders.make();
  await using service = await Service.start(folders);
  const kernel = service.kernelPid;
  const mine = tree(service.process.pid);
  const launcher = mine.find((pid) => tree(pid)[1] === kernel)!;
  kill(launcher, "SIGKILL");
  await eventually("no process is left", () => alive(mine).length === 0);
});

Deno.test("A killed kernel is started again on the same state, and its cells are gone", async () => {
  await using folders = await Folders.make();
  await using service = await Service.start(folders);
  const first = service.kernelPid;
  const cells = tree(first).slice(1);
  kill(first, "SIGKILL");
  await service.ready(first);
  assert(service.kernelPid !== first);
  await eventually("the old cells are gone", () => alive(cells).length === 0);
});

Deno.test("F27: a second kernel on one state folder is refused with 2, naming the first's pid", async () => {
  await using folders = await Folders.make();
  await using service = await Service.start(folders);
  const { code, stderr } = await task(["start", "--port", "0", ...folders.flags]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, `pid ${service.kernelPid}`);
  assertStringIncludes(stderr, folders.state);
  assert(!stderr.includes("    at "), stderr);
  assertEquals((await service.json("/health/live")).status, "alive");
});

Deno.test("A port in use is refused with 2, naming the port", async () => {
  await using folders = await Folders.make();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const { code, stderr } = await task(["start", "--port", String(port), ...folders.flags]);
  assertEquals(code, 2);
  assertMatch(stderr, new RegExp(`^Cannot listen on 127.0.0.1:${port}: port ${port} is in use`, "m"));
});

Deno.test("A state folder that cannot be used is refused with 2, naming it", async () => {
  await using folders = await Folders.make();
  await Deno.writeTextFile(folders.state, "a file in its place");
  const { code, stderr } = await task(["start", "--port", "0", ...folders.flags]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, folders.state);
  assert(!stderr.includes("    at "), stderr);
});

Deno.test("A mistake in flags or configuration is told in a line each, with 2", async () => {
  await using folders = await Folders.make();
  await Deno.writeTextFile(`${folders.root}/config.yaml`, "api:\n  port: x\n  prot: 1\n");
  const flags = await task(["start", "--prot", "1"]);
  assertEquals(flags.code, 2);
  assertStringIncludes(flags.stderr, "Unknown flag --prot");
  const strategy = await task(["start", "--strategy", `${folders.root}/none.yaml`, ...folders.flags]);
  assertEquals(strategy.code, 2);
  assertStringIncludes(strategy.stderr, `Cannot read the strategy "${folders.root}/none.yaml"`);
  const config = await task(["start", "--config", `${folders.root}/config.yaml`]);
  assertEquals(config.code, 2);
  assertEquals(config.stderr.trim().split("\n").length, 2);
  assertStringIncludes(config.stderr, "config.yaml:2:9: Cannot set api.port");
});

Deno.test("cache:stats, cache:clear and health ask the running process, and say when there is none", async () => {
  await using folders = await Folders.make();
  for (const command of ["cache:stats", "cache:clear", "health"]) {
    const { code, stderr } = await task([command, "--state", folders.state]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, `no process runs on state folder "${folders.state}"`);
  }
  {
    await using _service = await Service.start(folders, ["--mode", "api"]);
    const stats = await task(["cache:stats", "--state", folders.state]);
    assertEquals(stats.code, 0, stats.stderr);
    assertMatch(stats.stdout, /^Strategy version \S+, last run/);
    const json = await task(["cache:stats", "--json", "--state", folders.state]);
    assertEquals(JSON.parse(json.stdout).status, "success");
    assertMatch(
      (await task(["cache:clear", "--state", folders.state])).stdout,
      /^Cache cleared: \d+ items?\n$/,
    );
    assertEquals((await task(["health", "--state", folders.state])).stdout, "ready\n");
  }
  await Deno.writeTextFile(
    `${folders.state}/run.json`,
    JSON.stringify({ pid: 1, url: "http://127.0.0.1:9" }),
  );
  const dead = await task(["cache:stats", "--state", folders.state]);
  assertEquals(dead.code, 2);
  assertStringIncludes(dead.stderr, "the one with pid 1 that did does not answer on http://127.0.0.1:9");
});

Deno.test("--print-permissions works in a folder and with a Deno whose paths have spaces", async () => {
  const folder = await Deno.makeTempDir({ prefix: "setpoint with spaces " });
  try {
    await Deno.mkdir(`${folder}/bin of mine`);
    await Deno.symlink(`${ROOT}/runtime`, `${folder}/runtime`);
    for (const name of ["deno.json", "deno.lock"]) {
      await Deno.copyFile(`${ROOT}/${name}`, `${folder}/${name}`);
    }
    await Deno.copyFile(Deno.execPath(), `${folder}/bin of mine/deno`);
    const { code, stdout } = await new Deno.Command(`${folder}/bin of mine/deno`, {
      args: ["task", "--quiet", "start", "--print-permissions", "--state", "my state"],
      cwd: folder,
      env: { PATH: "/usr/bin:/bin", INIT_CWD: folder },
    }).output();
    assertEquals(code, 0);
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    assert(lines.includes(`--allow-run=${folder}/bin of mine/deno`), lines.join("\n"));
    assert(
      lines.find((line) => line.startsWith("--allow-write="))!.includes(`${folder}/my state`),
      lines.join("\n"),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
