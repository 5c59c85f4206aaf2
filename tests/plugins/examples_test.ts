/** The examples and the walkthrough of plugins/README.md, as they stand there, without a network. */
import { ROOT } from "../../runtime/config.ts";
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { task } from "../launch/process.ts";
import { openKernel } from "../kernel/open_kernel.ts";

const README = Deno.readTextFileSync(`${ROOT}/plugins/README.md`);
/** Every download fails at once. */
const OFFLINE = {
  HTTP_PROXY: "http://127.0.0.1:1",
  HTTPS_PROXY: "http://127.0.0.1:1",
  NO_PROXY: "127.0.0.1",
};

interface Block {
  readonly language: string;
  readonly text: string;
}

function blocksOf(section: string): Block[] {
  const body = README.split(`## ${section}\n`)[1].split("\n## ")[0];
  return [...body.matchAll(/```(\w+)\n([^]*?)```/g)].map(([, language, text]) => ({ language, text }));
}

Deno.test("the walkthrough of plugins/README.md does what it says, offline", async () => {
  const folder = await Deno.makeTempDir({ prefix: "setpoint-walk-" });
  try {
    // in the text it is a folder of the checkout; here it is elsewhere, so that nothing of the checkout is written
    const prelude = `deno() { "$DENO" "$1" --quiet --config "${ROOT}/deno.json" "\${@:2}"; }\n`;
    let cwd = folder;
    let output = "";
    for (const { language, text } of blocksOf("Ten minutes")) {
      if (language === "sh") {
        const { code, stdout, stderr } = await new Deno.Command("bash", {
          args: ["-e", "-c", `${prelude}${text}\npwd > "${folder}/cwd"`],
          cwd,
          env: { ...OFFLINE, DENO: Deno.execPath(), INIT_CWD: cwd, NO_COLOR: "1" },
        }).output();
        output = new TextDecoder().decode(stdout);
        assertEquals(code, 0, `${text}\n${output}\n${new TextDecoder().decode(stderr)}`);
        cwd = (await Deno.readTextFile(`${folder}/cwd`)).trim();
      } else if (language === "text") {
        for (const line of text.trim().split("\n")) assertStringIncludes(output, line.split("…")[0]);
      } else {
        const name = /^(?:\/\/|#) (\S+)/.exec(text)![1];
        await Deno.writeTextFile(`${cwd}/${name}`, text);
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

for (const name of ["pump_power", "steam_table", "annealing"]) {
  Deno.test(`plugins/examples/${name}.ts passes plugin:test`, async () => {
    const { code, stdout, stderr } = await task(["plugin:test", `plugins/examples/${name}.ts`], {
      env: OFFLINE,
    });
    assertEquals(code, 0, stdout + stderr);
  });
}

Deno.test("the three examples run in one strategy: hot enough, and as cheap as that allows", async () => {
  await using opened = await openKernel({ strategy: "plugins/examples/boiler.yaml" });
  const answer = await opened.answer({ flow: 110, pressure: 10.5 });
  assertEquals(answer.outcome, "solved");
  const after = (wanted: string) => answer.actuators.find(({ name }) => name === wanted)!.after;
  // 178 °C lies on the line from 5 bar, 151.83 °C, to 10 bar, 179.88 °C
  const pressure = 5 + 5 * (178 - 151.83) / (179.88 - 151.83);
  assertAlmostEquals(after("pressure"), pressure, 0.02);
  assertAlmostEquals(after("flow"), 100, 0.05);
  assert(answer.cost_function_value! < answer.cost_before!);
});

Deno.test("the code of plugins/README.md type-checks", async () => {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "check",
      "--quiet",
      "--doc-only",
      "--config",
      `${ROOT}/deno.json`,
      `${ROOT}/plugins/README.md`,
      `${ROOT}/plugins/sdk.ts`,
    ],
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});
