/** What may stand on the command line, and what it says. */
import { parseArgs } from "@std/cli";
import { type Config, FLAGS, fromCallersFolder, readConfig } from "../config.ts";
import { type Problem, SetpointError } from "../errors.ts";

interface Option {
  /** Named in the usage; a switch has none. */
  readonly value?: string;
  readonly help: string;
}

/** One of what `deno task` offers. */
export interface Command {
  readonly help: string;
  /** What follows the command without a flag, each required. */
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, Option>>;
}

const ANYWHERE: Readonly<Record<string, Option>> = {
  "config": { value: "FILE", help: "configuration; every key is in metadata/config.example.yaml" },
  "state": { value: "DIR", help: "journal, cache, token, lock, logs; default ./state" },
  "metadata": { value: "DIR", help: "pointer to the deployed version, last run; default ./metadata" },
  "debug": { help: "errors with their stacks, all log lines" },
  "print-permissions": { help: "print what the process may do, and end" },
  "help": { help: "print this, and end" },
};
const STRATEGY: Option = { value: "FILE", help: "a strategy file in the place of the deployed version" };
const JSON_OUTPUT: Option = { help: "print JSON" };

/** What no state dict tells. */
const TORCH: Readonly<Record<string, Option>> = {
  "activation": {
    value: "NAME",
    help: "of a .pth: gelu (default), relu, tanh, silu, …; an unknown one is told all of them",
  },
  "output-activation": { value: "NAME", help: "of a .pth: what stands behind its last layer" },
  "eps": {
    value: "NUMBER",
    help: "of a .pth: added to variances by BatchNorm1d and LayerNorm; default 1e-5",
  },
};
export const COMMANDS = {
  "start": {
    help: "Optimizes by schedule and serves HTTP until Ctrl-C or SIGTERM",
    operands: [],
    options: {
      "mode": { value: "MODE", help: "hybrid (default), continuous or api" },
      "host": { value: "HOST", help: "address to listen on; default 127.0.0.1" },
      "port": { value: "PORT", help: "default 8005" },
      "interval": {
        value: "SECONDS",
        help: "time between cycles; default: the strategy's schedule, else 300",
      },
      "strategy": STRATEGY,
      "no-supervise": { help: "end with a crashed process instead of starting it again" },
      ...ANYWHERE,
    },
  },
  "optimize": {
    help: "Optimizes the states of a file once, without a running process",
    operands: [],
    options: {
      "input": { value: "FILE", help: "JSON (a state or an array of them) or CSV with a header" },
      "strategy": STRATEGY,
      "json": { help: "print the answers as JSON, one a state" },
      ...ANYWHERE,
    },
  },
  "strategy:validate": {
    help: "Loads a strategy, its models and plugins, and tells everything that is wrong",
    operands: ["FILE"],
    options: { "json": JSON_OUTPUT, ...ANYWHERE },
  },
  "cache:stats": {
    help: "Asks the running process for its cache",
    operands: [],
    options: { "json": JSON_OUTPUT, ...ANYWHERE },
  },
  "cache:clear": {
    help: "Lets the running process drop its cache",
    operands: [],
    options: { "json": JSON_OUTPUT, ...ANYWHERE },
  },
  "plugins": {
    help: "Asks the running process for its plugins: state, versions, calls, failures, times, memory",
    operands: [],
    options: {
      "release": { value: "NAME", help: "end the quarantine of this plugin first" },
      "json": JSON_OUTPUT,
      ...ANYWHERE,
    },
  },
  "plugin:new": {
    help: "Writes NAME.ts, a plugin that passes its own tests, to be changed",
    operands: ["NAME"],
    options: {
      "kind": { value: "KIND", help: "function (default), model, constraint, optimizer or composition" },
      ...ANYWHERE,
    },
  },
  "plugin:test": {
    help: "Tries a plugin in a cell: its own tests, what every plugin must hold, derivatives, limits",
    operands: ["FILE"],
    options: { "json": JSON_OUTPUT, ...ANYWHERE },
  },
  "plugin:build": {
    help: "Builds one plugin file from ENTRY and the files that it imports",
    operands: ["ENTRY"],
    options: { "out": { value: "FILE", help: "the file to write" }, ...ANYWHERE },
  },
  "plugin:dev": {
    help:
      "Tries a plugin again at each change; with --out writes it where a running process looks, if it passes",
    operands: ["FILE"],
    options: { "out": { value: "FILE", help: "the built file" }, ...ANYWHERE },
  },
  "model:inspect": {
    help: "Prints a model's or scaler file's layers, shapes and operators, what can be lowered and why not",
    operands: ["FILE"],
    options: {
      ...TORCH,
      "json": JSON_OUTPUT,
      ...ANYWHERE,
    },
  },
  "model:import": {
    help: "Writes a .pth as ONNX or a .pkl of scalers as JSON into a store, and lists it in the manifest",
    operands: ["FILE"],
    options: {
      "store": { value: "DIR", help: "the store's folder" },
      ...TORCH,
      "json": JSON_OUTPUT,
      ...ANYWHERE,
    },
  },
  "explain": {
    help: "Prints the formula of every KPI, what each term contributes, and the slopes at a state",
    operands: [],
    options: {
      "input": { value: "FILE", help: "JSON (a state or an array of them) or CSV with a header" },
      "strategy": STRATEGY,
      "json": JSON_OUTPUT,
      ...ANYWHERE,
    },
  },
  "health": {
    help: "Asks the running process how it is; ends with 1 if it is not ready",
    operands: [],
    options: { "json": JSON_OUTPUT, ...ANYWHERE },
  },
} as const satisfies Record<string, Command>;

