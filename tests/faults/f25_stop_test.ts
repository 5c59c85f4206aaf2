import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../../runtime/clock.ts";
import { alive, Folders, kill, Service, tree } from "../launch/process.ts";
import { eventually } from "../std/eventually.ts";
import { freeze } from "../std/freeze.ts";

Deno.test("F25: SIGTERM in mid-cycle with hung cells exits 0 within 10 s and leaves no process", async () => {
  await using folders = await Folders.make();
  await using service = await Service.start(folders, ["--interval", "0.05"]);
  const mine = tree(service.process.pid);
  const cells = tree(service.kernelPid).slice(1);
  assert(cells.length > 0);
  for (const pid of cells) await freeze(pid);
  try {
    await eventually("a cycle waits for one of them", async () => {
      const { plugins } = await service.json("/health") as { plugins: { state: string }[] };
      return plugins.some(({ state }) => state === "busy");
    });
    Deno.kill(service.process.pid, "SIGTERM");
    // the launcher would kill a kernel that takes longer, and end with 1
    assertEquals((await service.process.status).code, 0);
    await eventually("no process is left", () => alive(mine).length === 0);
  } finally {
    for (const pid of cells) kill(pid, "SIGKILL");
  }
});

Deno.test("F25: SIGTERM twice is one, and finishes the cycle that runs", async () => {
  await using folders = await Folders.make();
  await using service = await Service.start(folders, ["--interval", "0.02"]);
  await systemClock.sleep(100);
  Deno.kill(service.process.pid, "SIGTERM");
  Deno.kill(service.process.pid, "SIGTERM");
  assertEquals((await service.process.status).code, 0);
  const lines = (await Deno.readTextFile(`${folders.state}/logs/app.log`)).trim().split("\n").map((line) =>
    JSON.parse(line)
  );
  assertEquals(lines.filter(({ message }) => message === "Stopping").length, 1);
  assertEquals(lines.filter(({ level }) => level === "error" || level === "fatal"), []);
});
