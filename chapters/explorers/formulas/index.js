// The hero: one network and its twin with α = 2^log2_alpha.
import { sharpest } from "./matrices.js";
import { combine, kernels, multiplyRows, predict, readImages, readSigns, scale, signals, slopes, split } from "./network.js";

const words = new DataView(new ArrayBuffer(16));

export const REACH = 0.15; // how far the drawn curves go to both sides
export const SHOWN = 6; // digits with their answers
export const ROWS = 8; // of an image
const EACH_SIDE = 60; // points of a drawn curve
const THICKEST = 1.6;
// Distances at which losses are compared: times 1/√λ, so that the valley is as high there for each twin.
const COMPARED = [-0.6, 0.3, 0.6];

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
  model.first = x_test.slice(0, SHOWN * widths[0]);
  model.sizes = [measureRows(layers[0], widths[1]), Array.from(layers[1], Math.abs)];
  const distances = placeDistances(1);
  const losses = follow(model, 0, distances);
  model.valley = distances.map((t, k) => [t, losses[k]]);
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

// Distances that lie the closer to the middle, the narrower the valley.
function placeDistances(times) {
  const power = Math.min(9, 1 + 2 * Math.ceil(Math.log10(Math.max(times, 1)) / 1.5));
  return Array.from({ length: 2 * EACH_SIDE + 1 }, (_, k) => {
    const share = (k - EACH_SIDE) / EACH_SIDE;
    return REACH * Math.sign(share) * Math.abs(share) ** power;
  });
}

// For each row of an image and each unit: the size of the unit's weights to the eight pixels of it.
function measureRows(layer, units) {
  return Array.from({ length: ROWS * units }, (_, at) => {
    const [row, j] = [Math.floor(at / units), at % units];
    let sum = 0;
    for (let column = 0; column < 8; column++) sum += layer[(8 * row + column) * units + j] ** 2;
    return Math.sqrt(sum);
  });
}

// How thick the lines of both layers are. So that they fit, a factor of 64 in the weights is one of 2.
function measureThickness(sizes, log2_alpha) {
  return sizes.map((all, k) => {
    const factor = 2 ** ((k === 0 ? log2_alpha : -log2_alpha) / 6);
    const largest = Math.max(...all);
    return all.map((size) => (THICKEST * size * factor) / largest);
  });
}

// What is drawn of a twin, beside what is shown as a number.
function trace(model, log2_alpha, twin, value) {
  const compared = COMPARED.map((share) => share / Math.sqrt(value));
  const distances = [...placeDistances(value / model.trained), ...compared].sort((one, other) => one - other);
  const losses = follow(model, log2_alpha, distances);
  return {
    needle: distances.map((t, k) => [t, losses[k]]),
    compared: compared.map((t) => losses[distances.indexOf(t)]),
    answers: predict(twin, model.widths, model.first),
    thicknesses: measureThickness(model.sizes, log2_alpha),
  };
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
  const drawn = trace(model, log2_alpha, twin, value);
  model.drawn = drawn;
  const values = {
    largest_eigenvalue: value,
    largest_difference: bits,
    accuracy: right / after.length,
    times: value / model.trained,
    thickness_1: drawn.thicknesses[0][0],
    thickness_2: drawn.thicknesses[1][0],
    loss_as_trained: model.valley[2 * EACH_SIDE][1],
  };
  drawn.answers.forEach((answer, k) => (values[`answer_${k + 1}`] = answer));
  drawn.compared.forEach((loss, k) => (values[`loss_${k + 1}`] = loss));
  return values;
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
