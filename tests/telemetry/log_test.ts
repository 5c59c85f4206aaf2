import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openLog } from "../../runtime/telemetry/log.ts";
import { RotatingFile } from "../../runtime/telemetry/rotating_file.ts";

async function withFolder(use: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "setpoint-log-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("openLog() writes a line for people and a line of JSON with the same words", () =>
  withFolder((folder) => {
    const written: string[] = [];
    {
      using log = openLog({
        level: "INFO",
        file: `${folder}/logs/app.log`,
        write: (text) => written.push(text),
        colors: false,
      });
      log.log("info", "Model cached in memory for: models/a.onnx", { bytes: 12, note: "two words" });
      log.log("warn", 'Braces {"stay": {{1}}} as they are');
      log.log("debug", "Not this one");
    }
    assertEquals(written.length, 2);
    assertMatch(
      written[0],
      /^\d{4}-\d\d-\d\dT[\d:.]+Z INFO {4}Model cached in memory for: models\/a\.onnx {2}bytes=12 note="two words"\n$/,
    );
    assertStringIncludes(written[1], 'Braces {"stay": {{1}}} as they are\n');
    const lines = Deno.readTextFileSync(`${folder}/logs/app.log`).trim().split("\n").map((line) =>
      JSON.parse(line)
    );
    assertEquals(lines.map(({ level, message, bytes }) => ({ level, message, bytes })), [
      { level: "info", message: "Model cached in memory for: models/a.onnx", bytes: 12 },
      { level: "warning", message: 'Braces {"stay": {{1}}} as they are', bytes: undefined },
    ]);
  }));

Deno.test("openLog() with an error as a field tells its message", () => {
  const written: string[] = [];
  using log = openLog({ level: "DEBUG", write: (text) => written.push(text), colors: false });
  log.log("error", "A request failed", { error: new TypeError("x is not a function") });
  assertStringIncludes(written[0], "TypeError: x is not a function");
  assertEquals(written[0].split("\n").length, 2, "one line");
});

Deno.test("openLog() indents what a message quotes: nobody else begins a line", () => {
  const written: string[] = [];
  using log = openLog({ level: "INFO", write: (text) => written.push(text), colors: false });
  log.log("warn", "A plugin failed: oops\n2026-11-21T02:13:44.123Z ERROR   forged");
  assertStringIncludes(
    written[0],
    "WARNING A plugin failed: oops\n    2026-11-21T02:13:44.123Z ERROR   forged\n",
  );
});

Deno.test("RotatingFile keeps its size and the youngest old files", () =>
  withFolder((folder) => {
    using file = new RotatingFile(`${folder}/a/app.log`, { maxBytes: 100, keep: 2 });
    for (let i = 0; i < 40; i++) file.append(`line ${String(i).padStart(14, "0")}\n`);
    const names = [...Deno.readDirSync(`${folder}/a`)].map(({ name }) => name).sort();
    assertEquals(names, ["app.log", "app.log.1", "app.log.2"]);
    for (const name of names) assert(Deno.statSync(`${folder}/a/${name}`).size <= 100);
    assertStringIncludes(Deno.readTextFileSync(`${folder}/a/app.log`), "39");
    assertEquals(file.lost, 0);
  }));

Deno.test("RotatingFile goes on in a file of an earlier run", () =>
  withFolder((folder) => {
    for (let i = 0; i < 2; i++) {
      using file = new RotatingFile(`${folder}/app.log`, { maxBytes: 100 });
      file.append(`run ${i}\n`);
    }
    assertEquals(Deno.readTextFileSync(`${folder}/app.log`), "run 0\nrun 1\n");
  }));

Deno.test("RotatingFile counts lines that it cannot write and goes on when it can", () =>
  withFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/logs`, "a file in the place of the folder");
    using file = new RotatingFile(`${folder}/logs/app.log`);
    file.append("lost\n");
    assertEquals(file.lost, 1);
    Deno.removeSync(`${folder}/logs`);
    file.append("kept\n");
    assertEquals(Deno.readTextFileSync(`${folder}/logs/app.log`), "kept\n");
  }));
