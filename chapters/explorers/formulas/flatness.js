// Boxes of half side r around (1, 1), and their images under T_α for α in a geometric sequence.

export function listBoxes(r, boxes, ratio) {
  const count = Math.round(boxes);
  return Array.from({ length: count }, (_, k) => {
    const alpha = ratio ** (k - (count - 1) / 2);
    return { alpha, x: [alpha * (1 - r), alpha * (1 + r)], y: [(1 - r) / alpha, (1 + r) / alpha] };
  });
}

// The area of what the boxes cover together: cut the plane at all their edges, count each piece once.
export function measureUnion(boxes) {
  const cuts = (name) => [...new Set(boxes.flatMap((box) => box[name]))].sort((a, b) => a - b);
  const [xs, ys] = [cuts("x"), cuts("y")];
  let area = 0;
  for (let i = 0; i + 1 < xs.length; i++) {
    const inside = boxes.filter((box) => box.x[0] <= xs[i] && xs[i + 1] <= box.x[1]);
    for (let j = 0; j + 1 < ys.length; j++) {
      const isCovered = inside.some((box) => box.y[0] <= ys[j] && ys[j + 1] <= box.y[1]);
      if (isCovered) area += (xs[i + 1] - xs[i]) * (ys[j + 1] - ys[j]);
    }
  }
  return area;
}

function compute({ r }, { boxes, ratio }) {
  const all = listBoxes(r, boxes, ratio);
  return {
    sum_of_areas: all.length * (2 * r) ** 2,
    union_area: measureUnion(all),
    meet_below: (1 + r) / (1 - r),
    largest_loss: Math.max((1 - (1 - r) ** 2) ** 2, ((1 + r) ** 2 - 1) ** 2) / 2,
  };
}

export const formulas = { prepare: (data) => data, compute };
