/**
 * Formulas: Python's expressions on numbers, parsed to a tree and lowered to the graph, never executed. Precedence and
 * associativity are those of "The Python Language Reference", chapter 6.
 */
import {
  type ArithmeticOperator,
  type ChainLink,
  type ComparisonOperator,
  FORMULA_FUNCTIONS,
  type FormulaAst,
  type FormulaFunction,
  type FormulaName,
  type FormulaNode,
} from "./formula_ast.ts";
import { formulaError, type Token, tokenize } from "./formula_lexer.ts";
import { didYouMean } from "./nearest_names.ts";

export type { FormulaAst, FormulaName, FormulaNode } from "./formula_ast.ts";
export { lowerFormula } from "./formula_lower.ts";
export { printFormula } from "./formula_print.ts";

/** Deeper nesting of parentheses, signs, powers and conditions is refused. */
const MAX_FORMULA_DEPTH = 200;

const COMPARISONS: ReadonlySet<string> = new Set<ComparisonOperator>(["<", "<=", ">", ">=", "==", "!="]);
const SUMS: ReadonlySet<string> = new Set<ArithmeticOperator>(["+", "-"]);
const PRODUCTS: ReadonlySet<string> = new Set<ArithmeticOperator>(["*", "/", "//", "%"]);
const OPERAND = 'a number, a name, "(", "-" or "not"';

/** Least and most operands. Python's log takes a base as its second. */
const ARITY: Partial<Record<FormulaFunction, readonly [number, number]>> = {
  min: [2, Infinity],
  max: [2, Infinity],
  log: [1, 2],
  clip: [3, 3],
};

/**
 * Parses a formula. Which names it may use is not checked here.
 * @throws {GraphError} FORMULA, with the offset of the first wrong character.
 */
export function parseFormula(text: string): FormulaAst {
  const parser = new Parser(tokenize(text));
  return { text, root: parser.formula(), names: parser.names };
}

/** Recursive descent, one method a level of precedence, from the loosest down. */
class Parser {
  readonly names: FormulaName[] = [];
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  formula(): FormulaNode {
    if (this.#ended()) throw formulaError(`it is empty, expected ${OPERAND}`, 0);
    const root = this.#expression();
    if (!this.#ended()) throw this.#unexpected("an operator or the end");
    return root;
  }

  #expression(): FormulaNode {
    return this.#nested(() => {
      const then = this.#or();
      const { offset } = this.#next;
      if (!this.#accept("if")) return then;
      const test = this.#or();
      if (!this.#accept("else")) {
        throw this.#unexpected('"else", because a condition needs both values');
      }
      return { kind: "conditional", offset, test, then, otherwise: this.#expression() };
    });
  }

  #or(): FormulaNode {
    return this.#logic("or", () => this.#logic("and", () => this.#not()));
  }

  #logic(op: "and" | "or", operand: () => FormulaNode): FormulaNode {
    const operands = [operand()];
    const { offset } = this.#next;
    while (this.#accept(op)) operands.push(operand());
    return operands.length === 1 ? operands[0] : { kind: "logic", offset, op, operands };
  }

  #not(): FormulaNode {
    const { offset } = this.#next;
    if (!this.#accept("not")) return this.#comparison();
    return this.#nested(() => ({ kind: "not", offset, operand: this.#not() }));
  }

