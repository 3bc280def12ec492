// ε-sharpness of the smallest network, f = θ₂ max(θ₁, 0) at x = 1 with the target 1, at (α, 1/α).

export function measureLoss([first, second]) {
  return (second * Math.max(first, 0) - 1) ** 2 / 2;
}

// The highest point of a ball is on its rim: wherever the output changes, it does so without a
// maximum inside, and the loss is convex in the output.
function findHighest(center, radius) {
  const place = (turn) => [center[0] + radius * Math.cos(turn), center[1] + radius * Math.sin(turn)];
  const loss = (turn) => measureLoss(place(turn));
  const step = (2 * Math.PI) / 720;
  let best = 0;
  for (let k = 1; k < 720; k++) if (loss(k * step) > loss(best)) best = k * step;
  let [low, high] = [best - step, best + step];
  for (let round = 0; round < 90; round++) {
    const [left, right] = [low + (high - low) / 3, high - (high - low) / 3];
    if (loss(left) < loss(right)) low = left;
    else high = right;
  }
  const turn = (low + high) / 2;
  return { at: place(turn), loss: loss(turn) };
}

function boundBelow(alpha, radius) {
  return (radius * Math.max(1 / alpha, alpha)) ** 2 / 2;
}

function boundAbove(alpha, radius) {
  return (radius * Math.hypot(1 / alpha, alpha) + radius ** 2 / 2) ** 2 / 2;
}

export const MOST = 2; // log2 of the largest α
const COMPARED = 30; // of the drawn α, that where α = 2

// ε-sharpness over α, and its bounds.
function traceGrowth(radius) {
  const alphas = Array.from({ length: 41 }, (_, k) => 2 ** (-MOST + k / 10));
  return {
    sharpness: alphas.map((alpha) => [alpha, findHighest([alpha, 1 / alpha], radius).loss]),
    upper: alphas.map((alpha) => [alpha, boundAbove(alpha, radius)]),
    lower: alphas.map((alpha) => [alpha, boundBelow(alpha, radius)]),
  };
}

function compute(model, { log2_alpha, radius }) {
  const alpha = 2 ** log2_alpha;
  const { at, loss } = findHighest([alpha, 1 / alpha], radius);
  // It is that of a radius, and an α is turned more often.
  if (model.radius !== radius) Object.assign(model, { radius, growth: traceGrowth(radius) });
  const { growth } = model;
  return {
    sharpness: loss / (1 + measureLoss([alpha, 1 / alpha])),
    lower_bound: boundBelow(alpha, radius),
    upper_bound: boundAbove(alpha, radius),
    highest_1: at[0],
    highest_2: at[1],
    sharpness_at_2: growth.sharpness[COMPARED][1],
    upper_bound_at_2: growth.upper[COMPARED][1],
    lower_bound_at_2: growth.lower[COMPARED][1],
  };
}

export const formulas = { prepare: (data) => ({ ...data }), compute };
