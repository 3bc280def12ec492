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
function measureWidth(loss, height) {
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

function measureAll(inputs) {
  return listValleys(inputs).map(({ name, loss, curvature }) => ({
    name,
    loss,
    width: measureWidth(loss, inputs.height),
    curvature,
    rise: Math.max(loss(inputs.radius), loss(-inputs.radius)) / (1 + loss(0)),
  }));
}

// How many valleys are flatter, and one: the place of a valley in the order from flat to sharp.
function findPlace(all, measure, own) {
  const sharpness = (valley) => (measure === "width" ? -valley.width : valley[measure]);
  return 1 + all.filter((valley) => sharpness(valley) < sharpness(own)).length;
}

const REACH = 2; // how far a valley is drawn to both sides
const COMPARED = 0.25; // one of its points
const MEASURES = ["width", "curvature", "rise"];

// A valley and the parabola of its curvature.
function traceValley({ loss, curvature }) {
  const points = Array.from({ length: 201 }, (_, k) => REACH * ((k - 100) / 100) ** 3);
  return {
    valley: points.map((t) => [t, loss(t)]),
    parabola: points.map((t) => [t, (curvature / 2) * t ** 2]),
  };
}

function compute(model, inputs) {
  const all = measureAll(inputs);
  const own = all[inputs.valley];
  const places = Object.fromEntries(MEASURES.map((measure) => [measure, all.map((valley) => findPlace(all, measure, valley))]));
  const drawn = { ...traceValley(own), all, places };
  model.drawn = drawn;
  const lossAt = (points) => points.find(([t]) => t === COMPARED)[1];
  return {
    width: own.width,
    curvature: own.curvature,
    rise: own.rise,
    place_by_width: places.width[inputs.valley],
    place_by_curvature: places.curvature[inputs.valley],
    place_by_rise: places.rise[inputs.valley],
    // The places of all five, a digit for each.
    order_by_width: Number(places.width.join("")),
    order_by_curvature: Number(places.curvature.join("")),
    order_by_rise: Number(places.rise.join("")),
    loss_at_quarter: lossAt(drawn.valley),
    parabola_at_quarter: lossAt(drawn.parabola),
  };
}

export const formulas = { prepare: (data) => data, compute };
