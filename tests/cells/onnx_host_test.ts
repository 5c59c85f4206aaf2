import { SetpointError } from "../../runtime/errors.ts";
import { type OnnxSpec, writeOnnx } from "../../runtime/graph/onnx_writer.ts";
import { eventually } from "../std/eventually.ts";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../std/assert.ts";
import { DESCENT } from "./plugins.ts";
import { foreignProblem, lives, runOf, startHost } from "./start.ts";

/** y = x0² + x1², as [N, 2] → [N, 1]; `rows` fixes N. */
function squares(rows: number | string = "N"): OnnxSpec {
  return {
    name: "squares",
    inputs: [{ name: "x", shape: [rows, 2] }],
    outputs: [{ name: "y", shape: [rows, 1] }],
    initializers: [{ name: "w", shape: [2, 1], data: [1, 1] }],
    nodes: [
      { op: "Mul", inputs: ["x", "x"], outputs: ["xx"] },
      { op: "MatMul", inputs: ["xx", "w"], outputs: ["y"] },
    ],
  };
}

/** A tree: 3 where x0 ≤ 0.5, else 7. */
const TREE: OnnxSpec = {
  name: "tree",
  opsets: { "": 17, "ai.onnx.ml": 3 },
  inputs: [{ name: "x", shape: ["N", 2] }],
  outputs: [{ name: "y", shape: ["N", 1] }],
  nodes: [{
    op: "TreeEnsembleRegressor",
    domain: "ai.onnx.ml",
    inputs: ["x"],
    outputs: ["y"],
    attributes: {
      n_targets: { int: 1 },
      nodes_treeids: { ints: [0, 0, 0] },
      nodes_nodeids: { ints: [0, 1, 2] },
      nodes_featureids: { ints: [0, 0, 0] },
      nodes_values: { floats: [0.5, 0, 0] },
      nodes_modes: { texts: ["BRANCH_LEQ", "LEAF", "LEAF"] },
      nodes_truenodeids: { ints: [1, 0, 0] },
      nodes_falsenodeids: { ints: [2, 0, 0] },
      target_treeids: { ints: [0, 0] },
      target_nodeids: { ints: [1, 2] },
      target_ids: { ints: [0, 0] },
      target_weights: { floats: [3, 7] },
    },
  }],
};

/** Two inputs, [N, 1] and [N, 2], and two outputs: a + 10·b0 + 100·b1, and a. */
const TWO: OnnxSpec = {
  name: "two",
  inputs: [{ name: "a", shape: ["N", 1] }, { name: "b", shape: ["N", 2] }],
  outputs: [{ name: "s", shape: ["N", 1] }, { name: "t", shape: ["N", 1] }],
  initializers: [{ name: "w", shape: [3, 1], data: [1, 10, 100] }],
  nodes: [
    { op: "Concat", inputs: ["a", "b"], outputs: ["ab"], attributes: { axis: { int: 1 } } },
    { op: "MatMul", inputs: ["ab", "w"], outputs: ["s"] },
    { op: "Identity", inputs: ["a"], outputs: ["t"] },
  ],
};

async function withDigest(spec: OnnxSpec): Promise<{ bytes: Uint8Array<ArrayBuffer>; digest: string }> {
  const bytes = writeOnnx(spec);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return { bytes, digest: Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("") };
}

Deno.test("ONNX Runtime evaluates batches in a cell of its own, which starts with the first model", async () => {
  await using started = startHost();
  const { onnx } = started.host;
  assertEquals(started.host.status(), []);
  const models = await Promise.all([squares(), squares(1), TREE, TWO].map(withDigest));
  for (const { digest, bytes } of models) await onnx.load(digest, bytes);
  const [any, one, tree, two] = models.map(({ digest }) => digest);
  const batch = Float64Array.of(1, 2, 3, 4, -1, 0.5);
  assertEquals(await onnx.evaluate(any, batch, 3, 2, 1), Float64Array.of(5, 25, 1.25));
  assertEquals(await onnx.evaluate(one, batch, 3, 2, 1), Float64Array.of(5, 25, 1.25));
  assertEquals(await onnx.evaluate(tree, batch, 3, 2, 1), Float64Array.of(7, 7, 3));
  const rows = Float64Array.of(1, 2, 3, 4, -1, 0.5);
  assertEquals(await onnx.evaluate(two, rows, 2, 3, 2), Float64Array.of(321, 1, 44, 4));
  assertEquals(started.host.status().map(({ id, state }) => [id, state]), [["onnx", "ready"]]);
});

