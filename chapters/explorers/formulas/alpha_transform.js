// The smallest network, f(x) = θ₂ max(θ₁x, 0), at (α, 1/α); its loss at x = 1 with the target 1.

export function evaluate(theta, x) {
  return theta[1] * Math.max(theta[0] * x, 0);
}

export function measureLoss(theta) {
  return (evaluate(theta, 1) - 1) ** 2 / 2;
}

export function findTwin(alpha) {
  return [alpha, 1 / alpha];
}

// The sum of the Hessian's eigenvalues: where θ₁ > 0 the gradient of f(1) is (θ₂, θ₁), and the error
// is zero; where θ₁ < 0 the unit is off at x = 1, and nothing changes the loss.
export function measureTrace(theta) {
  if (theta[0] <= 0) return 0;
  return theta[0] ** 2 + theta[1] ** 2;
}

const DISTANCES = Array.from({ length: 201 }, (_, k) => ((k - 100) / 100) ** 3);
const COMPARED = 0.125; // one of them

// The loss on the way across the curve of the minima, through a point of it.
export function cutAcross(theta) {
  const size = Math.hypot(...theta);
  const along = [theta[1] / size, theta[0] / size];
  return DISTANCES.map((t) => [t, measureLoss([theta[0] + t * along[0], theta[1] + t * along[1]])]);
}

// How thick the line of a weight is.
export function measureThickness(weight) {
  return Math.min(16, 0.5 + 3 * Math.abs(weight));
}

function compute(model, { alpha }) {
  const theta = findTwin(alpha);
  const cut = cutAcross(theta);
  const lossAt = (distance) => cut.find(([t]) => t === distance)[1];
  model.cut = cut;
  return {
    theta_1: theta[0],
    theta_2: theta[1],
    output_at_1: evaluate(theta, 1),
    output_at_minus_1: evaluate(theta, -1),
    loss: measureLoss(theta),
    trace: alpha === 0 ? NaN : measureTrace(theta),
    loss_left: lossAt(-COMPARED),
    loss_right: lossAt(COMPARED),
  };
}

export const formulas = { prepare: (data) => data, compute };
