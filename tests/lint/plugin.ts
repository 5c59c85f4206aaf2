/** The style guide, as far as a machine can hold it: a plugin of `deno lint`, named in deno.json. */
import { forbiddenImport, HOMES, isProduct, MAX_LINES } from "./layers.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

function pathOf(filename: string): string {
  return filename.startsWith(ROOT) ? filename.slice(ROOT.length) : filename;
}

/** Timers and clocks that stand alone. */
const TIMERS = ["setTimeout", "setInterval", "setImmediate"];
/** Of these objects, these members. */
const CLOCKS: Readonly<Record<string, readonly string[]>> = {
  Date: ["now"],
  Math: ["random"],
  performance: ["now"],
  AbortSignal: ["timeout"],
};

const imports: Deno.lint.Rule = {
  create(context) {
    const path = pathOf(context.filename);
    const check = (node: Deno.lint.Node, source: Deno.lint.Node | null | undefined) => {
      if (source?.type !== "Literal" || typeof source.value !== "string") return;
      const message = forbiddenImport(path, source.value);
      if (message !== undefined) context.report({ node, message });
    };
    return {
      ImportDeclaration: (node) => check(node, node.source),
      ExportNamedDeclaration: (node) => check(node, node.source),
      ExportAllDeclaration: (node) => check(node, node.source),
      TSImportType: (node) => check(node, (node as unknown as { argument: Deno.lint.Node }).argument),
      ImportExpression(node) {
        if (node.source.type === "Literal") return check(node, node.source);
        if (!isProduct(path) || HOMES["computed-import"](path)) return;
        context.report({
          node,
          message: "A computed import() is for runtime/cells/worker.ts only: nobody can see what it loads",
        });
      },
    };
  },
};

/** A rule on uses of globals outside their homes. */
function globalsRule(
  home: keyof typeof HOMES,
  message: string,
  uses: {
    readonly members?: Readonly<Record<string, readonly string[] | "any">>;
    readonly calls?: readonly string[];
    readonly news?: readonly string[];
  },
): Deno.lint.Rule {
  return {
    create(context) {
      const path = pathOf(context.filename);
      if (!isProduct(path) || HOMES[home](path)) return {};
      return {
        MemberExpression(node) {
          const object = node.object.type === "Identifier" ? node.object.name : "";
          const members = Object.hasOwn(uses.members ?? {}, object) ? uses.members![object] : [];
          const name = node.property.type === "Identifier"
            ? node.property.name
            : node.property.type === "Literal"
            ? String(node.property.value)
            : "";
          if (members === "any" || members.includes(name)) context.report({ node, message });
        },
        CallExpression(node) {
          if (node.callee.type === "Identifier" && uses.calls?.includes(node.callee.name)) {
            context.report({ node, message });
          }
        },
        NewExpression(node) {
          const now = node.callee.type === "Identifier" && uses.news?.includes(node.callee.name);
          if (now && node.arguments.length === 0) context.report({ node, message });
        },
      };
    },
  };
}

const lines: Deno.lint.Rule = {
  create: (context) => ({
    Program(node) {
      const count = context.sourceCode.text.trimEnd().split("\n").length;
      if (count > MAX_LINES) {
        context.report({ node, message: `A file has at most ${MAX_LINES} lines, this one ${count}` });
      }
    },
  }),
};

const names: Deno.lint.Rule = {
  create: (context) => ({
    Program(node) {
      const name = context.filename.slice(context.filename.lastIndexOf("/") + 1);
      if (!/^[a-z0-9]+(_[a-z0-9]+)*(\.d)?\.tsx?$/.test(name)) {
        context.report({ node, message: `A file's name is snake_case, not "${name}"` });
      }
    },
  }),
};

const plugin: Deno.lint.Plugin = {
  name: "setpoint",
  rules: {
    "layers": imports,
    "env": globalsRule("env", "Only config.ts and launch.ts read the environment", {
      members: { Deno: ["env"], process: ["env"] },
    }),
    "time": globalsRule("time", "Time and chance are inputs: take a Clock", {
      members: CLOCKS,
      calls: TIMERS,
      news: ["Date"],
    }),
    "console": globalsRule("console", "Only cli/ and telemetry/ print", { members: { console: "any" } }),
    "file-length": lines,
    "file-name": names,
  },
};

export default plugin;
