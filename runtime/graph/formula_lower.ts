import type { Graph, NodeId } from "./expr.ts";
import {
  type ArithmeticOperator,
  type ComparisonOperator,
  FORMULA_CONSTANTS,
  type FormulaAst,
  type FormulaFunction,
  type FormulaNode,
} from "./formula_ast.ts";
import { formulaError } from "./formula_lexer.ts";
import type { BinaryOp } from "./ops.ts";

/** The node of a name, or undefined for a name that is not known. It may throw its own error. */
export type NameResolver = (name: string, offset: number) => NodeId | undefined;

const ARITHMETIC: Record<ArithmeticOperator, BinaryOp> = {
  "+": "add",
  "-": "sub",
  "*": "mul",
  "/": "div",
  "//": "floordiv",
  "%": "mod",
  "**": "pow",
};

/**
 * Adds a formula to a graph and returns its node (length 1). `pi` and `e` are constants unless `resolve` knows them.
 * @param strict Refuse a part that has no value whatever the names stand for, such as log(-1). Default: it is NaN or ±∞.
 * @throws {GraphError} FORMULA with the offset of an unknown name or of a refused part.
 */
export function lowerFormula(
  graph: Graph,
  ast: FormulaAst,
  resolve: NameResolver,
  { strict = false } = {},
): NodeId {
  return lower(ast.root);

  function lower(node: FormulaNode): NodeId {
    switch (node.kind) {
      case "number":
        return graph.constant(node.value);
      case "name":
        return lowerName(node.name, node.offset);
      case "unary": {
        const operand = lower(node.operand);
        return node.op === "-" ? graph.unary("neg", operand) : operand;
      }
      case "not":
        return graph.unary("not", lower(node.operand));
      case "arithmetic":
        return node.rest.reduce(
          (left, { op, offset, operand }) => lowerArithmetic(op, offset, left, lower(operand)),
          lower(node.first),
        );
      case "comparison":
        return lowerComparison(node);
      case "logic":
        return lowerLogic(node);
      case "conditional":
        return graph.select(lower(node.test), lower(node.then), lower(node.otherwise));
      case "call":
        return valued(lowerCall(graph, node.name, node.operands.map(lower)), node.name, node.offset);
    }
  }

  function lowerArithmetic(op: ArithmeticOperator, offset: number, left: NodeId, right: NodeId): NodeId {
    if (strict && (op === "/" || op === "//" || op === "%") && constantOf(right) === 0) {
      throw formulaError(`"${op}" divides by 0`, offset);
    }
    return valued(graph.binary(ARITHMETIC[op], left, right), op, offset);
  }

  function valued(result: NodeId, operation: string, offset: number): NodeId {
    const value = strict ? constantOf(result) ?? 0 : 0;
    if (Number.isFinite(value)) return result;
    throw formulaError(`"${operation}" of these numbers is ${value}, expected a finite number`, offset);
  }

  function constantOf(id: NodeId): number | undefined {
    const { op, data } = graph.nodes[id];
    return op === "constant" ? data![0] : undefined;
  }

  function lowerName(name: string, offset: number): NodeId {
    const found = resolve(name, offset);
    if (found !== undefined) return found;
    const constant = FORMULA_CONSTANTS.get(name);
    if (constant === undefined) throw formulaError(`"${name}" is not a known name`, offset);
    return graph.constant(constant);
  }

  function lowerComparison(node: Extract<FormulaNode, { kind: "comparison" }>): NodeId {
    const operands = [node.first, ...node.rest.map((link) => link.operand)].map(lower);
    return node.rest
      .map(({ op }, i) => compare(graph, op, operands[i], operands[i + 1]))
      .reduce((all, pair) => graph.binary("and", all, pair));
  }

  /** Python's value is one of the operands; only where all are truth values is that the same as 1 or 0. */
  function lowerLogic({ op, operands }: Extract<FormulaNode, { kind: "logic" }>): NodeId {
    const truths = operands.every(isTruth);
    return operands.map(lower).reduceRight((rest, operand) => {
      if (truths) return graph.binary(op, operand, rest);
      return op === "and" ? graph.select(operand, rest, operand) : graph.select(operand, operand, rest);
    });
  }
}

/** Whether the value can only be 1 or 0. */
export function isTruth(node: FormulaNode): boolean {
  switch (node.kind) {
    case "number":
      return node.text === "True" || node.text === "False";
    case "comparison":
    case "not":
      return true;
    case "logic":
      return node.operands.every(isTruth);
    default:
      return false;
  }
}

function compare(graph: Graph, op: ComparisonOperator, a: NodeId, b: NodeId): NodeId {
  switch (op) {
    case "<":
      return graph.binary("lt", a, b);
    case "<=":
      return graph.binary("le", a, b);
    case ">":
      return graph.binary("lt", b, a);
    case ">=":
      return graph.binary("le", b, a);
    case "==":
      return graph.binary("eq", a, b);
    case "!=":
      return graph.unary("not", graph.binary("eq", a, b));
  }
}

function lowerCall(graph: Graph, name: FormulaFunction, args: readonly NodeId[]): NodeId {
  switch (name) {
    case "min":
    case "max":
      return args.reduce((a, b) => graph.binary(name, a, b));
    case "clip":
      return graph.binary("min", graph.binary("max", args[0], args[1]), args[2]);
    case "log": {
      const value = graph.unary("log", args[0]);
      return args.length === 1 ? value : graph.binary("div", value, graph.unary("log", args[1]));
    }
    default:
      return graph.unary(name, args[0]);
  }
}
