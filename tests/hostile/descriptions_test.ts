/** Whatever a plugin describes, it is linked beside the kernel, or refused by a message that names skill, class and limit. */
import { SetpointError } from "../../runtime/errors.ts";
import { openKernel } from "../kernel/open_kernel.ts";
import { assert, assertEquals, assertMatch } from "../std/assert.ts";
import { DESCRIBED, describingPlugin, DESCRIPTIONS } from "./descriptions.ts";

const HONEST = describingPlugin({ body: 'output = g.binary("mul", x, y);' });

Deno.test("a description of any size is linked, or refused by skill, class and limit", async (t) => {
  await using opened = await openKernel({ strategy: DESCRIBED, files: { "own.ts": HONEST } });
  const { kernel, folder } = opened;
  // the kernel takes up what changes beside its own strategy
  const tried = `${folder}/tried`;
  await Deno.mkdir(tried);
  const file = `${tried}/strategy.yaml`;
  for (const description of DESCRIPTIONS) {
    await t.step(description.name, async () => {
      await Deno.writeTextFile(`${tried}/own.ts`, describingPlugin(description));
      const said = await kernel.validate(DESCRIBED, file).then(() => "links", (error) => {
        assert(error instanceof SetpointError, error.stack);
        assertEquals(error.problems.map(({ at }) => at?.file), [file]);
        return error.message;
      });
      if (description.says === "links") assertEquals(said, "links");
      else assertMatch(said, description.says);
    });
  }
  const { outcome } = await opened.answer({ x: 3, y: 4 });
  assertEquals(outcome, "solved");
  assertEquals(kernel.plugins().filter(({ failures }) => failures > 0), []);
});
