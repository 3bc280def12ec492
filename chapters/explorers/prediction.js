import { Plot, change, define, drag, format, formatPower } from "bookproof";
import { formulas, measureTwins } from "./formulas/prediction.js";

const SCALED = 1;
const ALL = 1;
const MOVING = 2;
const MOST = { 1: 2 ** 10, 2: 3 };
// In the order of MEASURES.
const NAMES = [
  "trace", "norm²", "Frobenius", "ASAM by filters", "ASAM by weights",
  "path norm", "trace’s floor", "relative flatness", "Fisher–Rao",
];
const AXES = {
  1: { from: 1, to: MOST[1], log: true, ticks: [1, 8, 64, 512], words: String, label: "units scaled by up to" },
  2: { from: 0, to: MOST[2], ticks: [0, 1, 2, 3], label: "softmax shift, in weights" },
};
const SIZE = { width: 340, height: 290 };

function findStrength({ kind, log2_factor, shift }) {
  return kind === SCALED ? 2 ** log2_factor : shift;
}

function drawCurves(stage, element) {
  const { model } = element;
  const ticks = [-0.4, 0, 0.4, 0.8];
  const title = "Rank correlation over the strength. Orange: the measure changes; blue: it stays; rings: the draws of the figure";
  const plot = new Plot(stage, title, {
    x: AXES[1],
    y: { from: -0.5, to: 1, ticks, label: "τ with the test error" },
    ...SIZE,
  });
  const none = plot.curve("faint thin");
  const band = plot.curve("area twin", null, { class: "area twin" });
  const lines = NAMES.map(() => plot.curve("thin"));
  const rings = Array.from({ length: 5 }, () => plot.dot("ring", 4));
  const end = plot.word("", "");
  const dot = plot.dot("twin", 7, { "data-drawn": "τ here" });
  const turn = (x) => {
    if (element.inputs.kind === SCALED) element.turn("log2_factor", Math.round(4 * Math.log2(Math.max(x, 1))) / 4);
    else element.turn("shift", Math.round(20 * x) / 20);
  };
  const step = (direction) => {
    const [name, size] = element.inputs.kind === SCALED ? ["log2_factor", 0.5] : ["shift", 0.1];
    element.turn(name, element.inputs[name] + size * direction);
  };
  const grip = drag(plot, dot, "strength of the rescaling", { turn, step });
  let known = 0;
  return (values, inputs) => {
    const { kind, measure, shown } = inputs;
    if (known !== kind) plot.setAxes(AXES[kind], plot.axes.y);
    known = kind;
    plot.bend(none, [[AXES[kind].from, 0], [AXES[kind].to, 0]]);
    const curves = model.curves[kind - 1];
    curves.forEach(({ strengths, points, moves }, k) => {
      const isChosen = k === measure - 1;
      const isShown = isChosen || shown === ALL || (shown === MOVING) === moves;
      const look = moves ? "twin dashed" : "theta";
      change(lines[k], { class: `curve ${look} ${isChosen ? "" : "thin dim"}`, "data-drawn": isChosen ? "τ over the strength" : "", display: isShown ? "inline" : "none" });
      plot.bend(lines[k], points.map(({ tau }, at) => [strengths[at], tau]));
    });
    const { strengths, points, moves } = curves[measure - 1];
    const ink = moves ? "twin" : "theta";
    const upper = points.map(({ high }, at) => [strengths[at], high]);
    const lower = points.map(({ low }, at) => [strengths[at], low]);
    change(band, { class: `area ${ink}`, "data-drawn": "its interval", d: `${plot.path([...upper, ...lower.reverse()])}Z` });
    const drawn = model.drawn[kind - 1];
    rings.forEach((ring, k) => {
      const isDrawn = k < drawn.strengths.length;
      change(ring, { class: `ring ${ink}`, display: isDrawn ? "inline" : "none" });
      if (isDrawn) plot.move(ring, drawn.strengths[k], drawn.taus[measure - 1][k]);
    });
    change(dot, { class: `dot ${ink}` });
    const here = findStrength(inputs);
    plot.move(dot, here, values.tau);
    change(end, { class: `word ${ink}`, text: NAMES[measure - 1] });
    plot.settle(end, points.map(({ tau }, at) => [strengths[at], tau]).reverse());
    const now = kind === SCALED ? inputs.log2_factor : inputs.shift;
    grip.follow(now, 0, kind === SCALED ? 10 : MOST[2], `${writeStrength(inputs)}, τ ${format(values.tau, 2)}`);
  };
}

