import { SetpointError } from "../../runtime/errors.ts";
import { lockState } from "../../runtime/journal/lock.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";

const CHILD = `import { lockState } from "${import.meta.resolve("../../runtime/journal/lock.ts")}";
  await lockState(Deno.args[0]);
  console.log("locked");
  setInterval(() => {}, 1000);`;

Deno.test("lockState() makes the folder, and a second lock names it and the first's pid", async () => {
  const parent = await Deno.makeTempDir();
  const folder = `${parent}/deep/state`;
  {
    using first = await lockState(folder);
    assertEquals(first.folder, folder);
    const error = await assertRejects(() => lockState(folder), SetpointError, `pid ${Deno.pid}`);
    assertEquals(error.code, "STATE_LOCKED");
    assertStringIncludes(error.message, folder);
  }
  using _again = await lockState(folder);
  await Deno.remove(parent, { recursive: true });
});

Deno.test("another process holds the lock until kill -9 (F27)", async () => {
  const folder = await Deno.makeTempDir();
  // A pid with more digits than this one must leave nothing of itself behind.
  await Deno.writeTextFile(`${folder}/lock`, "99999999999\n");
  await using child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      "--quiet",
      "--no-config",
      "--no-lock",
      `--allow-read`,
      `--allow-write=${folder}`,
      "-",
      folder,
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(CHILD));
  await writer.close();
  const reader = child.stdout.getReader();
  assertStringIncludes(new TextDecoder().decode((await reader.read()).value), "locked");
  await assertRejects(() => lockState(folder), SetpointError, `the process with pid ${child.pid} is`);
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
  {
    using _mine = await lockState(folder);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("lockState() tells a folder that cannot be one", async () => {
  const file = await Deno.makeTempFile();
  for (
    const [folder, why] of [[file, "a file has its name"], [
      `${file}/state`,
      "a part of its path is no folder",
    ]]
  ) {
    const error = await assertRejects(
      () => lockState(folder),
      SetpointError,
      `"${folder}": ${why}; expected`,
    );
    assertEquals(error.code, "STATE_UNREADABLE");
  }
  await Deno.remove(file);
});
