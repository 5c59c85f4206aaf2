/** Exactly what the process behind a command may do, from its configuration. */
import { inputFiles, type Invocation, outputFile, unfinished } from "../cli/command_line.ts";
import { type Config, configVariables, listenAddress, ROOT } from "../config.ts";
import { readRun } from "../state_folder.ts";

/** Deno's permissions, each a list of what is allowed; an empty one is denied. */
export interface Permissions {
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** `host:port`. */
  readonly net: readonly string[];
  readonly env: readonly string[];
  readonly run: readonly string[];
  readonly sys: readonly string[];
}

/** What colours and terminals are asked by. */
const TERMINAL = ["NO_COLOR", "FORCE_COLOR", "TERM", "COLORTERM"];

/**
 * @param deno This process's own program; the kernel starts its cells with it.
 */
export async function permissionsOf(
  invocation: Invocation,
  config: Config,
  deno: string,
): Promise<Permissions> {
  const { state } = config.folders;
  switch (invocation.command) {
    case "cache:stats":
    case "cache:clear":
    case "plugins":
    case "health": {
      const run = await readRun(state).catch(() => null);
      const net = run === null ? [] : [hostAndPort(new URL(run.url))];
      return { read: [state], write: [], net, env: terminalAndConfig(), run: [], sys: [] };
    }
    case "plugin:new":
    case "plugin:build":
    case "plugin:test":
    case "plugin:dev": {
      const written = outputFile(invocation);
      const runs = invocation.command === "plugin:test" || invocation.command === "plugin:dev";
      const files = invocation.command === "plugin:new" ? [written!] : inputFiles(invocation);
      const sources = runs ? [`${ROOT}/runtime`, `${ROOT}/plugins`] : [];
      const outputs = written === undefined ? [] : [written];
      if (written !== undefined && invocation.command !== "plugin:new") outputs.push(unfinished(written));
      return {
        read: unique([...sources, ...files.map(folderOf), ...outputs]),
        write: outputs,
        net: [],
        env: terminalAndConfig(),
        run: runs ? [deno] : [],
        sys: [],
      };
    }
    case "model:inspect":
    case "model:import": {
      const store = outputFile(invocation);
      return {
        read: unique([...inputFiles(invocation).map(folderOf), ...(store === undefined ? [] : [store])]),
        write: store === undefined ? [] : [store],
        net: [],
        env: terminalAndConfig(),
        run: [],
        sys: [],
      };
    }
    case "strategy:validate":
    case "optimize":
    case "explain":
      return { ...await kernelOf(config, inputFiles(invocation), deno), write: [] };
    case "start": {
      const kernel = await kernelOf(config, [], deno);
      const { host, port } = listenAddress(config);
      return {
        ...kernel,
        write: unique([state, config.folders.metadata]),
        net: unique([`${bracketed(host)}:${port}`, ...kernel.net]),
      };
    }
  }
}

/** As flags of `deno run`; a comma inside a path is doubled. */
export function permissionFlags(permissions: Permissions): string[] {
  return Object.entries(permissions).filter(([, allowed]) => allowed.length > 0).map(([name, allowed]) =>
    `--allow-${name}=${allowed.map((one: string) => one.replaceAll(",", ",,")).join(",")}`
  );
}

/** What every kernel needs, with or without HTTP and journal. */
async function kernelOf(config: Config, inputs: readonly string[], deno: string): Promise<Permissions> {
  const { database, storage, folders, optimization, file } = config;
  const strategies = [optimization.config_file, ...inputs].filter((path) => path !== null);
  const plugins = strategies.length === 0 ? [] : await pluginsOf(strategies);
  return {
    read: unique([
      `${ROOT}/runtime`,
      `${ROOT}/plugins`,
      `${ROOT}/strategies`,
      storage.directory,
      folders.metadata,
      folders.state,
      ...(file === null ? [] : [file]),
      ...strategies.map(folderOf),
      ...plugins,
    ]),
    write: [],
    net: unique([
      ...(database === null ? [] : [`${bracketed(database.host)}:${database.port}`]),
      ...(storage.minio === null ? [] : [storeAddress(storage.minio.endpoint, storage.minio.use_ssl)]),
    ]),
    env: [
      ...terminalAndConfig(),
      ...YAML_VARIABLES,
      ...(database === null ? [] : POSTGRES_VARIABLES),
      ...(storage.minio === null ? [] : MINIO_VARIABLES),
    ],
    run: [deno],
    sys: [],
  };
}

/** Imported only here: most starts need no YAML, and its parser is half of the launcher's memory. */
async function pluginsOf(strategies: readonly string[]): Promise<string[]> {
  const { pluginFiles } = await import("./plugin_files.ts");
  return (await Promise.all(strategies.map(pluginFiles))).flat();
}

/** npm:postgres reads these whatever it is given. */
export const POSTGRES_VARIABLES: readonly string[] = ["PGAPPNAME", "PGPASSWORD", "PGTARGETSESSIONATTRS"];
/** npm:yaml's parser looks at these. */
const YAML_VARIABLES = ["LOG_STREAM", "LOG_TOKENS"];
/** npm:minio's streams look at these. */
const MINIO_VARIABLES = ["READABLE_STREAM", "NODE_DEBUG"];

function terminalAndConfig(): string[] {
  return [...configVariables(), ...TERMINAL];
}

/** @param endpoint `host`, `host:port`, or a URL. */
function storeAddress(endpoint: string, ssl: boolean | undefined): string {
  const url = endpoint.includes("://") ? endpoint : `${ssl === true ? "https" : "http"}://${endpoint}`;
  return URL.canParse(url) ? hostAndPort(new URL(url), ssl) : endpoint;
}

function hostAndPort(url: URL, ssl = url.protocol === "https:"): string {
  return `${url.hostname}:${url.port || (ssl ? 443 : 80)}`;
}

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf("/")) || "/";
}

/** Each once; what lies in a folder that is listed needs no line of its own. */
function unique(paths: readonly string[]): string[] {
  const once = [...new Set(paths)];
  return once.filter((path) => !once.some((other) => other !== path && path.startsWith(`${other}/`)));
}