function writeStrength(inputs) {
  return inputs.kind === SCALED ? `up to ${formatPower(inputs.log2_factor)}` : `shift ${format(inputs.shift)}`;
}

// Three powers of ten, or what is nearest to them, for an axis that changes with the strength.
function placeTicks(from, to) {
  const ticks = [];
  const first = Math.ceil(Math.log10(from));
  const last = Math.floor(Math.log10(to));
  const by = Math.max(1, Math.ceil((last - first) / 4));
  for (let power = first; power <= last; power += by) ticks.push(10 ** power);
  return ticks.length > 1 ? ticks : [from, Math.sqrt(from * to), to].map((value) => Number(value.toPrecision(2)));
}

function drawScatter(stage, { model }) {
  const percent = model.errors.map((error) => 100 * error);
  const most = Math.ceil(Math.max(...percent) / 10) * 10;
  const y = { from: 0, to: most, ticks: [0, 20, 40, 60], label: "test error in %" };
  const title = "The networks behind that point: blue as trained, orange at their twins";
  const plot = new Plot(stage, title, { x: { from: 1, to: 10, log: true, label: "" }, y, ...SIZE });
  const trained = plot.curve("theta dots dim");
  const moved = plot.curve("twin dots");
  const scatter = (values) => {
    let d = "";
    values.forEach((value, n) => (d += `M${plot.x(value).toFixed(1)} ${plot.y(percent[n]).toFixed(1)}h0`));
    return d;
  };
  const found = {};
  return ({ least, largest }, { measure }) => {
    const known = (found[measure] ||= measureTwins(model, SCALED, 1, measure));
    const from = Math.min(least, ...known) / 1.1;
    const to = Math.max(largest, ...known) * 1.1;
    plot.setAxes({ from, to, log: true, ticks: placeTicks(from, to), words: (value) => format(value, 2), label: NAMES[measure - 1] }, y);
    change(trained, { d: scatter(known) });
    change(moved, { d: scatter(model.values) });
  };
}

define("sm-prediction", {
  title: "Which prediction is left when every network is replaced by a twin?",
  inputs: {
    kind: { label: "Twins by", choices: [[1, "rescaled units"], [2, "softmax shift"]], value: 1 },
    log2_factor: {
      label: "units scaled at random by up to", from: 0, to: 10, step: 0.25, value: 2, text: formatPower,
      when: ({ kind }) => kind === SCALED,
    },
    shift: {
      label: "size of the shift, in weights", from: 0, to: MOST[2], step: 0.05, value: 1, text: (value) => format(Math.round(100 * value) / 100),
      when: ({ kind }) => kind !== SCALED,
    },
    measure: { label: "Measure", choices: NAMES.map((name, k) => [k + 1, name]), value: 4 },
    shown: { label: "Beside it", choices: [[ALL, "all"], [MOVING, "all that change"], [3, "all that stay"]], value: ALL },
  },
  presets: [
    ["as trained", { log2_factor: 0, shift: 0 }],
    ["rescaled by up to 2¹⁰", { kind: 1, log2_factor: 10 }],
    ["one that stays", { kind: 1, measure: 8, log2_factor: 10 }],
    ["shifted", { kind: 2, measure: 5, shift: 3 }],
  ],
  numbers: {
    tau: { label: "rank correlation τ", ink: "twin" },
    low: { label: "95 % interval from" },
    high: { label: "to" },
  },
  formulas,
  build(stage, element) {
    const curves = drawCurves(stage, element);
    const scatter = drawScatter(stage, element);
    return (values, inputs) => {
      curves(values, inputs);
      scatter(values, inputs);
    };
  },
  sentence({ tau, low, high }, inputs, { curves }) {
    const { measure, kind, log2_factor, shift } = inputs;
    const name = NAMES[measure - 1];
    const { moves, points } = curves[kind - 1][measure - 1];
    const start = format(points[0].tau, 2);
    const now = format(tau, 2);
    if (!moves) return `No twin changes it: ${name} keeps τ = ${now}, whatever is done to the units.`;
    const isTrained = (kind === SCALED ? log2_factor : shift) === 0;
    if (isTrained) return `As trained, ${name} orders the networks by their test error with τ = ${now}.`;
    if (start === now) return `The functions and the errors are the same, and τ of ${name} is still ${now}.`;
    const rest = low <= 0 && high >= 0 ? "Zero lies in the interval: it no longer tells better from worse." : "Some of the order is left.";
    return `The functions and the errors are the same, but τ of ${name} went from ${start} to ${now}. ${rest}`;
  },
});
