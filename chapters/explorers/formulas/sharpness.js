// ε-sharpness of the smallest network, f = θ₂ max(θ₁, 0) at x = 1 with the target 1, at (α, 1/α).

export function measureLoss([first, second]) {
  return (second * Math.max(first, 0) - 1) ** 2 / 2;
}

// The highest point of a ball is on its rim: wherever the output changes, it does so without a
// maximum inside, and the loss is convex in the output.
export function findHighest(center, radius) {
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

export function boundBelow(alpha, radius) {
  return (radius * Math.max(1 / alpha, alpha)) ** 2 / 2;
}

export function boundAbove(alpha, radius) {
  return (radius * Math.hypot(1 / alpha, alpha) + radius ** 2 / 2) ** 2 / 2;
}

function compute(model, { log2_alpha, radius }) {
  const alpha = 2 ** log2_alpha;
  const { loss } = findHighest([alpha, 1 / alpha], radius);
  return {
    sharpness: loss / (1 + measureLoss([alpha, 1 / alpha])),
    lower_bound: boundBelow(alpha, radius),
    upper_bound: boundAbove(alpha, radius),
  };
}

export const formulas = { prepare: (data) => data, compute };
