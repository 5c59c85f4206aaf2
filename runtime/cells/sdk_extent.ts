/** In the kernel: how much of the SDK a plugin's cell loads. With the core alone it starts in two thirds of the time. */
import * as core from "../../plugins/sdk_core.ts";

export type SdkExtent = "core" | "whole";

const CORE: ReadonlySet<string> = new Set(Object.keys(core));
/** `import { a, b as c, type D } from "setpoint"`, with the names in group 2. */
const NAMED_IMPORT = /\bimport\s*(?:(type)\s*)?\{([^{}]*)\}\s*from\s*(["'])setpoint\3/g;
/** `import * as a from "setpoint"`, as plugin:build writes it, and `const { b, c: d } = a` after it. */
const WHOLE_IMPORT = /\bimport\s*\*\s*as\s+(\w+)\s+from\s*(["'])setpoint\2/g;
const TAKEN = /\bconst\s*\{([^{}]*)\}\s*=\s*(\w+)\s*;/g;
const ANY_MENTION = /(["'])setpoint\1/g;

/**
 * "core" where the text takes only names from the SDK that the core has: a name without `type` counts as a value.
 * The name "setpoint" cannot be written with escapes, so a mention that is not understood is enough to load the whole.
 */
export function sdkExtentOf(text: string): SdkExtent {
  const named = [...text.matchAll(NAMED_IMPORT)];
  const whole = [...text.matchAll(WHOLE_IMPORT)];
  // one: a text of thousands must not cost quadratic time
  if (named.length + whole.length !== [...text.matchAll(ANY_MENTION)].length || whole.length > 1) {
    return "whole";
  }
  const taken = whole.length === 0 ? [] : takenFrom(whole[0][1], text);
  if (taken === undefined) return "whole";
  const lists = named.flatMap(([, type, list]) => type === undefined ? [list] : []);
  const names = [...lists, ...taken].flatMap(valuesIn);
  return names.every((name) => CORE.has(name)) ? "core" : "whole";
}

/** The lists of names that are taken from a namespace; undefined where it is used in another way too. */
function takenFrom(space: string, text: string): string[] | undefined {
  const lists = [...text.matchAll(TAKEN)].filter(([, , from]) => from === space).map(([, list]) => list);
  const uses = text.split(new RegExp(`(?<![\\w$])${space}(?![\\w$])`)).length - 1;
  return uses === lists.length + 1 ? lists : undefined;
}

function valuesIn(list: string): readonly string[] {
  const items = list.split(",").map((item) => item.trim()).filter((item) => item !== "");
  return items.filter((item) => !/^type\s/.test(item)).map((item) => item.split(/[\s:]/)[0]);
}
