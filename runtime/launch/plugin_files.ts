import { parseYaml } from "../yaml.ts";

/** Larger strategies are refused by the kernel, which tells it better. */
const MAX_BYTES = 65_536;

/**
 * The plugin files that a strategy names by path, absolute, so that the kernel may read them. None where the file is no
 * strategy: the kernel will say what is wrong with it.
 * @param file Absolute.
 */
export async function pluginFiles(file: string): Promise<string[]> {
  let plugins: unknown;
  try {
    const { value } = parseYaml(await Deno.readTextFile(file), { maxBytes: MAX_BYTES });
    plugins = (value as { plugins?: unknown } | null)?.plugins;
  } catch {
    return [];
  }
  if (typeof plugins !== "object" || plugins === null) return [];
  const named = Object.values(plugins).map((plugin) =>
    (plugin as { plugin?: unknown } | null)?.plugin ?? plugin
  );
  return named.filter(isPath).map((path) => new URL(path, `file://${encodeURI(file)}`))
    .map(({ pathname }) => decodeURIComponent(pathname));
}

/** Neither `builtin:function` nor `name@version`. */
function isPath(plugin: unknown): plugin is string {
  return typeof plugin === "string" && /^(?!builtin:).*\.(?:[jt]s|mjs)$/.test(plugin);
}
