import type { DenseModel } from "./dense_model.ts";
import type { DenseProblem } from "./dense_problem.ts";
import { type DerivativeError, testDerivatives } from "./derivative_test.ts";
import { describeIllPosed } from "./ill_posed.ts";
import type { SolveOptions } from "./options.ts";
import type { SolveResult } from "./result.ts";
import { describeStatus } from "./status.ts";
import { describeViolations, type Violation, violationsOf } from "./violation.ts";

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

/** What a solve was about. */
export interface Asked {
  readonly problem: DenseProblem;
  readonly options: SolveOptions;
  readonly model: DenseModel;
  /** What is wrong with the options, where that ended the solve. */
  readonly complaint: string | undefined;
  readonly derivative_errors: readonly DerivativeError[];
}

const NONE: readonly Violation[] = [];

export function resultOf(code: number, answer: Answer, figures: Figures, asked: Asked): SolveResult {
  const { problem, options, model, complaint, derivative_errors } = asked;
  const status = code === 5 ? model.outOfTime ?? code : code;
  const unsolved = complaint === undefined && status !== 0 && status > -10;
  const violations = unsolved ? violationsOf(problem, answer.g, options.constraint_names) : NONE;
  let message = complaint ?? describeStatus(status);
  if (violations.length > 0) message += `: ${describeViolations(violations)}`;
  const wrong = complaint === undefined ? describeIllPosed(status, problem, options) : undefined;
  if (wrong !== undefined) message += `: ${wrong}`;
  if (model.failure !== undefined) message += ` (${model.failure})`;
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
    message,
    violations,
    derivative_errors,
    kkt_error: {
      dual_infeasibility: figures.dual,
      constraint_violation: figures.violation,
      complementarity: figures.complementarity,
    },
  };
}

/** Runs the derivative test that the options ask for, and prints what it found. */
export function askedOf(
  problem: DenseProblem,
  options: SolveOptions,
  model: DenseModel,
  complaint: string | undefined,
): Asked {
  if (complaint !== undefined || (options.derivative_test ?? "none") === "none") {
    return { problem, options, model, complaint, derivative_errors: [] };
  }
  let derivative_errors: readonly DerivativeError[] = [];
  try {
    derivative_errors = testDerivatives(problem, options);
  } catch (error) {
    model.failure = `derivative_test: ${error instanceof Error ? error.message : String(error)}`;
  }
  const variable = (j: number) => options.variable_names?.[j] ?? `x[${j}]`;
  const row = (i: number) => options.constraint_names?.[i] ?? `g[${i}]`;
  for (const { kind, row: i, column, given, difference } of derivative_errors) {
    const of = kind === "gradient" ? "f" : kind === "jacobian" ? row(i) : `the Lagrangian by ${variable(i)}`;
    options.print?.(`d ${of} / d ${variable(column)} is given as ${given}, differences say ${difference}`);
  }
  return { problem, options, model, complaint, derivative_errors };
}
