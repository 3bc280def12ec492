import { Plot, change, define, drag, format, network } from "bookproof";
import { cutAcross, evaluate, findTwin, formulas, measureThickness } from "./formulas/alpha_transform.js";
import { traceLevel } from "./formulas/hyperbola.js";

const END = 3;

// The name stands where no curve is: between two of them, or beyond the axis.
function putName(plot, name, x, y) {
  const place = (anchor, ...where) => {
    change(name, { "text-anchor": anchor });
    plot.put(name, ...where);
  };
  if (y === Infinity && x >= 0) place("end", 0, END, -6, 14);
  else if (y === Infinity) place("start", 0, -END, 6, -8);
  else if (x < 0) place("end", x, y, -10, 16);
  else if (x < 0.8) place("end", 0, y, -6, 4);
  else if (x < 1.3) place("start", x, y, 11, 3);
  else if (x < 1.7) place("end", x, y, -8, 12);
  else place("end", x, 0, 10, 15); // below the axis
}

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
      const points = traceLevel(level, END).map(([x, y]) => [side * x, side * y]);
      const look = { "data-drawn": `level ${side * level}` };
      plot.curve(`theta ${level === 1 ? "" : "thin"} ${side < 0 ? "dashed" : ""}`, points, look);
    }
    if (level === 1) continue; // there stands θ
    if (level < 1) plot.put(plot.word("theta", String(level), "end"), level / 1.9, 1.9, -9, 4); // beside the axis
    else plot.put(plot.word("theta", String(level)), Math.sqrt(level), Math.sqrt(level), 3, -2);
  }
  plot.curve("faint thin dotted", [[-END, 0], [END, 0]]);
  plot.curve("faint thin dotted", [[0, -END], [0, END]]);
  plot.put(plot.word("faint", "off at x = 1", "middle"), -1.5, 1.5);
  const trained = plot.dot("theta");
  plot.move(trained, 1, 1);
  plot.put(plot.word("theta", "θ", "end"), 1, 1, -8, 14);
  const dot = plot.dot("twin", 7, { "data-drawn": "twin" });
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
    plot.move(dot, x, Math.max(-END, Math.min(END, y)));
    name.textContent = isSeen ? "twin" : `twin, at θ₂ = ${format(y)}`;
    putName(plot, name, x, isSeen ? y : Infinity);
    grip.follow(alpha, -END, END, `α = ${format(alpha)}`);
  };
}

// Where the right side of a cut first comes to some heights, from above, and its last point but ten.
function listClimb(cut) {
  const climbs = (height) => ([t, loss], k) => t > 0 && loss > height && cut[k - 1][1] <= height;
  return [...[1.2, 0.9, 0.6, 0.3].flatMap((height) => cut.filter(climbs(height))), cut[190]];
}

function build(stage, element) {
  const drawPoint = drawPlane(stage, element);
  const xs = Array.from({ length: 81 }, (_, k) => (k - 40) / 20);
  const before = new Plot(stage, "What it computes", {
    x: { from: -2, to: 2, ticks: [-2, -1, 0, 1, 2], label: "input x" },
    y: { from: -2, to: 2, ticks: [-2, -1, 0, 1, 2], label: "output" },
    height: 314,
  });
  before.curve("theta wide", xs.map((x) => [x, evaluate([1, 1], x)]), { "data-drawn": "function at θ" });
  before.put(before.word("theta", "at θ", "end"), 1.2, 1.2, -8, -8);
  const now = before.curve("twin dashed", null, { "data-drawn": "function" });
  const nowName = before.word("twin", "at the twin");
  const net = network(stage, "The network", [1, 1, 1], { height: 84, names: [[0, "x"], [1, "rectifier"], [2, "f(x)"]] });
  const weights = net.lines.map((lines) => lines[0]);
  weights.forEach((line, k) => change(line, { "data-drawn": `weight ${k + 1}` }));
  const words = [0, 1].map((k) => {
    const word = net.words[0].cloneNode();
    word.setAttribute("class", "word twin");
    word.dataset.shows = `theta_${k + 1}`;
    change(word, { x: (net.across(k) + net.across(k + 1)) / 2, y: 14 });
    net.svg.append(word);
    return word;
  });
  const cut = new Plot(stage, "The loss across the curve", {
    x: { from: -1, to: 1, ticks: [-1, -0.5, 0, 0.5, 1], label: "distance" },
    y: { from: 0, to: 1.5, ticks: [0, 0.5, 1, 1.5], label: "loss" },
  });
  const trained = cutAcross([1, 1]);
  cut.curve("theta", trained, { "data-drawn": "cut at θ" });
  const trainedName = cut.word("theta", "at θ");
  const valley = cut.curve("twin dashed", null, { "data-drawn": "cut" });
  const valleyName = cut.word("twin", "at the twin", "end");
  return ({ theta_2 }, { alpha }) => {
    const theta = findTwin(alpha);
    const isDefined = alpha !== 0;
    drawPoint(theta, alpha);
    for (const node of [now, nowName, valley, valleyName]) change(node, { display: isDefined ? "inline" : "none" });
    words[0].textContent = `θ₁ = ${format(alpha)}`;
    words[1].textContent = isDefined ? `θ₂ = ${format(theta_2)}` : "θ₂ = 1/0";
    weights.forEach((line, k) => {
      const thickness = measureThickness(theta[k]);
      change(line, { class: `${alpha > 0 ? "twin" : "faint"} ${theta[k] < 0 ? "dashed" : ""}`, "stroke-width": thickness });
    });
    if (!isDefined) return;
    before.bend(now, xs.map((x) => [x, evaluate(theta, x)]));
    before.put(nowName, alpha > 0 ? 0.6 : -1.1, alpha > 0 ? 0.6 : -1.1, alpha > 0 ? 12 : 18, alpha > 0 ? 16 : 12);
    const losses = element.model.cut;
    cut.bend(valley, losses);
    cut.settle(trainedName, listClimb(trained).reverse());
    cut.settle(valleyName, listClimb(losses), [trainedName]);
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
