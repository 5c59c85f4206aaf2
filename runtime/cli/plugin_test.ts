import type { Clock } from "../clock.ts";
import { setpointError, whyUnreadable } from "../errors.ts";
import { checkPlugin, type PluginReport } from "../kernel/plugin_check.ts";
import { printJson, printLine, printText } from "./print.ts";

export interface TestOptions {
  readonly json: boolean;
  readonly clock: Clock;
}

/** Tries a plugin file in a cell. @returns 0, or 1 if something does not hold. @throws {SetpointError} PLUGIN_INVALID */
export async function pluginTest(file: string, { json, clock }: TestOptions): Promise<number> {
  const report = await checkPlugin(await readPlugin(file), file, {
    clock,
    log: (message) => printLine(message),
  });
  if (json) printJson(report);
  else printText(reportText(report));
  return report.ok ? 0 : 1;
}

/** @throws {SetpointError} USAGE if there is none. */
export async function readPlugin(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (cause) {
    throw setpointError("USAGE", `Cannot read the plugin: ${whyUnreadable(cause)}`, { at: { file }, cause });
  }
}

export function reportText({ name, version, kind, digest, checks, ok, limits }: PluginReport): string {
  const lines = checks.map(({ ok, what, detail }) =>
    `${ok ? "ok  " : "FAIL"} ${what}${detail && `: ${detail}`}`
  );
  const failed = checks.filter((check) => !check.ok).length;
  return [
    `${name} ${version} (${kind}, sha256 ${digest})`,
    ...lines,
    "",
    "limits",
    ...limits.map(({ limit, used, allowed }) => `  ${limit}: ${used} of ${allowed}`),
    "",
    ok ? `OK: ${checks.length} checks` : `${failed} of ${checks.length} checks failed`,
  ].join("\n");
}
