import type { BookProblem } from "./book_problem.ts";
import { Jet } from "./jet.ts";

type Term = (x: readonly Jet[]) => Jet | number;

const FUNCTIONS: Record<string, (a: Jet) => Jet> = {
  sin: (a) => a.sin(),
  cos: (a) => a.cos(),
  exp: (a) => a.exp(),
  log: (a) => a.log(),
  sqrt: (a) => a.power(0.5),
};

/** What a line of a table of problems may say besides name, start and objective. */
export interface BookOptions {
  readonly lower?: readonly number[] | number;
  readonly upper?: readonly number[] | number;
  /** `"x1 + x2 >= 1"`, `"x1*x2 = 2"` or `"0 <= x1 - x2 <= 3"`. */
  readonly rows?: readonly string[];
  readonly best: number;
}

/** A problem whose formulas are text as books print them: `x1` … are the variables, `^` is a power with a constant exponent. */
export function book(name: string, x0: readonly number[], f: string, options: BookOptions): BookProblem {
  const side = (given: readonly number[] | number | undefined, i: number, open: number) =>
    typeof given === "number" ? given : given?.[i] ?? open;
  return {
    name,
    x0,
    bounds: x0.map((_, i) => [side(options.lower, i, -Infinity), side(options.upper, i, Infinity)] as const),
    f: formula(f),
    rows: (options.rows ?? []).map(row),
    best: options.best,
  };
}

function row(text: string) {
  const parts = text.split(/(<=|>=|=)/);
  if (parts.length === 5) {
    return { g: formula(parts[2]), lower: constant(parts[0]), upper: constant(parts[4]) };
  }
  const [g, relation, value] = [formula(parts[0]), parts[1], constant(parts[2])];
  return { g, lower: relation === "<=" ? -Infinity : value, upper: relation === ">=" ? Infinity : value };
}

function constant(text: string): number {
  const value = parse(text)([]);
  if (typeof value !== "number") throw new SyntaxError(`Expected a number, got "${text}"`);
  return value;
}

function formula(text: string): (x: readonly Jet[]) => Jet {
  const term = parse(text);
  return (x) => {
    const value = term(x);
    return typeof value === "number" ? x[0].times(0).plus(value) : value;
  };
}

function parse(text: string): Term {
  const tokens = text.match(/\d*\.?\d+(?:e[-+]?\d+)?|[a-z]+\d*|[-+*/^()]/g) ?? [];
  let at = 0;

  function sum(): Term {
    let left = product();
    while (tokens[at] === "+" || tokens[at] === "-") {
      const [sign, a] = [tokens[at++] === "+" ? 1 : -1, left];
      const b = product();
      left = (x) => add(a(x), b(x), sign);
    }
    return left;
  }

  function product(): Term {
    let left = factor();
    while (tokens[at] === "*" || tokens[at] === "/") {
      const [power, a] = [tokens[at++] === "*" ? 1 : -1, left];
      const b = factor();
      left = (x) => multiply(a(x), raise(b(x), power));
    }
    return left;
  }

  function factor(): Term {
    if (tokens[at] === "-") {
      at++;
      const a = factor();
      return (x) => multiply(a(x), -1);
    }
    const base = atom();
    if (tokens[at] !== "^") return base;
    at++;
    const exponent = factor()([]);
    if (typeof exponent !== "number") throw new SyntaxError(`Expected a constant exponent in "${text}"`);
    return (x) => raise(base(x), exponent);
  }

  function atom(): Term {
    const token = tokens[at++];
    if (token === "(" || token in FUNCTIONS) {
      if (token !== "(") at++;
      const inner = sum();
      if (tokens[at++] !== ")") throw new SyntaxError(`Expected ")" in "${text}"`);
      return token === "(" ? inner : (x) => FUNCTIONS[token](inner(x) as Jet);
    }
    if (/^x\d/.test(token)) return (x) => x[Number(token.slice(1)) - 1];
    const value = Number(token);
    if (Number.isNaN(value)) throw new SyntaxError(`Unknown "${token}" in "${text}"`);
    return () => value;
  }

  const whole = sum();
  if (at !== tokens.length) throw new SyntaxError(`Unexpected "${tokens[at]}" in "${text}"`);
  return whole;
}

function add(a: Jet | number, b: Jet | number, sign: number): Jet | number {
  if (typeof b === "number") return typeof a === "number" ? a + sign * b : a.plus(sign * b);
  return b.times(sign).plus(a);
}

function multiply(a: Jet | number, b: Jet | number): Jet | number {
  if (typeof a === "number") return typeof b === "number" ? a * b : b.times(a);
  return a.times(b);
}

function raise(a: Jet | number, power: number): Jet | number {
  if (power === 1) return a;
  return typeof a === "number" ? a ** power : a.power(power);
}
