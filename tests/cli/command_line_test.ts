import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type CommandName, COMMANDS, helpOf, parseCommandLine } from "../../runtime/cli/command_line.ts";
import { SetpointError } from "../../runtime/errors.ts";

function refusals(...args: string[]): string[] {
  const error = assertThrows(() => parseCommandLine(args), SetpointError);
  assertEquals(error.code, "USAGE");
  return error.message.split("\n");
}

Deno.test("parseCommandLine() reads flags in both forms, the last one winning", () => {
  assertEquals(parseCommandLine(["start", "--port", "1", "--port=2", "--debug", "--mode", "api"]), {
    command: "start",
    flags: { port: "2", debug: "true", mode: "api" },
    operands: [],
  });
  assertEquals(parseCommandLine(["strategy:validate", "--json", "a b.yaml"]).operands, ["a b.yaml"]);
  assertEquals(parseCommandLine(["optimize", "--input", "-5.json"]).flags.input, "-5.json");
});

Deno.test("parseCommandLine() tells everything that is wrong at once", () => {
  const seen = refusals("start", "--prot", "--port=", "--debug=yes", "-p");
  assertEquals(seen.length, 4);
  assertStringIncludes(seen[0], "Unknown flag --prot, expected --mode, --host");
  assertEquals(seen[1], "Cannot read --port: its PORT is missing");
  assertEquals(seen[2], 'Cannot set --debug to "yes": it takes no value');
  assertStringIncludes(seen[3], "Unknown flag -p");
  assertEquals(refusals("start", "--port"), ["Cannot read --port: its PORT is missing"]);
  assertEquals(refusals("start", "here"), ['Unknown argument "here" of start']);
});

Deno.test("parseCommandLine() names what a command needs", () => {
  assertEquals(refusals("strategy:validate"), ["Cannot run strategy:validate: its FILE is missing"]);
  assertEquals(refusals("strategy:validate", "a", "b"), ['Unknown argument "b" of strategy:validate']);
  assertEquals(refusals("optimize"), ["Cannot run optimize: --input FILE is missing"]);
  assertStringIncludes(refusals("stat")[0], 'Unknown command "stat", expected start, optimize');
  assertStringIncludes(refusals()[0], 'Unknown command ""');
  assertStringIncludes(refusals("__proto__")[0], "Unknown command");
  assertStringIncludes(refusals("start", "--__proto__")[0], "Unknown flag");
});

Deno.test("parseCommandLine() needs nothing else beside --help, which names every flag", () => {
  for (const command of Object.keys(COMMANDS) as CommandName[]) {
    assertEquals(parseCommandLine([command, "--help"]).flags, { help: "true" });
    for (const flag of Object.keys(COMMANDS[command].options)) {
      assertStringIncludes(helpOf(command), `--${flag}`);
    }
    assert(helpOf(command).split("\n").every((line) => line.length <= 110));
  }
});
