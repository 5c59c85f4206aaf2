/**
 * `plugin:build`: one file from several. Every file but the first becomes a function that is called once and gives what
 * the file exports; nothing is renamed, and every line stays a line, so that errors show the author's own.
 */
import { moduleMark } from "../built_file.ts";
import { setpointError } from "../errors.ts";
import { exportsOf, importOf, moduleStatements } from "./module_statements.ts";

export interface BuildOptions {
  /** The file whose default export is the plugin; absolute. */
  readonly entry: string;
  readonly read: (file: string) => Promise<string>;
}

interface Module {
  readonly path: string;
  readonly text: string;
  /** Its number among the functions. */
  readonly number: number;
}

const LARGEST = 1 << 20;

/** @returns The text of the built file. @throws {SetpointError} PLUGIN_INVALID, at the author's file and line. */
export async function buildPlugin({ entry, read }: BuildOptions): Promise<string> {
  const folder = entry.slice(0, entry.lastIndexOf("/") + 1);
  const done = new Map<string, Module>();
  const parts: string[] = [];

  /** Adds a file after everything that it imports. */
  async function add(path: string, from: readonly string[], at: Place): Promise<Module> {
    const known = done.get(path);
    if (known !== undefined) return known;
    if (from.includes(path)) fail(at, `"${path}" imports itself, by way of ${from.at(-1)}`);
    let text: string;
    try {
      text = await read(folder + path);
    } catch (cause) {
      const why = cause instanceof Deno.errors.NotFound ? "there is no such file" : (cause as Error).message;
      fail(at, `cannot read "${path}": ${why}`);
    }
    const isEntry = from.length === 0;
    const resolve = (specifier: string, line: number) => {
      if (!/^\.\.?\//.test(specifier)) {
        fail(
          { path, line },
          `it imports "${specifier}", expected "setpoint" or a file beside it such as "./table.ts"`,
        );
      }
      if (!/\.[cm]?[jt]s$/.test(specifier)) {
        fail({ path, line }, `"${specifier}" is no source file, expected a name that ends in ".ts" or ".js"`);
      }
      const target = joined(path, specifier);
      return target ?? fail({ path, line }, `"${specifier}" leaves the folder of ${entry}`);
    };
    const out: string[] = [];
    let last = 0;
    const exported: string[] = [];
    for (const { start, end, text: statement, line } of moduleStatements(text)) {
      out.push(text.slice(last, start));
      last = end;
      const lines = "\n".repeat(statement.split("\n").length - 1);
      const wanted = importOf(statement);
      let module: Module | undefined;
      if (wanted !== undefined && wanted.from !== "setpoint" && !wanted.typeOnly) {
        module = await add(resolve(wanted.from, line), [...from, path], { path, line });
      }
      if (wanted !== undefined && !wanted.reExport) {
        if (wanted.typeOnly) out.push(lines);
        else if (wanted.from === "setpoint" && isEntry) out.push(statement);
        else out.push(wanted.bind(module === undefined ? "__setpoint" : `__m${module.number}`) + lines);
        continue;
      }
      const { code, names, wrong } = exportsOf(statement, module && `__m${module.number}`, isEntry);
      if (wrong !== undefined) fail({ path, line }, wrong);
      out.push(code);
      exported.push(...names);
    }
    out.push(text.slice(last));
    const module = { path, text, number: done.size };
    done.set(path, module);
    const body = out.join("").replace(/\n?$/, "\n");
    const mark = moduleMark(path);
    parts.push(
      isEntry
        ? `${mark}\n${body}`
        : `${mark} const __m${module.number} = (() => {\n${body}return { ${exported.join(", ")} }; })();\n`,
    );
    return module;
  }

  const name = entry.slice(folder.length);
  await add(name, [], { path: name, line: 1 });
  const head = parts.length > 1 ? 'import * as __setpoint from "setpoint";' : "";
  const text = `// deno-lint-ignore-file\n// @ts-nocheck built from ${name} by plugin:build\n${head}\n${
    parts.join("")
  }`;
  const bytes = new TextEncoder().encode(text).byteLength;
  if (bytes > LARGEST) {
    fail({ path: name, line: 1 }, `the built file has ${bytes} bytes, expected at most ${LARGEST}`);
  }
  return text;

  function fail({ path, line }: Place, why: string): never {
    throw setpointError("PLUGIN_INVALID", `Cannot build the plugin: ${why}`, {
      at: { file: folder + path, line, column: 1 },
    });
  }
}

interface Place {
  readonly path: string;
  readonly line: number;
}

/** `lib/a.ts` and `../b.ts` is `b.ts`; undefined above the entry's folder. */
function joined(path: string, specifier: string): string | undefined {
  const parts = path.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === ".." && parts.pop() === undefined) return undefined;
    if (part !== ".." && part !== ".") parts.push(part);
  }
  return parts.join("/");
}
