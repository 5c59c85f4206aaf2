import { type Problem, SetpointError } from "../errors.ts";
import type { Answer, Kernel } from "../kernel/types.ts";
import { answerText } from "./answer_text.ts";
import { type InputState, readInputFile } from "./input_file.ts";
import { printError, printRaw, printText } from "./print.ts";
import { Progress } from "./progress.ts";

export interface OptimizeOptions {
  /** Absolute. */
  readonly input: string;
  /** One answer a state in JSON: an object for a file with one state, else an array. */
  readonly json: boolean;
  readonly debug?: boolean;
}

/**
 * Optimizes every state of a file and prints the answers. A state that cannot be used is told and left out, unless it
 * is the only one.
 * @returns 0, or 1 if a state has no answer of use (an infeasible plant is an answer).
 * @throws {SetpointError} For a file that cannot be read, or its only state.
 */
export async function optimize(kernel: Kernel, { input, json, debug }: OptimizeOptions): Promise<number> {
  const { states, single } = await readInputFile(input);
  await kernel.load();
  using progress = new Progress(states.length);
  let failed = 0;
  if (json && !single) printRaw("[\n");
  for (const [i, state] of states.entries()) {
    progress.update(i);
    const last = i === states.length - 1;
    const result = await answerOf(kernel, state);
    if (!json || result instanceof SetpointError) progress.clear();
    if (result instanceof SetpointError) {
      failed++;
      if (states.length === 1) throw result;
      if (json) printRaw(`${JSON.stringify(refusal(result))}${last ? "\n" : ",\n"}`);
      printError(result, debug);
      continue;
    }
    if (result.outcome === "failed" || result.outcome === "timeout") failed++;
    if (!json) printText(`${single ? "" : `${i > 0 ? "\n" : ""}${state.label}: `}${answerText(result)}`);
    else {printRaw(
        single ? `${JSON.stringify(result, null, 2)}\n` : `${JSON.stringify(result)}${last ? "\n" : ",\n"}`,
      );}
  }
  if (json && !single) printRaw("]\n");
  return failed > 0 ? 1 : 0;
}

/** The kernel knows a variable; the file knows where it stands. */
async function answerOf(kernel: Kernel, state: InputState): Promise<Answer | SetpointError> {
  try {
    return await kernel.optimize({ input: state.values, origin: "cli" });
  } catch (error) {
    if (!(error instanceof SetpointError)) throw error;
    return new SetpointError(
      error.problems.map((problem): Problem =>
        problem.at === undefined ? { ...problem, at: state.position(problem.variable) } : problem
      ),
      { cause: error },
    );
  }
}

function refusal(error: SetpointError): Record<string, unknown> {
  return { status: "error", error: error.message, error_type: error.code, problems: error.problems };
}
