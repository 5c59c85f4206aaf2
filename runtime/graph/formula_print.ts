import type { FormulaAst, FormulaNode } from "./formula_ast.ts";

/** How tightly each form binds; an operand that binds less tightly than its place asks for gets parentheses. */
const LEVEL = {
  conditional: 0,
  or: 1,
  and: 2,
  not: 3,
  comparison: 4,
  sum: 5,
  product: 6,
  sign: 7,
  power: 8,
  atom: 9,
};

/**
 * The formula in one form: one space around operators, parentheses only where they are needed. Parses to the same tree.
 * @param rename What to print for a name; default the name.
 */
export function printFormula(ast: FormulaAst, rename: (name: string) => string = (name) => name): string {
  return print(ast.root, 0);

  function print(node: FormulaNode, place: number): string {
    const level = levelOf(node);
    const text = bare(node, level);
    return level < place ? `(${text})` : text;
  }

  function bare(node: FormulaNode, level: number): string {
    switch (node.kind) {
      case "number":
        return node.text;
      case "name":
        return rename(node.name);
      case "unary":
        return `${node.op}${print(node.operand, level)}`;
      case "not":
        return `not ${print(node.operand, level)}`;
      case "logic":
        return node.operands.map((operand) => print(operand, level + 1)).join(` ${node.op} `);
      case "conditional":
        return `${print(node.then, 1)} if ${print(node.test, 1)} else ${print(node.otherwise, 0)}`;
      case "call":
        return `${node.name}(${node.operands.map((operand) => print(operand, 0)).join(", ")})`;
      case "arithmetic":
        if (level === LEVEL.power) {
          return `${print(node.first, LEVEL.atom)}**${print(node.rest[0].operand, LEVEL.sign)}`;
        }
        return links(node.first, node.rest, level + 1);
      case "comparison":
        return links(node.first, node.rest, level + 1);
    }
  }

  function links(
    first: FormulaNode,
    rest: readonly { readonly op: string; readonly operand: FormulaNode }[],
    place: number,
  ): string {
    return rest.reduce(
      (text, { op, operand }) => `${text} ${op} ${print(operand, place)}`,
      print(first, place),
    );
  }
}

function levelOf(node: FormulaNode): number {
  switch (node.kind) {
    case "number":
    case "name":
    case "call":
      return LEVEL.atom;
    case "unary":
      return LEVEL.sign;
    case "logic":
      return LEVEL[node.op];
    case "arithmetic": {
      const { op } = node.rest[0];
      return op === "**" ? LEVEL.power : op === "+" || op === "-" ? LEVEL.sum : LEVEL.product;
    }
    default:
      return LEVEL[node.kind];
  }
}
