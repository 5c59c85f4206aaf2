import type { Json } from "../graph/skill.ts";
import { type Fields, isMapping } from "./fields.ts";
import { shownName } from "./identifier.ts";
import type { Path } from "./positions.ts";
import type { Skill } from "./strategy.ts";

/** One entry of `skills`. What its `config` means is the plugin's business. */
export function readSkill(name: string, fields: Fields): Skill {
  const before = fields.findings.problems.length;
  const cls = fields.text("class");
  if (cls === undefined && fields.raw("class") === undefined) {
    fields.problem(
      "STRATEGY_INVALID",
      `Cannot use ${fields.what} without "class": expected one such as MathFunction`,
    );
  }
  const inputs = fields.names("inputs") ?? [];
  const outputs = fields.names("outputs") ?? [];
  fields.text("description");
  const config = readJson(fields, [...fields.path, "config"], fields.mapping("config") ?? {});
  for (const [index, output] of outputs.entries()) {
    if (outputs.indexOf(output) === index) continue;
    const message = `Cannot write ${shownName(output)} twice in ${fields.what}`;
    fields.problem("STRATEGY_INVALID", message, [...fields.path, "outputs", index]);
  }
  return Object.freeze({
    name,
    class: cls ?? "",
    inputs: Object.freeze(inputs),
    outputs: Object.freeze(outputs),
    config: config as { readonly [key: string]: Json },
    readable: fields.findings.problems.length === before,
  });
}

/** A frozen copy that JSON can carry to a plugin: what it would silently turn into null is told here. */
function readJson(fields: Fields, path: Path, value: unknown): Json {
  if (Array.isArray(value)) {
    return Object.freeze(value.map((entry, index) => readJson(fields, [...path, index], entry)));
  }
  if (isMapping(value)) {
    const copy: Record<string, Json> = Object.create(null);
    for (const key of Object.keys(value)) {
      if (key === "__proto__") {
        fields.problem(
          "STRATEGY_INVALID",
          `Cannot use the key "__proto__" of ${fields.what}: it is reserved`,
          [...path, key],
        );
      } else copy[key] = readJson(fields, [...path, key], value[key]);
    }
    return Object.freeze(copy);
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    const message = `Cannot use ${value} as "${
      path.at(-1)
    }" of ${fields.what}: expected a finite number; leave the key out where there is no limit`;
    fields.problem("STRATEGY_INVALID", message, path);
    return null;
  }
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null;
}
