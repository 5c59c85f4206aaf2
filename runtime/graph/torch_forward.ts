/**
 * The answers of a network straight from its layers, with loops and without a graph: golden vectors that know nothing of
 * what is made of the network.
 */
import type { GoldenVector } from "./model_json.ts";
import { LEAK, SELU, type TorchActivation, type TorchStep, type TorchSteps } from "./torch_steps.ts";

const ACTIVATIONS: Readonly<Record<TorchActivation, (x: number) => number>> = {
  gelu: (x) => x * (1 + erf(x / Math.SQRT2)) / 2,
  relu: (x) => x > 0 ? x : 0,
  tanh: Math.tanh,
  sigmoid,
  silu: (x) => x * sigmoid(x),
  elu: (x) => x > 0 ? x : Math.expm1(x),
  selu: (x) => SELU.scale * (x > 0 ? x : SELU.alpha * Math.expm1(x)),
  leaky_relu: (x) => x > 0 ? x : LEAK * x,
  mish: (x) => x * Math.tanh(softplus(x)),
  softplus,
  identity: (x) => x,
};

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** e^(−x²)·2/√π·Σ 2ⁿ x²ⁿ⁺¹/(1·3·…·(2n + 1)): no term has another sign, so that no digit is lost. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let [sum, term] = [x, x];
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) sum += term *= 2 * x * x / (2 * n + 1);
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

export function torchForward({ steps, eps }: TorchSteps, input: readonly number[]): number[] {
  return steps.reduce((x, step) => applied(step, x, eps), [...input]);
}

/** @param random Uniform in [0, 1). @returns `count` points of −2 … 2, about where scaled inputs are. */
export function goldenVectors(network: TorchSteps, count: number, random: () => number): GoldenVector[] {
  return Array.from({ length: count }, () => {
    const input = Array.from({ length: network.inputs }, () => Math.fround(4 * random() - 2));
    return { input, output: torchForward(network, input) };
  });
}

function applied(step: TorchStep, x: readonly number[], eps: number): number[] {
  switch (step.kind) {
    case "activation":
      return x.map(ACTIVATIONS[step.activation]);
    case "linear":
      return Array.from(step.bias, (bias, row) => {
        return x.reduce((sum, value, column) => sum + step.weight[row * step.columns + column] * value, bias);
      });
    case "batchnorm": {
      const { mean, variance, gamma, beta } = step;
      return x.map((value, i) => (value - mean[i]) / Math.sqrt(variance[i] + eps) * gamma[i] + beta[i]);
    }
    case "layernorm": {
      const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
      const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
      return x.map((value, i) => (value - mean) / Math.sqrt(variance + eps) * step.gamma[i] + step.beta[i]);
    }
  }
}
