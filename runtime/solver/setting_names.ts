import type { Settings } from "./core/settings.ts";

/** The places that {@linkcode Settings.set} knows the options by; a test compares the two. */
export const SETTING_NAMES: readonly string[] = [
  "tol",
  "max_iter",
  "max_wall_time",
  "dual_inf_tol",
  "constr_viol_tol",
  "compl_inf_tol",
  "acceptable_tol",
  "acceptable_iter",
  "acceptable_dual_inf_tol",
  "acceptable_constr_viol_tol",
  "acceptable_compl_inf_tol",
  "acceptable_obj_change_tol",
  "diverging_iterates_tol",
  "mu_init",
  "mu_target",
  "barrier_tol_factor",
  "mu_linear_decrease_factor",
  "mu_superlinear_decrease_power",
  "tau_min",
  "bound_push",
  "bound_frac",
  "slack_bound_push",
  "slack_bound_frac",
  "bound_relax_factor",
  "honor_original_bounds",
  "bound_mult_init_val",
  "constr_mult_init_max",
  "bound_mult_reset_threshold",
  "constr_mult_reset_threshold",
  "kappa_d",
  "kappa_sigma",
  "s_max",
  "scaling",
  "user_scaling",
  "nlp_scaling_max_gradient",
  "nlp_scaling_min_value",
  "obj_scaling_factor",
  "eta_phi",
  "delta",
  "s_phi",
  "s_theta",
  "gamma_phi",
  "gamma_theta",
  "alpha_min_frac",
  "alpha_red_factor",
  "theta_max_fact",
  "theta_min_fact",
  "obj_max_inc",
  "max_soc",
  "kappa_soc",
  "max_filter_resets",
  "filter_reset_trigger",
  "watchdog_shortened_iter_trigger",
  "watchdog_trial_iter_max",
  "max_soft_resto_iters",
  "soft_resto_pderror_reduction_factor",
  "required_infeasibility_reduction",
  "resto_penalty_parameter",
  "resto_proximity_weight",
  "first_hessian_perturbation",
  "min_hessian_perturbation",
  "max_hessian_perturbation",
  "perturb_inc_fact_first",
  "perturb_inc_fact",
  "perturb_dec_fact",
  "jacobian_regularization_value",
  "jacobian_regularization_exponent",
  "max_refinement_steps",
  "min_refinement_steps",
  "residual_ratio_max",
  "residual_ratio_singular",
  "tiny_step_tol",
  "tiny_step_y_tol",
  "adaptive",
  "mu_min",
  "mu_max",
  "mu_max_fact",
  "adaptive_mu_monotone_init_factor",
  "filter_margin_fact",
  "filter_max_margin",
  "limited_memory",
  "damped",
  "limited_memory_max_history",
  "warm_start_init_point",
  "warm_start_bound_push",
  "warm_start_bound_frac",
  "warm_start_slack_bound_push",
  "warm_start_slack_bound_frac",
  "warm_start_mult_bound_push",
  "warm_start_mult_init_max",
  "evaluate_orig_obj_at_resto_trial",
  "function_noise",
];

/** Hands the settings to a module, after the first time those alone that have changed. */
export class SettingWriter {
  readonly #set: (index: number, value: number) => void;
  readonly #given = new Float64Array(SETTING_NAMES.length).fill(NaN);

  /** @param set Stores setting `index`, as `Settings.set` does. */
  constructor(set: (index: number, value: number) => void) {
    this.#set = set;
  }

  write(settings: Settings): void {
    const values = settings as unknown as Readonly<Record<string, number | boolean>>;
    for (let k = 0; k < SETTING_NAMES.length; k++) {
      const value = Number(values[SETTING_NAMES[k]]);
      if (value === this.#given[k]) continue;
      this.#set(k, value);
      this.#given[k] = value;
    }
  }
}
