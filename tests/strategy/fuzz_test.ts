import { assert, assertEquals } from "@std/assert";
import { SetpointError } from "../../runtime/errors.ts";
import { linkStrategy } from "../../runtime/strategy/link.ts";
import { readStrategy, readStrategyJson } from "../../runtime/strategy/load.ts";
import type { Strategy } from "../../runtime/strategy/strategy.ts";
import { inProcessDriver, noFiles } from "./in_process_driver.ts";
import { HEAD } from "./plant.ts";
import { smallPlugins } from "./small_plugins.ts";

const PLANT = {
  variables: {
    x: { type: "Operative", units: "t/h", threshold: 2, min: 0, max: 9 },
    a: { type: "Operative", threshold: 1 },
    m: { type: "Informative", valid_min: 0 },
    g: { type: "Calculated", threshold: 1 },
    d: { type: "Delta" },
    p: { type: "Predicted", max: 8 },
    cost: { type: "CalculatedKPI" },
  },
  skills: {
    group: { class: "Formula", inputs: ["a"], outputs: ["g"], config: { formula: "a * 2" } },
    delta: { class: "Formula", inputs: ["x"], outputs: ["d"], config: { formula: "x_dof - x_current" } },
    predict: { class: "Foreign", inputs: ["d", "m"], outputs: ["p"] },
    limit: { class: "Range", inputs: ["p"], outputs: ["p"], config: { upper: 8, mode: "soft" } },
    cost: { class: "Formula", inputs: ["d", "g", "p"], outputs: ["cost"], config: { formula: "d + g * p" } },
    flow: {
      class: "Steps",
      inputs: ["x", "g"],
      outputs: ["cost"],
      config: { steps: ["delta", "predict", "limit", "cost"] },
    },
    best: {
      class: "Search",
      inputs: ["x", "g"],
      outputs: ["x", "g"],
      config: { cost_skill_name: "flow", cost_feature_name: "cost" },
    },
  },
  tasks: [{ name: "PreCalculateVariables", skill_sequence: ["group"] }, {
    name: "Main",
    skill_sequence: ["best"],
  }],
};

/** Seeded, an integer below `below` (xorshift). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** "linked", or the code of the first problem; any other end fails the test. */
async function endOf(read: () => Strategy): Promise<string> {
  try {
    await linkStrategy(read(), inProcessDriver(smallPlugins), noFiles);
    return "linked";
  } catch (error) {
    if (!(error instanceof SetpointError)) throw error;
    assert(error.problems.length > 0);
    return error.code;
  }
}

Deno.test("linkStrategy() ends with a link or named problems on 1,500 mutants of a text", async () => {
  const random = generator(77);
  const text = HEAD +
    Object.entries(PLANT).map(([key, part]) => `${key}: ${JSON.stringify(part)}\n`).join("");
  assertEquals(await endOf(() => readStrategy(text)), "linked");
  const words = text.match(/\w+/g)!;
  const marks = [..."{}[]:,-'\"#&*!|>\n\t 0.", "null", "1e999", "__proto__", ".nan", "true"];
  const ends = new Map<string, number>();
  for (let k = 0; k < 1500; k++) {
    let mutant = text;
    for (let edits = 1 + random(2); edits > 0; edits--) {
      const at = random(mutant.length);
      const word = random(2) === 0 ? words[random(words.length)] : marks[random(marks.length)];
      const whole = /^\w+/.exec(mutant.slice(at))?.[0].length ?? 1;
      mutant = mutant.slice(0, at) + word + mutant.slice(at + random(2) * whole);
    }
    const end = await endOf(() => readStrategy(mutant));
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  assert(ends.size >= 8 && ends.get("linked")! >= 20, JSON.stringify([...ends]));
});

Deno.test("linkStrategy() ends with a link or named problems on 1,500 mutants of posted JSON", async () => {
  const random = generator(99);
  const plugins = { Formula: "f.ts", Range: "r.ts", Foreign: "o.ts", Steps: "s.ts", Search: "t.ts" };
  const sound = JSON.stringify({ apiVersion: "setpoint/v1", plugins, ...PLANT });
  const strays = [null, true, -1, 0, 1e308, "", "x", "cost", "flow", "best", [], {}, ["x"], ["best"], {
    a: 1,
  }];
  const ends = new Map<string, number>();
  for (let k = 0; k < 1500; k++) {
    const mutant = JSON.parse(sound);
    for (let edits = 1 + random(2); edits > 0; edits--) {
      let parent = mutant;
      for (;;) {
        const keys = Object.keys(parent);
        if (keys.length === 0) break;
        const key = keys[random(keys.length)];
        const inner = parent[key];
        if (typeof inner === "object" && inner !== null && random(4) > 0) {
          parent = inner;
          continue;
        }
        if (random(6) === 0) delete parent[key];
        else parent[key] = structuredClone(strays[random(strays.length)]);
        break;
      }
    }
    const end = await endOf(() => readStrategyJson(mutant, { pointer: "/config" }));
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  assert(ends.size >= 5 && ends.get("linked")! >= 20, JSON.stringify([...ends]));
});
