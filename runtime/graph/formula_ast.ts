/** The syntax tree of a formula. Every `offset` counts UTF-16 units from the start of the formula's text. */

export const FORMULA_FUNCTIONS = [
  "abs",
  "min",
  "max",
  "exp",
  "log",
  "log10",
  "sqrt",
  "sin",
  "cos",
  "tan",
  "tanh",
  "floor",
  "ceil",
  "round",
  "clip",
] as const;

export type FormulaFunction = (typeof FORMULA_FUNCTIONS)[number];

/** A variable of the same name wins. */
export const FORMULA_CONSTANTS: ReadonlyMap<string, number> = new Map([["pi", Math.PI], ["e", Math.E]]);

export type ArithmeticOperator = "+" | "-" | "*" | "/" | "//" | "%" | "**";
export type ComparisonOperator = "<" | "<=" | ">" | ">=" | "==" | "!=";

/** One more operand of a chain: `op` stands at `offset`. */
export interface ChainLink<Operator> {
  readonly op: Operator;
  readonly offset: number;
  readonly operand: FormulaNode;
}

export type FormulaNode =
  | { readonly kind: "number"; readonly offset: number; readonly value: number; readonly text: string }
  | { readonly kind: "name"; readonly offset: number; readonly name: string }
  | { readonly kind: "unary"; readonly offset: number; readonly op: "+" | "-"; readonly operand: FormulaNode }
  | { readonly kind: "not"; readonly offset: number; readonly operand: FormulaNode }
  /** Left to right, all operators of one precedence; a chain and not nested pairs, so that a long sum is not a deep tree. */
  | {
    readonly kind: "arithmetic";
    readonly offset: number;
    readonly first: FormulaNode;
    readonly rest: readonly ChainLink<ArithmeticOperator>[];
  }
  /** `a < b <= c`: every neighbouring pair must hold. */
  | {
    readonly kind: "comparison";
    readonly offset: number;
    readonly first: FormulaNode;
    readonly rest: readonly ChainLink<ComparisonOperator>[];
  }
  /** At least two operands. */
  | {
    readonly kind: "logic";
    readonly offset: number;
    readonly op: "and" | "or";
    readonly operands: readonly FormulaNode[];
  }
  | {
    readonly kind: "conditional";
    readonly offset: number;
    readonly test: FormulaNode;
    readonly then: FormulaNode;
    readonly otherwise: FormulaNode;
  }
  | {
    readonly kind: "call";
    readonly offset: number;
    readonly name: FormulaFunction;
    readonly operands: readonly FormulaNode[];
  };

/** A name as the formula uses it; the same name appears once for each use. */
export interface FormulaName {
  readonly name: string;
  readonly offset: number;
}

export interface FormulaAst {
  readonly text: string;
  readonly root: FormulaNode;
  /** In the order of the text; `pi` and `e` are among them. */
  readonly names: readonly FormulaName[];
}
