import { assert, assertEquals } from "@std/assert";
import { forbiddenImport } from "./layers.ts";
import plugin from "./plugin.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** The rules that fire on a file of the checkout. */
function fired(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, `${ROOT}${path}`, source).map(({ id }) => id.replace("setpoint/", ""));
}

Deno.test("setpoint/layers fires on every form of a forbidden import", () => {
  const target = '"../kernel/kernel.ts"';
  for (
    const source of [
      `import { a } from ${target};`,
      `import ${target};`,
      `import type { A } from ${target};`,
      `export { a } from ${target};`,
      `export * from ${target};`,
      `await import(${target});`,
    ]
  ) {
    assertEquals(fired("runtime/graph/a.ts", source), ["layers"], source);
    assertEquals(fired("runtime/http/a.ts", source), [], source);
    assertEquals(fired("tests/graph/a.ts", source), [], source);
  }
});

Deno.test("setpoint/layers holds the design's table", () => {
  const allowed: [string, string][] = [
    ["runtime/graph/tape.ts", "./ops.ts"],
    ["runtime/strategy/link.ts", "../graph/expr.ts"],
    ["runtime/strategy/load.ts", "../yaml.ts"],
    ["runtime/cells/worker.ts", "../../plugins/sdk_core.ts"],
    ["runtime/cells/whole_worker.ts", "../../plugins/sdk.ts"],
    ["runtime/cells/host.ts", "../clock.ts"],
    ["runtime/artifacts/cache.ts", "../errors.ts"],
    ["runtime/kernel/compose.ts", "../journal/journal.ts"],
    ["runtime/http/app.ts", "../kernel/types.ts"],
    ["runtime/http/routes/health.ts", "../route.ts"],
    ["runtime/cli/optimize.ts", "../kernel/types.ts"],
    ["runtime/launch.ts", "./cli/print.ts"],
    ["runtime/launch/permissions.ts", "../config.ts"],
    ["main.ts", "./runtime/http/app.ts"],
    ["plugins/sdk.ts", "../runtime/solver/mod.ts"],
    ["plugins/sdk.ts", "./sdk_core.ts"],
    ["plugins/sdk.ts", "../runtime/engine/tape_solver.ts"],
    ["runtime/engine/tape_solver.ts", "../solver/options.ts"],
    ["runtime/cells/worker.ts", "../engine/wasm_machine.ts"],
    ["plugins/model/model.ts", "setpoint"],
    ["runtime/http/app.ts", "hono"],
    ["runtime/yaml.ts", "yaml"],
    ["runtime/sqlite.ts", "node:sqlite"],
    ["tests/anything.ts", "npm:fast-check@4.3.0"],
  ];
  for (const [path, specifier] of allowed) {
    assertEquals(forbiddenImport(path, specifier), undefined, `${path} ${specifier}`);
  }
  const forbidden: [string, string][] = [
    ["runtime/graph/tape.ts", "../errors.ts"],
    ["runtime/graph/tape.ts", "../solver/mod.ts"],
    ["runtime/graph/tape.ts", "node:crypto"],
    ["runtime/solver/solve.ts", "../graph/tape.ts"],
    ["runtime/solver/solve.ts", "../clock.ts"],
    ["runtime/graph/tape.ts", "../engine/wasm_machine.ts"],
    ["runtime/engine/tape_solver.ts", "../clock.ts"],
    ["runtime/kernel/kernel.ts", "../engine/wasm_machine.ts"],
    ["runtime/strategy/link.ts", "../cells/host.ts"],
    ["runtime/artifacts/cache.ts", "../historian/historian.ts"],
    ["runtime/artifacts/cache.ts", "../kernel/types.ts"],
    ["runtime/journal/journal.ts", "../kernel/types.ts"],
    ["runtime/telemetry/log.ts", "../cli/std_cli.ts"],
    ["runtime/kernel/kernel.ts", "../http/app.ts"],
    ["runtime/kernel/kernel.ts", "../solver/mod.ts"],
    ["runtime/kernel/kernel.ts", "../../plugins/sdk.ts"],
    ["runtime/kernel/kernel.ts", "../../plugins/sdk_core.ts"],
    ["runtime/http/app.ts", "../journal/journal.ts"],
    ["runtime/cli/optimize.ts", "../http/app.ts"],
    ["runtime/clock.ts", "./kernel/types.ts"],
    ["runtime/kernel/kernel.ts", "../launch/stop.ts"],
    ["runtime/cells/worker.ts", "../../plugins/model/model.ts"],
    ["runtime/new_folder/a.ts", "../errors.ts"],
    ["plugins/sdk.ts", "../runtime/errors.ts"],
    ["plugins/sdk_core.ts", "../runtime/errors.ts"],
    ["plugins/model/model.ts", "../sdk.ts"],
    ["plugins/model/model.ts", "node:fs"],
    ["runtime/strategy/load.ts", "yaml"],
    ["runtime/kernel/kernel.ts", "minio"],
    ["runtime/cells/host.ts", "onnxruntime-web/wasm"],
    ["runtime/kernel/kernel.ts", "hono"],
    ["runtime/http/app.ts", "hono-of-somebody-else"],
    ["runtime/http/app.ts", "npm:hono@4.13.19"],
    ["runtime/kernel/kernel.ts", "https://example.org/x.ts"],
  ];
  for (const [path, specifier] of forbidden) assert(forbiddenImport(path, specifier), `${path} ${specifier}`);
});

