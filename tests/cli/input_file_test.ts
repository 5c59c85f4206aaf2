import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { readInputFile } from "../../runtime/cli/input_file.ts";
import { SetpointError } from "../../runtime/errors.ts";

async function withText<T>(name: string, text: string, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "setpoint-input-" });
  try {
    await Deno.writeTextFile(`${folder}/${name}`, text);
    return await use(`${folder}/${name}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function statesOf(name: string, text: string): Promise<unknown[]> {
  const { states } = await withText(name, text, readInputFile);
  return states.map(({ values }) => ({ ...values as object }));
}

async function refusals(name: string, text: string): Promise<string[]> {
  return await withText(name, text, async (file) => {
    const error = await assertRejects(() => readInputFile(file), SetpointError);
    assertEquals(error.code, "INPUT_INVALID");
    return error.message.replaceAll(file, name).split("\n");
  });
}

Deno.test("readInputFile() takes a state or an array, with and without input_data", async () => {
  for (const text of ['{"a": 1}', '{"input_data": {"a": 1}}', '[{"a": 1}]', '[{"input_data": {"a": 1}}]']) {
    assertEquals(await statesOf("in.json", text), [{ a: 1 }]);
  }
  assertEquals((await withText("in.json", '{"a": 1}', readInputFile)).single, true);
  assertEquals((await withText("in.json", '[{"a": 1}]', readInputFile)).single, false);
});

Deno.test("readInputFile() knows where a variable of a JSON file stands", async () => {
  const { states } = await withText("in.json", '[{"a": 1}, {"input_data": {"b/c": 2}}]', readInputFile);
  assertEquals(states[0].position("a").pointer, "/0/a");
  assertEquals(states[1].position("b/c").pointer, "/1/input_data/b~1c");
});

Deno.test("readInputFile() refuses JSON with doubled keys, 1e999 and no state", async () => {
  assertStringIncludes(
    (await refusals("in.json", '{"a": 1, "a": 2}'))[0],
    "in.json#/a: Cannot read the input",
  );
  assertStringIncludes((await refusals("in.json", '{"a": 1e999}'))[0], "1e999 is no finite number");
  assertStringIncludes((await refusals("in.json", "[]"))[0], "no state");
  assertStringIncludes((await refusals("in.json", "{"))[0], "in.json: Cannot read the input");
});

Deno.test("readInputFile() reads CSV with quotes, spaces, empty cells, a byte order mark and any line end", async () => {
  const text = '\ufeffa, "b ""c""",timestamp\r\n 1 ,-2.5e3,2026-01-01\r\n\r\n3,,x\r\n';
  assertEquals(await statesOf("in.CSV", text), [{ a: 1, 'b "c"': -2500 }, { a: 3 }]);
  assertEquals(await statesOf("in.csv", "a;b\n1;2"), [{ a: 1, b: 2 }]);
  assertEquals(await statesOf("in.csv", "a\n1\n2\n"), [{ a: 1 }, { a: 2 }]);
});

Deno.test("readInputFile() names line and column of every cell that is no number", async () => {
  const seen = await refusals("in.csv", 'a,b\n1,two\n"3,5",0x10\n1,NaN\n1e999,true\n');
  assertEquals(seen.map((line) => line.split(":").slice(0, 3).join(":")), [
    "in.csv:2:3",
    "in.csv:3:1",
    "in.csv:3:7",
    "in.csv:4:3",
    "in.csv:5:1",
    "in.csv:5:7",
  ]);
  assertStringIncludes(seen[1], 'Cannot read a "3,5", expected a finite number such as 8.5');
});

Deno.test("readInputFile() refuses CSV that is not a table", async () => {
  assertEquals(await refusals("in.csv", "a,a,\n1,2,3\n"), [
    'in.csv:1:3: Cannot read the header: "a" stands there twice',
    "in.csv:1:5: Cannot read the header: a name is missing",
  ]);
  assertEquals(await refusals("in.csv", "a,b\n1\n1,2,3\n"), [
    "in.csv:2:1: Cannot read the line: it has 1 cells, expected 2 as the header",
    "in.csv:3:1: Cannot read the line: it has 3 cells, expected 2 as the header",
  ]);
  assertStringIncludes((await refusals("in.csv", "a,b\n"))[0], "no state");
  assertStringIncludes((await refusals("in.csv", ""))[0], "no state");
  assertStringIncludes(
    (await refusals("in.csv", 'a\n"1\n'))[0],
    "in.csv:2:1: Cannot read the CSV: a quote is not closed",
  );
  assertStringIncludes((await refusals("in.csv", 'a\n"1"2\n'))[0], "text follows a closed quote");
});

Deno.test("readInputFile() tells a file that is not there", async () => {
  const error = await assertRejects(
    () => readInputFile("/nowhere/in.csv"),
    SetpointError,
    "there is no such file",
  );
  assertEquals(error.code, "USAGE");
});

Deno.test("readInputFile() says that a folder is no file", async () => {
  const error = await assertRejects(() => readInputFile("/tmp"), SetpointError);
  assertEquals(error.message, "/tmp: Cannot read the input: it is a folder, expected a file");
});

Deno.test("readInputFile() points into a JSON file of many states", async () => {
  assertEquals(await refusals("in.json", '[{"a": 1}, {"a": NaN}]'), [
    "in.json#/1/a: Cannot read the input: NaN is no finite number",
  ]);
});
