import { buildPlugin } from "../../runtime/cli/plugin_build.ts";
import { sdkExtentOf } from "../../runtime/cells/sdk_extent.ts";
import { SetpointError } from "../../runtime/errors.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { skillOf } from "../cells/plugins.ts";
import { startHost } from "../cells/start.ts";

const FILES: Readonly<Record<string, string>> = {
  "/p/pump.ts": `// a pump
import { definePlugin, type SkillSpec } from "setpoint";
import type { Row } from "./lib/table.ts";
import between, { LAST as last, type Row as Other, table } from "./lib/table.ts";
import * as text from "./text.ts";

const rows: readonly Row[] = table;
export const unused: Other | null = null;
export default definePlugin({
  name: "test/pump",
  version: "1.0.0",
  kind: "function",
  evaluate(skill: SkillSpec, batch: Float64Array, count: number): Float64Array {
    if (skill.config.fail) text.fail();
    return Float64Array.from({ length: count }, (_, row) => between(rows, batch[row * 2]) + last + text.lines);
  },
});
`,
  "/p/lib/table.ts": `import { clamp } from "../math/mod.ts";

/** x, y
export const NOT_CODE = 1;
*/
export interface Row {
  readonly x: number;
  readonly y: number;
}
export const table: Row[] = [{ x: 0, y: 0 }, { x: 10, y: 100 }];
const LAST_VALUE = 5;
export { LAST_VALUE as LAST };

export default function between(rows: readonly Row[], x: number): number {
  const [a, b] = rows;
  return a.y + (b.y - a.y) * clamp((x - a.x) / (b.x - a.x));
}
`,
  "/p/math/mod.ts": `export * from "./clamp.ts";\n`,
  "/p/math/clamp.ts": `export type Share = number;
export function clamp(x: number): Share {
  return Math.min(1, Math.max(0, x));
}
`,
  "/p/text.ts": `const TEXT = \`
export const a = "no statement";
import b from "nowhere";
\${((x: string) => \`inner
export c\`)("}")}
\`;
export const lines = TEXT.split(/[/"\`]|\\n/).length;
export const fail = (): never => {
  throw new RangeError("here");
};
`,
};

function read(files: Readonly<Record<string, string>>): (file: string) => Promise<string> {
  return (file) =>
    file in files ? Promise.resolve(files[file]) : Promise.reject(new Deno.errors.NotFound("there is none"));
}

Deno.test("buildPlugin() makes one file of five that computes the same and tells the author's file and line", async () => {
  const text = await buildPlugin({ entry: "/p/pump.ts", read: read(FILES) });
  assertEquals(sdkExtentOf(text), "core");
  await using started = startHost();
  const plugin = await started.host.open({ id: "built", text, file: "plant/pump.ts" });
  const skill = skillOf("s");
  await plugin.lower(skill);
  const [value] = await plugin.evaluate(skill, 0, Float64Array.of(4, 0), 1, 20_000);
  // 40 between the rows, 5 for LAST, and the pieces of the text
  assertEquals(value, 40 + 5 + 10);
  const bad = skillOf("bad", { config: { fail: true } });
  await plugin.lower(bad);
  const error = await assertRejects(
    () => plugin.evaluate(bad, 0, new Float64Array(2), 1, 20_000),
    SetpointError,
  );
  assertStringIncludes(error.message, "here");
  const { file, line } = error.problems[0].at!;
  assertEquals([file, line], ["plant/pump.ts (text.ts)", 9]);
});

const WRONG = [
  ["a package", { "/p/a.ts": 'import x from "lodash";\n' }, "/p/a.ts", 1, 'it imports "lodash"'],
  [
    "a file that is not there",
    { "/p/a.ts": '\nimport x from "./b.ts";\n' },
    "/p/a.ts",
    2,
    "there is no such file",
  ],
  ["a file that is no source", { "/p/a.ts": '\nimport x from "./b.json";\n' }, "/p/a.ts", 2, 'ends in ".ts"'],
  ["a file without its ending", { "/p/a.ts": '\nimport x from "./b";\n' }, "/p/a.ts", 2, 'ends in ".ts"'],
  ["a file above", { "/p/a.ts": 'import x from "../b.ts";\n' }, "/p/a.ts", 1, "leaves the folder"],
  [
    "a circle",
    { "/p/a.ts": 'import "./b.ts";\n', "/p/b.ts": 'import "./c.ts";\n', "/p/c.ts": '\nimport "./b.ts";\n' },
    "/p/c.ts",
    2,
    "imports itself",
  ],
  [
    "an export that may change",
    { "/p/a.ts": 'import { n } from "./b.ts";\n', "/p/b.ts": "\n\nexport let n = 1;\n" },
    "/p/b.ts",
    3,
    "expected const",
  ],
] as const;

for (const [what, files, file, line, says] of WRONG) {
  Deno.test(`buildPlugin() refuses ${what} at ${file}:${line}`, async () => {
    const error = await assertRejects(
      () => buildPlugin({ entry: "/p/a.ts", read: read(files) }),
      SetpointError,
    );
    assertEquals([error.problems[0].at?.file, error.problems[0].at?.line], [file, line]);
    assertStringIncludes(error.message, says);
  });
}

Deno.test("buildPlugin() of one file keeps it and tells its lines", async () => {
  const text = await buildPlugin({
    entry: "/p/a.ts",
    read: read({ "/p/a.ts": "\n\nthrow new Error('x');\n" }),
  });
  await using started = startHost();
  const error = await assertRejects(() => started.host.open({ id: "a", text, file: "a.ts" }), SetpointError);
  assertEquals([error.problems[0].at?.file, error.problems[0].at?.line], ["a.ts (a.ts)", 3]);
});
