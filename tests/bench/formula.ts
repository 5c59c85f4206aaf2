import type { Jet } from "../solver/jet.ts";

/** What a node computes from its operands. */
export type Kind = "number" | "x" | "plus" | "times" | "power" | "exp" | "log" | "sin" | "cos";

/**
 * A formula, made by the same calls as a {@linkcode Jet}: the book's problems are written once and become code for both
 * sides of the comparison. Equal formulas are one node, so that common parts are computed once.
 */
export class Formula {
  readonly kind: Kind;
  readonly operands: readonly Formula[];
  /** A number's value, a variable's index, a power's exponent. */
  readonly figure: number;
  readonly id: number;
  readonly #derivatives = new Map<number, Formula>();

  private constructor(kind: Kind, operands: readonly Formula[], figure: number, id: number) {
    this.kind = kind;
    this.operands = operands;
    this.figure = figure;
    this.id = id;
  }

  static readonly #nodes = new Map<string, Formula>();

  static #node(kind: Kind, operands: readonly Formula[], figure = 0): Formula {
    const key = `${kind} ${figure} ${operands.map(({ id }) => id).join(" ")}`;
    let node = Formula.#nodes.get(key);
    if (node === undefined) {
      node = new Formula(kind, operands, figure, Formula.#nodes.size);
      Formula.#nodes.set(key, node);
    }
    return node;
  }

  static number(value: number): Formula {
    return Formula.#node("number", [], value);
  }

  static variable(index: number): Formula {
    return Formula.#node("x", [], index);
  }

  static #of(value: Formula | number): Formula {
    return typeof value === "number" ? Formula.number(value) : value;
  }

  /** Whether it is this very number. */
  is(value: number): boolean {
    return this.kind === "number" && this.figure === value;
  }

  plus(other: Formula | number): Formula {
    const b = Formula.#of(other);
    if (this.is(0)) return b;
    if (b.is(0)) return this;
    if (this.kind === "number" && b.kind === "number") return Formula.number(this.figure + b.figure);
    return Formula.#node("plus", this.id < b.id ? [this, b] : [b, this]);
  }

  minus(other: Formula | number): Formula {
    return this.plus(typeof other === "number" ? -other : other.times(-1));
  }

  times(other: Formula | number): Formula {
    const b = Formula.#of(other);
    if (this.is(0) || b.is(0)) return Formula.number(0);
    if (this.is(1)) return b;
    if (b.is(1)) return this;
    if (b.kind === "number" && this.kind !== "number") return b.times(this);
    if (this.kind === "number" && b.kind === "number") return Formula.number(this.figure * b.figure);
    // A number goes to the front of a product, and two become one.
    if (this.kind === "number" && b.kind === "times" && b.operands[0].kind === "number") {
      return b.operands[1].times(this.figure * b.operands[0].figure);
    }
    return Formula.#node("times", this.kind === "number" || this.id < b.id ? [this, b] : [b, this]);
  }

  over(other: Formula | number): Formula {
    return this.times(typeof other === "number" ? 1 / other : other.power(-1));
  }

  power(p: number): Formula {
    if (p === 0) return Formula.number(1);
    if (p === 1) return this;
    if (this.kind === "number") return Formula.number(this.figure ** p);
    return Formula.#node("power", [this], p);
  }

  square(): Formula {
    return this.power(2);
  }

  exp(): Formula {
    return Formula.#node("exp", [this]);
  }

  log(): Formula {
    return Formula.#node("log", [this]);
  }

  sin(): Formula {
    return Formula.#node("sin", [this]);
  }

  cos(): Formula {
    return Formula.#node("cos", [this]);
  }

  /** ∂/∂x_j */
  by(j: number): Formula {
    let found = this.#derivatives.get(j);
    if (found === undefined) this.#derivatives.set(j, found = this.#derive(j));
    return found;
  }

  #derive(j: number): Formula {
    const [a, b] = this.operands;
    switch (this.kind) {
      case "number":
        return Formula.number(0);
      case "x":
        return Formula.number(this.figure === j ? 1 : 0);
      case "plus":
        return a.by(j).plus(b.by(j));
      case "times":
        return a.by(j).times(b).plus(a.times(b.by(j)));
      case "power":
        return a.by(j).times(a.power(this.figure - 1)).times(this.figure);
      case "exp":
        return a.by(j).times(this);
      case "log":
        return a.by(j).over(a);
      case "sin":
        return a.by(j).times(a.cos());
      case "cos":
        return a.by(j).times(a.sin()).times(-1);
    }
  }
}

/** The formula that `write` makes of n variables. */
export function formulaOf(write: (x: readonly Jet[]) => Jet, n: number): Formula {
  // The two classes have the same calls; that is all a formula of the book uses.
  const x = Array.from({ length: n }, (_, j) => Formula.variable(j)) as unknown as readonly Jet[];
  return write(x) as unknown as Formula;
}
