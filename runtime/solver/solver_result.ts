import type { DenseModel } from "./dense_model.ts";
import type { SolveResult } from "./result.ts";
import { describeStatus } from "./status.ts";

/** Arrays that hold the answer of the last solve; the same ones for every solve. */
export interface Answer {
  readonly x: Float64Array;
  readonly g: Float64Array;
  readonly multG: Float64Array;
  readonly multL: Float64Array;
  readonly multU: Float64Array;
}

/** Scalars of the last solve. */
export interface Figures {
  readonly objective: number;
  readonly iterations: number;
  readonly evaluations: number;
  readonly dual: number;
  readonly violation: number;
  readonly complementarity: number;
}

/** @param complaint What is wrong with the options, where that ended the solve. */
export function resultOf(
  code: number,
  answer: Answer,
  figures: Figures,
  model: DenseModel,
  complaint: string | undefined,
): SolveResult {
  const status = code === 5 && model.timedOut ? -5 : code;
  const said = complaint ?? describeStatus(status);
  return {
    x: answer.x,
    objective: figures.objective,
    status,
    constraints: answer.g,
    mult_g: answer.multG,
    mult_x_L: answer.multL,
    mult_x_U: answer.multU,
    iterations: figures.iterations,
    evaluations: figures.evaluations,
    message: model.failure === undefined ? said : `${said} (${model.failure})`,
    kkt_error: {
      dual_infeasibility: figures.dual,
      constraint_violation: figures.violation,
      complementarity: figures.complementarity,
    },
  };
}
