// The Hessian at a twin, of two layers or of three. Where every image is fitted it is JᵀJ/N, and has
// the positive eigenvalues of the sum of the layers' parts, each divided by the square of its factor.
import { eigenvalues } from "./matrices.js";
import { combine, kernels, readImages, split, trace } from "./network.js";

export const MOST = 12; // log2 of the largest factor
const RANK = 5; // of an eigenvalue that is compared

function prepare(data) {
  const x = readImages(data.x_train);
  const networks = {};
  for (const { widths, theta } of data.networks) {
    const parts = kernels(split(theta, widths), widths, x);
    const n = x.length / widths[0];
    const traces = parts.map((part) => trace(part, n));
    const sizes = parts.map((one) => parts.map((other) => Math.sqrt(inner(one, other))));
    const trained = eigenvalues(combine(parts, parts.map(() => 1)), n);
    networks[parts.length] = { parts, n, traces, sizes, trained };
  }
  return { networks };
}

function inner(one, other) {
  let sum = 0;
  for (let at = 0; at < one.length; at++) sum += one[at] * other[at];
  return sum;
}

// The factors of the layers, whose product is 1.
export function listFactors({ layers, log2_alpha, log2_beta }) {
  const alpha = 2 ** log2_alpha;
  const beta = 2 ** log2_beta;
  return layers === 2 ? [alpha, 1 / alpha] : [alpha, beta, 1 / (alpha * beta)];
}

export function sumTraces(traces, factors) {
  return traces.reduce((sum, own, k) => sum + own / factors[k] ** 2, 0);
}

// Of all twins the least trace: as many times as there are layers the geometric mean of their traces.
export function findFloor(traces) {
  const product = traces.reduce((all, own) => all * own, 1);
  return traces.length * product ** (1 / traces.length);
}

// The trace over α, where the other factors that are turned stay.
function traceOver(traces, inputs) {
  return Array.from({ length: 8 * MOST + 1 }, (_, k) => {
    const log2_alpha = -MOST + k / 4;
    return [2 ** log2_alpha, sumTraces(traces, listFactors({ ...inputs, log2_alpha }))];
  });
}

function compute(model, inputs) {
  const { parts, n, traces, sizes, trained } = model.networks[inputs.layers];
  const factors = listFactors(inputs);
  const spectrum = eigenvalues(combine(parts, factors), n);
  const curve = traceOver(traces, inputs);
  const blocks = sizes.map((row, k) => row.map((size, l) => size / (factors[k] * factors[l])));
  model.drawn = { spectrum, curve, blocks };
  return {
    trace: sumTraces(traces, factors),
    floor: findFloor(traces),
    spectral_norm: spectrum[0],
    first_block: blocks[0][0],
    corner_block: blocks[0][1],
    trained_trace: sumTraces(traces, traces.map(() => 1)),
    trained_eigenvalue: trained[RANK - 1],
    twin_eigenvalue: spectrum[RANK - 1],
    trace_at_end: curve[curve.length - 1][1],
  };
}

export const formulas = { prepare, compute };
