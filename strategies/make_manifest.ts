/**
 * Makes a strategy's folder an artifact store: `strategy.yaml` becomes `configs/config-<version>.yaml`, and everything in
 * `models/` is listed as it is and under the further names that `aliases.json` gives it. To be run after each change:
 *
 *     deno run --allow-read --allow-write=strategies --allow-env strategies/make_manifest.ts strategies/kiln
 */
import { openDirectory } from "../runtime/artifacts/directory.ts";
import { buildManifest, type ManifestEntry, writeManifest } from "../runtime/artifacts/manifest.ts";
import { strategyPath } from "../runtime/artifacts/strategy_path.ts";
import { loadStrategy } from "../runtime/strategy/load.ts";

for (const folder of Deno.args) {
  await using store = openDirectory(folder);
  const { version } = loadStrategy(await Deno.readTextFile(`${folder}/strategy.yaml`), { file: `${folder}/strategy.yaml` });
  const own = await buildManifest(store, { [strategyPath(version)]: "strategy.yaml" }, (path) => path.startsWith("models/"));
  const manifest = new Map<string, ManifestEntry>(own);
  for (const [alias, file] of Object.entries(await aliases(folder))) {
    const entry = own.get(file);
    if (entry === undefined) throw new RangeError(`Cannot give "${file}" the name "${alias}": ${folder} does not have it`);
    manifest.set(alias, { ...entry, file });
  }
  await writeManifest(store, manifest);
  console.log(`${folder}/manifest.json: ${manifest.size} files`);
}

/** Further names by which strategies may call files of the store, such as a predecessor's. */
async function aliases(folder: string): Promise<Record<string, string>> {
  try {
    return JSON.parse(await Deno.readTextFile(`${folder}/aliases.json`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}
