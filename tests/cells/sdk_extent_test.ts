import * as whole from "../../plugins/sdk.ts";
import * as core from "../../plugins/sdk_core.ts";
import { sdkExtentOf } from "../../runtime/cells/sdk_extent.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "../std/assert.ts";
import { SQUARES } from "./plugins.ts";
import { startHost } from "./start.ts";

const IMPORTS: readonly [line: string, extent: "core" | "whole"][] = [
  ['import { definePlugin } from "setpoint";', "core"],
  ["import { definePlugin, op as o, describe } from 'setpoint';", "core"],
  ['import {\n  definePlugin,\n  type StepSearch,\n} from "setpoint";', "core"],
  ['import type { SolveResult } from "setpoint"; import { log } from "setpoint";', "core"],
  ['// import { op } from "setpoint";', "core"],
  ["", "core"],
  ['import * as sdk from "setpoint"; const { op, describe: d } = sdk; const { log } = sdk;', "core"],
  ['import { definePlugin, solve } from "setpoint";', "whole"],
  ['import { lowerOnnx as definePlugin } from "setpoint";', "whole"],
  ['import { definePlugin, SolveResult } from "setpoint";', "whole"],
  ['import { type Tape, parseFormula } from "setpoint";', "whole"],
  ['import * as sdk from "setpoint"; const { op, solve } = sdk;', "whole"],
  ['import * as sdk from "setpoint"; const { op } = sdk; sdk.solve();', "whole"],
  ['import * as sdk from "setpoint"; const { op, ...rest } = sdk;', "whole"],
  ['import * as sdk from "setpoint"; const { op = sdk } = sdk;', "whole"],
  ['import sdk, { op } from "setpoint";', "whole"],
  ['import "setpoint";', "whole"],
  ['export { solve } from "setpoint";', "whole"],
  ['const sdk = await import("setpoint");', "whole"],
  ['import { op } from /* what */ "setpoint";', "whole"],
  ['import { op /* } */, solve } from "setpoint";', "whole"],
  ['import { op } from "setpoint"; import { solve /* import { op } */ } from "setpoint";', "whole"],
];

for (const [line, extent] of IMPORTS) {
  Deno.test(`a plugin that says ${JSON.stringify(line)} needs the ${extent} of the SDK`, () => {
    assertEquals(sdkExtentOf(line), extent);
  });
}

Deno.test("a text that would cost quadratic time is looked at once", () => {
  for (
    const part of [" ", "import ", "import {", "const {", "import{a}", "import * as a ", "const {a} = a"]
  ) {
    const line = `import${part.repeat(1_000_000 / part.length)}`;
    assertEquals(sdkExtentOf(`${line}\nimport { solve } from "setpoint";`), "whole");
  }
});

Deno.test("what the core of the SDK has, the whole has too", () => {
  for (const [name, value] of Object.entries(core)) assert(whole[name as keyof typeof core] === value, name);
});

for (const [name, extent] of [["seededRandom", "core"], ["solve", "whole"]] as const) {
  Deno.test(`a plugin that imports ${name} finds it, in a cell with the ${extent} of the SDK`, async () => {
    await using started = startHost();
    const check =
      `import { ${name} } from "setpoint";\nif (typeof ${name} !== "function") throw new Error();`;
    await started.host.open({ id: "asks", text: `${check}\n${SQUARES}` });
    const { stdout } = await new Deno.Command("cat", {
      args: [`/proc/${started.host.status()[0].pid}/cmdline`],
    }).output();
    assertEquals(new TextDecoder().decode(stdout).split("\0").at(-2), extent);
  });
}

Deno.test("a name that the SDK does not have is told as such", async () => {
  await using started = startHost();
  const text = `import { solveit } from "setpoint";\nconsole.log(solveit);\n${SQUARES}`;
  const error = await assertRejects(() => started.host.open({ id: "odd", text, file: "odd.ts" }));
  assertStringIncludes((error as Error).message, "solveit");
});
