/** What a client or a person sends that cannot be used: who is told what, and with which status or code. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { inputOf } from "../kernel/open_kernel.ts";
import { Files, Folders, Service, task } from "./service.ts";

const STATE = inputOf("kiln/nominal");

/** A state as JSON text, with the text of one value in another's place; undefined: left out. */
function stateWith(value: string | undefined): string {
  const { Kiln_Coal_PV: _, ...rest } = STATE;
  const text = JSON.stringify(rest);
  return value === undefined ? text : text.replace("{", `{"Kiln_Coal_PV": ${value}, `);
}

const BODIES: readonly (readonly [string, string, number, string])[] = [
  ["a missing variable", stateWith(undefined), 422, '"Kiln_Coal_PV": it is missing'],
  ["null", stateWith("null"), 422, '"Kiln_Coal_PV": it is null'],
  ["a number as text", stateWith('"8.5"'), 422, '"Kiln_Coal_PV": got \\"8.5\\"'],
  ["true", stateWith("true"), 422, '"Kiln_Coal_PV": got true'],
  ["an array", stateWith("[8.5]"), 422, '"Kiln_Coal_PV"'],
  ["NaN, which is no JSON", stateWith("NaN"), 400, "NaN"],
  ["1e999", stateWith("1e999"), 400, "/input_data/Kiln_Coal_PV"],
  ["-8.5 t/h of coal", stateWith("-8.5"), 422, "-8.5 t/h is outside its valid range 0 to 40 t/h"],
  ["the same key twice", stateWith('8.5, "Kiln_Coal_PV": 9'), 400, "Kiln_Coal_PV"],
  ["a value for what is computed", stateWith('8.5, "combined_Feed_rate": 170'), 422, '"combined_Feed_rate"'],
];

Deno.test("POST /optimize tells bad values by variable, as problem+json, and goes on", async (t) => {
  await using folders = await Folders.make();
  await using service = await Service.start(folders, ["--mode", "api"]);
  const post = (body: string) =>
    fetch(`${service.url}/optimize`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
  for (const [name, state, status, says] of BODIES) {
    await t.step(name, async () => {
      const response = await post(`{"input_data": ${state}}`);
      const text = await response.text();
      assertEquals(response.status, status, text);
      assertStringIncludes(response.headers.get("content-type")!, "application/problem+json");
      const problem = JSON.parse(text);
      assertEquals([problem.status, typeof problem.error, typeof problem.error_type], [
        status,
        "string",
        "string",
      ]);
      assertStringIncludes(text.replaceAll('\\"', '"'), says.replaceAll('\\"', '"'));
    });
  }
  await t.step("every bad variable is named at once", async () => {
    const { Cooler_Fan_9_Flow: _, ...rest } = STATE;
    const input_data = { ...rest, Kiln_Coal_PV: null, Kiln_Drive_Current: "x" };
    const response = await post(JSON.stringify({ input_data }));
    const text = await response.text();
    assertEquals(response.status, 422);
    for (const name of ["Cooler_Fan_9_Flow", "Kiln_Coal_PV", "Kiln_Drive_Current"]) {
      assertStringIncludes(text, name);
    }
  });
  await t.step("input_data that is no object is told as what it is", async () => {
    for (const [input_data, got] of [[null, "null"], [[1], "a list"], ["8.5", "a string"]]) {
      const response = await post(JSON.stringify({ input_data }));
      assertEquals(response.status, 400);
      assertStringIncludes(await response.text(), `Cannot read input_data: it is ${got}, expected an object`);
    }
  });
  await t.step("an unknown name is a warning", async () => {
    const response = await post(JSON.stringify({ input_data: { ...STATE, Kiln_Coal_VP: 8.5 } }));
    const { outcome, warnings } = await response.json();
    assertEquals([response.status, outcome], [200, "solved"]);
    assertEquals(warnings.map(({ code, variable }: Record<string, string>) => [code, variable])[0], [
      "UNKNOWN_VARIABLE",
      "Kiln_Coal_VP",
    ]);
  });
  await t.step("a posted strategy with a typo, an unknown variable and reversed bounds", async () => {
    const config = {
      variables: {
        a: { type: "Operative", units: "-", threshold: 1, min: 2, max: 1 },
        c: { type: "CalculatedKPI", units: "-" },
      },
      skills: {
        f: {
          class: "MathFunction",
          inputs: ["a", "b"],
          outputs: ["c"],
          config: { formula: "a + undefined_name" },
        },
        g: { class: "MathFunction", inputs: ["a"], outputs: ["c"], config: { formula: "a +* 2" } },
      },
      tasks: [],
    };
    const response = await post(JSON.stringify({ input_data: STATE, config }));
    const text = await response.text();
    assertEquals(response.status, 422, text);
    for (
      const says of ["undefined_name", "/config/skills/g/config/formula", '\\"b\\"', "/config/variables/a"]
    ) {
      assertStringIncludes(text, says);
    }
  });
  const answer = await service.json("/optimize", { input_data: STATE });
  assertEquals(answer.outcome, "solved");
});

const TABLE = "x,y\n";

const INPUTS: readonly (readonly [string, string, string, string])[] = [
  ["a missing variable", "in.json", stateWith(undefined), '"Kiln_Coal_PV": it is missing'],
  [
    "a number as text",
    "in.json",
    stateWith('"8.5"'),
    'in.json#/Kiln_Coal_PV: Cannot use "Kiln_Coal_PV": got "8.5"',
  ],
  [
    "NaN in JSON",
    "in.json",
    stateWith("NaN"),
    "in.json#/Kiln_Coal_PV: Cannot read the input: NaN is no finite number",
  ],
  ["no JSON", "in.json", "{", "in.json: Cannot read the input"],
  ["CSV with a word for a number", "in.csv", `${TABLE}1,high\n`, "in.csv:2:3"],
  ["CSV with a row that is too long", "in.csv", `${TABLE}1,2,3\n`, "in.csv:2"],
  ["CSV with a column twice", "in.csv", "x,x\n1,2\n", "in.csv:1"],
  ["CSV without rows", "in.csv", TABLE, "in.csv"],
];

Deno.test("deno task optimize tells a bad input by its place in the file, and ends with 1 or 2", async (t) => {
  await using files = await Files.make({});
  for (const [name, file, text, says] of INPUTS) {
    await t.step(name, async () => {
      await files.write(file, text);
      const { code, stdout, stderr } = await task(["optimize", "--input", `${files.root}/${file}`]);
      assert(code === 1 || code === 2, `code ${code}: ${stdout}${stderr}`);
      assertStringIncludes(stderr, says);
      assertEquals([stdout, stderr.includes("    at ")], ["", false], stderr);
    });
  }
  await t.step("no such file", async () => {
    const { code, stderr } = await task(["optimize", "--input", `${files.root}/nowhere.csv`]);
    assertEquals(code, 2);
    assertStringIncludes(stderr, "nowhere.csv");
  });
  await t.step("one bad state among good ones costs its own answer only", async () => {
    await files.write("in.json", JSON.stringify([STATE, { ...STATE, Kiln_Coal_PV: null }, STATE]));
    const { code, stdout, stderr } = await task(["optimize", "--json", "--input", `${files.root}/in.json`]);
    assertEquals(code, 1);
    const answers = JSON.parse(stdout);
    assertEquals(answers.map(({ status }: { status: string }) => status), ["success", "error", "success"]);
    assertStringIncludes(stderr, "Kiln_Coal_PV");
  });
});
