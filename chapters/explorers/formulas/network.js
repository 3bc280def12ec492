// The book's networks: rectifiers, no biases, one output, half the mean squared error.
// Weights are flat, a row for each unit of the column before, as in x @ W.

const GREYS = "0123456789abcdefg"; // sixteenths

// Images of 64 pixels, a character for each.
export function readImages(text) {
  return Float64Array.from(text, (character) => GREYS.indexOf(character) / 16);
}

export function readSigns(text) {
  return Float64Array.from(text, (character) => (character === "+" ? 1 : -1));
}

// Split one list of parameters into layers.
export function split(theta, widths) {
  const layers = [];
  let start = 0;
  for (let k = 0; k + 1 < widths.length; k++) {
    const size = widths[k] * widths[k + 1];
    layers.push(Float64Array.from(theta.slice(start, start + size)));
    start += size;
  }
  return layers;
}

export function scale(layers, factors) {
  return layers.map((layer, k) => layer.map((weight) => weight * factors[k]));
}

export function multiplyRows(x, layer, from, to) {
  const rows = x.length / from;
  const product = new Float64Array(rows * to);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < from; i++) {
      const value = x[r * from + i];
      if (value === 0) continue;
      for (let j = 0; j < to; j++) product[r * to + j] += value * layer[i * to + j];
    }
  }
  return product;
}

// What enters each layer, and last the outputs.
export function signals(layers, widths, x) {
  const all = [x];
  layers.forEach((layer, k) => {
    const next = multiplyRows(all[k], layer, widths[k], widths[k + 1]);
    const isLast = k === layers.length - 1;
    all.push(isLast ? next : next.map((value) => Math.max(value, 0)));
  });
  return all;
}

export function predict(layers, widths, x) {
  return signals(layers, widths, x)[layers.length];
}

// The derivative of the output by what comes out of each layer, before it is rectified.
export function slopes(layers, widths, all) {
  const rows = all[0].length / widths[0];
  const found = new Array(layers.length);
  found[layers.length - 1] = new Float64Array(rows).fill(1);
  for (let k = layers.length - 2; k >= 0; k--) {
    const own = widths[k + 1];
    const next = widths[k + 2];
    found[k] = new Float64Array(rows * own);
    for (let r = 0; r < rows; r++) {
      for (let i = 0; i < own; i++) {
        if (all[k + 1][r * own + i] <= 0) continue;
        let sum = 0;
        for (let j = 0; j < next; j++) sum += layers[k + 1][i * next + j] * found[k + 1][r * next + j];
        found[k][r * own + i] = sum;
      }
    }
  }
  return found;
}

// J_k J_kᵀ / N for each layer: where every image is fitted, their sum has the positive eigenvalues of
// the Hessian. A gradient by a layer is an outer product, so its inner products are products of two.
export function kernels(layers, widths, x) {
  const all = signals(layers, widths, x);
  const down = slopes(layers, widths, all);
  const n = x.length / widths[0];
  return layers.map((_, k) => {
    const entering = gram(all[k], n, widths[k]);
    const leaving = gram(down[k], n, widths[k + 1]);
    return entering.map((value, at) => (value * leaving[at]) / n);
  });
}

function gram(rows, n, width) {
  const products = new Float64Array(n * n);
  for (let r = 0; r < n; r++) {
    for (let s = 0; s <= r; s++) {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += rows[r * width + i] * rows[s * width + i];
      products[r * n + s] = sum;
      products[s * n + r] = sum;
    }
  }
  return products;
}

// The sum of the layers' parts at a twin: each is divided by the square of its layer's factor.
export function combine(parts, factors) {
  const sum = new Float64Array(parts[0].length);
  parts.forEach((part, k) => {
    const weight = 1 / factors[k] ** 2;
    for (let at = 0; at < sum.length; at++) sum[at] += weight * part[at];
  });
  return sum;
}

export function trace(matrix, n) {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += matrix[i * n + i];
  return sum;
}
