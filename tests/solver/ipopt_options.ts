/**
 * What IPOPT 3.11.9 says of the options that this solver has (`print_options_documentation yes`): name and default of a
 * choice, name and `lower < default < upper` of a number.
 */
export const IPOPT_OPTIONS = `
print_level 0 <= 5 <= 12
tol 0 < 1e-08 < +inf
s_max 0 < 100 < +inf
max_iter 0 <= 3000 < +inf
max_cpu_time 0 < 1e+06 < +inf
dual_inf_tol 0 < 1 < +inf
constr_viol_tol 0 < 0.0001 < +inf
compl_inf_tol 0 < 0.0001 < +inf
acceptable_tol 0 < 1e-06 < +inf
acceptable_iter 0 <= 15 < +inf
acceptable_dual_inf_tol 0 < 1e+10 < +inf
acceptable_constr_viol_tol 0 < 0.01 < +inf
acceptable_compl_inf_tol 0 < 0.01 < +inf
acceptable_obj_change_tol 0 <= 1e+20 < +inf
diverging_iterates_tol 0 < 1e+20 < +inf
mu_target 0 <= 0 < +inf
nlp_scaling_method gradient-based
obj_scaling_factor -inf < 1 < +inf
nlp_scaling_max_gradient 0 < 100 < +inf
nlp_scaling_min_value 0 <= 1e-08 < +inf
kappa_d 0 <= 1e-05 < +inf
bound_relax_factor 0 <= 1e-08 < +inf
honor_original_bounds yes
bound_push 0 < 0.01 < +inf
bound_frac 0 < 0.01 <= 0.5
slack_bound_push 0 < 0.01 < +inf
slack_bound_frac 0 < 0.01 <= 0.5
constr_mult_init_max 0 <= 1000 < +inf
bound_mult_init_val 0 < 1 < +inf
mu_max_fact 0 < 1000 < +inf
mu_max 0 < 100000 < +inf
mu_min 0 < 1e-11 < +inf
filter_margin_fact 0 < 1e-05 < 1
filter_max_margin 0 < 1 < +inf
adaptive_mu_monotone_init_factor 0 < 0.8 < +inf
mu_strategy monotone
mu_init 0 < 0.1 < +inf
barrier_tol_factor 0 < 10 < +inf
mu_linear_decrease_factor 0 < 0.2 < 1
mu_superlinear_decrease_power 1 < 1.5 < 2
tau_min 0 < 0.99 < 1
alpha_red_factor 0 < 0.5 < 1
tiny_step_tol 0 <= 2.22045e-15 < +inf
tiny_step_y_tol 0 <= 0.01 < +inf
watchdog_shortened_iter_trigger 0 <= 10 < +inf
watchdog_trial_iter_max 1 <= 3 < +inf
theta_max_fact 0 < 10000 < +inf
theta_min_fact 0 < 0.0001 < +inf
eta_phi 0 < 1e-08 < 0.5
delta 0 < 1 < +inf
s_phi 1 < 2.3 < +inf
s_theta 1 < 1.1 < +inf
gamma_phi 0 < 1e-08 < 1
gamma_theta 0 < 1e-05 < 1
alpha_min_frac 0 < 0.05 < 1
max_soc 0 <= 4 < +inf
kappa_soc 0 < 0.99 < +inf
obj_max_inc 1 < 5 < +inf
max_filter_resets 0 <= 5 < +inf
filter_reset_trigger 1 <= 5 < +inf
kappa_sigma 0 < 1e+10 < +inf
warm_start_init_point no
warm_start_bound_push 0 < 0.001 < +inf
warm_start_bound_frac 0 < 0.001 <= 0.5
warm_start_slack_bound_push 0 < 0.001 < +inf
warm_start_slack_bound_frac 0 < 0.001 <= 0.5
warm_start_mult_bound_push 0 < 0.001 < +inf
warm_start_mult_init_max -inf < 1e+06 < +inf
min_refinement_steps 0 <= 1 < +inf
max_refinement_steps 0 <= 10 < +inf
residual_ratio_max 0 < 1e-10 < +inf
residual_ratio_singular 0 < 1e-05 < +inf
max_hessian_perturbation 0 < 1e+20 < +inf
min_hessian_perturbation 0 <= 1e-20 < +inf
perturb_inc_fact_first 1 < 100 < +inf
perturb_inc_fact 1 < 8 < +inf
perturb_dec_fact 0 < 0.333333 < 1
first_hessian_perturbation 0 < 0.0001 < +inf
jacobian_regularization_value 0 <= 1e-08 < +inf
jacobian_regularization_exponent 0 <= 0.25 < +inf
soft_resto_pderror_reduction_factor 0 <= 0.9999 < +inf
max_soft_resto_iters 0 <= 10 < +inf
required_infeasibility_reduction 0 <= 0.9 < 1
resto_penalty_parameter 0 < 1000 < +inf
resto_proximity_weight 0 <= 1 < +inf
bound_mult_reset_threshold 0 <= 1000 < +inf
constr_mult_reset_threshold 0 <= 0 < +inf
derivative_test none
derivative_test_perturbation 0 < 1e-08 < +inf
derivative_test_tol 0 < 0.0001 < +inf
limited_memory_max_history 0 <= 6 < +inf
hessian_approximation exact
`.trim().split("\n").map((line) => line.split(" "));
