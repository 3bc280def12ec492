import { Plot, change, define, drag, draw, format, formatPower } from "bookproof";
import { traceLevel } from "./formulas/hyperbola.js";
import { MOST, formulas } from "./formulas/sharpness.js";

const END = 4.6;

function drawPlane(stage, element) {
  const ticks = [-1, 0, 1, 2, 3, 4];
  const plot = new Plot(stage, "The ball around the twin: drag it along the minima", {
    x: { from: -1.4, to: END, ticks, label: "θ₁" },
    y: { from: -1.4, to: END, ticks, label: "θ₂" },
    height: 314,
  });
  for (const product of [0.5, 1, 1.5, 2, 3, 5]) {
    plot.curve(product === 1 ? "theta" : "faint thin", traceLevel(product, END), { "data-drawn": `level ${product}` });
  }
  plot.curve("faint dashed thin", [[0, -1.4], [0, END]]);
  plot.put(plot.word("faint", "f = 0", "middle"), -0.8, 4.2);
  plot.put(plot.word("theta", "minima", "end"), END, 1 / END, 0, -10);
  const ball = draw("circle", { class: "area twin" }, plot.curves);
  const rim = draw("circle", { class: "curve twin" }, plot.curves);
  const dot = plot.dot("twin", 7, { "data-drawn": "twin" });
  const highest = plot.dot("third", 6, { "data-drawn": "highest" });
  const word = plot.word("third", "highest");
  const turn = (x, y) => {
    // The nearest point of the hyperbola by the difference of the logarithms.
    const power = Math.log2(Math.max(x, 0.1) / Math.max(y, 0.1)) / 2;
    element.turn("log2_alpha", Math.round(power * 20) / 20);
  };
  const step = (direction) => element.turn("log2_alpha", element.inputs.log2_alpha + direction / 10);
  const grip = drag(plot, dot, "log2 of α, along the minima", { turn, step });
  return (values, { log2_alpha, radius }) => {
    const center = [2 ** log2_alpha, 2 ** -log2_alpha];
    const at = [values.highest_1, values.highest_2];
    const size = plot.x(radius) - plot.x(0);
    for (const node of [ball, rim]) {
      change(node, { cx: plot.x(center[0]), cy: plot.y(center[1]), r: size });
    }
    plot.move(dot, ...center);
    plot.move(highest, ...at);
    const isRight = at[0] > 3;
    change(word, { "text-anchor": isRight ? "end" : "start" });
    plot.put(word, ...at, isRight ? -10 : 10, at[1] > center[1] ? -8 : 16);
    grip.follow(log2_alpha, -MOST, MOST, `α = ${format(2 ** log2_alpha)}, sharpness ${format(values.sharpness)}`);
  };
}

function drawGrowth(stage) {
  const plot = new Plot(stage, "ε-sharpness over α, between its two bounds", {
    x: { from: 0.25, to: 4, log: true, ticks: [0.25, 0.5, 1, 2, 4], words: (value) => format(value), label: "α" },
    y: { from: 1e-3, to: 1e2, log: true, ticks: [1e-3, 1e-2, 0.1, 1, 10, 100], label: "sharpness" },
    height: 314,
  });
  const upper = plot.curve("faint dashed thin", null, { "data-drawn": "upper bound" });
  const lower = plot.curve("faint dashed thin", null, { "data-drawn": "lower bound" });
  const curve = plot.curve("twin", null, { "data-drawn": "sharpness over α" });
  const dot = plot.dot("twin", 7, { "data-drawn": "sharpness" });
  const above = plot.word("faint", "upper bound", "middle");
  const below = plot.word("faint", "lower bound", "middle");
  return (values, { log2_alpha }, { growth }) => {
    plot.bend(curve, growth.sharpness);
    plot.bend(upper, growth.upper);
    plot.bend(lower, growth.lower);
    plot.move(dot, 2 ** log2_alpha, values.sharpness);
    const middle = growth.upper.length >> 1;
    plot.put(above, ...growth.upper[middle], 0, -12);
    plot.put(below, ...growth.lower[middle], 0, 18);
  };
}

define("sm-sharpness", {
  title: "How high does the loss rise within one radius?",
  inputs: {
    log2_alpha: { label: "α, the place among the minima", from: -MOST, to: MOST, step: 0.05, value: -1, text: (value) => (Number.isInteger(value) ? formatPower(value) : format(2 ** value)) },
    radius: { label: "radius ε of the ball", from: 0.05, to: 1.2, step: 0.05, value: 0.5, text: (value) => format(value) },
  },
  presets: [
    ["balanced: α = 1", { log2_alpha: 0, radius: 0.5 }],
    ["the ball reaches f = 0", { log2_alpha: -1, radius: 0.5 }],
    ["further", { log2_alpha: -2, radius: 0.5 }],
  ],
  numbers: {
    sharpness: { label: "ε-sharpness", ink: "twin" },
    lower_bound: { label: "lower bound" },
    upper_bound: { label: "upper bound" },
  },
  formulas,
  build(stage, element) {
    const plane = drawPlane(stage, element);
    const growth = drawGrowth(stage);
    return (values, inputs, model) => {
      plane(values, inputs);
      growth(values, inputs, model);
    };
  },
  sentence({ sharpness }, { log2_alpha, radius }) {
    const alpha = 2 ** log2_alpha;
    const reach = alpha <= radius
      ? "The ball reaches θ₁ = 0, where the network says nothing and the loss is ½; but the highest point is on the other side."
      : "The ball does not reach θ₁ = 0.";
    return `Within ${format(radius)} of this minimum the loss rises to ${format(sharpness)}. ${reach}`;
  },
});