export type CommandName = keyof typeof COMMANDS;

/** What a command line says, before any file is read. */
export interface Invocation {
  readonly command: CommandName;
  /** Values of the flags, "true" for a switch; the last one wins. */
  readonly flags: Readonly<Record<string, string>>;
  readonly operands: readonly string[];
}

/** Given by the launcher to the process that it starts, with its crashes in a row; nobody else's. */
export const LAUNCHED = "launched";

/**
 * Reads `start --port 8006`, for example.
 * @throws {SetpointError} USAGE, with everything that is wrong.
 */
export function parseCommandLine(args: readonly string[]): Invocation {
  const [name = "", ...rest] = args;
  if (!Object.hasOwn(COMMANDS, name)) {
    throw usage([`Unknown command "${name}", expected ${Object.keys(COMMANDS).join(", ")}`]);
  }
  const command = name as CommandName;
  const { operands: wanted, options }: Command = COMMANDS[command];
  const types = Object.fromEntries(
    Object.entries(options).map((
      [flag, { value }],
    ) => [flag, { type: value === undefined ? "boolean" : "string" } as const]),
  );
  const { tokens } = parseArgs({
    args: rest,
    options: types,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });

  const flags: Record<string, string> = {};
  const operands: string[] = [];
  const wrong: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") operands.push(token.value);
    if (token.kind !== "option") continue;
    const { name: flag, rawName, value } = token;
    const option = Object.hasOwn(options, flag) ? options[flag] : undefined;
    if (flag === LAUNCHED) flags[flag] = value ?? "0";
    else if (option === undefined || rawName !== `--${flag}`) {
      wrong.push(
        `Unknown flag ${rawName}, expected ${Object.keys(options).map((known) => `--${known}`).join(", ")}`,
      );
    } else if (option.value === undefined) {
      if (value !== undefined) wrong.push(`Cannot set ${rawName} to "${value}": it takes no value`);
      flags[flag] = "true";
    } else if (value === undefined || value === "" || value.startsWith("--")) {
      wrong.push(`Cannot read ${rawName}: its ${option.value} is missing`);
    } else flags[flag] = value;
  }
  if (!("help" in flags)) {
    for (const operand of wanted.slice(operands.length)) {
      wrong.push(`Cannot run ${command}: its ${operand} is missing`);
    }
    // after an unknown flag it is that flag's value
    for (const operand of wrong.length > 0 ? [] : operands.slice(wanted.length)) {
      wrong.push(`Unknown argument "${operand}" of ${command}`);
    }
    if ((command === "optimize" || command === "explain") && !("input" in flags)) {
      wrong.push(`Cannot run ${command}: --input FILE is missing`);
    }
    if (command === "model:import" && !("store" in flags)) {
      wrong.push("Cannot run model:import: --store DIR is missing");
    }
    if (command === "plugin:build" && !("out" in flags)) {
      wrong.push("Cannot run plugin:build: --out FILE is missing");
    }
  }
  if (wrong.length > 0) throw usage(wrong);
  return { command, flags, operands };
}

/** @throws {SetpointError} As {@linkcode readConfig}. */
export async function configOf({ flags }: Invocation): Promise<Config> {
  const known = Object.entries(flags).filter(([flag]) => Object.hasOwn(FLAGS, flag));
  return await readConfig({
    flags: Object.fromEntries(known),
    ...("config" in flags && { file: flags.config }),
  });
}

/** The files that an invocation reads beside its configuration, absolute. */
export function inputFiles({ command, flags, operands }: Invocation): string[] {
  const first = command === "strategy:validate" || /^(plugin|model):/.test(command);
  const named = first ? [operands[0]] : command === "optimize" || command === "explain" ? [flags.input] : [];
  return named.map((file) => fromCallersFolder(file));
}

/** What a command for authors writes, absolute; undefined where it writes nothing. */
export function outputFile({ command, flags, operands }: Invocation): string | undefined {
  if (command === "model:import") return fromCallersFolder(flags.store).replace(/\/+$/, "");
  if (command === "plugin:new") return fromCallersFolder(operands[0].replace(/(?:\.ts)?$/, ".ts"));
  const written = command === "plugin:build" || command === "plugin:dev" ? flags.out : undefined;
  return written === undefined ? undefined : fromCallersFolder(written);
}

/** Where a built plugin is written before it takes its name: who looks at that file sees all of it or what was there. */
export function unfinished(file: string): string {
  return `${file}.new`;
}

export function helpOf(command: CommandName): string {
  const { help, operands, options }: Command = COMMANDS[command];
  const left = Object.entries(options).map(([flag, { value }]) =>
    `--${flag}${value === undefined ? "" : ` ${value}`}`
  );
  const width = Math.max(...left.map((text) => text.length)) + 2;
  const lines = Object.values(options).map((option, i) => `  ${left[i].padEnd(width)}${option.help}`);
  return [`deno task ${[command, ...operands].join(" ")} [flags]`, "", help, "", ...lines].join("\n");
}

function usage(messages: readonly string[]): SetpointError {
  return new SetpointError(messages.map((message): Problem => ({ code: "USAGE", message })));
}
