/** In a worker: a plugin that asks the SDK for a name that it does not have is told which one it may have meant. */
import { didYouMean } from "../graph/nearest_names.ts";

const MISSING = /The requested module 'setpoint' does not provide an export named '([^'\n]*)'/;

/** Known where the whole SDK is loaded, and a plugin with such an import loads the whole. */
let known: readonly string[] = [];

export function knowNames(names: readonly string[]): void {
  known = names;
}

/** @param error Why a plugin could not be imported; gives it back. */
export function explainName(error: unknown): unknown {
  if (error instanceof SyntaxError) {
    error.message = error.message.replace(
      MISSING,
      (_, name) =>
        name === "default"
          ? '"setpoint" has no default export, expected names in braces'
          : `"setpoint" has no "${name}"${didYouMean(name, known) || beginningOf(name)}`,
    );
  }
  return error;
}

/** A name with something behind it is far from it in letters. */
function beginningOf(name: string): string {
  const found = known.filter((one) => one.length > 2 && name.startsWith(one)).at(-1);
  return found === undefined ? ", plugins/README.md tells what it has" : `, did you mean "${found}"`;
}
