/** The commands for authors, as a person runs them, in a folder of their own. */
import { SDK_VERSION } from "../../runtime/graph/sdk_version.ts";
import { pluginTemplate, TEMPLATE_KINDS } from "../../runtime/cli/plugin_templates.ts";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { task } from "../launch/process.ts";

async function folder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "setpoint-author-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

for (const kind of TEMPLATE_KINDS) {
  Deno.test(`plugin:new --kind ${kind} writes a plugin that type-checks and passes plugin:test`, async () => {
    await using at = await folder();
    const env = { INIT_CWD: at.path };
    const made = await task(["plugin:new", "my_plugin", "--kind", kind], { env });
    assertEquals([made.code, made.stderr], [0, ""]);
    const checked = await new Deno.Command(Deno.execPath(), {
      args: [
        "check",
        "--quiet",
        "--config",
        decodeURIComponent(new URL("../../deno.json", import.meta.url).pathname),
        `${at.path}/my_plugin.ts`,
      ],
    }).output();
    assert(checked.success, new TextDecoder().decode(checked.stderr));
    const tried = await task(["plugin:test", "my_plugin.ts", "--json"], { env });
    assertEquals(tried.code, 0, tried.stdout + tried.stderr);
    const report = JSON.parse(tried.stdout);
    assertEquals([report.ok, report.kind, report.name], [true, kind, "my/my-plugin"]);
    const again = await task(["plugin:new", "my_plugin", "--kind", kind], { env });
    assertEquals(again.code, 2);
    assertStringIncludes(again.stderr, "it is there already");
  });
}

Deno.test("plugin:new refuses names and kinds that cannot be, and says what can", async () => {
  await using at = await folder();
  const env = { INIT_CWD: at.path };
  await Deno.mkdir(`${at.path}/taken.ts`);
  await Deno.mkdir(`${at.path}/sub`);
  const cases = [
    [["my plugin"], 'Cannot name a plugin "my plugin", expected letters'],
    [[""], 'Cannot name a plugin ""'],
    [[".hidden"], 'Cannot name a plugin ".hidden"'],
    [["valve.js"], 'Cannot name a plugin "valve.js"'],
    [["Größe"], 'Cannot name a plugin "Größe"'],
    [["a".repeat(81)], "at most 80"],
    [["nowhere/valve"], "there is no such folder"],
    [["taken"], "it is there already"],
    [["valve", "--kind", "optimiser"], 'kind "optimiser", expected function, model, constraint, optimizer'],
    [["valve", "more"], 'Unknown argument "more"'],
    [[], "its NAME is missing"],
  ] as const;
  for (const [args, says] of cases) {
    const { code, stderr } = await task(["plugin:new", ...args], { env });
    assertEquals(code, 2, args.join(" "));
    assertStringIncludes(stderr, says);
  }
  const made = await task(["plugin:new", "sub/valve"], { env });
  assertStringIncludes(made.stdout, "next: deno task plugin:test sub/valve.ts");
  assertEquals([...Deno.readDirSync(at.path)].map(({ name }) => name).sort(), ["sub", "taken.ts"]);
});

Deno.test("a new plugin asks for the SDK that it is written for", () => {
  for (const kind of TEMPLATE_KINDS) {
    assertStringIncludes(pluginTemplate(kind, "my/x"), `sdk: "^${SDK_VERSION}"`);
  }
});

Deno.test("plugin:test tells a failing test and an exception with the author's file and line", async () => {
  await using at = await folder();
  const env = { INIT_CWD: at.path };
  await task(["plugin:new", "p", "--kind", "function"], { env });
  const file = `${at.path}/p.ts`;
  const text = await Deno.readTextFile(file);
  await Deno.writeTextFile(file, text.replace("outputs: { y: 6 }", "outputs: { y: 7 }"));
  const wrong = await task(["plugin:test", "p.ts"], { env });
  assertEquals(wrong.code, 1);
  assertStringIncludes(wrong.stderr, 'its "doubles" fails: "y" is 6, expected 7');
  await Deno.writeTextFile(
    file,
    text.replace("const factor =", "throw new RangeError('oops');\n    const factor ="),
  );
  const thrown = await task(["plugin:test", "p.ts"], { env });
  assertStringIncludes(thrown.stderr, `${file}:18:`);
  assertStringIncludes(thrown.stderr, "RangeError: oops");
});

Deno.test("plugin:build writes one file that passes plugin:test, and needs nothing but its folder", async () => {
  await using at = await folder();
  const env = { INIT_CWD: at.path };
  await task(["plugin:new", "p", "--kind", "model"], { env });
  const text = await Deno.readTextFile(`${at.path}/p.ts`);
  await Deno.writeTextFile(
    `${at.path}/p.ts`,
    `import { gainOf } from "./gain.ts";\n${text.replaceAll("Number(skill.config.gain)", "gainOf(skill)")}`,
  );
  await Deno.writeTextFile(
    `${at.path}/gain.ts`,
    'import type { SkillSpec } from "setpoint";\nexport const gainOf = (skill: SkillSpec): number => Number(skill.config.gain);\n',
  );
  await Deno.mkdir(`${at.path}/dist`);
  const built = await task(["plugin:build", "p.ts", "--out", "dist/p.ts"], { env });
  assertEquals(built.code, 0, built.stderr);
  assertStringIncludes(built.stdout, "sha256 ");
  assertEquals([...Deno.readDirSync(`${at.path}/dist`)].map(({ name }) => name), ["p.ts"]);
  const nowhere = await task(["plugin:build", "p.ts", "--out", "nowhere/p.ts"], { env });
  assertEquals([nowhere.code, nowhere.stderr.includes("there is no such folder")], [2, true], nowhere.stderr);
  const tried = await task(["plugin:test", "dist/p.ts"], { env });
  assertEquals(tried.code, 0, tried.stdout + tried.stderr);
  const allowed = await task(["plugin:build", "p.ts", "--out", "dist/p.ts", "--print-permissions"], { env });
  assertStringIncludes(allowed.stdout, `--allow-write=${at.path}/dist/p.ts,${at.path}/dist/p.ts.new`);
  assert(!allowed.stdout.includes("--allow-run") && !allowed.stdout.includes("--allow-net"));
});
