/** The predecessor's files in the forms that every runtime reads: ONNX and JSON. */
import { setpointError } from "../errors.ts";
import { metadataAsJson, scalersAsJson } from "../graph/model_json.ts";
import { seededRandom } from "../graph/seeded_random.ts";
import { readScalers } from "../graph/scaler_file.ts";
import { exportTorch } from "../graph/torch_export.ts";
import { goldenVectors } from "../graph/torch_forward.ts";
import { type TorchOptions, type TorchSteps, torchSteps } from "../graph/torch_steps.ts";
import { formatOf } from "./model_report.ts";

export interface ImportedFile {
  /** What takes the place of the file's ending. */
  readonly ending: "onnx" | "json" | "metadata.json";
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** An activation that the file does not tell and nobody has named. */
  readonly assumed?: string;
}

const GOLDEN = 16;
const SEED = 20_261_121;

/**
 * @param name The file's name without a folder.
 * @returns The model or the scalers; for a model then its metadata, with golden vectors in its own numbers.
 * @throws {GraphError} TORCH, PICKLE, ZIP, SCALER: what in the file cannot be read. @throws {SetpointError} USAGE: an ONNX file.
 */
export function importModel(bytes: Uint8Array, name: string, options: TorchOptions = {}): ImportedFile[] {
  switch (formatOf(bytes, name)) {
    case "torch": {
      const network = torchSteps(bytes, options);
      const golden = goldenVectors(network, GOLDEN, seededRandom(SEED));
      return [
        {
          ending: "onnx",
          bytes: exportTorch(network, name.replace(/\.[^.]*$/, "")),
          ...assumedIn(network, options),
        },
        { ending: "metadata.json", bytes: encoded(metadataAsJson({ ranges: new Map(), golden })) },
      ];
    }
    case "scalers":
      return [{ ending: "json", bytes: encoded(scalersAsJson(readScalers(bytes))) }];
    default:
      throw setpointError(
        "USAGE",
        `Cannot import "${name}": it is no .pth and no .pkl file; ONNX and JSON files are used as they are`,
      );
  }
}

function assumedIn({ steps }: TorchSteps, { activation, outputActivation = "identity" }: TorchOptions) {
  const hidden = outputActivation === "identity" ? steps : steps.slice(0, -1);
  const assumed = hidden.find((step) => step.kind === "activation")?.activation;
  return activation === undefined && assumed !== undefined ? { assumed } : {};
}

function encoded(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
