import type { ArithmeticOperator, FormulaAst, FormulaFunction, FormulaNode } from "./formula_ast.ts";
import { isTruth } from "./formula_lower.ts";
import { combineUnits, DIMENSIONLESS, powerOfUnit, printUnit, sameUnit, type Unit } from "./units.ts";

/** What does not fit, with its place in the formula's text. */
export interface UnitMismatch {
  readonly offset: number;
  readonly message: string;
}

export interface FormulaUnits {
  /** Of the result; undefined where it fits any unit, as a number literal does. */
  readonly unit: Unit | undefined;
  readonly mismatches: readonly UnitMismatch[];
}

/** The unit of an expression: undefined fits any (a literal, or what is made of literals only). */
type Found = Unit | undefined;

/** These give what they take; all their operands have one unit. The others want dimensionless operands. */
const SAME_UNIT: ReadonlySet<FormulaFunction> = new Set([
  "abs",
  "min",
  "max",
  "clip",
  "floor",
  "ceil",
  "round",
]);

/**
 * Checks the units of a formula: sums, comparisons, conditions and `min`-like functions want one unit, products and
 * quotients combine, powers want a number as exponent, other functions want dimensionless operands.
 * @param unitOf The unit of a name; undefined for one that fits any unit, as pi and e do.
 */
export function unitsOfFormula(ast: FormulaAst, unitOf: (name: string) => Unit | undefined): FormulaUnits {
  const mismatches: UnitMismatch[] = [];
  const unit = find(ast.root);
  return { unit, mismatches: mismatches.sort((a, b) => a.offset - b.offset) };

  function find(node: FormulaNode): Found {
    switch (node.kind) {
      case "number":
        return undefined;
      case "name":
        return unitOf(node.name);
      case "unary":
        return find(node.operand);
      case "not":
        find(node.operand);
        return DIMENSIONLESS;
      case "logic":
        return findLogic(node);
      case "arithmetic":
        return node.rest.reduce<Found>(
          (left, { op, offset, operand }) => arithmetic(op, offset, left, find(operand), operand),
          find(node.first),
        );
      case "comparison": {
        const operands = [node.first, ...node.rest.map((link) => link.operand)].map(find);
        node.rest.forEach(({ offset }, i) =>
          void one(offset, "compare", "with", operands[i], operands[i + 1])
        );
        return DIMENSIONLESS;
      }
      case "conditional": {
        find(node.test);
        return one(node.offset, "choose between", "and", find(node.then), find(node.otherwise));
      }
      case "call":
        return findCall(node);
    }
  }

  function findLogic(node: Extract<FormulaNode, { kind: "logic" }>): Found {
    const units = node.operands.map(find);
    if (node.operands.every(isTruth)) return DIMENSIONLESS;
    return units.reduce((a, b) => one(node.offset, "choose between", "and", a, b));
  }

  function findCall({ name, offset, operands }: Extract<FormulaNode, { kind: "call" }>): Found {
    const units = operands.map(find);
    if (SAME_UNIT.has(name)) return units.reduce((a, b) => one(offset, `take ${name} of`, "and", a, b));
    if (name === "sqrt") return units[0] && powerOfUnit(units[0], 0.5);
    const wrong = units.findIndex((found) => found !== undefined && found.size > 0);
    if (wrong >= 0) {
      refuse(
        operands[wrong].offset,
        `Cannot take ${name} of ${printUnit(units[wrong]!)}: expected a dimensionless value`,
      );
    }
    return units.every((found) => found === undefined) ? undefined : DIMENSIONLESS;
  }

  function arithmetic(op: ArithmeticOperator, offset: number, a: Found, b: Found, right: FormulaNode): Found {
    switch (op) {
      case "*":
        return a === undefined ? b : b === undefined ? a : combineUnits(a, b);
      case "/":
      case "//":
        return b === undefined ? a : combineUnits(a ?? DIMENSIONLESS, b, -1);
      case "**":
        return power(offset, a, b, right);
      case "%":
        return one(offset, "reduce", "by", a, b);
      case "+":
        return one(offset, "add", "to", b, a);
      case "-":
        return one(offset, "subtract", "from", b, a);
    }
  }

  function power(offset: number, base: Found, exponent: Found, right: FormulaNode): Found {
    if (exponent !== undefined && exponent.size > 0) {
      refuse(offset, `Cannot raise to a power in ${printUnit(exponent)}: expected a dimensionless exponent`);
    }
    if (base === undefined) return exponent;
    if (base.size === 0) return base;
    const number = literal(right);
    if (number !== undefined) return powerOfUnit(base, number);
    refuse(
      offset,
      `Cannot raise ${printUnit(base)} to a power that is not a number: its unit would not be known`,
    );
    return undefined;
  }

  /** The unit that both have. */
  function one(offset: number, verb: string, preposition: string, a: Found, b: Found): Found {
    if (a === undefined) return b;
    if (b !== undefined && !sameUnit(a, b)) {
      refuse(offset, `Cannot ${verb} ${printUnit(a)} ${preposition} ${printUnit(b)}: expected one unit`);
    }
    return a;
  }

  function refuse(offset: number, message: string): void {
    mismatches.push({ offset, message });
  }
}

/** The number that an exponent is, through signs and quotients: 2, −1, 1/3. */
function literal(node: FormulaNode): number | undefined {
  if (node.kind === "number") return node.value;
  if (node.kind === "unary") {
    const value = literal(node.operand);
    return value === undefined ? undefined : node.op === "-" ? -value : value;
  }
  if (node.kind !== "arithmetic" || node.rest.length !== 1 || node.rest[0].op !== "/") return undefined;
  const [over, under] = [literal(node.first), literal(node.rest[0].operand)];
  return over === undefined || under === undefined ? undefined : over / under;
}
