/** What a command does with one model file. */
import { TORCH_ACTIVATIONS, type TorchActivation } from "../kernel/model_report.ts";
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

/** @throws {SetpointError} USAGE */
export function activationOf(name: string | undefined): { readonly activation?: TorchActivation } {
  if (name === undefined) return {};
  const activation = TORCH_ACTIVATIONS.find((known) => known === name);
  if (activation !== undefined) return { activation };
  throw setpointError("USAGE", `Cannot use activation "${name}", expected ${TORCH_ACTIVATIONS.join(", ")}`);
}

export function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf("/")) || "/";
}

export function baseName(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1);
}
