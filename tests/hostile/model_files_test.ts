import { assert } from "@std/assert";
import { GraphError } from "../../runtime/graph/expr.ts";
import { readScalers } from "../../runtime/graph/scaler_file.ts";
import { lowerTorch } from "../../runtime/graph/torch_lower.ts";

const FOLDER = new URL("../fixtures/torch/", import.meta.url);

function isSound(file: string, bytes: Uint8Array): boolean {
  if (!file.endsWith(".pth")) {
    return [...readScalers(bytes).values()].every(({ scale, offset }) =>
      scale !== 0 && Number.isFinite(scale + offset)
    );
  }
  const { graph, sources, outputs } = lowerTorch(bytes, { outputActivation: "identity" });
  return sources > 0 && outputs.every((id) => graph.nodes[id].length === 1);
}

Deno.test("Every beginning of a model or scaler file is an error of the reader or a sound model", () => {
  for (
    const file of ["legacy_protocol4.pth", "views.pth", "scalers_old_protocol2.pkl", "scalers_new.joblib"]
  ) {
    const original = Deno.readFileSync(new URL(file, FOLDER));
    for (let length = 0; length < original.length; length++) {
      try {
        assert(isSound(file, original.subarray(0, length)), `${file}, ${length} bytes`);
      } catch (error) {
        assert(error instanceof GraphError, `${file}, ${length} bytes: ${error}`);
      }
    }
  }
});
