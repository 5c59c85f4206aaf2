import { OnnxCalls, type OnnxModule } from "../../runtime/cells/onnx_calls.ts";
import { assertEquals, assertRejects } from "../std/assert.ts";

/** ONNX Runtime with a session that keeps what it is asked; `shape` is its input's. */
function recording(shape: readonly (number | string)[], run: () => number[] = () => [1]) {
  const asked: { readonly dims: readonly number[]; readonly values: number[] }[] = [];
  class Tensor {
    constructor(readonly type: string, readonly data: ArrayLike<number>, readonly dims: readonly number[]) {}
    dispose(): void {}
  }
  const session = {
    inputNames: ["x"],
    outputNames: ["y"],
    inputMetadata: [{ name: "x", isTensor: true, type: "float32", shape }],
    // deno-lint-ignore require-await -- as ONNX Runtime's
    async run({ x }: Record<string, Tensor>) {
      asked.push({ dims: x.dims, values: Array.from(x.data) });
      return { y: new Tensor("float32", Float32Array.from(run()), [1, 1]) };
    },
    release: () => Promise.resolve(),
  };
  const onnx = {
    env: { logLevel: "", wasm: {} },
    Tensor,
    InferenceSession: { create: () => Promise.resolve(session) },
  };
  return { calls: new OnnxCalls(onnx as unknown as OnnxModule, new Uint8Array()), asked };
}

const LOAD = { method: "onnxLoad", digest: "m", bytes: new Uint8Array(), external: [] } as const;

Deno.test("a model runs once when it is loaded, as many rows as its file wants: no call has its first run", async () => {
  for (const [shape, dims] of [[["N", 2], [1, 2]], [[3, 2], [3, 2]]] as const) {
    const { calls, asked } = recording(shape, () => [1, 1, 1]);
    await calls.call(LOAD);
    assertEquals(asked, [{ dims: [...dims], values: new Array(dims[0] * dims[1]).fill(0) }]);
  }
});

Deno.test("a model that cannot run on zeros is loaded all the same, and one of unknown width is not tried", async () => {
  const failing = recording(["N", 2], () => {
    throw new Error("no zeros");
  });
  await failing.calls.call(LOAD);
  await assertRejects(
    () =>
      failing.calls.call({
        ...{
          method: "onnxEvaluate",
          digest: "m",
          batch: new Float64Array(2),
          count: 1,
          inputs: 2,
          outputs: 1,
        },
      }),
    Error,
    "no zeros",
  );
  const open = recording(["N", "K"]);
  await open.calls.call(LOAD);
  assertEquals(open.asked, []);
});
