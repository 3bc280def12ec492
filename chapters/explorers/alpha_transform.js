import { Plot, change, define, drag, format, network } from "bookproof";
import { evaluate, findTwin, formulas, measureLoss } from "./formulas/alpha_transform.js";

const END = 3;

function drawPlane(stage, element) {
  const ticks = [-3, -2, -1, 0, 1, 2, 3];
  const plot = new Plot(stage, "Its two parameters: drag the dot", {
    x: { from: -END, to: END, ticks, label: "θ₁ = α" },
    y: { from: -END, to: END, ticks, label: "θ₂ = 1/α" },
    height: 314,
  });
  for (const level of element.model.levels) {
    const sides = level === 1 ? [1, -1] : [1];
    for (const side of sides) {
      const points = Array.from({ length: 121 }, (_, k) => {
        const x = side * (level / END) * ((END * END) / level) ** (k / 120);
        return [x, level / x];
      });
      plot.curve(`theta ${level === 1 ? "" : "thin"} ${side < 0 ? "dashed" : ""}`, points);
    }
    if (level === 1) continue; // there stands θ
    plot.put(plot.word("theta", String(level)), Math.sqrt(level), Math.sqrt(level), 3, -2);
  }
  plot.curve("faint thin dotted", [[-END, 0], [END, 0]]);
  plot.curve("faint thin dotted", [[0, -END], [0, END]]);
  plot.put(plot.word("faint", "off at x = 1", "middle"), -1.5, 1.5);
  const trained = plot.dot("theta");
  plot.move(trained, 1, 1);
  plot.put(plot.word("theta", "θ", "end"), 1, 1, -8, 14);
  const dot = plot.dot("twin", 7);
  const name = plot.word("twin", "twin");
  // The point of the hyperbola nearest to a finger, on the side where it is.
  const turn = (x, y) => {
    const side = x + y >= 0 ? 1 : -1;
    let best = side;
    for (let k = 0; k <= 240; k++) {
      const t = (side / END) * (END * END) ** (k / 240);
      const far = (t - x) ** 2 + (1 / t - y) ** 2;
      if (far < (best - x) ** 2 + (1 / best - y) ** 2) best = t;
    }
    element.turn("alpha", best);
  };
  const step = (direction) => element.turn("alpha", Math.round((element.inputs.alpha + direction / 20) * 20) / 20);
  const grip = drag(plot, dot, "α, a point of the hyperbola", { turn, step });
  return ([x, y], alpha) => {
    const isSeen = Math.abs(y) <= END + 0.01;
    change(dot, { display: isSeen ? "inline" : "none" });
    change(name, { "text-anchor": x > 2 ? "end" : "start" });
    plot.move(dot, x, Math.max(-END, Math.min(END, y)));
    const shown = Math.max(-END, Math.min(END, Number.isFinite(y) ? y : END));
    plot.put(name, x, shown, x > 2 ? -4 : 10, isSeen ? -8 : 40);
    name.textContent = isSeen ? "twin" : `twin, at θ₂ = ${format(y)}`;
    grip.follow(alpha, -END, END, `α = ${format(alpha)}`);
  };
}

function build(stage, element) {
  const drawPoint = drawPlane(stage, element);
  const xs = Array.from({ length: 81 }, (_, k) => (k - 40) / 20);
  const before = new Plot(stage, "What it computes", {
    x: { from: -2, to: 2, ticks: [-2, -1, 0, 1, 2], label: "input x" },
    y: { from: -2, to: 2, ticks: [-2, -1, 0, 1, 2], label: "output" },
    height: 314,
  });
  before.curve("theta wide", xs.map((x) => [x, evaluate([1, 1], x)]));
  before.put(before.word("theta", "at θ", "end"), 1.2, 1.2, -8, -8);
  const now = before.curve("twin dashed");
  const nowName = before.word("twin", "at the twin");
  const net = network(stage, "The network", [1, 1, 1], { height: 84, names: [[0, "x"], [1, "rectifier"], [2, "f(x)"]] });
  const weights = net.lines.map((lines) => lines[0]);
  const words = [0, 1].map((k) => {
    const word = net.words[0].cloneNode();
    word.setAttribute("class", "word twin");
    change(word, { x: (net.across(k) + net.across(k + 1)) / 2, y: 14 });
    net.svg.append(word);
    return word;
  });
  const cut = new Plot(stage, "The loss across the curve", {
    x: { from: -1, to: 1, ticks: [-1, -0.5, 0, 0.5, 1], label: "distance" },
    y: { from: 0, to: 1.5, ticks: [0, 0.5, 1, 1.5], label: "loss" },
  });
  const distances = Array.from({ length: 201 }, (_, k) => ((k - 100) / 100) ** 3);
  const profile = (theta) => {
    const size = Math.hypot(...theta);
    const along = [theta[1] / size, theta[0] / size];
    return distances.map((t) => [t, measureLoss([theta[0] + t * along[0], theta[1] + t * along[1]])]);
  };
  cut.curve("theta", profile([1, 1]));
  cut.put(cut.word("theta", "at θ"), 0.6, 0.9, 8, 8);
  const valley = cut.curve("twin dashed");
  return ({ theta_2 }, { alpha }) => {
    const theta = findTwin(alpha);
    const isDefined = alpha !== 0;
    drawPoint(theta, alpha);
    for (const node of [now, nowName, valley]) change(node, { display: isDefined ? "inline" : "none" });
    words[0].textContent = `θ₁ = ${format(alpha)}`;
    words[1].textContent = isDefined ? `θ₂ = ${format(theta_2)}` : "θ₂ = 1/0";
    weights.forEach((line, k) => {
      const thickness = Math.min(16, 0.5 + 3 * Math.abs(theta[k]));
      change(line, { class: `${alpha > 0 ? "twin" : "faint"} ${theta[k] < 0 ? "dashed" : ""}`, "stroke-width": thickness });
    });
    if (!isDefined) return;
    before.bend(now, xs.map((x) => [x, evaluate(theta, x)]));
    before.put(nowName, alpha > 0 ? 0.6 : -1.1, alpha > 0 ? 0.6 : -1.1, 12, alpha > 0 ? 16 : 4);
    cut.bend(valley, profile(theta));
  };
}

define("sm-alpha_transform", {
  title: "How far can a network move while its function stands still?",
  inputs: {
    alpha: { label: "α", from: -END, to: END, step: 0.05, value: 2, text: (value) => format(Math.round(value * 1000) / 1000) },
  },
  presets: [
    ["α = 1", { alpha: 1 }],
    ["sharp: α = ⅕", { alpha: 0.2 }],
    ["through zero: α = −1", { alpha: -1 }],
  ],
  numbers: {
    output_at_1: { label: "f(1)" },
    output_at_minus_1: { label: "f(−1)" },
    trace: { label: "trace", ink: "twin" },
    loss: { label: "loss" },
  },
  formulas,
  build,
  sentence({ trace }, { alpha }) {
    if (alpha > 0) {
      return `The function is max(x, 0), as at θ. The trace of the Hessian is ${format(trace)}; at θ it is 2, and no twin has less.`;
    }
    if (alpha === 0) return "At α = 0 there is no 1/α, and no network.";
    return "For α < 0 the rectifier is on where it was off: the function is now min(x, 0), and the loss is ½.";
  },
});
