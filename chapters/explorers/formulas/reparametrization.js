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

function compute(model, { a, log10_b }) {
  const family = { a, b: 10 ** log10_b };
  const middle = Math.PI ** 2 * family.b ** (-2 * a);
  const outer = curvature(1, family);
  return {
    curvature: middle,
    outer_curvature: outer,
    times: family.b ** (-2 * a),
    ratio: middle / outer,
    place_of_1: move(1, family),
  };
}

export const formulas = { prepare: (data) => data, compute };
