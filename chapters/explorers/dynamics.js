import { Plot, change, define, drag, draw, format, formatPower } from "bookproof";
import { OUTCOMES, STEPS, formulas } from "./formulas/dynamics.js";

const ALPHAS = { from: -3, to: 4 };
const RATES = { from: -9.75, to: -1.25 };
const HALF_CELL = 0.25;
const SIZE = { height: 196 };

// As in the figure: the more color, the more the loss has shrunk; none where it has grown.
function drawCells(plot, { log2_alphas, log2_steps, changes }) {
  const all = draw("g", { "data-drawn": "cells" }, plot.curves);
  const most = -Math.min(...changes.flat());
  log2_steps.forEach((step, i) => {
    log2_alphas.forEach((power, j) => {
      const [x, y] = [plot.x(2 ** (power - HALF_CELL)), plot.y(2 ** (step + HALF_CELL))];
      const width = plot.x(2 ** (power + HALF_CELL)) - x;
      const height = plot.y(2 ** (step - HALF_CELL)) - y;
      const share = Math.max(0, -changes[i][j]) / most;
      draw("rect", { x, y, width, height, class: "cell theta", "fill-opacity": share.toFixed(3), "shape-rendering": "crispEdges" }, all);
    });
  });
}

function drawDial(stage, element) {
  const { cells, line } = element.model;
  const edges = (range) => [2 ** (range.from - HALF_CELL), 2 ** (range.to + HALF_CELL)];
  const [left, right] = edges(ALPHAS);
  const [bottom, top] = edges(RATES);
  const plot = new Plot(stage, "The twin and the step: drag the dot. The more color, the more the loss has shrunk after 40 steps; without color, it has grown", {
    x: { from: left, to: right, log: true, ticks: [0.125, 0.5, 2, 8], words: String, label: "α" },
    y: { from: bottom, to: top, log: true, ticks: [0.01, 0.1], words: String, label: "step size η" },
    height: 430,
  });
  plot.place.figure.classList.add("tall");
  drawCells(plot, cells);
  plot.curve("twin", line, { "data-drawn": "2/λ" });
  plot.put(plot.word("twin", "2/λ"), ...line[line.length - 3], 14, -4);
  const dot = plot.dot("twin", 8, { "data-drawn": "twin" });
  const turn = (x, y) => {
    element.turn("log2_alpha", Math.round(Math.log2(Math.max(x, 1e-9)) * 8) / 8);
    element.turn("log2_step", Math.round(Math.log2(Math.max(y, 1e-9)) * 8) / 8);
  };
  const step = (direction, isUpright) => {
    const name = isUpright ? "log2_step" : "log2_alpha";
    element.turn(name, element.inputs[name] + HALF_CELL * direction);
  };
  const grip = drag(plot, dot, "log2 of α, left and right; of the step size, up and down", { turn, step });
  return ({ times }, { log2_alpha, log2_step }) => {
    plot.move(dot, 2 ** log2_alpha, 2 ** log2_step);
    const text = `α = ${formatPower(log2_alpha)}, step size ${format(2 ** log2_step)}, ${format(times)} times the longest stable one`;
    grip.follow(log2_alpha, ALPHAS.from, ALPHAS.to, text);
  };
}

function drawLosses(stage) {
  const plot = new Plot(stage, "The training loss of this run", {
    x: { from: 0, to: STEPS, ticks: [0, 50, 100, 150, 200], label: "step" },
    y: { from: 1e-11, to: 1e6, log: true, ticks: [1e-10, 1e-5, 1, 1e5], label: "loss" },
    ...SIZE,
  });
  plot.curve("faint dashed thin", [[0, 0.5], [STEPS, 0.5]], { "data-drawn": "silent" });
  plot.put(plot.word("faint", "a network that says 0", "end"), STEPS, 0.5, 0, -7);
  const curve = plot.curve("twin", null, { "data-drawn": "losses" });
  return (losses) => plot.bend(curve, losses.filter(Number.isFinite).map((loss, k) => [k, Math.max(loss, 1e-30)]));
}

