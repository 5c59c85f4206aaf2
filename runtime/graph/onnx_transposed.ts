/** ConvTranspose: each element of the input adds the kernel to the result. Source: github.com/onnx/onnx, docs/Operators.md. */
import { fail, type OnnxCall, type OnnxRule } from "./onnx_call.ts";
import { product } from "./onnx_convolution.ts";
import { eachPlace, NotLowerable, type OnnxValue, sizeOf, stridesOf } from "./onnx_value.ts";

export const TRANSPOSED_RULES: Readonly<Record<string, OnnxRule>> = {
  ConvTranspose: (call) => transposedConvolution(call),
};

function transposedConvolution(call: OnnxCall): OnnxValue {
  const { shape } = call.input(0);
  const kernel = call.input(1).shape;
  const data = call.knownInput(1);
  const group = call.integer("group", 1);
  const size = shape.slice(2);
  const taps = kernel.slice(2);
  if (
    shape.length < 3 || kernel.length !== shape.length || kernel[0] !== shape[1] || shape[1] % group !== 0
  ) {
    throw fail(`its input has shape [${shape}], its weights [${kernel}], in ${group} groups`);
  }
  if (call.text("auto_pad", "NOTSET") !== "NOTSET" || call.wholes("output_shape") !== undefined) {
    throw new NotLowerable("it takes its size from elsewhere");
  }
  const list = (name: string, otherwise: number) => call.wholes(name) ?? size.map(() => otherwise);
  const [strides, dilations, more] = [list("strides", 1), list("dilations", 1), list("output_padding", 0)];
  const pads = call.wholes("pads") ?? [...size, ...size].map(() => 0);
  const out = size.map((n, i) =>
    strides[i] * (n - 1) + more[i] + (taps[i] - 1) * dilations[i] + 1 - pads[i] - pads[i + size.length]
  );
  if (out.some((n) => !(n > 0))) throw fail(`its result has shape [${out}]`);
  const [own, channels] = [kernel[1], kernel[1] * group];
  const shift = call.has(2) ? call.knownInput(2) : new Float64Array(channels);
  if (shift.length !== channels) throw fail(`it has ${shift.length} biases for ${channels} channels`);
  const [area, inside, window] = [sizeOf(out), sizeOf(size), sizeOf(taps)];
  const outStrides = stridesOf(out);
  const fill = (weight: Float64Array, columns: number) => {
    eachPlace(size, (index, from) =>
      eachPlace(taps, (tap, element) => {
        let to = 0;
        for (let axis = 0; axis < size.length; axis++) {
          const at = index[axis] * strides[axis] + tap[axis] * dilations[axis] - pads[axis];
          if (at < 0 || at >= out[axis]) return;
          to += at * outStrides[axis];
        }
        for (let c = 0; c < shape[1]; c++) {
          const first = Math.floor(c * group / shape[1]) * own;
          for (let m = 0; m < own; m++) {
            weight[((first + m) * area + to) * columns + c * inside + from] =
              data[(c * own + m) * window + element];
          }
        }
      }));
  };
  const bias = Float64Array.from({ length: channels * area }, (_, i) => shift[Math.floor(i / area)]);
  return product(call, channels, { size, out }, fill, bias);
}
