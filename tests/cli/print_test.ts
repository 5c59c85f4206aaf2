import { assertEquals } from "@std/assert";
import { exitCode } from "../../runtime/cli/print.ts";
import { type ErrorCode, setpointError } from "../../runtime/errors.ts";
import { answerText } from "../../runtime/cli/answer_text.ts";
import { Progress } from "../../runtime/cli/progress.ts";
import { counted, figure, signed, table } from "../../runtime/cli/table.ts";
import { fakeKernel } from "../http/fake_kernel.ts";

Deno.test("table() lines columns up and leaves no space at a line's end", () => {
  assertEquals(
    table([{ title: "Name" }, { title: "value", align: "right" }, { title: "unit" }], [["a", "10.5", ""], [
      "longer",
      "1",
      "t/h",
    ]]),
    [
      "Name    value  unit",
      "a        10.5",
      "longer      1  t/h",
    ],
  );
});

Deno.test("counted() says one thing, and several", () => {
  assertEquals([0, 1, 2].map((count) => counted(count, "decision")), [
    "0 decisions",
    "1 decision",
    "2 decisions",
  ]);
});

Deno.test("figure() and signed() print what an operator reads", () => {
  assertEquals([8.45, 20500, 0.1 + 0.2, 1.2e-9, -0, null].map(figure), [
    "8.45",
    "20500",
    "0.3",
    "1.2e-9",
    "0",
    "-",
  ]);
  assertEquals([1, -1, 0, 1e-30 * 0].map(signed), ["+1", "-1", "0", "0"]);
});

Deno.test("answerText() shows outcome, cost, moves, effect and active limits", async () => {
  const answer = await fakeKernel().optimize({ input: { coal: 8.5, feed: 170 }, origin: "cli" });
  assertEquals(
    answerText({ ...answer, warnings: [{ code: "X", message: "Something to know" }] }),
    `tanks 1.0.0: solved in 2.3 ms, 8 iterations
Cost -100 now, -102 then (-2)

Setpoint  before  after  delta  unit
coal         8.5   8.45  -0.05  t/h
(1 other stays as it is)

Effect             before  after  delta  unit
predicted_current     520  521.5   +1.5  A

Active limit  side   value  limit  unit  worth per unit
coal          lower   8.45   8.45  t/h               20

Warning: Something to know`,
  );
});

Deno.test("answerText() of an infeasible plant says what cannot hold and by how much", async () => {
  const answer = await fakeKernel().optimize({ input: { coal: 8.5, feed: 170 }, origin: "cli" });
  const text = answerText({
    ...answer,
    status: "infeasible",
    outcome: "infeasible",
    reason: { code: "INFEASIBLE", message: "No point holds every limit" },
    cost_function_value: null,
    actuators: [],
    predicted_variables: {},
    active_limits: [],
    violations: [{
      name: "level",
      side: "upper",
      value: 5.2,
      limit: 5,
      amount: 0.2,
      units: "m",
      alone: true,
    }],
  });
  assertEquals(text.split("\n"), [
    "tanks 1.0.0: infeasible in 2.3 ms, 8 iterations",
    "No point holds every limit (INFEASIBLE)",
    "Cost -100 now",
    "",
    "Cannot hold level: at best 5.2 m, 0.2 m above its limit 5, whatever else gives",
  ]);
});

Deno.test("Progress redraws once a percent and takes its line back", () => {
  const written: string[] = [];
  {
    using progress = new Progress(1000, (text) => written.push(text));
    for (let i = 0; i <= 1000; i++) progress.update(i);
  }
  assertEquals(written.length, 102);
  assertEquals(written[50], `\r[${"#".repeat(20)}${".".repeat(20)}] 500/1000`);
  assertEquals(written[101].trim(), "");
});

Deno.test("exitCode() is 2 for what no restart mends", () => {
  const of = (code: ErrorCode, service: boolean) => exitCode(setpointError(code, "Cannot"), service);
  assertEquals([of("USAGE", false), of("INPUT_INVALID", false), of("STRATEGY_INVALID", false)], [2, 1, 1]);
  assertEquals([of("PORT_IN_USE", true), of("STRATEGY_INVALID", true), of("PLUGIN_INVALID", true)], [
    2,
    2,
    2,
  ]);
  assertEquals([of("PLUGIN_DIED", true), exitCode(new TypeError("x"), true), exitCode(new TypeError("x"))], [
    1,
    1,
    1,
  ]);
});
