/** What a plugin leaves on the disk, and what its process gets from the kernel's. */
import { GAIN } from "../cells/plugins.ts";
import { startHost } from "../cells/start.ts";
import { assert, assertEquals, assertStringIncludes } from "../std/assert.ts";
import { attackCell, attackInner } from "./attack.ts";

const FILL = `
for (let k = 0; k < 20; k++) {
  await import("data:application/typescript,export%20const%20a:number=" + k + "/*" + "x".repeat(100_000) + "*/");
}
return "written";`;

Deno.test("a plugin fills no disk by importing modules from its own text, as one without the runtime's look at it does", async () => {
  const denoDir = await Deno.makeTempDir();
  try {
    await using started = startHost({ denoDir });
    await attackCell(started.host, "return 1;");
    const before = kilobytes(denoDir);
    assertStringIncludes(await attackCell(started.host, FILL), 'imports "setpoint" alone');
    await attackCell(started.host, "return 2;");
    assert(kilobytes(denoDir) - before < 200, `${before} kB became ${kilobytes(denoDir)} kB`);
    assertEquals(await attackInner(FILL, "", denoDir), "got written");
    assert(
      kilobytes(denoDir) - before > 4_000,
      `the control did not work: ${kilobytes(denoDir) - before} kB`,
    );
  } finally {
    await Deno.remove(denoDir, { recursive: true });
  }
});

Deno.test("a cell gets no file, no socket and no folder of the kernel's", async () => {
  const file = await Deno.makeTempFile();
  using _open = await Deno.open(file);
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const denoDir = await Deno.makeTempDir();
  await using started = startHost({ denoDir });
  await started.host.open({ id: "gain", text: GAIN });
  const list = (pid: number) => {
    const { stdout } = new Deno.Command("ls", { args: ["-l", `/proc/${pid}/fd`] }).outputSync();
    return new TextDecoder().decode(stdout).split("\n").flatMap((line) => line.split(" -> ").slice(1));
  };
  const own = list(Deno.pid);
  assert(own.includes(file) && listener.addr.port > 0);
  const shared = list(started.host.status()[0].pid!).filter((target) => own.includes(target));
  // its three pipes have the same names at both ends; anonymous kinds have no identity
  assertEquals(shared.filter((target) => !/^pipe:\[|^anon_inode:|^\/dev\/null$/.test(target)), []);
  await Deno.remove(file);
  await started.host.close();
  await Deno.remove(denoDir, { recursive: true });
});

Deno.test("a plugin reads no file as its source map, as one without the runtime's look at it does", async () => {
  const map = await Deno.makeTempFile({ suffix: ".map" });
  const mappings = Array.from({ length: 40 }, () => "AAAA").join(";");
  const secret = "file:///a/secret.ts";
  await Deno.writeTextFile(map, JSON.stringify({ version: 3, sources: [secret], names: [], mappings }));
  try {
    await using started = startHost();
    const [body, statics] = ['return new Error("look").stack;', `//# sourceMappingURL=file://${map}`];
    assertStringIncludes(await attackInner(body, statics), secret);
    const outcome = await attackCell(started.host, body, statics);
    assertStringIncludes(outcome, "look");
    assert(!outcome.includes(secret), outcome);
  } finally {
    await Deno.remove(map);
  }
});

function kilobytes(folder: string): number {
  const { stdout } = new Deno.Command("du", { args: ["-sk", folder] }).outputSync();
  return Number(new TextDecoder().decode(stdout).split("\t")[0]);
}
