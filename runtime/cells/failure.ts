/** Errors of a plugin, told with the author's file, line and column in the place of the blob's. */
import { SkillError } from "../../plugins/sdk_core.ts";
import { ONE_FILE } from "./plugin_text.ts";
import type { CallError } from "./protocol.ts";

const LONGEST = 2_000;
const LONGEST_PROBLEM = 500;
/** People read these, and all of them are to fit into one frame. */
const MOST_PROBLEMS = 100;
/** What Deno says of an import that its import map does not have, and its hint. */
const UNMAPPED =
  /^(\w*Error: )Import ("[^"\n]*") not a dependency and not in import map.*(?:\n {2}hint: .*)?/;

/** Says what was thrown, whatever it is: a plugin can throw anything, also a trap. */
export function describeFailure(
  error: unknown,
  kind: CallError["kind"],
  blob: string,
  file: string,
): CallError {
  try {
    const stack = error instanceof Error ? String(error.stack ?? "") : "";
    const text = error instanceof Error ? named(error) : `thrown: ${String(error)}`;
    const at = positionIn(text, blob) ?? positionIn(stack, blob);
    if (error instanceof SkillError) {
      const problems = error.problems.slice(0, MOST_PROBLEMS).map((problem) => (
        { ...problem, message: clean(problem.message, blob, file, LONGEST_PROBLEM) }
      ));
      return { kind: "skill", message: clean(error.message, blob, file), problems, ...at };
    }
    const message = clean(text.replace(UNMAPPED, `$1Cannot use $2: ${ONE_FILE}`), blob, file);
    return { kind, message: at === undefined ? message : withoutPlace(message, file), ...at };
  } catch {
    return { kind, message: "it threw something that cannot be read" };
  }
}

/** Deno tells a syntax error as the message of a TypeError. */
function named({ name, message }: Error): string {
  return /^\w*Error: /.test(message) ? message : `${name}: ${message}`;
}

function positionIn(text: string, blob: string): { line: number; column: number } | undefined {
  const at = blob === ""
    ? -1
    : plain(text).lastIndexOf(`${blob}:`) < 0
    ? -1
    : plain(text).indexOf(`${blob}:`);
  const match = at < 0 ? null : /^(\d+):(\d+)/.exec(plain(text).slice(at + blob.length + 1));
  return match === null ? undefined : { line: Number(match[1]), column: Number(match[2]) };
}

function clean(text: string, blob: string, file: string, longest = LONGEST): string {
  const named = blob === "" ? plain(text) : plain(text).replaceAll(blob, file);
  return named.length > longest ? `${named.slice(0, longest)}…` : named;
}

/** The place at the end of a message stands before it, once it is told. */
function withoutPlace(message: string, file: string): string {
  const start = message.lastIndexOf(`at ${file}:`);
  return start > 0 && /^:\d+:\d+$/.test(message.slice(start + 3 + file.length))
    ? message.slice(0, start).trimEnd()
    : message;
}

/** Deno colours some of its messages. */
function plain(text: string): string {
  // deno-lint-ignore no-control-regex -- it is what colours begin with
  return text.replace(/\x1b\[[0-9;]*m/g, "");
}
