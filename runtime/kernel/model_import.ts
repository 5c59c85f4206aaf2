/** The predecessor's files in the forms that every runtime reads: ONNX and JSON. */
import { exportOnnx } from "../graph/onnx_export.ts";
import { readScalers } from "../graph/scaler_file.ts";
import { lowerTorch, type TorchOptions } from "../graph/torch_lower.ts";
import { setpointError } from "../errors.ts";
import { formatOf } from "./model_report.ts";

export interface ImportedModel {
  /** What takes the place of the file's ending. */
  readonly ending: "onnx" | "json";
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * @param name The file's name without a folder.
 * @throws {GraphError} TORCH, PICKLE, ZIP, SCALER: what in the file cannot be read. @throws {SetpointError} USAGE: an ONNX file.
 */
export function importModel(bytes: Uint8Array, name: string, options: TorchOptions = {}): ImportedModel {
  switch (formatOf(bytes, name)) {
    case "torch":
      return { ending: "onnx", bytes: exportOnnx(lowerTorch(bytes, options), name.replace(/\.[^.]*$/, "")) };
    case "scalers": {
      const entries = [...readScalers(bytes)].map((
        [variable, { scale, offset }],
      ) => [variable, { scale, offset }]);
      const content = { format: "setpoint/scalers/v1", scalers: Object.fromEntries(entries) };
      return { ending: "json", bytes: new TextEncoder().encode(`${JSON.stringify(content, null, 2)}\n`) };
    }
    case "onnx":
      throw setpointError("USAGE", `Cannot import "${name}": it is no .pth and no .pkl file`);
  }
}
