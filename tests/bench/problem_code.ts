import type { Structure } from "../../runtime/solver/mod.ts";
import type { BookProblem } from "../solver/book_problem.ts";
import { Formula, formulaOf } from "./formula.ts";

/** Assignments to the entries of `out`, with what they share computed once; the same text is C and JavaScript. */
export interface Body {
  /** Number of intermediate values t0, t1 … */
  readonly count: number;
  readonly lines: readonly string[];
}

/** A problem as straight-line code. */
export interface ProblemCode {
  readonly name: string;
  readonly book: BookProblem;
  readonly jacobian: Structure;
  readonly hessian: Structure;
  readonly bodies: Readonly<Record<"f" | "gradient" | "g" | "jacobianValues" | "hessianValues", Body>>;
}

export function codeOf(name: string, book: BookProblem): ProblemCode {
  const n = book.x0.length;
  const rows = (book.rows ?? []).map(({ g }) => formulaOf(g, n));
  const f = formulaOf(book.f, n);
  // σ and λ stand behind the variables.
  const lagrangian = rows.reduce(
    (sum, row, i) => sum.plus(row.times(Formula.variable(n + 1 + i))),
    f.times(Formula.variable(n)),
  );
  const all = Array.from({ length: n }, (_, j) => j);
  const jacobian = rows.flatMap((row, i) => all.map((j) => ({ i, j, value: row.by(j) })));
  const hessian = all.flatMap((i) =>
    all.slice(0, i + 1).map((j) => ({ i, j, value: lagrangian.by(i).by(j) }))
  );
  const [jacobianPlaces, hessianPlaces] = [jacobian, hessian].map((of) =>
    of.filter(({ value }) => !value.is(0))
  );
  const values = (of: typeof jacobian) => body(of.map(({ value }) => value), n);
  return {
    name,
    book,
    jacobian: structure(jacobianPlaces),
    hessian: structure(hessianPlaces),
    bodies: {
      f: body([f], n),
      gradient: body(all.map((j) => f.by(j)), n),
      g: body(rows, n),
      jacobianValues: values(jacobianPlaces),
      hessianValues: values(hessianPlaces),
    },
  };
}

function structure(places: readonly { readonly i: number; readonly j: number }[]): Structure {
  return { iRow: Int32Array.from(places, ({ i }) => i), jCol: Int32Array.from(places, ({ j }) => j) };
}

function body(outputs: readonly Formula[], n: number): Body {
  const names = new Map<Formula, string>();
  const lines: string[] = [];
  const nameOf = (node: Formula): string => {
    let name = names.get(node);
    if (name !== undefined) return name;
    if (node.operands.length === 0) {
      name = leaf(node, n);
    } else {
      const text = expression(node, node.operands.map(nameOf));
      name = `t${lines.length}`;
      lines.push(`${name} = ${text};`);
    }
    names.set(node, name);
    return name;
  };
  const assignments = outputs.map((node, k) => `out[${k}] = ${nameOf(node)};`);
  return { count: lines.length, lines: [...lines, ...assignments] };
}

function leaf({ kind, figure }: Formula, n: number): string {
  if (kind === "number") return figure < 0 ? `(${exact(figure)})` : exact(figure);
  return figure < n ? `x[${figure}]` : figure === n ? "s" : `y[${figure - n - 1}]`;
}

/** A literal that is a floating-point number in C as well. */
function exact(value: number): string {
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

function expression({ kind, figure }: Formula, [a, b]: readonly string[]): string {
  if (kind === "plus") return `${a} + ${b}`;
  if (kind === "times") return `${a} * ${b}`;
  if (kind !== "power") return `${kind}(${a})`;
  if (Number.isInteger(figure) && Math.abs(figure) <= 4) {
    const product = Array.from({ length: Math.abs(figure) }, () => a).join(" * ");
    return figure > 0 ? product : `1.0 / (${product})`;
  }
  return figure === 0.5 ? `sqrt(${a})` : `pow(${a}, ${exact(figure)})`;
}
