/// <reference types="./portable.d.ts" />
/** Options by IPOPT's names and with its defaults; flags are 0 or 1. The order is that of {@linkcode Settings.read}. */
export class Settings {
  tol: f64 = 1e-8;
  max_iter: i32 = 3000;
  max_wall_time: f64 = 1e20;
  dual_inf_tol: f64 = 1;
  constr_viol_tol: f64 = 1e-4;
  compl_inf_tol: f64 = 1e-4;
  acceptable_tol: f64 = 1e-6;
  acceptable_iter: i32 = 15;
  acceptable_dual_inf_tol: f64 = 1e10;
  acceptable_constr_viol_tol: f64 = 1e-2;
  acceptable_compl_inf_tol: f64 = 1e-2;
  acceptable_obj_change_tol: f64 = 1e20;
  diverging_iterates_tol: f64 = 1e20;
  mu_init: f64 = 0.1;
  mu_target: f64 = 0;
  barrier_tol_factor: f64 = 10;
  mu_linear_decrease_factor: f64 = 0.2;
  mu_superlinear_decrease_power: f64 = 1.5;
  tau_min: f64 = 0.99;
  bound_push: f64 = 0.01;
  bound_frac: f64 = 0.01;
  slack_bound_push: f64 = 0.01;
  slack_bound_frac: f64 = 0.01;
  bound_relax_factor: f64 = 1e-8;
  honor_original_bounds: boolean = true;
  bound_mult_init_val: f64 = 1;
  constr_mult_init_max: f64 = 1000;
  bound_mult_reset_threshold: f64 = 1000;
  constr_mult_reset_threshold: f64 = 0;
  kappa_d: f64 = 1e-5;
  kappa_sigma: f64 = 1e10;
  s_max: f64 = 100;
  scaling: boolean = true;
  user_scaling: boolean = false;
  nlp_scaling_max_gradient: f64 = 100;
  nlp_scaling_min_value: f64 = 1e-8;
  obj_scaling_factor: f64 = 1;
  eta_phi: f64 = 1e-8;
  delta: f64 = 1;
  s_phi: f64 = 2.3;
  s_theta: f64 = 1.1;
  gamma_phi: f64 = 1e-8;
  gamma_theta: f64 = 1e-5;
  alpha_min_frac: f64 = 0.05;
  alpha_red_factor: f64 = 0.5;
  theta_max_fact: f64 = 1e4;
  theta_min_fact: f64 = 1e-4;
  obj_max_inc: f64 = 5;
  max_soc: i32 = 4;
  kappa_soc: f64 = 0.99;
  max_filter_resets: i32 = 5;
  filter_reset_trigger: i32 = 5;
  watchdog_shortened_iter_trigger: i32 = 10;
  watchdog_trial_iter_max: i32 = 3;
  max_soft_resto_iters: i32 = 10;
  soft_resto_pderror_reduction_factor: f64 = 0.9999;
  required_infeasibility_reduction: f64 = 0.9;
  resto_penalty_parameter: f64 = 1000;
  resto_proximity_weight: f64 = 1;
  first_hessian_perturbation: f64 = 1e-4;
  min_hessian_perturbation: f64 = 1e-20;
  max_hessian_perturbation: f64 = 1e20;
  perturb_inc_fact_first: f64 = 100;
  perturb_inc_fact: f64 = 8;
  perturb_dec_fact: f64 = 1.0 / 3.0;
  jacobian_regularization_value: f64 = 1e-8;
  jacobian_regularization_exponent: f64 = 0.25;
  max_refinement_steps: i32 = 10;
  min_refinement_steps: i32 = 1;
  residual_ratio_max: f64 = 1e-10;
  residual_ratio_singular: f64 = 1e-5;
  tiny_step_tol: f64 = 2.220446049250313e-15;
  tiny_step_y_tol: f64 = 1e-2;
  adaptive: boolean = false;
  mu_min: f64 = 1e-11;
  mu_max: f64 = 1e5;
  mu_max_fact: f64 = 1e3;
  adaptive_mu_monotone_init_factor: f64 = 0.8;
  filter_margin_fact: f64 = 1e-5;
  filter_max_margin: f64 = 1;
  limited_memory: boolean = false;
  /** Full BFGS with damping instead of limited memory; chosen where the problem has no Hessian. */
  damped: boolean = false;
  limited_memory_max_history: i32 = 6;
  warm_start_init_point: boolean = false;
  warm_start_bound_push: f64 = 1e-3;
  warm_start_bound_frac: f64 = 1e-3;
  warm_start_slack_bound_push: f64 = 1e-3;
  warm_start_slack_bound_frac: f64 = 1e-3;
  warm_start_mult_bound_push: f64 = 1e-3;
  warm_start_mult_init_max: f64 = 1e6;
  evaluate_orig_obj_at_resto_trial: boolean = true;

  /** Ours: relative noise of the functions; differences below it decide nothing. */
  function_noise: f64 = 0;