Deno.test("setpoint/layers fires on a computed import() outside the worker", () => {
  for (
    const source of ["await import(name);", 'await import("npm:" + name);', "await import(`./${name}.ts`);"]
  ) {
    assertEquals(fired("runtime/kernel/a.ts", source), ["layers"], source);
    assertEquals(fired("runtime/cells/worker.ts", source), [], source);
    assertEquals(fired("tests/a.ts", source), [], source);
  }
});

Deno.test("setpoint/env fires outside config.ts and launch.ts", () => {
  for (const source of ['Deno.env.get("A");', 'Deno["env"];', "process.env.A;"]) {
    assertEquals(fired("runtime/kernel/a.ts", source), ["env"], source);
    for (const path of ["runtime/config.ts", "runtime/launch.ts", "tests/a.ts"]) {
      assertEquals(fired(path, source), [], path);
    }
  }
});

Deno.test("setpoint/time fires on clocks, timers and chance outside clock.ts", () => {
  for (
    const source of [
      "Date.now();",
      "new Date();",
      "performance.now();",
      "Math.random();",
      "setTimeout(() => {}, 1);",
      "setInterval(() => {}, 1);",
      "AbortSignal.timeout(5);",
    ]
  ) {
    assertEquals(fired("runtime/kernel/a.ts", source), ["time"], source);
    assertEquals(fired("plugins/model/a.ts", source), ["time"], source);
    assertEquals(fired("runtime/clock.ts", source), [], source);
  }
  assertEquals(fired("runtime/kernel/a.ts", "new Date(now); Math.max(1, 2); clock.now();"), []);
});

Deno.test("setpoint/console fires outside cli/ and telemetry/", () => {
  assertEquals(fired("runtime/kernel/a.ts", "console.log(1);"), ["console"]);
  assertEquals(fired("runtime/launch.ts", "console.error(1);"), ["console"]);
  assertEquals(fired("runtime/cli/print.ts", "console.log(1);"), []);
  assertEquals(fired("runtime/telemetry/log.ts", "console.log(1);"), []);
});

Deno.test("setpoint/file-length fires above 500 lines", () => {
  assertEquals(fired("tests/a.ts", "a;\n".repeat(500)), []);
  assertEquals(fired("tests/a.ts", "a;\n".repeat(501)), ["file-length"]);
});

Deno.test("setpoint/file-name fires on names that are not snake_case", () => {
  assertEquals(fired("tests/snake_case_2.ts", "a;"), []);
  for (const name of ["camelCase.ts", "kebab-case.ts", "a.test.ts", "_a.ts"]) {
    assertEquals(fired(`tests/${name}`, "a;"), ["file-name"], name);
  }
});
