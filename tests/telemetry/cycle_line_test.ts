import { assertEquals } from "@std/assert";
import { cycleLine } from "../../runtime/telemetry/cycle_line.ts";

const CYCLE = {
  cycle_id: "1",
  outcome: "solved",
  reason: null,
  cost_before: -100,
  cost: -102.00000000000001,
  actuators: [{ name: "coal", delta: -0.05, after: 8.45, units: "t/h" }, {
    name: "fan",
    delta: 1e-9,
    after: 900,
    units: "RPM",
  }],
};

Deno.test("cycleLine() tells the moves, or why there are none", () => {
  assertEquals(cycleLine(CYCLE), "Cycle solved: cost -100 → -102; coal 8.45 t/h (-0.05)");
  assertEquals(cycleLine({ ...CYCLE, actuators: [] }), "Cycle solved: cost -100 → -102; nothing moves");
  const reason = { code: "NO_NEW_ROW", message: "There is no row after the last one" };
  assertEquals(
    cycleLine({ ...CYCLE, outcome: "data_rejected", reason, cost: null }),
    "Cycle data_rejected: There is no row after the last one (NO_NEW_ROW)",
  );
});
