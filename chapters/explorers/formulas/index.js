// The hero: one network and its twin with α = 2^log2_alpha.
import { sharpest } from "./matrices.js";
import { combine, kernels, multiplyRows, predict, readImages, readSigns, scale, signals, slopes, split } from "./network.js";

const words = new DataView(new ArrayBuffer(16));

// In how many of their last bits two numbers differ: 0 if they are equal.
export function countBits(one, other) {
  if (one === other) return 0;
  words.setFloat64(0, one);
  words.setFloat64(8, other);
  const apart = (words.getInt32(0) - words.getInt32(8)) * 2 ** 32 + words.getUint32(4) - words.getUint32(12);
  return Math.floor(Math.log2(Math.abs(apart))) + 1;
}

function prepare(data) {
  const { widths } = data;
  const x = readImages(data.x_train);
  const x_test = readImages(data.x_test);
  const layers = split(data.theta, widths);
  const parts = kernels(layers, widths, x);
  const n = x.length / widths[0];
  const model = { widths, layers, parts, n, x, x_test, y: readSigns(data.y_train), y_test: readSigns(data.y_test) };
  model.before = predict(layers, widths, x_test);
  [model.trained] = findSharpest(model, 0);
  return model;
}

// The largest curvature of the twin and its vector, found once for each α.
function findSharpest(model, log2_alpha) {
  if (model.found?.log2_alpha !== log2_alpha) {
    const alpha = 2 ** log2_alpha;
    const pair = sharpest(combine(model.parts, [alpha, 1 / alpha]), model.n);
    model.found = { log2_alpha, pair };
  }
  return model.found.pair;
}

function compute(model, { log2_alpha }) {
  const alpha = 2 ** log2_alpha;
  const twin = scale(model.layers, [alpha, 1 / alpha]);
  const after = predict(twin, model.widths, model.x_test);
  let bits = 0;
  let right = 0;
  for (let r = 0; r < after.length; r++) {
    bits = Math.max(bits, countBits(after[r], model.before[r]));
    right += Math.sign(after[r]) === model.y_test[r];
  }
  const [value] = findSharpest(model, log2_alpha);
  return {
    largest_eigenvalue: value,
    largest_difference: bits,
    accuracy: right / after.length,
    times: value / model.trained,
  };
}

// The loss of the twin along its sharpest direction v, at some distances. On the way the first
// layer's products change in proportion to the distance, so they are computed once.
export function follow(model, log2_alpha, distances) {
  const { widths, x, y, n } = model;
  const alpha = 2 ** log2_alpha;
  const twin = scale(model.layers, [alpha, 1 / alpha]);
  const [value, u] = findSharpest(model, log2_alpha);
  const all = signals(twin, widths, x);
  const down = slopes(twin, widths, all);
  const [V, w] = twin.map((layer, k) => {
    const direction = new Float64Array(layer.length);
    const [from, to] = [widths[k], widths[k + 1]];
    for (let r = 0; r < n; r++) {
      for (let i = 0; i < from; i++) {
        const entering = u[r] * all[k][r * from + i];
        if (entering === 0) continue;
        for (let j = 0; j < to; j++) direction[i * to + j] += entering * down[k][r * to + j];
      }
    }
    return direction;
  });
  const size = Math.sqrt(n * value);
  const largest = [...V, ...w].reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
  const unit = Math.sign(largest) / size;
  const h = widths[1];
  const here = multiplyRows(x, twin[0], widths[0], h);
  const along = multiplyRows(x, V, widths[0], h);
  return distances.map((t) => {
    let sum = 0;
    for (let r = 0; r < n; r++) {
      let output = 0;
      for (let j = 0; j < h; j++) {
        const hidden = here[r * h + j] + t * unit * along[r * h + j];
        if (hidden > 0) output += hidden * (twin[1][j] + t * unit * w[j]);
      }
      sum += (output - y[r]) ** 2;
    }
    return sum / (2 * n);
  });
}

export const formulas = { prepare, compute };
