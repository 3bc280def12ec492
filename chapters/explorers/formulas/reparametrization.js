// The loss sin²(πθ)/2 in the coordinate η = (θ² + b)^a θ, around the minimum 0.

function measureLoss(theta) {
  return Math.sin(Math.PI * theta) ** 2 / 2;
}

function move(theta, { a, b }) {
  return (theta ** 2 + b) ** a * theta;
}

// dη/dθ
function slope(theta, { a, b }) {
  return (theta ** 2 + b) ** (a - 1) * ((1 + 2 * a) * theta ** 2 + b);
}

// At a minimum a curvature is divided by the square of the slope.
function curvature(theta, family) {
  return Math.PI ** 2 / slope(theta, family) ** 2;
}

// Another loss, sin²(πθ²)/2: its minima 1, √2, √3, 2 have the curvatures 4π² times 1, 2, 3, 4.
function measureWaves(theta) {
  return Math.sin(Math.PI * theta ** 2) ** 2 / 2;
}

// Around each of its minima the map above, in units in which |u| = delta keeps its place:
// η = θ̂ + ((u² + b) / (delta² + b))^a u. Beyond, nothing moves.
function moveWithin(theta, { minima, delta }, maps) {
  const k = minima.findIndex((minimum) => Math.abs(theta - minimum) < delta);
  if (k < 0 || maps[k].b === null) return theta;
  const { a, b } = maps[k];
  const u = theta - minima[k];
  return minima[k] + ((u ** 2 + b) / (delta ** 2 + b)) ** a * u;
}

// The b at which a minimum is so many times as sharp; none where it shall stay as it is.
export function findMap(times, delta) {
  const a = times > 1 ? 0.5 : -0.3;
  return Math.abs(times - 1) < 1e-9 ? { a, b: null } : { a, b: delta ** 2 / (times ** (1 / (2 * a)) - 1) };
}

function listMaps({ minima, delta }, inputs) {
  return minima.map((_, k) => findMap(10 ** inputs[`log10_curvature_${k + 1}`] / measureDefault(k), delta));
}

export function measureDefault(k) {
  return 4 * Math.PI ** 2 * (k + 1);
}

// How sharp the map makes the minimum k.
function measureCurvature(k, { a, b }, delta) {
  return b === null ? measureDefault(k) : measureDefault(k) * ((delta ** 2 + b) / b) ** (2 * a);
}

// The sign of a difference; what differs by rounding only is tied.
export function compare(one, other) {
  return Math.abs(one - other) <= 1e-9 * Math.abs(one) ? 0 : Math.sign(one - other);
}

// Pairs of minima whose order is the other one than at first, where the curvatures rise.
function countTurned(curvatures) {
  return curvatures.flatMap((one, k) => curvatures.slice(0, k).filter((other) => compare(one, other) < 0)).length;
}

const END = 1.6; // how far the one is drawn to both sides
const COMPARED = 0.2; // a point of its curve
const COMPARED_OF_FOUR = 1.04; // and of the curve of four

// The losses over θ: at the points of a grid, which are dots, and at those of a curve.
function traceLoss(measure, thetas, grid) {
  const place = (theta) => [theta, measure(theta)];
  return { curve: thetas.map(place), dots: grid.map(place) };
}

function prepare(data) {
  const { grid, four, minima, delta } = data;
  const thetas = Array.from({ length: 601 }, (_, k) => END * ((k - 300) / 300) ** 3);
  const even = Array.from({ length: 1301 }, (_, k) => 0.85 + k / 1000);
  // Close to a minimum the points lie close: there the curve turns fastest.
  const near = minima.flatMap((minimum) => Array.from({ length: 121 }, (_, k) => minimum + delta * ((k - 60) / 60) ** 3));
  const all = [...even, ...near].sort((one, other) => one - other);
  return { ...data, overTheta: { 1: traceLoss(measureLoss, thetas, grid), 4: traceLoss(measureWaves, all, four) } };
}

// The same over η: points keep their heights.
function carry({ curve, dots }, map) {
  const move = ([theta, loss]) => [map(theta), loss];
  return { curve: curve.map(move), dots: dots.map(move) };
}

function traceParabola(value, end) {
  const reach = Math.min(end, Math.sqrt(1.6 / value));
  return Array.from({ length: 61 }, (_, k) => (reach * (k - 30)) / 30).map((eta) => [eta, (value * eta ** 2) / 2]);
}

function computeFour(model, inputs) {
  const maps = listMaps(model, inputs);
  const curvatures = maps.map((map, k) => measureCurvature(k, map, model.delta));
  const carried = moveWithin(COMPARED_OF_FOUR, model, maps);
  model.overEta[4] = carry(model.overTheta[4], (theta) => moveWithin(theta, model, maps));
  const values = { carried, turned: countTurned(curvatures), spread: Math.max(...curvatures) / Math.min(...curvatures) };
  maps.forEach(({ b }, k) => {
    values[`curvature_${k + 1}`] = curvatures[k];
    values[`b_${k + 1}`] = b;
  });
  return values;
}

function compute(model, inputs) {
  const { a, log10_b } = inputs;
  const family = { a, b: 10 ** log10_b };
  const middle = Math.PI ** 2 * family.b ** (-2 * a);
  const outer = curvature(1, family);
  const end = move(END, family);
  model.overEta = { 1: carry(model.overTheta[1], (theta) => move(theta, family)) };
  model.parabola = traceParabola(middle, end);
  return {
    curvature: middle,
    outer_curvature: outer,
    times: family.b ** (-2 * a),
    ratio: middle / outer,
    place_of_1: move(1, family),
    place_of_fifth: move(COMPARED, family),
    place_of_end: end,
    ...computeFour(model, inputs),
  };
}

export const formulas = { prepare, compute };
