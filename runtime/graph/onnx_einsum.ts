/** Einsum: products summed over the letters that the result does not have. Source: github.com/onnx/onnx, Einsum-12. */
import { fail, type OnnxCall, type OnnxRule } from "./onnx_call.ts";
import { summed } from "./onnx_reduce.ts";
import { eachPlace, type OnnxValue, stridesOf } from "./onnx_value.ts";

/** Letters, and once an ellipsis. */
const TERM = /^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/;
/** The dimensions of an ellipsis are letters that nobody writes. */
const FREE = 0xe000;

export const EINSUM_RULES: Readonly<Record<string, OnnxRule>> = { Einsum: (call) => einsum(call) };

/** Every operand is spread over all letters, those of the result first; then they are multiplied and summed. */
function einsum(call: OnnxCall): OnnxValue {
  const { build } = call;
  const equation = call.text("equation", "").replaceAll(" ", "");
  const [left, right] = equation.split("->");
  const written = left.split(",");
  if (written.length !== call.count || !written.every((term) => TERM.test(term))) {
    throw fail(`its equation is ${JSON.stringify(equation.slice(0, 100))} for ${call.count} inputs`);
  }
  const free = written.map((term, i) =>
    term.includes("...") ? Math.max(0, call.input(i).shape.length - term.length + 3) : 0
  );
  const rest = String.fromCharCode(...Array.from({ length: Math.max(...free) }, (_, k) => FREE + k));
  const terms = written.map((term, i) => term.replace("...", rest.slice(rest.length - free[i])));
  const sizes = new Map<string, number>();
  terms.forEach((term, i) => {
    const { shape } = call.input(i);
    if (shape.length !== term.length) throw fail(`its input ${i + 1} has shape [${shape}] for "${term}"`);
    [...term].forEach((letter, axis) => {
      const known = sizes.get(letter) ?? 1;
      if (known !== 1 && shape[axis] !== 1 && known !== shape[axis]) {
        throw fail(`"${letter}" is ${known} and ${shape[axis]} long`);
      }
      sizes.set(letter, Math.max(known, shape[axis]));
    });
  });
  const out = [...right?.replace("...", rest) ?? rest + implicit(left)];
  if (out.some((letter) => !sizes.has(letter)) || new Set(out).size !== out.length) {
    throw fail(`its equation is ${JSON.stringify(equation.slice(0, 100))}`);
  }
  const letters = [...out, ...[...sizes.keys()].filter((letter) => !out.includes(letter))];
  const shape = letters.map((letter) => sizes.get(letter)!);
  const size = build.room(shape);
  const spread = terms.map((term, i) => {
    const operand = call.input(i);
    const strides = stridesOf(operand.shape);
    const steps = letters.map((letter) =>
      [...term].reduce(
        (sum, own, axis) => own === letter && operand.shape[axis] !== 1 ? sum + strides[axis] : sum,
        0,
      )
    );
    const places = new Int32Array(size);
    eachPlace(shape, (index, at) => {
      places[at] = index.reduce((sum, k, axis) => sum + k * steps[axis], 0);
    });
    return build.gather(operand, places, shape);
  });
  const product = spread.reduce((a, b) => build.binary("mul", a, b));
  return build.reshaped(summed(build, product, (axis) => axis >= out.length), shape.slice(0, out.length));
}

/** Without an arrow: the letters that stand once, in the order of the alphabet. */
function implicit(left: string): string {
  const letters = [...left.replaceAll(/[,.]/g, "")];
  return letters.filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter)).sort().join("");
}
