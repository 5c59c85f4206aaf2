/** Nothing in the runtime knows the kiln's words, the sign of its weights, or the form of its cost. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { ROOT } from "../../runtime/config.ts";
import { stressedStates } from "../bench/states.ts";
import { seeded } from "../graph/random_graph.ts";
import { parseYaml } from "../../runtime/yaml.ts";
import { KILN_TEXT, linkKiln } from "../strategy/kiln.ts";
import { Plant } from "../strategy/plant.ts";
import { inputOf, openKernel, type State } from "./open_kernel.ts";
import { searched } from "./random_starts.ts";

function declared(text: string, key: string): string[] {
  const section = text.split(new RegExp(`^${key}:$`, "m"))[1].split(/^\S/m)[0];
  return [...section.matchAll(/^ {2}(\w+):/gm)].map((match) => match[1]);
}

/** New words for every variable and skill; a variable's suffixes stay, and a scaler goes by its variable's new name. */
class Renaming {
  readonly #words: ReadonlyMap<string, string>;

  constructor(random: () => number) {
    const names = [...declared(KILN_TEXT, "variables"), ...declared(KILN_TEXT, "skills")];
    this.#words = new Map(
      names.map((name, k) => [name, `w${Math.floor(random() * 1e9).toString(36)}${k}`]),
    );
  }

  word = (word: string): string => {
    const suffix = /_(dof|current|threshold)$/.exec(word)?.[0] ?? "";
    const base = word.slice(0, word.length - suffix.length);
    return this.#words.get(word) ?? (this.#words.has(base) ? this.#words.get(base)! + suffix : word);
  };

  text(): string {
    return KILN_TEXT.split("\n").map((line) =>
      /^\s*#|_path:|^objective|^description/.test(line)
        ? line.replace("cost_function_total", this.word("cost_function_total"))
        : line.replace(/[A-Za-z_]\w*/g, this.word)
    ).join("\n");
  }

  state(state: State): State {
    return Object.fromEntries(Object.entries(state).map(([name, value]) => [this.word(name), value]));
  }

  /** Models beside the strategy, with the keys of their JSON files renamed. */
  async writeModels(folder: string): Promise<void> {
    await Deno.mkdir(`${folder}/models`);
    for await (const { name } of Deno.readDir(`${ROOT}/strategies/kiln/models`)) {
      const [from, to] = [`${ROOT}/strategies/kiln/models/${name}`, `${folder}/models/${name}`];
      if (!name.endsWith(".json")) {
        await Deno.copyFile(from, to);
        continue;
      }
      const content = JSON.parse(await Deno.readTextFile(from));
      for (const key of ["scalers", "ranges"]) {
        if (content[key] === undefined) continue;
        content[key] = Object.fromEntries(
          Object.entries(content[key]).map((
            [variable, value],
          ) => [this.#words.get(`delta_${variable}`) ?? this.word(variable), value]),
        );
      }
      await Deno.writeTextFile(to, JSON.stringify(content));
    }
  }
}

Deno.test("optimize() gives the same cost and moves when all variables and skills have other names", async () => {
  const renaming = new Renaming(seeded(8));
  const text = renaming.text();
  assert(!/Kiln_|Clinker|Cooler|limit_co\b/.test(text.replace(/^\s*#.*$/gm, "")), "every name is another");
  const folder = await Deno.makeTempDir({ prefix: "setpoint-renamed-" });
  try {
    await renaming.writeModels(folder);
    await Deno.writeTextFile(`${folder}/strategy.yaml`, text);
    await using original = await openKernel();
    await using renamed = await openKernel({
      env: { SETPOINT_OPTIMIZATION_CONFIG_FILE: `${folder}/strategy.yaml` },
    });
    for (const state of [inputOf("kiln/nominal"), ...stressedStates(10, 4)]) {
      const expected = await original.answer(state);
      const answer = await renamed.answer(renaming.state(state));
      assertEquals(answer.outcome, expected.outcome);
      assertEquals(answer.cost_function_value, expected.cost_function_value);
      assertEquals(
        answer.actuators.map(({ name, after }) => [name, after]),
        expected.actuators.map(({ name, after }) => [renaming.word(name), after]),
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** The kiln with another formula in the place of its score or its cost. */
function kilnWith(change: { score?: string; cost?: string }): string {
  let text = KILN_TEXT;
  const replace = (skill: string, next: string, formula: string) => {
    const pattern = new RegExp(`(\\n  ${skill}:[\\s\\S]*?formula: >-\\n)[\\s\\S]*?(?=\\n  ${next}|\\n\\n)`);
    assert(pattern.test(text), skill);
    text = text.replace(pattern, `$1        ${formula}`);
  };
  if (change.score !== undefined) replace("score", "#", change.score);
  if (change.cost !== undefined) replace("cost", "#", change.cost);
  return text;
}

interface Form {
  readonly name: string;
  readonly concave?: true;
  readonly score?: string;
  readonly cost?: string;
}

const [CURRENT, CO, CLINKER] = ["Kiln_Drive_Current", "Calciner_outlet_CO", "Clinker_temperature"].map((
  name,
) => `constraint_${name}`);
const MOVES =
  "delta_Kiln_Coal_PV / Kiln_Coal_PV_threshold - delta_combined_Feed_rate / combined_Feed_rate_threshold";

/** `concave`: there are local optima, of which a solver may find any. All others are compared with a search. */
const FORMS: readonly Form[] = [
  {
    name: "weights with the other sign",
    concave: true,
    cost: `-(${MOVES}) + 100 * kpi_total_constraints`,
  },
  { name: "a score under a negative weight", score: `0.5 * ${CURRENT} - 0.25 * ${CO} + 0.25 * ${CLINKER}` },
  { name: "the worst score", score: `min(${CURRENT}, ${CO}, ${CLINKER})` },
  { name: "the best score, clipped", score: `max(clip(${CURRENT}, 0, 1), min(${CO}, ${CLINKER}) / 2)` },
  { name: "a product of scores", score: `${CURRENT} * ${CO} * ${CLINKER}` },
  {
    name: "a score times moves",
    cost: `(${MOVES}) * max(0.1, kpi_total_constraints) - 100 * kpi_total_constraints`,
  },
  {
    name: "abs in min in max",
    cost:
      `max(${MOVES}, -1.5) + 3 * abs(min(delta_Kiln_Coal_PV / Kiln_Coal_PV_threshold + 0.25, 1)) - 100 * kpi_total_constraints`,
  },
  { name: "a score in a condition", cost: `${MOVES} - (100 if kpi_total_constraints >= 0.95 else 20)` },
];

Deno.test("optimize() of the kiln reports the exact cost, never above that of not moving, whatever its form", async (t) => {
  await using opened = await openKernel();
  const random = seeded(12);
  for (const { name, concave, ...change } of FORMS) {
    await t.step(name, async () => {
      const text = kilnWith(change);
      const linked = await linkKiln(text);
      const config = parseYaml(text, { maxBytes: 65_536 }).value;
      for (const state of stressedStates(4, 21)) {
        const answer = await opened.answer(state, config);
        assertEquals(answer.outcome, "solved", JSON.stringify(answer.reason));
        const plant = new Plant(linked, state);
        const x = Object.fromEntries(
          Object.entries(answer.optimized_variables).map((
            [variable, { optimizer_suggested_value: value }],
          ) => [variable, value!]),
        );
        const exact = plant.value("cost_function_total", x);
        const slack = 1e-9 * Math.max(1, Math.abs(exact));
        assertAlmostEquals(answer.cost_function_value!, exact, slack);
        assertAlmostEquals(answer.cost_before!, plant.value("cost_function_total"), slack);
        assert(answer.cost_function_value! <= answer.cost_before! + slack);
        if (concave) continue;
        const found = searched(linked, state, random, 6_000);
        assert(exact <= found + 1e-3, `${exact}, but ${found} is there`);
      }
    });
  }
});
