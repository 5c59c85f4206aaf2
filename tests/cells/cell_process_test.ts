import { cellFlags } from "../../runtime/cells/cell_process.ts";
import { assert, assertEquals } from "../std/assert.ts";
import { GAIN } from "./plugins.ts";
import { startHost } from "./start.ts";

Deno.test("a cell's only permission is to read its own sources", () => {
  const allowed = cellFlags(256).filter((flag) => flag.startsWith("--allow") || flag.startsWith("-A"));
  assertEquals(allowed.length, 1);
  const paths = allowed[0].replace("--allow-read=", "").split(",");
  const root = decodeURIComponent(new URL("../..", import.meta.url).pathname);
  assertEquals(paths.map((path) => path.replace(root, "")), [
    "runtime/cells/",
    "runtime/graph/",
    "runtime/solver/",
    "runtime/engine/",
    "runtime/clock.ts",
    "plugins/sdk.ts",
    "plugins/sdk_core.ts",
  ]);
  for (
    const flag of ["--no-prompt", "--no-npm", "--no-remote", "--cached-only", "--no-config", "--no-lock"]
  ) {
    assert(cellFlags(256).includes(flag), flag);
  }
});

Deno.test("a cell's environment is empty but for two switches of Deno, and it leads a group of its own", async () => {
  await using started = startHost();
  await started.host.open({ id: "gain", text: GAIN });
  const pid = started.host.status()[0].pid!;
  const read = async (file: string) => {
    const { stdout } = await new Deno.Command("cat", { args: [`/proc/${pid}/${file}`] }).output();
    return new TextDecoder().decode(stdout);
  };
  assertEquals((await read("environ")).split("\0").filter((one) => one !== "").sort(), [
    "DENO_NO_UPDATE_CHECK=1",
    "NO_COLOR=1",
  ]);
  const group = (await read("stat")).split(") ").at(-1)!.split(" ")[2];
  assertEquals(Number(group), pid);
});
