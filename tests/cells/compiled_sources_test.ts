import { systemClock } from "../../runtime/clock.ts";
import { openCompiledSources } from "../../runtime/cells/compiled_sources.ts";
import { PluginHost } from "../../runtime/cells/host.ts";
import { temporaryFolder } from "../artifacts/temporary_folder.ts";
import { assert, assertEquals } from "../std/assert.ts";
import { SQUARES } from "./plugins.ts";

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    names.push(...isDirectory ? await namesIn(`${folder}/${name}`) : [`${folder}/${name}`]);
  }
  return names.sort();
}

Deno.test("a cell that starts again leaves no copy of its plugin's text behind", async () => {
  await using folder = await temporaryFolder();
  const dir = `${folder.path}/deno`;
  const start = async () => {
    await openCompiledSources(dir);
    await using host = new PluginHost({ clock: systemClock, log: () => {}, denoDir: dir });
    await host.open({ id: "squares", text: SQUARES });
  };
  await start();
  const files = await namesIn(dir);
  assert(files.some((name) => name.includes("/gen/file/")), "nothing was compiled there");
  await start();
  await start();
  assertEquals(await namesIn(dir), files);
});

Deno.test("openCompiledSources() empties a folder that has become too large, and no other", async () => {
  await using folder = await temporaryFolder();
  const dir = `${folder.path}/deno`;
  await openCompiledSources(dir);
  await Deno.writeFile(`${dir}/gen/old`, new Uint8Array(1000));
  await Deno.symlink(Deno.execPath(), `${dir}/node`);
  await openCompiledSources(dir, 5000);
  assertEquals(await namesIn(dir), [`${dir}/gen/blob`, `${dir}/gen/old`, `${dir}/node`]);
  await openCompiledSources(dir, 999);
  assertEquals(await namesIn(dir), [`${dir}/gen/blob`]);
});
