/** One iterate as `intermediate` and the table of print_level 5 tell of it. */
export interface Iteration {
  /** 0 at the start. */
  readonly iteration: number;
  /** "restoration" where the violation alone is minimised; `objective` and `inf_pr` stay those of the problem. */
  readonly phase: "regular" | "restoration";
  /** Unscaled. */
  readonly objective: number;
  /** Largest violation of a constraint, unscaled. */
  readonly inf_pr: number;
  /** Largest entry of the gradient of the Lagrangian, scaled. */
  readonly inf_du: number;
  /** Barrier parameter µ. */
  readonly mu: number;
  /** Largest entry of the last step of Newton's method. */
  readonly d_norm: number;
  /** Perturbation of the Hessian; 0: none. */
  readonly regularization_size: number;
  /** Length of the step of the bounds' multipliers, 0 to 1. */
  readonly alpha_du: number;
  /** Length of the step of the variables, 0 to 1. */
  readonly alpha_pr: number;
  /** Trial points of the last line search. */
  readonly ls_trials: number;
  /** IPOPT's letter for how the step was taken: "f" the objective fell, "h" the violation, "w" the watchdog let it pass … */
  readonly tag: string;
}

/** @param progress What the core writes, see core/interior_point.ts. */
export function iterationOf(progress: Float64Array): Iteration {
  return {
    iteration: progress[0],
    phase: progress[11] === 1 ? "restoration" : "regular",
    objective: progress[1],
    inf_pr: progress[2],
    inf_du: progress[3],
    mu: progress[4],
    d_norm: progress[5],
    regularization_size: progress[6],
    alpha_du: progress[7],
    alpha_pr: progress[8],
    ls_trials: progress[9],
    tag: String.fromCharCode(progress[10]),
  };
}

export const ITERATION_HEADER =
  "iter    objective    inf_pr   inf_du lg(mu)  ||d||  lg(rg) alpha_du alpha_pr  ls";

/** A line of IPOPT's table. */
export function iterationLine(at: Iteration): string {
  const log = (value: number) => value > 0 ? Math.log10(value).toFixed(1).padStart(5) : "   - ";
  const restoring = at.phase === "restoration" ? "r" : " ";
  return [
    String(at.iteration).padStart(4) + restoring + scientific(at.objective, 7).padStart(14),
    scientific(at.inf_pr, 2),
    scientific(at.inf_du, 2),
    log(at.mu),
    scientific(at.d_norm, 2),
    log(at.regularization_size),
    scientific(at.alpha_du, 2),
    scientific(at.alpha_pr, 2) + at.tag,
    String(at.ls_trials).padStart(2),
  ].join(" ");
}

/** As C prints it: a tie, as the powers of ½ are, goes to the even digit. */
function scientific(value: number, digits: number): string {
  if (!Number.isFinite(value)) return String(value).padStart(digits + 6);
  const further = value.toExponential(digits + 1);
  const tie = /5e/.test(further) && Number(further) === value;
  const even = tie && /[13579]e/.test(value.toExponential(digits)) ? value * (1 - 1e-15) : value;
  const [mantissa, exponent] = even.toExponential(digits).split("e");
  const size = exponent.slice(1).padStart(2, "0");
  return `${mantissa}e${exponent[0]}${size}`.padStart(digits + 6);
}
