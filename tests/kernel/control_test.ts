import { assertEquals } from "@std/assert";
import { controlOf } from "../../runtime/kernel/control.ts";

const GOOD = { doubts: [], open: [] };

Deno.test("controlOf() gives what is requested where nothing speaks against it", () => {
  assertEquals(controlOf({ requested: "advisory", trust: GOOD, outcome: "solved" }), {
    requested: "advisory",
    actual: "advisory",
  });
  assertEquals(controlOf({ requested: "closed_loop", trust: GOOD, outcome: "acceptable" }), {
    requested: "closed_loop",
    actual: "closed_loop",
  });
});

Deno.test("controlOf() lowers closed_loop with the reason: outcome, doubt, bad measurement, open verdict, no strategy", () => {
  const reasonOf = (facts: Parameters<typeof controlOf>[0]) => {
    const { actual, reason } = controlOf(facts);
    assertEquals(actual, "advisory");
    return reason;
  };
  const requested = "closed_loop";
  assertEquals(reasonOf({ requested, trust: GOOD, outcome: "infeasible" }), "the run ended infeasible");
  const doubted = { doubts: ["model m differs"], open: ["model k is open"] };
  assertEquals(reasonOf({ requested, trust: doubted, outcome: "solved" }), "model m differs");
  assertEquals(reasonOf({ requested, trust: { ...doubted, doubts: [] } }), "model k is open");
  assertEquals(
    reasonOf({ requested, trust: GOOD, outcome: "solved", replaced: ["feed"] }),
    "the measurement of feed is not usable",
  );
  assertEquals(reasonOf({ requested }), "no strategy is loaded");
});

Deno.test("controlOf() tells advisors of doubts, and not of what they need not wait for", () => {
  const trust = { doubts: [], open: ["model k is open"] };
  assertEquals(controlOf({ requested: "advisory", trust, replaced: ["feed"] }).reason, undefined);
  const doubted = { doubts: ["model m differs"], open: [] };
  assertEquals(controlOf({ requested: "advisory", trust: doubted }).reason, "model m differs");
});
