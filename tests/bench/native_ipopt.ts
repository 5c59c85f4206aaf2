import { denseForm } from "../solver/book_problem.ts";
import type { Body, ProblemCode } from "./problem_code.ts";

const HEADER = "/usr/include/coin/IpStdCInterface.h";

/** What native IPOPT takes for a problem. */
export interface Native {
  readonly status: number;
  readonly iterations: number;
  readonly objective: number;
  readonly micros: number;
}

/**
 * Builds ipopt/driver.c around the same formulas and runs it.
 * @returns By name; or why there is nothing.
 */
export async function nativeTimes(problems: readonly ProblemCode[]): Promise<Map<string, Native> | string> {
  try {
    await Deno.stat(HEADER);
  } catch {
    return `no ${HEADER}: install coinor-libipopt-dev`;
  }
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/problems.h`, nativeCode(problems));
    const source = decodeURIComponent(new URL("./ipopt/driver.c", import.meta.url).pathname);
    const program = `${folder}/driver`;
    const args = ["-O2", "-I", folder, source, "-lipopt", "-lm", "-o", program];
    const build = await new Deno.Command("cc", { args }).output();
    if (!build.success) return `cc cannot build it: ${new TextDecoder().decode(build.stderr).split("\n")[0]}`;
    const { stdout } = await new Deno.Command(program).output();
    const times = new Map<string, Native>();
    for (const line of new TextDecoder().decode(stdout).trim().split("\n")) {
      const [name, ...figures] = line.split(" ");
      const [status, iterations, objective, micros] = figures.map(Number);
      times.set(name, { status, iterations, objective, micros });
    }
    return times;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "no C compiler: install gcc";
    throw error;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The problems as callbacks of IPOPT's C interface. */
export function nativeCode(problems: readonly ProblemCode[]): string {
  const table = problems.map(({ book, name, jacobian, hessian }, k) => {
    const [n, m] = [book.x0.length, book.rows?.length ?? 0];
    const call = ["f", "gradient", "g", "jac", "hess"].map((part) => `p${k}_${part}`).join(", ");
    const arrays = ["x0", "xl", "xu", "gl", "gu"].map((part) => `p${k}_${part}`).join(", ");
    return `  {"${name}", ${n}, ${m}, ${jacobian.iRow.length}, ${hessian.iRow.length}, ${call}, ${arrays}},`;
  });
  return `${problems.map(callbacks).join("\n")}\nstatic const Problem problems[] = {\n${
    table.join("\n")
  }\n};\n`;
}

function callbacks({ book, jacobian, hessian, bodies }: ProblemCode, k: number): string {
  const { x0, xl, xu, gl, gu } = denseForm(book);
  const data = Object.entries({ x0, xl, xu, gl, gu }).map(([part, of]) =>
    `static Number p${k}_${part}[] = {${of.length > 0 ? Array.from(of, bound).join(", ") : "0"}};`
  );
  const places = Object.entries({ jac: jacobian, hess: hessian }).flatMap(([part, { iRow, jCol }]) => [
    `static const Index p${k}_${part}_row[] = {${[...iRow, 0].join(", ")}};`,
    `static const Index p${k}_${part}_col[] = {${[...jCol, 0].join(", ")}};`,
  ]);
  const structured = (part: string, count: number) =>
    `  if (!out) return take(${count}, p${k}_${part}_row, p${k}_${part}_col, row, col);`;
  return [
    ...data,
    ...places,
    `static Bool p${k}_f(Index n, Number *x, Bool fresh, Number *out, UserDataPtr data) {`,
    statements(bodies.f),
    `static Bool p${k}_gradient(Index n, Number *x, Bool fresh, Number *out, UserDataPtr data) {`,
    statements(bodies.gradient),
    `static Bool p${k}_g(Index n, Number *x, Bool fresh, Index m, Number *out, UserDataPtr data) {`,
    statements(bodies.g),
    `static Bool p${k}_jac(Index n, Number *x, Bool fresh, Index m, Index nz, Index *row, Index *col, Number *out,`,
    `                      UserDataPtr data) {`,
    structured("jac", jacobian.iRow.length),
    statements(bodies.jacobianValues),
    `static Bool p${k}_hess(Index n, Number *x, Bool fresh, Number s, Index m, Number *y, Bool fresh_y, Index nz,`,
    `                       Index *row, Index *col, Number *out, UserDataPtr data) {`,
    structured("hess", hessian.iRow.length),
    statements(bodies.hessianValues),
  ].join("\n");
}

function statements({ count, lines }: Body): string {
  const names = Array.from({ length: count }, (_, k) => `t${k}`).join(", ");
  return [
    ...(count > 0 ? [`  Number ${names};`] : []),
    ...lines.map((line) => `  ${line}`),
    "  return TRUE;",
    "}",
  ]
    .join("\n");
}

function bound(value: number): string {
  return value === Infinity ? "2e19" : value === -Infinity ? "-2e19" : String(value);
}
