import { assert, assertEquals } from "@std/assert";
import { openDirectory } from "../../runtime/artifacts/directory.ts";
import { ROOT } from "../../runtime/config.ts";
import { deploy, publishVersion } from "../faults/versions.ts";
import { eventually } from "../std/eventually.ts";
import { Folders, kill, Service } from "./process.ts";

Deno.test("F34: a version whose process is killed three times gives way to the one before it", async () => {
  await using folders = await Folders.make();
  const directory = `${folders.root}/store`;
  await Deno.mkdir(directory);
  await using store = openDirectory(directory);
  const metadata = `${folders.root}/metadata`;
  await deploy(metadata, await publishVersion(store, 1));
  const command = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "start", "--mode", "api", "--port", "0", ...folders.flags],
    cwd: ROOT,
    env: { NO_COLOR: "1", SETPOINT_STORAGE_DIRECTORY: directory },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    detached: true,
  });
  await using service = await Service.start(folders, [], command);
  const version = async () => ((await service.json("/health")).strategy as { version: string }).version;
  assertEquals(await version(), "1.0.0");
  await deploy(metadata, await publishVersion(store, 2));
  await eventually("version 2.0.0 is active", async () => await version() === "2.0.0");
  for (let crash = 1; crash <= 3; crash++) {
    assertEquals(await version(), "2.0.0");
    const pid = service.kernelPid;
    kill(pid, "SIGKILL");
    await service.ready(pid);
  }
  const health = await service.json("/health");
  assertEquals((health.strategy as { version: string }).version, "1.0.0");
  assert(
    JSON.stringify(health).includes("with it the process ended 3 times in a row"),
    JSON.stringify(health),
  );
});
