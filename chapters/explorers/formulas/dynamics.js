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
    pixels: listPixels(x, widths),
    parts: kernels(layers, widths, x),
    limits: new Map(),
    before: predict(layers, widths, x_new),
    cells: data.cells,
  };
  model.line = data.cells.log2_alphas.map((power) => [2 ** power, findLimit(model, power)]);
  return model;
}

// The pixels that are not white, image by image: half of them. `rows[at]` is where the weights of a
// pixel begin, `sizes` are the lengths of the images.
function listPixels(x, [width, h]) {
  const n = x.length / width;
  const starts = new Uint32Array(n + 1);
  const sizes = new Float64Array(n);
  const rows = [];
  const greys = [];
  for (let r = 0; r < n; r++) {
    for (let i = 0; i < width; i++) {
      const grey = x[r * width + i];
      if (grey === 0) continue;
      rows.push(i * h);
      greys.push(grey);
      sizes[r] += grey ** 2;
    }
    starts[r + 1] = rows.length;
    sizes[r] = Math.sqrt(sizes[r]);
  }
  return { starts, sizes, rows: Uint16Array.from(rows), greys: Float64Array.from(greys) };
}

// The longest stable step at a twin: 2/λ_max of the Hessian at the minimum. Each twin is asked once.
export function findLimit({ parts, n, limits }, log2_alpha) {
  if (!limits.has(log2_alpha)) {
    const alpha = 2 ** log2_alpha;
    const [value] = sharpest(combine(parts, [alpha, 1 / alpha]), n);
    limits.set(log2_alpha, 2 / value);
  }
  return limits.get(log2_alpha);
}

// What enters an even number of hidden units from an image. Four sums at a time stay in registers,
// which is three times as fast as sums in an array.
function enter(hidden, list, count, W, { starts, rows, greys }, r) {
  const end = starts[r + 1];
  let q = 0;
  for (; q + 4 <= count; q += 4) {
    const j = list[q];
    const k = list[q + 1];
    const l = list[q + 2];
    const m = list[q + 3];
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let at = starts[r]; at < end; at++) {
      const row = rows[at];
      const grey = greys[at];
      a += grey * W[row + j];
      b += grey * W[row + k];
      c += grey * W[row + l];
      d += grey * W[row + m];
    }
    hidden[j] = a;
    hidden[k] = b;
    hidden[l] = c;
    hidden[m] = d;
  }
  if (q === count) return;
  const j = list[q];
  const k = list[q + 1];
  let a = 0;
  let b = 0;
  for (let at = starts[r]; at < end; at++) {
    const row = rows[at];
    const grey = greys[at];
    a += grey * W[row + j];
    b += grey * W[row + k];
  }
  hidden[j] = a;
  hidden[k] = b;
}

// What an image adds to the slopes of these units' weights.
function addSlopes(slopeW, list, count, back, { starts, rows, greys }, r) {
  const end = starts[r + 1];
  let q = 0;
  for (; q + 4 <= count; q += 4) {
    const j = list[q];
    const k = list[q + 1];
    const l = list[q + 2];
    const m = list[q + 3];
    const a = back[j];
    const b = back[k];
    const c = back[l];
    const d = back[m];
    for (let at = starts[r]; at < end; at++) {
      const row = rows[at];
      const grey = greys[at];
      slopeW[row + j] += grey * a;
      slopeW[row + k] += grey * b;
      slopeW[row + l] += grey * c;
      slopeW[row + m] += grey * d;
    }
  }
  if (q === count) return;
  const j = list[q];
  const k = list[q + 1];
  const a = back[j];
  const b = back[k];
  for (let at = starts[r]; at < end; at++) {
    const row = rows[at];
    const grey = greys[at];
    slopeW[row + j] += grey * a;
    slopeW[row + k] += grey * b;
  }
}

// Take a step, which uses up the slopes, add to each unit's way its length, and return the longest.
function move(W, slopeW, rate, ways) {
  const h = ways.length;
  const squares = new Float64Array(h);
  for (let row = 0; row < W.length; row += h) {
    for (let j = 0; j < h; j++) {
      const step = rate * slopeW[row + j];
      W[row + j] -= step;
      squares[j] += step * step;
      slopeW[row + j] = 0;
    }
  }
  let longest = 0;
  for (let j = 0; j < h; j++) {
    const length = Math.sqrt(squares[j]);
    ways[j] += length;
    if (!(length <= longest)) longest = length;
  }
  return longest;
}

// The units that an image turns on, a third of all. What enters a unit changes by no more than the way
// of its weights times the length of the image: one that is off stays off until that way is `calm[j]`.
// No unit goes further than the longest way, and before that is `until` none has to be looked at.
function listUnits(n, h) {
  return Array.from({ length: n }, () => ({
    list: new Uint8Array(h),
    count: 0,
    calm: new Float64Array(h),
    until: 0,
  }));
}

// Look at those which their ways may have turned on; the others are known. Where the number of units is
// odd, one that is off goes with them: it adds nothing.
function look(units, way, ways, hidden, W, pixels, r) {
  const { list, calm } = units;
  let asked = 0;
  let off = 0;
  let least = Infinity;
  for (let j = 0; j < hidden.length; j++) {
    const left = calm[j] - ways[j];
    if (left > 0) {
      off = j;
      if (left < least) least = left;
    } else {
      list[asked++] = j;
    }
  }
  if (asked % 2) list[asked++] = off;
  enter(hidden, list, asked, W, pixels, r);
  let count = 0;
  for (let q = 0; q < asked; q++) {
    const j = list[q];
    if (hidden[j] <= 0) {
      const left = -hidden[j] / pixels.sizes[r];
      calm[j] = ways[j] + left;
      off = j;
      if (left < least) least = left;
    } else {
      calm[j] = -1;
      list[count++] = j;
    }
  }
  units.until = way + least;
  if (count % 2) list[count++] = off;
  units.count = count;
}

// The losses at the start and after each step, and the layers at the end.
export function descend({ widths, pixels, y, n, start }, log2_alpha, rate, steps) {
  const alpha = 2 ** log2_alpha;
  const [W, v] = scale(start, [alpha, 1 / alpha]);
  const h = widths[1];
  const slopeW = new Float64Array(W.length);
  const slopeV = new Float64Array(h);
  const hidden = new Float64Array(h);
  const back = new Float64Array(h);
  const turned = listUnits(n, h);
  const losses = [];
  const ways = new Float64Array(h);
  let way = 0; // no unit's weights have gone further
  for (;;) {
    slopeV.fill(0);
    let squares = 0;
    for (let r = 0; r < n; r++) {
      const units = turned[r];
      const { list } = units;
      if (way < units.until) enter(hidden, list, units.count, W, pixels, r);
      else look(units, way, ways, hidden, W, pixels, r);
      const { count } = units;
      let error = -y[r];
      for (let q = 0; q < count; q++) {
        const j = list[q];
        if (!(hidden[j] <= 0)) error += hidden[j] * v[j];
      }
      squares += error * error;
      for (let q = 0; q < count; q++) {
        const j = list[q];
        const isOff = hidden[j] <= 0;
        back[j] = isOff ? 0 : (error * v[j]) / n;
        if (!isOff) slopeV[j] += (error * hidden[j]) / n;
      }
      addSlopes(slopeW, list, count, back, pixels, r);
    }
    losses.push(squares / (2 * n));
    if (losses.length > steps) return { losses, layers: [W, v] };
    way += move(W, slopeW, rate, ways);
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
