/** If and Loop: what the file decides is taken, what the inputs decide is chosen between. Source: github.com/onnx/onnx, docs/Operators.md. */
import { fail, type OnnxCall, type OnnxRule } from "./onnx_call.ts";
import { stack } from "./onnx_scan.ts";
import { NotLowerable, type OnnxValue } from "./onnx_value.ts";

const MAX_TRIPS = 10_000;

export const BRANCH_RULES: Readonly<Record<string, OnnxRule>> = {
  If: (call) => branch(call),
  Loop: (call) => loop(call),
};

function branch(call: OnnxCall): OnnxValue[] {
  const condition = call.input(0);
  const body = (name: string) => call.body(call.graph(name), []);
  if (condition.data !== undefined) return body(condition.data[0] !== 0 ? "then_branch" : "else_branch");
  const [yes, no] = [body("then_branch"), body("else_branch")];
  if (yes.length !== no.length) throw fail(`its branches have ${yes.length} and ${no.length} outputs`);
  return yes.map((value, i) => {
    const { shape } = no[i];
    if (value.shape.length !== shape.length || value.shape.some((n, k) => n !== shape[k])) {
      throw new NotLowerable(`its branches give shapes [${value.shape}] and [${shape}]`);
    }
    return call.build.select(condition, value, no[i]);
  });
}

/** A loop whose number of rounds does not depend on the inputs is unrolled. */
function loop(call: OnnxCall): OnnxValue[] {
  const body = call.graph("body");
  const count = call.count - 2;
  const stacked = body.outputs.length - 1 - count;
  if (count < 0 || stacked < 0 || body.inputs.length !== count + 2) {
    throw fail(`its body has ${body.inputs.length} inputs and ${body.outputs.length} outputs`);
  }
  const most = call.has(0) ? call.knownInput(0)[0] : Infinity;
  let state = Array.from({ length: count }, (_, i) => call.input(2 + i));
  let goesOn = call.has(1) ? call.knownInput(1)[0] !== 0 : true;
  const pieces: OnnxValue[][] = Array.from({ length: stacked }, () => []);
  let trip = 0;
  for (; goesOn && trip < most; trip++) {
    if (trip === MAX_TRIPS) throw new NotLowerable(`it makes more than ${MAX_TRIPS} rounds`);
    const number = call.build.known([], Float64Array.of(trip), true);
    const yes = call.build.known([], Float64Array.of(1), true);
    const [condition, ...outputs] = call.body(body, [number, yes, ...state]);
    if (condition.data === undefined) {
      throw new NotLowerable("how often it goes round depends on the model's inputs");
    }
    goesOn = condition.data[0] !== 0;
    state = outputs.slice(0, count);
    outputs.slice(count).forEach((value, i) => pieces[i].push(value));
  }
  if (trip === 0 && stacked > 0) throw new NotLowerable("it makes no round");
  return [...state, ...pieces.map((parts) => stack(call, parts, 0))];
}
