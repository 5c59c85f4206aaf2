/** Attention of opset 23: softmax(scale·Q Kᵀ + mask)·V a head. Source: github.com/onnx/onnx, Attention-23. */
import { fail, type OnnxCall, type OnnxRule } from "./onnx_call.ts";
import { joined, matMul, part } from "./onnx_linear.ts";
import { softmaxAlong } from "./onnx_reduce.ts";
import { NotLowerable, type OnnxValue, ordered } from "./onnx_value.ts";

export const ATTENTION_RULES: Readonly<Record<string, OnnxRule>> = { Attention: (call) => attention(call) };

function attention(call: OnnxCall): OnnxValue {
  const { build } = call;
  if (call.has(4) || call.has(5)) throw new NotLowerable("it has a past");
  if (call.integer("qk_matmul_output_mode", 0) !== 0) {
    throw new NotLowerable("its qk_matmul_output_mode is set");
  }
  if (call.float("softcap", 0) !== 0) throw new NotLowerable("its softcap is set");
  const flat = call.input(0).shape.length === 3;
  const [q, k, v] = [0, 1, 2].map((index) => {
    const value = call.input(index);
    return flat ? heads(call, value, index === 0 ? "q_num_heads" : "kv_num_heads") : value;
  });
  const [batch, count, rows, width] = q.shape;
  const fits = [k, v].every(({ shape }) => shape.length === 4 && shape[0] === batch && shape[1] === count);
  if (q.shape.length !== 4 || !fits || k.shape[3] !== width || k.shape[2] !== v.shape[2]) {
    throw new NotLowerable(`it has shapes [${q.shape}], [${k.shape}] and [${v.shape}]`);
  }
  const scale = build.scalar(call.float("scale", 1 / Math.sqrt(width)));
  const mask = maskOf(call, [batch, count, rows, k.shape[2]]);
  const answers = Array.from({ length: batch * count }, (_, i) => {
    const [own, keys, values] = [q, k, v].map((value) => part(build, value, i, value.shape.slice(2)));
    const scores = build.binary("mul", matMul(build, own, ordered(build, keys, [1, 0])), scale);
    const masked = mask === undefined
      ? scores
      : build.binary("add", scores, part(build, mask, i, scores.shape));
    return matMul(build, softmaxAlong(build, masked, (axis) => axis === 1), values);
  });
  const all = joined(build, answers, [batch, count, rows, v.shape[3]]);
  return flat ? build.reshaped(ordered(build, all, [0, 2, 1, 3]), [batch, rows, count * v.shape[3]]) : all;
}

/** What is added to the scores, of `shape`: −∞ where nothing may be looked at. */
function maskOf(call: OnnxCall, shape: readonly number[]): OnnxValue | undefined {
  const { build } = call;
  const causal = call.integer("is_causal", 0) !== 0;
  if (!causal && !call.has(3)) return undefined;
  const [rows, columns] = shape.slice(2);
  const future = Float64Array.from(
    { length: build.room([rows, columns]) },
    (_, i) => causal && i % columns > Math.floor(i / columns) ? -Infinity : 0,
  );
  const before = build.known([rows, columns], future);
  if (!call.has(3)) return build.broadcast(before, shape);
  const given = call.knownInput(3);
  const { shape: own, integer } = call.input(3);
  const added = integer ? given.map((value) => value === 0 ? -Infinity : 0) : given;
  return build.broadcast(build.binary("add", build.known(own, added), before), shape);
}

/** [batch, length, heads·width] as [batch, heads, length, width]. */
function heads(call: OnnxCall, value: OnnxValue, name: string): OnnxValue {
  const count = call.integer(name, 0);
  const [batch, length, width] = value.shape;
  if (!(count > 0) || width % count !== 0) throw fail(`its ${name} is ${count} for shape [${value.shape}]`);
  const split = call.build.reshaped(value, [batch, length, count, width / count]);
  return ordered(call.build, split, [0, 2, 1, 3]);
}
