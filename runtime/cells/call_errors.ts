/** Every failure of a call names the plugin, the method and, where there is one, the skill. */
import { placeIn } from "../built_file.ts";
import { type ErrorCode, type SetpointError, setpointError } from "../errors.ts";
import { SkillError } from "../graph/skill.ts";
import type { CallError, Method } from "./protocol.ts";

/** Who is called. */
export interface CallLabel {
  /** "name@version", or what is known of it before it is loaded. */
  readonly plugin: string;
  readonly method: Method;
  readonly skill?: string;
  readonly strategy?: string;
  /** The plugin's file, for positions. */
  readonly file: string;
  /** What it says, for the positions of one that was built from several. */
  readonly text?: string;
}

const METHOD_NAMES: Partial<Record<Method, string>> = {
  spawn: "load",
  onnxLoad: "load",
  onnxUnload: "unload",
  onnxEvaluate: "evaluate",
};

export function callFailed(
  code: ErrorCode,
  { plugin, method, skill, strategy }: CallLabel,
  why: string,
  details: Parameters<typeof setpointError>[2] = {},
): SetpointError {
  const names = [
    strategy !== undefined && `strategy "${strategy}"`,
    skill !== undefined && `skill "${skill}"`,
  ];
  const known = names.filter((name) => name !== false);
  const where = known.length === 0 ? "" : ` (${known.join(", ")})`;
  return setpointError(
    code,
    `Cannot call "${plugin}".${METHOD_NAMES[method] ?? method}: ${why}${where}`,
    details,
  );
}

/** Where a plugin looks at what a strategy says of a skill. */
const READS_SKILLS: readonly Method[] = ["lower", "sequence"];

/** What the plugin itself threw. A SkillError there stays one: it is an answer, not a fault. */
export function answerError(error: CallError, label: CallLabel): SetpointError | SkillError {
  if (error.kind === "skill" && READS_SKILLS.includes(label.method)) {
    return new SkillError(error.problems ?? [{ message: error.message }]);
  }
  const { line, column } = error;
  const place = line === undefined ? { file: label.file } : placeIn(label.text ?? "", label.file, line);
  const at = {
    ...place,
    ...(column !== undefined && { column }),
  };
  if (error.kind === "invalid") {
    return setpointError("PLUGIN_INVALID", `Cannot load plugin "${label.plugin}": ${error.message}`, { at });
  }
  if (error.kind === "evaluation") return callFailed("EVALUATION_FAILED", label, error.message);
  return callFailed("PLUGIN_FAILED", label, error.message, line === undefined ? {} : { at });
}
