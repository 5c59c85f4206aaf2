/** What the launcher prints is what the kernel runs with, and all that it runs with. */
import { assert, assertEquals } from "@std/assert";
import { ROOT } from "../../runtime/config.ts";
import { Folders, Service, task } from "./process.ts";

Deno.test("the kernel and its cells run with the printed permissions and no others", async () => {
  await using folders = await Folders.make();
  const { stdout } = await task([
    "start",
    "--port",
    "0",
    ...folders.flags,
    "--mode",
    "api",
    "--print-permissions",
  ]);
  const printed = stdout.trim().split("\n");
  assert(printed.every((flag) => /^--allow-(?:read|write|net|env|run)=./.test(flag)), stdout);
  await using service = await Service.start(folders, ["--mode", "api"]);
  const permissions = commandLine(service.kernelPid).filter((flag) =>
    /^--(?:allow|deny|unsafe)|^-[A-Z]$/.test(flag)
  );
  assertEquals(permissions, printed);
  const { cells } = await service.json("/plugins") as { cells: { pid: number | null }[] };
  const pids = cells.flatMap(({ pid }) => pid ?? []);
  assert(pids.length > 0);
  for (const pid of pids) {
    const [read, ...more] = commandLine(pid).filter((flag) => /^--allow|^-[A-Z]$/.test(flag));
    assertEquals(more, []);
    const paths = read.replace("--allow-read=", "").split(",");
    const sources = [`${ROOT}/plugins/sdk.ts`, `${ROOT}/plugins/sdk_core.ts`];
    assert(paths.every((path) => path.startsWith(`${ROOT}/runtime/`) || sources.includes(path)), read);
  }
});

/** Each is possible to who may do all, which the control shows. */
const BEYOND = {
  "read a file elsewhere": `Deno.readTextFileSync("/etc/hostname")`,
  "list the root": `[...Deno.readDirSync("/")].length`,
  "read the tests": `Deno.readTextFileSync("${ROOT}/deno.lock").length`,
  "write beside its sources":
    `Deno.writeTextFileSync("${ROOT}/runtime/written.tmp", "x") ?? Deno.removeSync("${ROOT}/runtime/written.tmp")`,
  "write to the temporary folder": `Deno.removeSync(Deno.makeTempFileSync())`,
  "listen on another port": `Deno.listen({ hostname: "127.0.0.1", port: 0 }).close()`,
  "listen on all addresses": `Deno.listen({ hostname: "0.0.0.0", port: 0 }).close()`,
  "read a variable that is none of its own": `Deno.env.get("HOME")`,
  "read all variables": `Deno.env.toObject()`,
  "run another program": `new Deno.Command("true").outputSync()`,
  "load a library": `Deno.dlopen("libc.so.6", {})`,
  "ask for the system's release": `Deno.osRelease()`,
};

Deno.test("what is not on the list is denied, and possible without the list", async () => {
  await using folders = await Folders.make();
  const { stdout } = await task(["start", "--port", "8005", ...folders.flags, "--print-permissions"]);
  const script = `${folders.root}/beyond.js`;
  const tries = Object.entries(BEYOND).map(([name, code]) => `[${JSON.stringify(name)}, () => ${code}]`);
  await Deno.writeTextFile(
    script,
    `const out = {};
    for (const [name, act] of [${tries.join(",\n")}]) {
      try { act(); out[name] = "done"; } catch (error) { out[name] = error.name; }
    }
    console.log(JSON.stringify(out));`,
  );
  const run = async (flags: readonly string[]) => {
    const args = ["run", "--no-prompt", "--no-config", "--quiet", ...flags, script];
    const { stdout } = await new Deno.Command(Deno.execPath(), { args }).output();
    return JSON.parse(new TextDecoder().decode(stdout)) as Record<string, string>;
  };
  const each = (outcome: string) => Object.fromEntries(Object.keys(BEYOND).map((name) => [name, outcome]));
  assertEquals(await run(stdout.trim().split("\n")), each("NotCapable"));
  assertEquals(await run(["--allow-all"]), each("done"));
});

/** Deno itself may read it under -A only. */
function commandLine(pid: number): string[] {
  const { stdout } = new Deno.Command("cat", { args: [`/proc/${pid}/cmdline`] }).outputSync();
  const words = new TextDecoder().decode(stdout).split("\0");
  // up to the script: what follows are its own arguments
  return words.slice(0, words.findIndex((word) => /^[^-].*\.ts$/.test(word)));
}
