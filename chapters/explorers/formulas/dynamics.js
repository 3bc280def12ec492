// Gradient descent from the twins of one minimum: the running example, all images in each step.
import { sharpest } from "./matrices.js";
import { combine, kernels, predict, readImages, readSigns, scale, split } from "./network.js";

export const STEPS = 200;
const FEW = 3;
const EIGHTH = 1 / 8;
const HALF_SILENT = 1 / 4; // a network that says nothing has the loss 1/2: the targets are 1 and -1

// What a run did, and the word for it.
export const OUTCOMES = ["falls", "crawls", "catapult", "diverges", "rises"];

// The minimum travels with seven decimals, and the notebook starts from these, too.
function prepare(data) {
  const { widths } = data;
  const x = readImages(data.x_train);
  const x_new = readImages(data.x_new);
  const y = readSigns(data.y_train);
  const { minimum } = data;
  const layers = split(minimum, widths);
  const model = {
    widths, x_new, y,
    n: y.length,
    start: split(minimum.map((weight, k) => weight + data.nudge[k]), widths),
    pixels: listPixels(x, widths[0]),
    parts: kernels(layers, widths, x),
    before: predict(layers, widths, x_new),
    cells: data.cells,
  };
  model.line = data.cells.log2_alphas.map((power) => [2 ** power, findLimit(model, power)]);
  return model;
}

// The pixels that are not white, image by image: half of them.
function listPixels(x, width) {
  const starts = new Uint32Array(x.length / width + 1);
  const columns = [];
  const greys = [];
  for (let r = 0; r + 1 < starts.length; r++) {
    for (let i = 0; i < width; i++) {
      if (x[r * width + i] === 0) continue;
      columns.push(i);
      greys.push(x[r * width + i]);
    }
    starts[r + 1] = columns.length;
  }
  return { starts, columns: Uint8Array.from(columns), greys: Float64Array.from(greys) };
}

// The longest stable step at a twin: 2/λ_max of the Hessian at the minimum.
export function findLimit({ parts, n }, log2_alpha) {
  const alpha = 2 ** log2_alpha;
  const [value] = sharpest(combine(parts, [alpha, 1 / alpha]), n);
  return 2 / value;
}

// What enters the hidden units from an image. Eight sums at a time stay in registers, which is three
// times as fast as sums in an array.
function enter(hidden, W, { starts, columns, greys }, r) {
  const h = hidden.length;
  const end = starts[r + 1];
  for (let j = 0; j < h; j += 8) {
    let [a, b, c, d, e, f, g, i] = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let at = starts[r]; at < end; at++) {
      const k = columns[at] * h + j;
      const grey = greys[at];
      a += grey * W[k];
      b += grey * W[k + 1];
      c += grey * W[k + 2];
      d += grey * W[k + 3];
      e += grey * W[k + 4];
      f += grey * W[k + 5];
      g += grey * W[k + 6];
      i += grey * W[k + 7];
    }
    hidden[j] = a;
    hidden[j + 1] = b;
    hidden[j + 2] = c;
    hidden[j + 3] = d;
    hidden[j + 4] = e;
    hidden[j + 5] = f;
    hidden[j + 6] = g;
    hidden[j + 7] = i;
  }
}

// The losses at the start and after each step, and the layers at the end.
export function descend({ widths, pixels, y, n, start }, log2_alpha, rate, steps) {
  const alpha = 2 ** log2_alpha;
  const [W, v] = scale(start, [alpha, 1 / alpha]);
  const h = widths[1];
  const { starts, columns, greys } = pixels;
  const slopeW = new Float64Array(W.length);
  const slopeV = new Float64Array(h);
  const hidden = new Float64Array(h);
  const losses = [];
  for (;;) {
    slopeW.fill(0);
    slopeV.fill(0);
    let squares = 0;
    for (let r = 0; r < n; r++) {
      enter(hidden, W, pixels, r);
      let error = -y[r];
      for (let j = 0; j < h; j++) if (hidden[j] > 0) error += hidden[j] * v[j];
      squares += error * error;
      for (let j = 0; j < h; j++) {
        if (hidden[j] <= 0) continue;
        slopeV[j] += (error * hidden[j]) / n;
        const back = (error * v[j]) / n;
        const end = starts[r + 1];
        for (let at = starts[r]; at < end; at++) slopeW[columns[at] * h + j] += greys[at] * back;
      }
    }
    losses.push(squares / (2 * n));
    if (losses.length > steps) return { losses, layers: [W, v] };
    for (let k = 0; k < W.length; k++) W[k] -= rate * slopeW[k];
    for (let j = 0; j < h; j++) v[j] -= rate * slopeV[j];
  }
}

// What a run did, by its losses alone. Whether the step was longer than 2/λ_max is not asked.
export function judge(losses) {
  const first = losses[0];
  const last = losses[losses.length - 1];
  const peak = Math.max(...losses);
  let word = "rises";
  if (peak <= first) word = last > EIGHTH * first ? "crawls" : "falls";
  else if (!(last < HALF_SILENT)) word = "diverges";
  else if (last < EIGHTH * peak) word = "catapult";
  return OUTCOMES.indexOf(word);
}

function compute(model, { log2_alpha, log2_step }) {
  const rate = 2 ** log2_step;
  const limit = findLimit(model, log2_alpha);
  const { losses, layers } = descend(model, log2_alpha, rate, STEPS);
  const after = predict(layers, model.widths, model.x_new);
  const moves = after.map((output, r) => Math.abs(output - model.before[r]));
  model.run = { losses, after };
  return {
    limit,
    times: rate / limit,
    early_left: losses[FEW] / losses[0],
    peak: Math.max(...losses),
    loss: losses[STEPS],
    left: losses[STEPS] / losses[0],
    moved: Math.max(...moves),
    outcome: judge(losses),
  };
}

export const formulas = { prepare, compute };
