/** In the kernel: how much of the SDK a plugin's cell loads. With the core alone it starts in two thirds of the time. */
import * as core from "../../plugins/sdk_core.ts";

export type SdkExtent = "core" | "whole";

const CORE: ReadonlySet<string> = new Set(Object.keys(core));
/** `import { a, b as c, type D } from "setpoint"`, with the names in group 2. */
const NAMED_IMPORT = /\bimport\s+(type\s)?\s*\{([^{}]*)\}\s*from\s*(["'])setpoint\3/g;
const ANY_MENTION = /(["'])setpoint\1/g;

/**
 * "core" where every import of the text is a list of names that the core has: a name without `type` counts as a value.
 * The name "setpoint" cannot be written with escapes, so a mention that is no such list is enough to load the whole.
 */
export function sdkExtentOf(text: string): SdkExtent {
  const imports = [...text.matchAll(NAMED_IMPORT)];
  if (imports.length !== [...text.matchAll(ANY_MENTION)].length) return "whole";
  const names = imports.flatMap(([, type, list]) => type === undefined ? valuesIn(list) : []);
  return names.every((name) => CORE.has(name)) ? "core" : "whole";
}

function valuesIn(list: string): readonly string[] {
  const items = list.split(",").map((item) => item.trim()).filter((item) => item !== "");
  return items.filter((item) => !/^type\s/.test(item)).map((item) => item.split(/\s/)[0]);
}
