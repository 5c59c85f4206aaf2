import { assert, assertEquals } from "@std/assert";
import { ROOT } from "../../runtime/config.ts";
import { deploy } from "../faults/versions.ts";
import { seeded } from "../graph/random_graph.ts";
import { linkKiln } from "../strategy/kiln.ts";
import { openKernel, type State } from "./open_kernel.ts";
import { searched } from "./random_starts.ts";

const STORE = `${ROOT}/tests/fixtures/legacy/store`;

Deno.test("optimize() runs a strategy of the predecessor from its store under the pointer's name and version", async () => {
  const metadata = await Deno.makeTempDir({ prefix: "setpoint-legacy-" });
  try {
    await deploy(metadata, "0.9.0");
    await using opened = await openKernel({
      env: { SETPOINT_STORAGE_DIRECTORY: STORE, SETPOINT_FOLDERS_METADATA: metadata },
    });
    assertEquals(opened.kernel.status().strategy?.version, "0.9.0");
    const text = await Deno.readTextFile(`${STORE}/configs/config-0.9.0.yaml`);
    const { files } = JSON.parse(await Deno.readTextFile(`${STORE}/manifest.json`));
    const linked = await linkKiln(text, (path) => {
      const logical = `models/${path.replace(/^(\.\.\/)+/, "")}`;
      return Deno.readFileSync(`${STORE}/${files[logical].file ?? logical}`);
    });
    const { cases } = JSON.parse(await Deno.readTextFile(`${STORE}/../expected.json`));
    const states = [...new Set((cases as { state: State }[]).map(({ state }) => JSON.stringify(state)))];
    const random = seeded(2);
    for (const state of states.slice(0, 6).map((each): State => JSON.parse(each))) {
      const answer = await opened.answer(state);
      assertEquals(answer.outcome, "solved", JSON.stringify(answer.reason));
      const found = searched(linked, state, random, 6_000);
      assert(
        answer.cost_function_value! <= found + 1e-3,
        `${answer.cost_function_value}, but ${found} is there`,
      );
      assert(answer.warnings.some(({ code }) => code === "KPI_UNREAD"));
    }
  } finally {
    await Deno.remove(metadata, { recursive: true });
  }
});
