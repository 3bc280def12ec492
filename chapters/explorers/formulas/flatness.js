// Boxes of half side r around (1, 1), and their images under T_α for α in a geometric sequence.

export function listBoxes(r, boxes, ratio) {
  const count = Math.round(boxes);
  return Array.from({ length: count }, (_, k) => {
    const alpha = ratio ** (k - (count - 1) / 2);
    return { alpha, x: [alpha * (1 - r), alpha * (1 + r)], y: [(1 - r) / alpha, (1 + r) / alpha] };
  });
}

// The area of what the boxes cover together: cut the plane at all their edges, count each piece once.
function measureUnion(boxes) {
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

export const MOST = 15; // boxes
const COMPARED = 10;

function compute(model, { boxes, ratio }) {
  const { r } = model;
  const all = listBoxes(r, boxes, ratio);
  // They are those of a ratio, and boxes are added more often.
  if (model.ratio !== ratio) {
    const unions = Array.from({ length: MOST }, (_, k) => [k + 1, measureUnion(listBoxes(r, k + 1, ratio))]);
    Object.assign(model, { ratio, unions: [[0, 0], ...unions] });
  }
  return {
    sum_of_areas: all.length * (2 * r) ** 2,
    union_area: measureUnion(all),
    meet_below: (1 + r) / (1 - r),
    union_of_ten: model.unions[COMPARED][1],
    first_left: all[0].x[0],
    first_top: all[0].y[1],
    largest_loss: Math.max((1 - (1 - r) ** 2) ** 2, ((1 + r) ** 2 - 1) ** 2) / 2,
  };
}

export const formulas = { prepare: (data) => ({ ...data }), compute };
