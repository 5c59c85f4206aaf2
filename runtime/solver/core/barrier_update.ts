/// <reference types="./portable.d.ts" />
import { power } from "./elementary.ts";
import { LineSearch } from "./line_search.ts";
import { State } from "./state.ts";

/** Fiacco and McCormick's rule: µ falls once its barrier problem is solved well enough (equations (7) and (8)). */
export class BarrierUpdate {
  private readonly state: State;
  private readonly search: LineSearch;

  constructor(state: State, search: LineSearch) {
    this.state = state;
    this.search = search;
  }

  /** @param floor Least µ. @returns False where steps are lost in rounding and µ can fall no more. */
  update(floor: f64): boolean {
    const state = this.state;
    const settings = state.settings;
    let tiny = state.tinyStep;
    state.tinyStep = false;
    let changed = false;
    while (tiny || state.error(state.mu) <= settings.barrier_tol_factor * state.mu) {
      const wanted = Math.max(
        floor,
        Math.min(
          settings.mu_linear_decrease_factor * state.mu,
          settings.mu_superlinear_decrease_power === 1.5
            ? state.mu * Math.sqrt(state.mu)
            : power(state.mu, settings.mu_superlinear_decrease_power),
        ),
      );
      if (!(wanted < state.mu)) {
        if (tiny) return false;
        break;
      }
      state.mu = wanted;
      state.tau = Math.max(settings.tau_min, 1 - wanted);
      if (state.nlp.dependsOnMu) state.nlp.gradient(state.now.v, wanted, state.gradient);
      changed = true;
      tiny = false;
    }
    if (changed) {
      this.search.reset();
      // The restoration's objective has µ in it.
      if (state.nlp.dependsOnMu && !(state.evaluate(state.now) && state.refresh())) return false;
    }
    return true;
  }
}