Deno.test("a model whose bytes have another digest never reaches ONNX Runtime", async () => {
  await using started = startHost();
  const { digest, bytes } = await withDigest(squares());
  bytes[bytes.length >> 1] ^= 1;
  const error = await assertRejects(() => started.host.onnx.load(digest, bytes), SetpointError);
  assertEquals(error.code, "ARTIFACT_CORRUPT");
  assertEquals(started.host.status(), []);
});

Deno.test("what ONNX Runtime refuses is an error that names the model, and the others go on", async () => {
  await using started = startHost();
  const { onnx } = started.host;
  const good = await withDigest(squares());
  await onnx.load(good.digest, good.bytes);
  const broken = await withDigest({
    ...squares(),
    nodes: [{ op: "NoSuchOp", inputs: ["x"], outputs: ["y"] }],
  });
  const error = await assertRejects(() => onnx.load(broken.digest, broken.bytes), SetpointError);
  assertEquals(error.code, "PLUGIN_FAILED");
  assertStringIncludes(error.message, broken.digest.slice(0, 12));
  const shape = await assertRejects(
    () => onnx.evaluate(good.digest, new Float64Array(3), 1, 3, 1),
    SetpointError,
  );
  assertStringIncludes(shape.message, "3 inputs");
  const width = await assertRejects(
    () => onnx.evaluate(good.digest, new Float64Array(2), 1, 2, 2),
    SetpointError,
  );
  assertStringIncludes(width.message, "expected 2");
  const unknown = await assertRejects(
    () => onnx.evaluate("beef", new Float64Array(2), 1, 2, 1),
    SetpointError,
  );
  assertStringIncludes(unknown.message, "not loaded");
  assertEquals(await onnx.evaluate(good.digest, Float64Array.of(3, 4), 1, 2, 1), Float64Array.of(25));
});

Deno.test("a model that fails again and again shuts out no other", async () => {
  await using started = startHost();
  const { onnx } = started.host;
  const good = await withDigest(squares());
  const two = await withDigest(TWO);
  for (const { digest, bytes } of [good, two]) await onnx.load(digest, bytes);
  for (let k = 0; k < 12; k++) {
    await assertRejects(() => onnx.evaluate(two.digest, new Float64Array(3), 1, 3, 1), SetpointError);
  }
  assertEquals(await onnx.evaluate(good.digest, Float64Array.of(3, 4), 1, 2, 1), Float64Array.of(25));
});

Deno.test("SIGKILL of ONNX Runtime's cell: its models are loaded again", async () => {
  await using started = startHost();
  const { onnx } = started.host;
  const { digest, bytes } = await withDigest(squares());
  await onnx.load(digest, bytes);
  const pid = started.host.status()[0].pid!;
  Deno.kill(pid, "SIGKILL");
  await eventually("its death is noticed", () => started.lines.length > 0);
  assertEquals(await onnx.evaluate(digest, Float64Array.of(3, 4), 1, 2, 1), Float64Array.of(25));
  assert(!lives(pid));
  await onnx.unload(digest);
  await assertRejects(
    () => onnx.evaluate(digest, Float64Array.of(3, 4), 1, 2, 1),
    SetpointError,
    "not loaded",
  );
});

Deno.test("a solve calls ONNX Runtime in its middle", async () => {
  await using started = startHost({ optimizerWorkers: 1 });
  const { digest, bytes } = await withDigest(squares());
  const descent = await started.host.open({ id: "descent", text: DESCENT });
  await started.host.onnx.load(digest, bytes);
  const problem = foreignProblem({ engine: "onnx", digest, inputs: 2, outputs: 1, steps: [0.01, 0.01] });
  await descent.load("foreign", problem);
  const { x } = await descent.optimize("foreign", runOf(0, 60_000));
  for (const value of x) assertAlmostEquals(value, 0, 1e-3);
});