  #comparison(): FormulaNode {
    const first = this.#sum();
    const rest = this.#links<ComparisonOperator>(COMPARISONS, () => this.#sum());
    return rest.length === 0 ? first : { kind: "comparison", offset: rest[0].offset, first, rest };
  }

  #sum(): FormulaNode {
    return this.#arithmetic(SUMS, () => this.#arithmetic(PRODUCTS, () => this.#sign()));
  }

  #arithmetic(operators: ReadonlySet<string>, operand: () => FormulaNode): FormulaNode {
    const first = operand();
    const rest = this.#links<ArithmeticOperator>(operators, operand);
    return rest.length === 0 ? first : { kind: "arithmetic", offset: rest[0].offset, first, rest };
  }

  #sign(): FormulaNode {
    const { offset, text } = this.#next;
    if (text !== "-" && text !== "+") return this.#power();
    this.#at++;
    return this.#nested(() => ({ kind: "unary", offset, op: text, operand: this.#sign() }));
  }

  /** Binds tighter than a sign on its left, looser than one on its right: −2**2 is −4, 2**−1 is 0.5. */
  #power(): FormulaNode {
    const first = this.#primary();
    const { offset } = this.#next;
    if (!this.#accept("**")) return first;
    const operand = this.#nested(() => this.#sign());
    return { kind: "arithmetic", offset, first, rest: [{ op: "**", offset, operand }] };
  }

  #primary(): FormulaNode {
    const token = this.#next;
    const { kind, offset, text, value } = token;
    if (kind === "number") {
      this.#at++;
      this.#refuseCall(text);
      return { kind: "number", offset, value, text };
    }
    if (kind === "name") {
      this.#at++;
      if (this.#accept("(")) return this.#call(token);
      this.names.push({ name: text, offset });
      return { kind: "name", offset, name: text };
    }
    if (!this.#accept("(")) throw this.#unexpected(OPERAND);
    const inner = this.#expression();
    if (!this.#accept(")")) {
      throw this.#unexpected(`an operator or ")" for the "(" at character ${offset + 1}`);
    }
    this.#refuseCall(")");
    return inner;
  }

  #refuseCall(before: string): void {
    if (this.#next.text === "(") throw this.#unexpected(`an operator between "${before}" and "("`);
  }

  #call({ text, offset }: Token): FormulaNode {
    const name = FORMULA_FUNCTIONS.find((known) => known === text);
    if (name === undefined) {
      throw formulaError(
        `"${text}" is not a function${didYouMean(text, FORMULA_FUNCTIONS)}; expected one of ${
          FORMULA_FUNCTIONS.join(", ")
        }`,
        offset,
      );
    }
    const operands: FormulaNode[] = [];
    while (!this.#accept(")")) {
      if (operands.length > 0 && !this.#accept(",")) throw this.#unexpected(`"," or ")" in ${name}(…)`);
      if (operands.length > 0 && this.#accept(")")) break;
      operands.push(this.#expression());
    }
    this.#refuseCall(")");
    const [least, most] = ARITY[name] ?? [1, 1];
    if (operands.length < least || operands.length > most) {
      const expected = most === least
        ? `${least}`
        : most === Infinity
        ? `${least} or more`
        : `${least} or ${most}`;
      throw formulaError(`${name}() has ${operands.length} arguments, expected ${expected}`, offset);
    }
    return { kind: "call", offset, name, operands };
  }

  #links<Operator extends string>(
    operators: ReadonlySet<string>,
    operand: () => FormulaNode,
  ): ChainLink<Operator>[] {
    const links: ChainLink<Operator>[] = [];
    while (operators.has(this.#next.text)) {
      const { text, offset } = this.#next;
      this.#at++;
      links.push({ op: text as Operator, offset, operand: operand() });
    }
    return links;
  }

  #nested(parse: () => FormulaNode): FormulaNode {
    if (++this.#depth > MAX_FORMULA_DEPTH) {
      throw formulaError(`it is nested more than ${MAX_FORMULA_DEPTH} deep`, this.#next.offset);
    }
    const node = parse();
    this.#depth--;
    return node;
  }

  get #next(): Token {
    return this.#tokens[this.#at];
  }

  #ended(): boolean {
    return this.#next.kind === "end";
  }

  #accept(text: string): boolean {
    const found = this.#next.kind !== "name" && this.#next.text === text && text !== "";
    if (found) this.#at++;
    return found;
  }

  #unexpected(expected: string): Error {
    const { kind, text, offset } = this.#next;
    return formulaError(`${kind === "end" ? "it ends" : `found "${text}"`}, expected ${expected}`, offset);
  }
}
