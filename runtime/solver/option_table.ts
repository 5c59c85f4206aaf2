import type { OptionInfo } from "./options.ts";
import { Settings } from "./core/settings.ts";

const DEFAULTS = new Settings() as unknown as Readonly<Record<string, number | boolean>>;

/** Written for an end of a range that is not in the range itself. */
const ABOVE_0 = Number.MIN_VALUE;
const ABOVE_1 = 1 + Number.EPSILON;
const BELOW_1 = 1 - Number.EPSILON / 2;
const BELOW_2 = 2 - Number.EPSILON;
const BELOW_HALF = 0.5 - Number.EPSILON / 4;

function number(name: string, description: string, min = 0, max = Infinity): OptionInfo {
  return { name, default: DEFAULTS[name] as number, min, max, description };
}

function ofTheTest(name: string, value: number, description: string): OptionInfo {
  return { name, default: value, min: ABOVE_0, description };
}

function integer(name: string, description: string, min = 0): OptionInfo {
  return { name, default: DEFAULTS[name] as number, min, integer: true, description };
}

function flag(name: string, description: string): OptionInfo {
  return { name, default: DEFAULTS[name] ? "yes" : "no", choices: ["no", "yes"], description };
}

/** IPOPT's options that this solver has, with IPOPT's defaults. */
export const OPTION_TABLE: readonly OptionInfo[] = [
  number("tol", "Scaled optimality error of a solution", ABOVE_0),
  integer("max_iter", "Most iterations, those of the restoration phase included"),
  number("max_wall_time", "Most wall-clock time, s"),
  { name: "max_cpu_time", default: 1e20, min: 0, description: "Most time, s; measured by the same clock" },
  number("dual_inf_tol", "Largest dual infeasibility of a solution, unscaled", ABOVE_0),
  number("constr_viol_tol", "Largest constraint violation of a solution, unscaled", ABOVE_0),
  number("compl_inf_tol", "Largest complementarity violation of a solution, unscaled", ABOVE_0),
  number("acceptable_tol", "Scaled optimality error of an acceptable point", ABOVE_0),
  integer("acceptable_iter", "Acceptable iterates in a row that end the solve; 0: never"),
  number("acceptable_dual_inf_tol", "Largest dual infeasibility of an acceptable point", ABOVE_0),
  number("acceptable_constr_viol_tol", "Largest constraint violation of an acceptable point", ABOVE_0),
  number("acceptable_compl_inf_tol", "Largest complementarity violation of an acceptable point", ABOVE_0),
  number("acceptable_obj_change_tol", "Largest relative change of the objective at an acceptable point"),
  number("diverging_iterates_tol", "Size of x at which the iterates are said to diverge", ABOVE_0),
  number("mu_init", "First barrier parameter", ABOVE_0),
  {
    name: "mu_strategy",
    default: "monotone",
    choices: ["monotone", "adaptive"],
    description:
      "How µ is chosen, in the restoration phase too; without a Hessian adaptive where nothing is said",
  },
  number("mu_min", "Least µ of the adaptive strategy", ABOVE_0),
  number("mu_max", "Largest µ of the adaptive strategy", ABOVE_0),
  number("mu_max_fact", "The same in units of the first mean complementarity", ABOVE_0),
  number(
    "adaptive_mu_monotone_init_factor",
    "First µ in monotone mode in units of the mean complementarity",
    ABOVE_0,
  ),
  number("filter_margin_fact", "Relative margin of the adaptive strategy's filter", ABOVE_0, BELOW_1),
  number("filter_max_margin", "Largest margin of the adaptive strategy's filter", ABOVE_0),
  number("mu_target", "Wanted complementarity"),
  number("barrier_tol_factor", "Error of a barrier problem, in units of µ, at which µ falls", ABOVE_0),
  number("mu_linear_decrease_factor", "Factor by which µ falls at first", ABOVE_0, BELOW_1),
  number("mu_superlinear_decrease_power", "Power by which µ falls in the end", ABOVE_1, BELOW_2),
  number("tau_min", "Least fraction of the way to a bound that a step may take", ABOVE_0, BELOW_1),
  number("bound_push", "Least absolute distance of the start from the bounds", ABOVE_0),
  number("bound_frac", "Least relative distance of the start from the bounds", ABOVE_0, 0.5),
  number("slack_bound_push", "The same for slacks", ABOVE_0),
  number("slack_bound_frac", "The same for slacks", ABOVE_0, 0.5),
  number("bound_relax_factor", "Relative amount by which bounds are relaxed in the solve"),
  flag("honor_original_bounds", "Whether the answer is moved into the bounds as they were given"),
  number("bound_mult_init_val", "First multipliers of the bounds", ABOVE_0),
  number("constr_mult_init_max", "Largest least-squares multiplier that is used at the start"),
  number("bound_mult_reset_threshold", "Bound multipliers above this are reset after a restoration"),
  number(
    "constr_mult_reset_threshold",
    "Least-squares multipliers above this are dropped after a restoration",
  ),
  number("kappa_d", "Weight of the damping of sides that have no other side"),
  number("kappa_sigma", "How far multipliers may be from µ/slack", ABOVE_0),
  number("s_max", "Size of multipliers from which on the error is scaled", ABOVE_0),
  {
    name: "nlp_scaling_method",
    default: "gradient-based",
    choices: ["none", "gradient-based", "user-scaling"],
    description: "How the problem is scaled; user-scaling takes x_unit and scales by gradients besides",
  },
  number("nlp_scaling_max_gradient", "Gradients at the start above this are scaled down to it", ABOVE_0),
  number("nlp_scaling_min_value", "Least scale that gradient-based scaling chooses"),
  number("obj_scaling_factor", "Factor of the objective; below 0 it is maximised", -Infinity),
  number("eta_phi", "Armijo's constant", ABOVE_0, BELOW_HALF),
  number("delta", "Multiplier in the switching rule", ABOVE_0),
  number("s_phi", "Exponent of the slope in the switching rule", ABOVE_1),
  number("s_theta", "Exponent of the violation in the switching rule", ABOVE_1),
  number("gamma_phi", "Margin of the filter in the barrier function", ABOVE_0, BELOW_1),
  number("gamma_theta", "Margin of the filter in the violation", ABOVE_0, BELOW_1),
  number("alpha_min_frac", "Safety factor of the least step", ABOVE_0, BELOW_1),
  number("alpha_red_factor", "Factor of backtracking", ABOVE_0, BELOW_1),
  number("theta_max_fact", "Largest violation allowed, in units of the first", ABOVE_0),
  number(
    "theta_min_fact",
    "Violation below which the switching rule applies, in units of the first",
    ABOVE_0,
  ),
  number("obj_max_inc", "Most orders of magnitude by which the barrier function may rise", ABOVE_1),
  integer("max_soc", "Most second-order corrections of one step"),
  number("kappa_soc", "Factor by which a correction must lower the violation", ABOVE_0),
  integer("max_filter_resets", "Most resets of the filter"),
  integer("filter_reset_trigger", "Rejections by the filter in a row that reset it", 1),
  integer("watchdog_shortened_iter_trigger", "Shortened steps in a row that start the watchdog; 0: never"),
  integer("watchdog_trial_iter_max", "Most trial iterations of the watchdog", 1),
  integer("max_soft_resto_iters", "Most steps of the soft restoration in a row"),
  number(
    "soft_resto_pderror_reduction_factor",
    "Fall of the error that soft restoration asks for; 0: no soft restoration",
  ),
  number(
    "required_infeasibility_reduction",
    "Fall of the violation that the restoration phase asks for",
    0,
    BELOW_1,
  ),
  number("resto_penalty_parameter", "Weight of the violation in the restoration phase", ABOVE_0),
  number("resto_proximity_weight", "Weight of the distance in the restoration phase"),
  flag(
    "evaluate_orig_obj_at_resto_trial",
    "Whether the restoration avoids points where the objective is undefined",
  ),
  number("first_hessian_perturbation", "First perturbation of the Hessian", ABOVE_0),
  number("min_hessian_perturbation", "Least perturbation of the Hessian"),
  number("max_hessian_perturbation", "Largest perturbation of the Hessian", ABOVE_0),
  number("perturb_inc_fact_first", "First factor of a growing perturbation", ABOVE_1),
  number("perturb_inc_fact", "Factor of a growing perturbation", ABOVE_1),
  number("perturb_dec_fact", "Factor of a falling perturbation", ABOVE_0, BELOW_1),
  number("jacobian_regularization_value", "Perturbation of the constraints where the Jacobian lacks rank"),
  number("jacobian_regularization_exponent", "Its exponent of µ"),
  integer("max_refinement_steps", "Most steps of iterative refinement"),
  integer("min_refinement_steps", "Least steps of iterative refinement"),
  number("residual_ratio_max", "Relative residual at which refinement ends", ABOVE_0),
  number("residual_ratio_singular", "Relative residual above which a system counts as singular", ABOVE_0),
  number("tiny_step_tol", "Relative step that is lost in rounding"),
  number("tiny_step_y_tol", "Step of the multipliers below which such a step counts as tiny"),
  {
    name: "hessian_approximation",
    default: "exact",
    choices: ["exact", "limited-memory"],
    description: "Where the Hessian comes from",
  },
  integer("limited_memory_max_history", "Steps that the limited-memory matrix is built from", 1),
  flag("warm_start_init_point", "Whether the solve starts from the multipliers in `warm_start`"),
  number("warm_start_bound_push", "bound_push of a warm start", ABOVE_0),
  number("warm_start_bound_frac", "bound_frac of a warm start", ABOVE_0, 0.5),
  number("warm_start_slack_bound_push", "slack_bound_push of a warm start", ABOVE_0),
  number("warm_start_slack_bound_frac", "slack_bound_frac of a warm start", ABOVE_0, 0.5),
  number("warm_start_mult_bound_push", "Least bound multiplier of a warm start", ABOVE_0),
  number("warm_start_mult_init_max", "Largest multiplier of a warm start", -Infinity),
  number("function_noise", "Ours: relative noise of the functions, 6e-8 for 32-bit ones", 0, 0.1),
  {
    name: "derivative_test",
    default: "none",
    choices: ["none", "first-order", "second-order", "only-second-order"],
    description: "Compares derivatives with differences at a point near x0 before the solve",
  },
  ofTheTest("derivative_test_perturbation", 1e-8, "Relative step of the differences"),
  ofTheTest("derivative_test_tol", 1e-4, "Relative difference that is told"),
  {
    name: "print_level",
    default: 5,
    min: 0,
    max: 12,
    integer: true,
    description: "From 5 on the table of iterations goes to `print`, where that is given",
  },
  {
    name: "sb",
    default: "no",
    choices: ["no", "yes"],
    description: "Accepted for the sake of callers: there is no banner",
  },
];
