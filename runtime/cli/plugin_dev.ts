import type { Clock } from "../clock.ts";
import { setpointError, whyUnreadable } from "../errors.ts";
import { checkPlugin } from "../kernel/plugin_check.ts";
import { unfinished } from "./command_line.ts";
import { buildPlugin } from "./plugin_build.ts";
import { reportText } from "./plugin_test.ts";
import { printError, printLine, printText } from "./print.ts";

/** Writes one file from several. @param entry Absolute, as `out`. @throws {SetpointError} PLUGIN_INVALID, USAGE */
export async function pluginBuild(entry: string, out: string): Promise<number> {
  if (entry === out) {
    throw setpointError("USAGE", "Cannot build a plugin onto its own source, expected another --out");
  }
  const text = await buildPlugin({ entry, read: Deno.readTextFile });
  await write(out, text);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const hex = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  printText(`Wrote ${out} (sha256 ${hex})`);
  return 0;
}

/** Whole or not at all: a running process may be looking at it. @throws {SetpointError} USAGE */
async function write(out: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(unfinished(out), text);
    await Deno.rename(unfinished(out), out);
  } catch (cause) {
    const why = cause instanceof Deno.errors.NotFound ? "there is no such folder" : whyUnreadable(cause);
    throw setpointError("USAGE", `Cannot write the plugin: ${why}`, { at: { file: out }, cause });
  }
}

export interface DevOptions {
  /** The built file; default: none is written. */
  readonly out?: string;
  readonly clock: Clock;
}

const LOOK_EVERY_MS = 300;

/**
 * Tries a plugin whenever it changes, for as long as the process lives. What passes is written to `out`; a running
 * process whose strategy names that file takes it up by itself.
 */
export async function pluginDev(entry: string, { out, clock }: DevOptions): Promise<number> {
  if (entry === out) {
    throw setpointError("USAGE", "Cannot build a plugin onto its own source, expected another --out");
  }
  printLine(`Looking at ${entry}; Ctrl-C ends`);
  let last = "";
  for (;;) {
    const seen = await built(entry);
    if (seen.text !== last) {
      last = seen.text;
      await tried(seen, entry, { out, clock });
    }
    await clock.sleep(LOOK_EVERY_MS);
  }
}

interface Built {
  /** The built file, or what is wrong. */
  readonly text: string;
  readonly error?: unknown;
}

async function built(entry: string): Promise<Built> {
  try {
    return { text: await buildPlugin({ entry, read: Deno.readTextFile }) };
  } catch (error) {
    return { text: String(error), error };
  }
}

async function tried({ text, error }: Built, entry: string, { out, clock }: DevOptions): Promise<void> {
  try {
    if (error !== undefined) throw error;
    const report = await checkPlugin(text, entry, { clock, log: (message) => printLine(message) });
    printText(reportText(report));
    if (!report.ok) return printLine("Not taken: it fails");
    if (out !== undefined) await write(out, text);
    printLine(out === undefined ? "Passed" : `Passed; wrote ${out}`);
  } catch (failure) {
    printError(failure);
    printLine("Not taken: it cannot be loaded");
  }
}
