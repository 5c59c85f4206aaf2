import type { DenseProblem, SparseProblem, Structure } from "../../runtime/solver/mod.ts";
import { denseForm } from "../solver/book_problem.ts";
import type { Body, ProblemCode } from "./problem_code.ts";

/** A problem in both representations, each callback as fast as straight-line code is. */
export interface TimedProblem {
  readonly name: string;
  readonly dense: DenseProblem;
  readonly sparse: SparseProblem & { readonly hessianStructure: Structure };
}

export function timedProblem({ name, book, jacobian, hessian, bodies }: ProblemCode): TimedProblem {
  const { n, m, x0, xl, xu, gl, gu } = denseForm(book);
  const value = new Float64Array(1);
  const f = compiled(bodies.f, "x");
  const sparse = {
    ...{ n, m, x0, xl, xu, gl, gu },
    jacobianStructure: jacobian,
    hessianStructure: hessian,
    objective: (x: Float64Array) => (f(x, value), value[0]),
    gradient: compiled(bodies.gradient, "x"),
    constraints: compiled(bodies.g, "x"),
    jacobian: compiled(bodies.jacobianValues, "x"),
    hessian: compiled(bodies.hessianValues, "x, s, y"),
  };
  const rows = compiled(placed(bodies.jacobianValues, jacobian, n), "x");
  const curvature = compiled(placed(bodies.hessianValues, hessian, n), "x, s, y");
  const dense: DenseProblem = {
    ...sparse,
    jacobian: (x, values) => (values.fill(0), rows(x, values)),
    hessian: (x, sigma, lambda, values) => (values.fill(0), curvature(x, sigma, lambda, values)),
  };
  return { name, dense, sparse };
}

/** The same with the outputs at the places of a row-major matrix of n columns. */
function placed({ count, lines }: Body, { iRow, jCol }: Structure, n: number): Body {
  const at = (k: number) => iRow[k] * n + jCol[k];
  return {
    count,
    lines: lines.map((line) => line.replace(/^out\[(\d+)\]/, (_, k) => `out[${at(Number(k))}]`)),
  };
}

/** V8 compiles no function as large as some of these: longer ones are a row of functions over one array. */
const MOST_LINES = 400;

function compiled({ count, lines }: Body, parameters: string) {
  const { exp, log, sin, cos, sqrt, pow } = Math;
  const build = (text: string) =>
    new Function("exp", "log", "sin", "cos", "sqrt", "pow", "t", text)(
      ...[exp, log, sin, cos, sqrt, pow],
      new Float64Array(count),
    );
  if (lines.length <= MOST_LINES) {
    const names = Array.from({ length: count }, (_, k) => `t${k}`).join(", ");
    const declared = count > 0 ? `let ${names};` : "";
    return build(`return (${parameters}, out) => { ${declared}\n${lines.join("\n")}\nreturn true; }`);
  }
  const parts: string[] = [];
  for (let k = 0; k < lines.length; k += MOST_LINES) {
    const text = lines.slice(k, k + MOST_LINES).join("\n").replace(/\bt(\d+)\b/g, "t[$1]");
    parts.push(`function part${parts.length}(${parameters}, out) {\n${text}\n}`);
  }
  const calls = parts.map((_, k) => `part${k}(${parameters}, out);`).join(" ");
  return build(`${parts.join("\n")}\nreturn (${parameters}, out) => { ${calls} return true; }`);
}
