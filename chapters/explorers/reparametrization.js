import { Plot, change, define, format } from "bookproof";
import { formulas, measureLoss, move } from "./formulas/reparametrization.js";

const END = 1.6;
const THETAS = Array.from({ length: 601 }, (_, k) => END * ((k - 300) / 300) ** 3);

function drawWave(stage, title, label, end) {
  const plot = new Plot(stage, title, {
    x: { from: -end, to: end, ticks: [-1, 0, 1], label },
    y: { from: 0, to: 0.8, ticks: [0, 0.5], label: "loss" },
  });
  plot.curve("twin dashed thin", [[0, 0], [0, 1]]);
  return plot;
}

// Three round numbers for an axis that goes to both sides.
function placeTicks(end) {
  const power = 10 ** Math.floor(Math.log10(end));
  const step = [5, 2, 1].map((digit) => digit * power).find((size) => size <= end);
  return [-step, 0, step];
}

function build(stage, { model }) {
  const { grid } = model;
  const fixed = drawWave(stage, "The loss over θ", "θ", END);
  fixed.curve("", THETAS.map((theta) => [theta, measureLoss(theta)]));
  for (const theta of grid) fixed.move(fixed.dot("theta", 4), theta, measureLoss(theta));
  const bent = drawWave(stage, "The same loss over η, its points carried along", "η", END);
  const parabola = bent.curve("third dotted");
  const curve = bent.curve("");
  const dots = grid.map(() => bent.dot("theta", 4));
  const name = bent.word("third", "parabola");
  return (values, { a, log10_b }) => {
    const family = { a, b: 10 ** log10_b };
    const end = move(END, family);
    bent.setAxes(
      { from: -end, to: end, ticks: placeTicks(end), label: "η", words: (value) => (value === 0 ? "0" : format(value)) },
      bent.axes.y,
    );
    bent.bend(curve, THETAS.map((theta) => [move(theta, family), measureLoss(theta)]));
    grid.forEach((theta, k) => bent.move(dots[k], move(theta, family), measureLoss(theta)));
    const reach = Math.min(end, Math.sqrt(1.6 / values.curvature));
    const points = Array.from({ length: 61 }, (_, k) => (reach * (k - 30)) / 30);
    bent.bend(parabola, points.map((eta) => [eta, (values.curvature * eta ** 2) / 2]));
    const at = 0.92 * reach;
    change(name, { "text-anchor": at > 0.6 * end ? "end" : "start" });
    bent.put(name, at, (values.curvature * at ** 2) / 2, at > 0.6 * end ? -8 : 8, 0);
  };
}

define("sm-reparametrization", {
  title: "Which minimum is the sharp one? Choose the coordinate.",
  inputs: {
    a: { label: "a", from: -0.45, to: 1, step: 0.01, value: 0.5, text: (value) => format(Math.round(value * 100) / 100) },
    log10_b: { label: "b", from: -4, to: 0.5, step: 0.05, value: -1.7, text: (value) => format(10 ** value) },
  },
  presets: [
    ["default: η = θ", { a: 0, log10_b: 0 }],
    ["sharper", { a: 0.5, log10_b: Math.log10(0.02) }],
    ["flatter", { a: -0.3, log10_b: -3 }],
  ],
  numbers: {
    curvature: { label: "curvature in the middle", ink: "twin" },
    outer_curvature: { label: "at the outer two" },
    ratio: { label: "middle over outer" },
  },
  formulas,
  build,
  sentence({ ratio, times }) {
    const middle = Math.abs(times - 1) < 1e-9
      ? "The coordinate leaves the middle minimum as it is."
      : `The coordinate has made the middle minimum ${times > 1 ? `${format(times)} times as sharp` : `${format(1 / times)} times as flat`}.`;
    const order = Math.abs(ratio - 1) < 1e-3
      ? "All three are equally sharp."
      : `Now it is the ${ratio > 1 ? "sharpest" : "flattest"} of the three, and the model at each point is what it was.`;
    return `${middle} ${order}`;
  },
});
