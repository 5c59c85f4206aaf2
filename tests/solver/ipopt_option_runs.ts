/**
 * What IPOPT 3.11.9 does on HS071 with one option changed: name, then value=iterations, with /status where it is not 0.
 */
export const IPOPT_OPTION_RUNS = `
tol 1e-10=9 3.33e-9=8 3e-8=8 0.000001=8
max_iter 0=0/-1 1=1/-1 2=2/-1 3000=8
dual_inf_tol 0.01=8 0.333=8 3=8 100=8
constr_viol_tol 0.000001=8 0.0000333=8 0.0003=8 0.01=8
compl_inf_tol 0.000001=8 0.0000333=8 0.0003=8 0.01=8
acceptable_tol 1e-8=8 3.33e-7=8 0.000003=8 0.0001=8
acceptable_iter 0=8 1=8 2=8 18=8
acceptable_dual_inf_tol 100000000=8 3330000000=8 30000000000=8 1000000000000=8
acceptable_constr_viol_tol 0.0001=8 0.00333=8 0.03=8 1=8
acceptable_compl_inf_tol 0.0001=8 0.00333=8 0.03=8 1=8
acceptable_obj_change_tol 1000000000000000000=8 33300000000000000000=8 300000000000000000000=8 1e+22=8
diverging_iterates_tol 1000000000000000000=8 33300000000000000000=8 300000000000000000000=8 1e+22=8
mu_init 0.001=8 0.0333=8 0.3=8 10=8
mu_strategy adaptive=8
mu_min 1e-13=8 3.33e-12=8 3e-11=8 1e-9=8
mu_max 1000=8 33300=8 300000=8 10000000=8
mu_max_fact 10=8 333=8 3000=8 100000=8
adaptive_mu_monotone_init_factor 0.008=8 0.267=8 2.4=8 80=8
filter_margin_fact 1e-7=8 0.00000333=8 0.00003=8 0.001=8
filter_max_margin 0.01=8 0.333=8 3=8 100=8
mu_target 0.0001=8
mu_superlinear_decrease_power 1.2=10 1.4=9 1.7=8 1.9=9
barrier_tol_factor 0.1=14 3.33=8 30=7 1000=7
mu_linear_decrease_factor 0.002=7 0.0667=8 0.6=8
tau_min 0.0099=8 0.33=8
bound_push 0.0001=9 0.00333=8 0.03=8 1=8
bound_frac 0.0001=9 0.00333=8 0.03=8
slack_bound_push 0.0001=8 0.00333=8 0.03=8 1=8
slack_bound_frac 0.0001=8 0.00333=8 0.03=8
bound_relax_factor 1e-10=8 3.33e-9=8 3e-8=8 0.000001=8
honor_original_bounds no=8
bound_mult_init_val 0.01=10 0.333=7 3=8 100=9
constr_mult_init_max 10=8 333=8 3000=8 100000=8
bound_mult_reset_threshold 10=8 333=8 3000=8 100000=8
constr_mult_reset_threshold 0.0001=8 0.1=8
kappa_d 1e-7=8 0.00000333=8 0.00003=8 0.001=8
kappa_sigma 100000000=8 3330000000=8 30000000000=8 1000000000000=8
s_max 1=8 33.3=8 300=8 10000=8
nlp_scaling_method none=8
nlp_scaling_max_gradient 1=8 33.3=8 300=8 10000=8
nlp_scaling_min_value 1e-10=8 3.33e-9=8 3e-8=8 0.000001=8
obj_scaling_factor 0.01=14 0.333=8 3=8 100=10 -1=23
eta_phi 1e-10=8 3.33e-9=8 3e-8=8 0.000001=8
delta 0.01=8 0.333=8 3=8 100=8
s_phi 6.9=8 230=8
s_theta 3.3=8 110=8
gamma_phi 1e-10=8 3.33e-9=8 3e-8=8 0.000001=8
gamma_theta 1e-7=8 0.00000333=8 0.00003=8 0.001=8
alpha_min_frac 0.0005=8 0.0167=8 0.15=8
alpha_red_factor 0.005=8 0.167=8
theta_max_fact 100=8 3330=8 30000=8 1000000=8
theta_min_fact 0.000001=8 0.0000333=8 0.0003=8 0.01=8
obj_max_inc 1.67=8 15=8 500=8
max_soc 0=8 1=8 2=8 7=8
kappa_soc 0.0099=8 0.33=8 2.97=8 99=8
max_filter_resets 0=8 1=8 2=8 8=8
filter_reset_trigger 1=8 2=8 8=8
watchdog_shortened_iter_trigger 0=8 1=8 2=8 13=8
watchdog_trial_iter_max 1=8 2=8 6=8
max_soft_resto_iters 0=8 1=8 2=8 13=8
soft_resto_pderror_reduction_factor 0.01=8 0.333=8 3=8 100=8
required_infeasibility_reduction 0.009=8 0.3=8
resto_penalty_parameter 10=8 333=8 3000=8 100000=8
resto_proximity_weight 0.01=8 0.333=8 3=8 100=8
first_hessian_perturbation 0.000001=8 0.0000333=8 0.0003=8 0.01=8
min_hessian_perturbation 1e-22=8 3.33e-21=8 3e-20=8 1e-18=8
max_hessian_perturbation 1000000000000000000=8 33300000000000000000=8 300000000000000000000=8 1e+22=8
perturb_inc_fact_first 33.3=8 300=8 10000=8
perturb_inc_fact 2.67=8 24=8 800=8
perturb_dec_fact 0.00333=8 0.111=8
jacobian_regularization_value 1e-10=8 3.33e-9=8 3e-8=8 0.000001=8
jacobian_regularization_exponent 0.0025=8 0.0833=8 0.75=8 25=8
max_refinement_steps 0=0/-12 1=8 2=8 13=8
min_refinement_steps 0=8 2=8 4=8
residual_ratio_max 1e-12=8 3.33e-11=8 3e-10=8 1e-8=8
residual_ratio_singular 1e-7=8 0.00000333=8 0.00003=8 0.001=8
tiny_step_tol 2.22e-17=8 7.4e-16=8 6.66e-15=8 2.22e-13=8
tiny_step_y_tol 0.0001=8 0.00333=8 0.03=8 1=8
hessian_approximation limited-memory=8
limited_memory_max_history 1=8 2=8 9=8
warm_start_bound_push 0.00001=8 0.000333=8 0.003=8 0.1=8
warm_start_bound_frac 0.00001=8 0.000333=8 0.003=8 0.1=8
warm_start_slack_bound_push 0.00001=8 0.000333=8 0.003=8 0.1=8
warm_start_slack_bound_frac 0.00001=8 0.000333=8 0.003=8 0.1=8
warm_start_mult_bound_push 0.00001=8 0.000333=8 0.003=8 0.1=8
warm_start_mult_init_max 10000=8 333000=8 3000000=8 100000000=8
`.trim().split("\n").map((line) => line.split(" "));
