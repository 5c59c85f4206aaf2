import { setpointError } from "../errors.ts";
import { pluginTemplate, TEMPLATE_KINDS as KINDS } from "./plugin_templates.ts";
import { printText } from "./print.ts";

/** Writes a plugin that works. @param file Absolute; must not be there. */
export async function pluginNew(file: string, wanted = "function"): Promise<number> {
  const kind = KINDS.find((known) => known === wanted);
  if (kind === undefined) {
    throw setpointError("USAGE", `Cannot make a plugin of kind "${wanted}", expected ${KINDS.join(", ")}`);
  }
  const base = file.slice(file.lastIndexOf("/") + 1, -".ts".length);
  const name = base.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "") || "plugin";
  try {
    await Deno.writeTextFile(file, pluginTemplate(kind, `my/${name.replaceAll("_", "-")}`), {
      createNew: true,
    });
  } catch (cause) {
    const why = cause instanceof Deno.errors.AlreadyExists
      ? "it is there already"
      : cause instanceof Deno.errors.NotFound
      ? "there is no such folder"
      : (cause as Error).message;
    throw setpointError("USAGE", `Cannot write the plugin: ${why}`, { at: { file }, cause });
  }
  printText(`Wrote ${file}; next: deno task plugin:test ${base}.ts`);
  return 0;
}
