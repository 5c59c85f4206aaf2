/** What a command does with one model file. */
import { TORCH_ACTIVATIONS, type TorchOptions } from "../kernel/model_report.ts";
import { type Problem, SetpointError, setpointError, whyUnreadable } from "../errors.ts";

/** Absolute path → its bytes. @throws {SetpointError} USAGE */
export async function readModelFile(file: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(file);
  } catch (cause) {
    throw setpointError("USAGE", `Cannot read the model: ${whyUnreadable(cause)}`, { at: { file }, cause });
  }
}

/** An error of a reader, at the file. */
export function atFile<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SetpointError || !(error instanceof Error) || error.name !== "GraphError") {
      throw error;
    }
    const problem: Problem = { code: "MODEL_INVALID", message: error.message, at: { file } };
    throw new SetpointError([problem], { cause: error });
  }
}

/** What a state dict does not tell, as flags. */
export interface TorchFlags {
  readonly activation?: string;
  readonly outputActivation?: string;
  readonly eps?: string;
}

/** @throws {SetpointError} USAGE */
export function torchOptionsOf({ activation, outputActivation, eps }: TorchFlags): TorchOptions {
  const known = (name: string) => {
    const found = TORCH_ACTIVATIONS.find((activation) => activation === name);
    if (found !== undefined) return found;
    throw setpointError("USAGE", `Cannot use activation "${name}", expected ${TORCH_ACTIVATIONS.join(", ")}`);
  };
  if (eps !== undefined && !(Number(eps) > 0 && Number(eps) < Infinity)) {
    throw setpointError("USAGE", `Cannot use eps "${eps}", expected a number above 0`);
  }
  return {
    ...(activation !== undefined && { activation: known(activation) }),
    ...(outputActivation !== undefined && { outputActivation: known(outputActivation) }),
    ...(eps !== undefined && { eps: Number(eps) }),
  };
}

export function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf("/")) || "/";
}

export function baseName(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1);
}
