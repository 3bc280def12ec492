// Valleys L(t) of one parameter with their minimum L(0) = 0; all rise to both sides.

function dimple(t) {
  return 0.1 * t ** 2 - 0.04 * Math.expm1(-((t / 0.05) ** 2));
}

// Each valley and its second derivative at 0.
export function listValleys({ own_curvature, own_quartic }) {
  return [
    { name: "wide", loss: (t) => 0.25 * t ** 2, curvature: 0.5 },
    { name: "narrow", loss: (t) => 8 * t ** 2, curvature: 16 },
    { name: "flat-bottomed", loss: (t) => 0.05 * t ** 2 + 0.15 * t ** 4, curvature: 0.1 },
    { name: "dimpled", loss: dimple, curvature: 2 * 0.1 + (2 * 0.04) / 0.05 ** 2 },
    { name: "yours", loss: (t) => (own_curvature / 2) * t ** 2 + own_quartic * t ** 4, curvature: own_curvature },
  ];
}

// The length of the set around 0 where the loss is below a height: twice the end, by bisection.
export function measureWidth(loss, height) {
  let inside = 0;
  let outside = 1e-3;
  while (loss(outside) < height) outside *= 2;
  for (let round = 0; round < 100; round++) {
    const middle = (inside + outside) / 2;
    if (loss(middle) < height) inside = middle;
    else outside = middle;
  }
  return 2 * inside;
}

export function measureAll(inputs) {
  return listValleys(inputs).map(({ name, loss, curvature }) => ({
    name,
    loss,
    width: measureWidth(loss, inputs.height),
    curvature,
    rise: Math.max(loss(inputs.radius), loss(-inputs.radius)) / (1 + loss(0)),
  }));
}

// How many valleys are flatter, and one: the place of a valley in the order from flat to sharp.
export function findPlace(all, measure, own) {
  const sharpness = (valley) => (measure === "width" ? -valley.width : valley[measure]);
  return 1 + all.filter((valley) => sharpness(valley) < sharpness(own)).length;
}

function compute(model, inputs) {
  const all = measureAll(inputs);
  const own = all[inputs.valley];
  return {
    width: own.width,
    curvature: own.curvature,
    rise: own.rise,
    place_by_width: findPlace(all, "width", own),
    place_by_curvature: findPlace(all, "curvature", own),
    place_by_rise: findPlace(all, "rise", own),
  };
}

export const formulas = { prepare: (data) => data, compute };
