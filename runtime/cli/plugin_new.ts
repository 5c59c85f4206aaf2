import { setpointError, whyUnreadable } from "../errors.ts";
import { pluginTemplate, TEMPLATE_KINDS as KINDS } from "./plugin_templates.ts";
import { printText } from "./print.ts";

/**
 * Writes a plugin that works. @param file Absolute, ends in `.ts`; must not be there. @param asked How the author calls it.
 * @throws {SetpointError} USAGE
 */
export async function pluginNew(file: string, asked: string, wanted = "function"): Promise<number> {
  const kind = KINDS.find((known) => known === wanted);
  if (kind === undefined) {
    throw setpointError("USAGE", `Cannot make a plugin of kind "${wanted}", expected ${KINDS.join(", ")}`);
  }
  const name = file.slice(file.lastIndexOf("/") + 1, -".ts".length);
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$/.test(name)) {
    throw setpointError(
      "USAGE",
      `Cannot name a plugin "${
        name.slice(0, 100)
      }", expected letters from a to z, digits, "_" and "-", at most 80`,
    );
  }
  try {
    const text = pluginTemplate(kind, `my/${name.replaceAll("_", "-")}`);
    await Deno.writeTextFile(file, text, { createNew: true });
  } catch (cause) {
    const why = cause instanceof Deno.errors.AlreadyExists
      ? "it is there already"
      : cause instanceof Deno.errors.NotFound
      ? "there is no such folder"
      : whyUnreadable(cause);
    throw setpointError("USAGE", `Cannot write the plugin: ${why}`, { at: { file }, cause });
  }
  printText(`Wrote ${file}; next: deno task plugin:test ${asked.replace(/(?:\.ts)?$/, ".ts")}`);
  return 0;
}
