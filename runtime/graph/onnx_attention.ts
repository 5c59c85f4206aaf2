/** Attention of opset 23: softmax(scale·Q Kᵀ)·V a head, without a mask. Source: github.com/onnx/onnx, Attention-23. */
import { fail, type OnnxCall, type OnnxRule } from "./onnx_call.ts";
import { joined, matMul, part } from "./onnx_linear.ts";
import { softmaxAlong } from "./onnx_reduce.ts";
import { NotLowerable, type OnnxValue, ordered } from "./onnx_value.ts";

export const ATTENTION_RULES: Readonly<Record<string, OnnxRule>> = { Attention: (call) => attention(call) };

function attention(call: OnnxCall): OnnxValue {
  const { build } = call;
  if ([3, 4, 5].some((index) => call.has(index))) throw new NotLowerable("it has a mask or a past");
  for (const name of ["is_causal", "qk_matmul_output_mode"]) {
    if (call.integer(name, 0) !== 0) throw new NotLowerable(`its ${name} is set`);
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
  const answers = Array.from({ length: batch * count }, (_, i) => {
    const [own, keys, values] = [q, k, v].map((value) => part(build, value, i, value.shape.slice(2)));
    const scores = build.binary("mul", matMul(build, own, ordered(build, keys, [1, 0])), scale);
    return matMul(build, softmaxAlong(build, scores, (axis) => axis === 1), values);
  });
  const all = joined(build, answers, [batch, count, rows, v.shape[3]]);
  return flat ? build.reshaped(ordered(build, all, [0, 2, 1, 3]), [batch, rows, count * v.shape[3]]) : all;
}

/** [batch, length, heads·width] as [batch, heads, length, width]. */
function heads(call: OnnxCall, value: OnnxValue, name: string): OnnxValue {
  const count = call.integer(name, 0);
  const [batch, length, width] = value.shape;
  if (!(count > 0) || width % count !== 0) throw fail(`its ${name} is ${count} for shape [${value.shape}]`);
  const split = call.build.reshaped(value, [batch, length, count, width / count]);
  return ordered(call.build, split, [0, 2, 1, 3]);
}