  /** Sets one option by its place in {@linkcode SETTING_NAMES}. */
  set(index: i32, value: f64): void {
    switch (index) {
      case 0:
        this.tol = value;
        break;
      case 1:
        this.max_iter = value as i32;
        break;
      case 2:
        this.max_wall_time = value;
        break;
      case 3:
        this.dual_inf_tol = value;
        break;
      case 4:
        this.constr_viol_tol = value;
        break;
      case 5:
        this.compl_inf_tol = value;
        break;
      case 6:
        this.acceptable_tol = value;
        break;
      case 7:
        this.acceptable_iter = value as i32;
        break;
      case 8:
        this.acceptable_dual_inf_tol = value;
        break;
      case 9:
        this.acceptable_constr_viol_tol = value;
        break;
      case 10:
        this.acceptable_compl_inf_tol = value;
        break;
      case 11:
        this.acceptable_obj_change_tol = value;
        break;
      case 12:
        this.diverging_iterates_tol = value;
        break;
      case 13:
        this.mu_init = value;
        break;
      case 14:
        this.mu_target = value;
        break;
      case 15:
        this.barrier_tol_factor = value;
        break;
      case 16:
        this.mu_linear_decrease_factor = value;
        break;
      case 17:
        this.mu_superlinear_decrease_power = value;
        break;
      case 18:
        this.tau_min = value;
        break;
      case 19:
        this.bound_push = value;
        break;
      case 20:
        this.bound_frac = value;
        break;
      case 21:
        this.slack_bound_push = value;
        break;
      case 22:
        this.slack_bound_frac = value;
        break;
      case 23:
        this.bound_relax_factor = value;
        break;
      case 24:
        this.honor_original_bounds = value !== 0;
        break;
      case 25:
        this.bound_mult_init_val = value;
        break;
      case 26:
        this.constr_mult_init_max = value;
        break;
      case 27:
        this.bound_mult_reset_threshold = value;
        break;
      case 28:
        this.constr_mult_reset_threshold = value;
        break;
      case 29:
        this.kappa_d = value;
        break;
      case 30:
        this.kappa_sigma = value;
        break;
      case 31:
        this.s_max = value;
        break;
      case 32:
        this.scaling = value !== 0;
        break;
      case 33:
        this.user_scaling = value !== 0;
        break;
      case 34:
        this.nlp_scaling_max_gradient = value;
        break;
      case 35:
        this.nlp_scaling_min_value = value;
        break;
      case 36:
        this.obj_scaling_factor = value;
        break;
      case 37:
        this.eta_phi = value;
        break;
      case 38:
        this.delta = value;
        break;
      case 39:
        this.s_phi = value;
        break;
      case 40:
        this.s_theta = value;
        break;
      case 41:
        this.gamma_phi = value;
        break;
      case 42:
        this.gamma_theta = value;
        break;
      case 43:
        this.alpha_min_frac = value;
        break;
      case 44:
        this.alpha_red_factor = value;
        break;
      case 45:
        this.theta_max_fact = value;
        break;
      case 46:
        this.theta_min_fact = value;
        break;
      case 47:
        this.obj_max_inc = value;
        break;
      case 48:
        this.max_soc = value as i32;
        break;
      case 49:
        this.kappa_soc = value;
        break;
      case 50:
        this.max_filter_resets = value as i32;
        break;
      case 51:
        this.filter_reset_trigger = value as i32;
        break;
      case 52:
        this.watchdog_shortened_iter_trigger = value as i32;
        break;
      case 53:
        this.watchdog_trial_iter_max = value as i32;
        break;
      case 54:
        this.max_soft_resto_iters = value as i32;
        break;
      case 55:
        this.soft_resto_pderror_reduction_factor = value;
        break;
      case 56:
        this.required_infeasibility_reduction = value;
        break;
      case 57:
        this.resto_penalty_parameter = value;
        break;
      case 58:
        this.resto_proximity_weight = value;
        break;
      case 59:
        this.first_hessian_perturbation = value;
        break;
      case 60:
        this.min_hessian_perturbation = value;
        break;
      case 61:
        this.max_hessian_perturbation = value;
        break;
      case 62:
        this.perturb_inc_fact_first = value;
        break;
      case 63:
        this.perturb_inc_fact = value;
        break;
      case 64:
        this.perturb_dec_fact = value;
        break;
      case 65:
        this.jacobian_regularization_value = value;
        break;
      case 66:
        this.jacobian_regularization_exponent = value;
        break;
      case 67:
        this.max_refinement_steps = value as i32;
        break;
      case 68:
        this.min_refinement_steps = value as i32;
        break;
      case 69:
        this.residual_ratio_max = value;
        break;
      case 70:
        this.residual_ratio_singular = value;
        break;
      case 71:
        this.tiny_step_tol = value;
        break;
      case 72:
        this.tiny_step_y_tol = value;
        break;
      case 73:
        this.adaptive = value !== 0;
        break;
      case 74:
        this.mu_min = value;
        break;
      case 75:
        this.mu_max = value;
        break;
      case 76:
        this.mu_max_fact = value;
        break;
      case 77:
        this.adaptive_mu_monotone_init_factor = value;
        break;
      case 78:
        this.filter_margin_fact = value;
        break;
      case 79:
        this.filter_max_margin = value;
        break;
      case 80:
        this.limited_memory = value !== 0;
        break;
      case 81:
        this.damped = value !== 0;
        break;
      case 82:
        this.limited_memory_max_history = value as i32;
        break;
      case 83:
        this.warm_start_init_point = value !== 0;
        break;
      case 84:
        this.warm_start_bound_push = value;
        break;
      case 85:
        this.warm_start_bound_frac = value;
        break;
      case 86:
        this.warm_start_slack_bound_push = value;
        break;
      case 87:
        this.warm_start_slack_bound_frac = value;
        break;
      case 88:
        this.warm_start_mult_bound_push = value;
        break;
      case 89:
        this.warm_start_mult_init_max = value;
        break;
      case 90:
        this.evaluate_orig_obj_at_resto_trial = value !== 0;
        break;
      case 91:
        this.function_noise = value;
        break;
    }
  }
}
