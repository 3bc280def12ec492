// The loss sin²(πθ)/2 in the coordinate η = (θ² + b)^a θ, around the minimum 0.

export function measureLoss(theta) {
  return Math.sin(Math.PI * theta) ** 2 / 2;
}

export function move(theta, { a, b }) {
  return (theta ** 2 + b) ** a * theta;
}

// dη/dθ
export function slope(theta, { a, b }) {
  return (theta ** 2 + b) ** (a - 1) * ((1 + 2 * a) * theta ** 2 + b);
}

// At a minimum a curvature is divided by the square of the slope.
export function curvature(theta, family) {
  return Math.PI ** 2 / slope(theta, family) ** 2;
}

// Another loss, sin²(πθ²)/2: its minima 1, √2, √3, 2 have the curvatures 4π² times 1, 2, 3, 4.
export function measureWaves(theta) {
  return Math.sin(Math.PI * theta ** 2) ** 2 / 2;
}

// Around each of its minima the map above, in units in which |u| = delta keeps its place:
// η = θ̂ + ((u² + b) / (delta² + b))^a u. Beyond, nothing moves.
export function moveWithin(theta, { minima, delta }, maps) {
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

export function listMaps({ minima, delta }, inputs) {
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

function computeFour(model, inputs) {
  const maps = listMaps(model, inputs);
  const curvatures = maps.map((map, k) => measureCurvature(k, map, model.delta));
  const values = { turned: countTurned(curvatures), spread: Math.max(...curvatures) / Math.min(...curvatures) };
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
  return {
    curvature: middle,
    outer_curvature: outer,
    times: family.b ** (-2 * a),
    ratio: middle / outer,
    place_of_1: move(1, family),
    ...computeFour(model, inputs),
  };
}

export const formulas = { prepare: (data) => data, compute };
