/** What may import what: the table of the design, by folder. Read by the lint plugin and by its tests. */

/** Folders of runtime/ that a folder may import beside itself; "base" is a file directly in runtime/. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  base: ["base"],
  graph: [],
  solver: [],
  strategy: ["base", "graph"],
  engine: ["graph", "solver"],
  cells: ["base", "graph", "solver", "engine"],
  artifacts: ["base"],
  historian: ["base"],
  journal: ["base"],
  telemetry: ["base"],
  kernel: ["base", "graph", "strategy", "cells", "artifacts", "historian", "journal", "telemetry"],
  http: ["base", "kernel"],
  cli: ["base", "kernel", "strategy", "artifacts", "historian", "journal"],
};

/** One file each may import a driver, so that it can be replaced in one place. */
const DRIVERS: Readonly<Record<string, string>> = {
  "lru-cache": "runtime/artifacts/policy/lru.ts",
  "minio": "runtime/artifacts/minio.ts",
  "onnxruntime-web": "runtime/cells/onnx_runtime.ts",
  "postgres": "runtime/historian/postgres_session.ts",
  "prom-client": "runtime/telemetry/metrics.ts",
  "semver": "runtime/version.ts",
  "yaml": "runtime/yaml.ts",
};

/** Packages that are at home in whole folders. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "@logtape/logtape": ["telemetry"],
  "@std/cli": ["cli"],
  "hono": ["http"],
};

/** Without any API of Deno or Node: they run in a browser too. */
const PURE = ["graph", "solver", "engine"];

/** What plugins import as "setpoint". */
const SDK = ["plugins/sdk.ts", "plugins/sdk_core.ts"];

/** Launcher and composition root put everything together. */
function isRoot(path: string): boolean {
  return path === "main.ts" || path === "runtime/launch.ts" || path.startsWith("runtime/launch/");
}

/** Whose code the rules are for: what runs at a plant. */
export function isProduct(path: string): boolean {
  return isRoot(path) || path.startsWith("runtime/") || path.startsWith("plugins/");
}

/** The layer of a file of runtime/: its folder, or "base". */
function layerOf(path: string): string {
  const [, folder, rest] = path.split("/");
  return rest === undefined ? "base" : folder;
}

/**
 * Why `path` may not import `specifier`; undefined if it may.
 * @param path From the root of the checkout, with slashes.
 * @param specifier As written.
 */
export function forbiddenImport(path: string, specifier: string): string | undefined {
  if (!isProduct(path)) return undefined;
  const target = specifier.startsWith(".") ? resolved(path, specifier) : undefined;
  if (path.startsWith("plugins/") && !SDK.includes(path)) {
    return specifier === "setpoint" ? undefined : `A plugin imports "setpoint" only, not "${specifier}"`;
  }
  if (target === undefined) return forbiddenPackage(path, specifier);
  if (isRoot(path)) return undefined;
  if (SDK.includes(path)) {
    if (SDK.includes(target)) return undefined;
    if (PURE.includes(layerOf(target)) && target.startsWith("runtime/")) return undefined;
    return `${path} imports graph, solver and engine only, not ${target}`;
  }
  const layer = layerOf(path);
  if (SDK.includes(target) && layer === "cells") return undefined;
  if (!target.startsWith("runtime/")) return `Nothing in runtime/ imports ${target}`;
  if (isRoot(target)) return `Nothing imports the launcher`;
  const allowed = LAYERS[layer];
  if (allowed === undefined) return `runtime/${layer} is no layer of the design`;
  const other = layerOf(target);
  if (other === layer || allowed.includes(other)) return undefined;
  return `${layer} may import ${["itself", ...allowed].join(", ")}, not ${other}`;
}

function forbiddenPackage(path: string, specifier: string): string | undefined {
  const layer = layerOf(path);
  if (path.startsWith("runtime/") && PURE.includes(layer)) {
    return `${layer} imports no package, so not "${specifier}"`;
  }
  if (specifier.startsWith("node:")) return undefined;
  const name = specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
  const driver = DRIVERS[name];
  if (driver !== undefined) return path === driver ? undefined : `Only ${driver} imports "${name}"`;
  const homes = PACKAGES[name];
  if (homes === undefined) return `"${specifier}" is no package of the design`;
  return homes.includes(layer) ? undefined : `"${name}" is for ${homes.join(" and ")}, not for ${layer}`;
}

/** `runtime/a/b.ts` and `../c.ts` is `runtime/c.ts`. */
function resolved(path: string, specifier: string): string {
  const parts = path.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** Files that alone may use something, by what it is. */
export const HOMES: Readonly<
  Record<"env" | "time" | "console" | "computed-import", (path: string) => boolean>
> = {
  "env": (path) => path === "runtime/config.ts" || path === "runtime/launch.ts",
  "time": (path) => path === "runtime/clock.ts",
  "console": (path) => path.startsWith("runtime/cli/") || path.startsWith("runtime/telemetry/"),
  "computed-import": (path) => path === "runtime/cells/worker.ts",
};

export const MAX_LINES = 500;
