/// <reference types="./portable.d.ts" />

const CAPACITY: i32 = 1024;

/** Pairs (θ, φ) that no accepted iterate may be worse than in both. */
export class Filter {
  private readonly theta: Float64Array = new Float64Array(CAPACITY);
  private readonly phi: Float64Array = new Float64Array(CAPACITY);
  private count: i32 = 0;

  clear(): void {
    this.count = 0;
  }

  accepts(theta: f64, phi: f64): boolean {
    for (let k: i32 = 0; k < this.count; k++) {
      if (theta > this.theta[k] && phi > this.phi[k]) return false;
    }
    return true;
  }

  add(theta: f64, phi: f64): void {
    let kept: i32 = 0;
    for (let k: i32 = 0; k < this.count; k++) {
      if (this.theta[k] >= theta && this.phi[k] >= phi) continue;
      this.theta[kept] = this.theta[k];
      this.phi[kept] = this.phi[k];
      kept++;
    }
    // A full filter forgets its oldest pair: memory is fixed, and no solve was seen to come near.
    if (kept === CAPACITY) {
      for (let k: i32 = 1; k < kept; k++) {
        this.theta[k - 1] = this.theta[k];
        this.phi[k - 1] = this.phi[k];
      }
      kept--;
    }
    this.theta[kept] = theta;
    this.phi[kept] = phi;
    this.count = kept + 1;
  }
}
