/** The kiln strategy of the repository, linked with the built-in plugins where the test runs. */
import { setpointError } from "../../runtime/errors.ts";
import type { SkillFile } from "../../runtime/graph/skill.ts";
import { linkStrategy } from "../../runtime/strategy/link.ts";
import type { LinkedStrategy } from "../../runtime/strategy/linked.ts";
import { readStrategy } from "../../runtime/strategy/load.ts";
import composition from "../../plugins/composition/composition.ts";
import constraint from "../../plugins/constraint/constraint.ts";
import mathFunction from "../../plugins/function/function.ts";
import model from "../../plugins/model/model.ts";
import { inProcessDriver } from "./in_process_driver.ts";
import { smallPlugins } from "./small_plugins.ts";

const FOLDER = new URL("../../strategies/kiln/", import.meta.url);

export const KILN_TEXT = Deno.readTextFileSync(new URL("strategy.yaml", FOLDER));

/** The linker asks an optimizer for nothing but its kind. */
export const BUILTINS = {
  MathFunction: mathFunction,
  InferenceModel: model,
  Constraint: constraint,
  CompositionSkill: composition,
  OptimizationSkill: smallPlugins.Search,
};

export type Files = (path: string) => Uint8Array;

export function kilnFile(path: string): Uint8Array {
  return Deno.readFileSync(new URL(path, FOLDER));
}

/** @param files Answers the paths of the strategy. */
export function linkKiln(text = KILN_TEXT, files: Files = kilnFile): Promise<LinkedStrategy> {
  const resolve = async (path: string): Promise<SkillFile> => {
    const bytes = bytesOf(files, path);
    const sha256 = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.slice())).toHex();
    return { name: path, sha256, bytes };
  };
  return linkStrategy(
    readStrategy(text, { file: "strategy.yaml" }),
    inProcessDriver(BUILTINS),
    resolve,
  );
}

function bytesOf(files: Files, path: string): Uint8Array {
  try {
    return files(path);
  } catch (error) {
    throw setpointError("FILE_MISSING", `Cannot find "${path}"`, { cause: error });
  }
}

/** The kiln as it was before: models get 0 in the place of predicted inputs. */
export function zeroFed(text: string): string {
  return text.replace(/(\n +)(model_path: models\/clinker)/, "$1predicted_inputs: zero$1$2");
}
