/**
 * A value with its first and second derivatives, carried forward by the chain rule. Slow and plain: the derivatives of
 * the test problems come from here and from nothing that the solver uses.
 */
export class Jet {
  constructor(
    readonly value: number,
    /** Gradient, length n. */
    readonly first: Float64Array,
    /** Hessian, n × n row-major. */
    readonly second: Float64Array,
  ) {}

  static variable(value: number, index: number, n: number): Jet {
    const first = new Float64Array(n);
    first[index] = 1;
    return new Jet(value, first, new Float64Array(n * n));
  }

  plus(other: Jet | number): Jet {
    if (typeof other === "number") return new Jet(this.value + other, this.first, this.second);
    return new Jet(
      this.value + other.value,
      this.first.map((d, i) => d + other.first[i]),
      this.second.map((d, i) => d + other.second[i]),
    );
  }

  minus(other: Jet | number): Jet {
    return this.plus(typeof other === "number" ? -other : other.times(-1));
  }

  times(other: Jet | number): Jet {
    if (typeof other === "number") return this.chain(this.value * other, other, 0);
    const n = this.first.length;
    const second = this.second.map((d, k) => {
      const i = Math.floor(k / n);
      const j = k % n;
      return d * other.value + other.second[k] * this.value + this.first[i] * other.first[j] +
        this.first[j] * other.first[i];
    });
    const first = this.first.map((d, i) => d * other.value + other.first[i] * this.value);
    return new Jet(this.value * other.value, first, second);
  }

  over(other: Jet | number): Jet {
    return this.times(typeof other === "number" ? 1 / other : other.power(-1));
  }

  /** To a constant exponent. */
  power(p: number): Jet {
    const v = this.value;
    return this.chain(
      v ** p,
      p === 0 ? 0 : p * v ** (p - 1),
      p === 0 || p === 1 ? 0 : p * (p - 1) * v ** (p - 2),
    );
  }

  square(): Jet {
    return this.power(2);
  }

  exp(): Jet {
    const e = Math.exp(this.value);
    return this.chain(e, e, e);
  }

  log(): Jet {
    return this.chain(Math.log(this.value), 1 / this.value, -1 / this.value ** 2);
  }

  sin(): Jet {
    return this.chain(Math.sin(this.value), Math.cos(this.value), -Math.sin(this.value));
  }

  cos(): Jet {
    return this.chain(Math.cos(this.value), -Math.sin(this.value), -Math.cos(this.value));
  }

  private chain(value: number, slope: number, curvature: number): Jet {
    const n = this.first.length;
    const first = this.first.map((d) => slope * d);
    const second = this.second.map((d, k) =>
      slope * d + curvature * this.first[Math.floor(k / n)] * this.first[k % n]
    );
    return new Jet(value, first, second);
  }
}
