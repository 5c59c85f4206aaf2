import { LIMIT_RANGES, type PluginLimits } from "../graph/manifest.ts";
import { Fields, isMapping, shown } from "./fields.ts";
import { shownName } from "./identifier.ts";
import type { PluginRef } from "./strategy.ts";
import { isVersion } from "../version.ts";

/** What a class means where the strategy does not say. */
export const DEFAULT_PLUGINS: Readonly<Record<string, string>> = {
  MathFunction: "function",
  InferenceModel: "model",
  Constraint: "constraint",
  CompositionSkill: "composition",
  OptimizationSkill: "optimizer",
};

const BUILTIN = "builtin:";
const ARTIFACT = /^([A-Za-z0-9][A-Za-z0-9._-]{0,99})@([^@\s]+)$/;
const EXPECTED =
  'expected "builtin:function", a path such as "plugins/mine.ts", or {plugin: "name@1.0.0", sha256: 64 digits}';

/**
 * One entry of `plugins`: `builtin:name`, a relative path, or `{plugin: …, sha256: …}` where the plugin is one of these
 * or `name@version`, which needs the digest.
 */
export function readPluginRef(name: string, fields: Fields): PluginRef | undefined {
  const path = [...fields.path, name];
  const at = fields.findings.at(path);
  const fail = (message: string): undefined =>
    fields.problem(
      "PLUGIN_INVALID",
      `Cannot use a plugin for class "${name}": ${message}`,
      path,
    ) as undefined;

  const value = fields.raw(name);
  if (!isMapping(value)) {
    return typeof value === "string"
      ? parse(value, undefined, undefined)
      : fail(`${shown(value)}, ${EXPECTED}`);
  }
  const parts = new Fields(fields.findings, path, value, `plugin of class "${name}"`);
  const plugin = parts.text("plugin");
  const sha256 = parts.text("sha256");
  const limits = readLimits(name, parts);
  parts.refuseRest();
  if (plugin === undefined) {
    return parts.raw("plugin") === undefined ? fail(`"plugin" is missing, ${EXPECTED}`) : undefined;
  }
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256)) {
    return fail(`"sha256" is ${shown(sha256)}, expected 64 lower-case hexadecimal digits`);
  }
  if (limits !== undefined && plugin.startsWith(BUILTIN)) {
    return fail(
      "it is built in, and these share their limits; expected limits for a plugin of your own only",
    );
  }
  return parse(plugin, sha256, limits);

  function parse(
    text: string,
    digest: string | undefined,
    limits: PluginLimits | undefined,
  ): PluginRef | undefined {
    const common = {
      ...{ class: name, at },
      ...(digest !== undefined && { sha256: digest }),
      ...(limits !== undefined && { limits }),
    };
    if (text.startsWith(BUILTIN)) {
      const builtins = Object.values(DEFAULT_PLUGINS);
      const builtin = text.slice(BUILTIN.length);
      if (builtins.includes(builtin)) return { ...common, source: "builtin", name: builtin };
      return fail(
        `there is no ${shownName(text)}${
          fields.findings.hint(text, builtins.map((known) => BUILTIN + known))
        }`,
      );
    }
    const artifact = ARTIFACT.exec(text);
    if (artifact !== null) {
      if (!isVersion(artifact[2])) {
        return fail(`${shownName(artifact[2])} is no semantic version, ${EXPECTED}`);
      }
      if (digest === undefined) {
        return fail(`${shownName(text)} has no digest, expected {plugin: "${text}", sha256: 64 digits}`);
      }
      return { ...common, source: "artifact", name: artifact[1], version: artifact[2], sha256: digest };
    }
    const wrong = wrongPath(text);
    return wrong === undefined
      ? { ...common, source: "path", path: text }
      : fail(`${shownName(text)}: ${wrong}`);
  }
}

/** `limits: {wall_ms: 500}`: whole numbers by their names. */
function readLimits(name: string, parts: Fields): PluginLimits | undefined {
  const value = parts.mapping("limits");
  if (value === undefined) return undefined;
  const fields = new Fields(
    parts.findings,
    [...parts.path, "limits"],
    value,
    `the limits of class "${name}"`,
  );
  const limits: Record<string, number> = {};
  for (const [key, [least, most]] of Object.entries(LIMIT_RANGES)) {
    const limit = fields.number(key);
    if (limit === undefined) continue;
    if (Number.isInteger(limit) && limit >= least && limit <= most) limits[key] = limit;
    else fields.wrong(key, limit, `a whole number from ${least} to ${most}`);
  }
  fields.refuseRest();
  return Object.freeze(limits);
}

/** A plugin's file lies in the strategy's folder or in a folder beside it. */
function wrongPath(path: string): string | undefined {
  // deno-lint-ignore no-control-regex -- a NUL is what it is to find
  if (path.length > 200 || /[\\\u0000-\u001f:]/.test(path) || !/\.(ts|js|mjs)$/.test(path)) return EXPECTED;
  if (path.startsWith("/")) return "it is absolute, expected a path relative to the strategy's folder";
  const steps = path.replace(/^(\.\/)+/, "").split("/");
  if (steps.slice(steps[0] === ".." ? 1 : 0).some((step) => step === ".." || step === "." || step === "")) {
    return "it leaves the folders in and beside the strategy's folder";
  }
}