function drawLanding(stage, { before }) {
  const most = 2;
  const ticks = [-2, -1, 0, 1, 2];
  const plot = new Plot(stage, "Where it lands: outputs on 200 new images, before and after. Twins keep all on the line", {
    x: { from: -most, to: most, ticks, label: "output before" },
    y: { from: -most, to: most, ticks, label: "after" },
    ...SIZE,
  });
  plot.curve("theta thin", [[-most, -most], [most, most]], { "data-drawn": "kept" });
  // A line of no length with round ends is a dot, and one path has them all.
  const dots = plot.curve("twin dots", null, { "data-drawn": "landed" });
  const clamp = (value) => Math.max(-most, Math.min(most, value));
  return (after) => {
    let d = "";
    after.forEach((output, r) => {
      if (Number.isNaN(output)) return;
      d += `M${plot.x(clamp(before[r])).toFixed(1)} ${plot.y(clamp(output)).toFixed(1)}h0`;
    });
    change(dots, { d });
  };
}

const SENTENCES = {
  falls: ({ left }) => `Stable: the loss only falls, to ${writePercent(left)} of what it was.`,
  crawls: ({ left }) => `It crawls: the loss only falls, but ${writePercent(left)} of it is left after ${STEPS} steps.`,
  catapult: ({ peak, loss }) => `A catapult: the loss is thrown up to ${format(peak)} and comes down to ${format(loss)}.`,
  diverges: ({ peak, loss }) => `It diverges: the loss rises to ${format(peak)} and ends at ${format(loss)}.`,
  rises: ({ peak }) => `The step is too long: the loss rises, to ${format(peak)} so far.`,
};

function writePercent(share) {
  return `${format(100 * share, 2)} %`;
}

define("sm-dynamics", {
  title: "One function, many twins: how long may a step be?",
  inputs: {
    log2_alpha: { label: "α, the twin it starts from", ...ALPHAS, step: 0.25, value: 3, text: formatPower },
    log2_step: { label: "step size η", ...RATES, step: 0.25, value: -4.75, text: (value) => format(2 ** value) },
  },
  presets: [
    ["as trained", { log2_alpha: 0, log2_step: -4.75 }],
    ["the sharpest twin: diverges", { log2_alpha: -3, log2_step: -4.75 }],
    ["too careful: a crawl", { log2_alpha: 0, log2_step: -9.75 }],
    ["thrown: a catapult", { log2_alpha: 3, log2_step: -4.75 }],
    ["just below the line", "below"],
  ],
  places: {
    below: ({ log2_alpha }, { line }) => {
      const [, limit] = line.reduce((best, pair) => (Math.abs(Math.log2(pair[0]) - log2_alpha) < Math.abs(Math.log2(best[0]) - log2_alpha) ? pair : best));
      return { log2_step: Math.log2(limit) - HALF_CELL };
    },
  },
  numbers: {
    limit: { label: "longest stable step, 2/λ" },
    times: { label: "this step, in multiples of it", ink: "twin" },
    loss: { label: `loss after ${STEPS} steps`, ink: "twin" },
    moved: { label: "new outputs moved by up to" },
  },
  formulas,
  build(stage, element) {
    const { model } = element;
    const dial = drawDial(stage, element);
    const losses = drawLosses(stage);
    const landing = drawLanding(stage, model);
    return (values, inputs) => {
      dial(values, inputs);
      losses(model.run.losses);
      landing(model.run.after);
    };
  },
  sentence(values) {
    const run = SENTENCES[OUTCOMES[values.outcome]](values);
    const { moved } = values;
    const landing = moved < 0.01
      ? `It computes its function still: no output on a new image has moved by more than ${format(moved)}.`
      : `It is at no twin: outputs on new images have moved by up to ${format(moved)}.`;
    return `${run} ${landing}`;
  },
});
