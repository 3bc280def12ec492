import { Plot, change, define, drag, draw, format, formatPower, panel } from "bookproof";
import { MOST, findFloor, formulas } from "./formulas/hessians.js";

const NAMES = ["θ₁", "θ₂", "θ₃"];

function drawBlocks(stage) {
  const place = panel(stage, "The blocks of the Hessian: what each is multiplied by, and its size", 320, 250);
  const groups = {};
  for (const count of [2, 3]) {
    const group = draw("g", {}, place.svg);
    const side = 216 / count;
    const cells = [];
    for (let k = 0; k < count; k++) {
      const middle = 18 + (k + 0.5) * side;
      draw("text", { x: 36, y: middle + 4, "text-anchor": "end", text: NAMES[k] }, group);
      draw("text", { x: 44 + (k + 0.5) * (270 / count), y: 12, "text-anchor": "middle", text: NAMES[k] }, group);
      for (let l = 0; l < count; l++) {
        const wide = 270 / count;
        const at = { x: 44 + l * wide, y: 18 + k * side, width: wide - 2, height: side - 2 };
        const area = draw("rect", { class: "block", ...at }, group);
        const across = { x: at.x + wide / 2, "text-anchor": "middle" };
        const factor = draw("text", { class: "word", ...across, y: at.y + side / 2 - 4 }, group);
        const size = draw("text", { class: "word", ...across, y: at.y + side / 2 + 14 }, group);
        if (k === 0 && l < 2) size.dataset.shows = ["first_block", "corner_block"][l];
        cells.push({ k, l, area, factor, size });
      }
    }
    groups[count] = { group, cells };
  }
  return ({ layers, log2_alpha, log2_beta }, blocks) => {
    const logs = layers === 2 ? [log2_alpha, -log2_alpha] : [log2_alpha, log2_beta, -log2_alpha - log2_beta];
    for (const count of [2, 3]) change(groups[count].group, { display: count === layers ? "inline" : "none" });
    for (const { k, l, area, factor, size } of groups[layers].cells) {
      const value = blocks[k][l];
      const shade = Math.max(0.03, Math.min(1, (Math.log10(value) + 7) / 16));
      const power = -logs[k] - logs[l];
      change(area, { "fill-opacity": shade.toFixed(3) });
      change(factor, { text: power === 0 ? "× 1" : `× ${formatPower(power)}` });
      change(size, { text: format(value, 2) });
    }
  };
}

function drawSpectrum(stage) {
  const plot = new Plot(stage, "Its eigenvalues, largest first", {
    x: { from: 0, to: 200, ticks: [1, 50, 100, 150, 200], label: "rank" },
    y: { from: 1e-6, to: 1e10, log: true, ticks: [1e-6, 1e-3, 1, 1e3, 1e6, 1e9], label: "eigenvalue" },
    height: 250,
  });
  const trained = plot.curve("theta", null, { "data-drawn": "spectrum as trained" });
  const twin = plot.curve("twin", null, { "data-drawn": "spectrum" });
  const own = plot.word("theta", "as trained");
  const other = plot.word("twin", "twin");
  const rank = (values) => Array.from(values, (value, k) => [k + 1, Math.max(value, 1e-12)]);
  return (known, now) => {
    plot.bend(trained, rank(known));
    plot.bend(twin, rank(now));
    plot.put(own, 60, known[60], 4, now[60] > known[60] ? 18 : -8);
    // The name stands where the curve is still seen.
    if (now[60] > 1e-5) plot.put(other, 60, now[60], 4, now[60] > known[60] ? -8 : 18);
    else plot.settle(other, [15, 10, 5].map((k) => [k, now[k - 1]]).filter(([, value]) => value > 1e-5), [own]);
  };
}

function drawTrace(stage, element) {
  const plot = new Plot(stage, "Trace and spectral norm over α: drag the dot along the V", {
    x: { from: 2 ** -MOST, to: 2 ** MOST, log: true, ticks: [2 ** -12, 2 ** -6, 1, 2 ** 6, 2 ** 12], label: "α", words: (value) => formatPower(Math.log2(value)) },
    y: { from: 1, to: 1e10, log: true, ticks: [1, 1e3, 1e6, 1e9], label: "size" },
    height: 250,
  });
  const floor = plot.curve("faint dashed thin", null, { "data-drawn": "floor" });
  const line = plot.curve("twin", null, { "data-drawn": "trace over α" });
  const trained = plot.dot("theta", 6, { "data-drawn": "trained trace" });
  const dot = plot.dot("twin", 7, { "data-drawn": "trace" });
  const norm = plot.dot("third", 4, { "data-drawn": "norm" }); // smaller, and so seen where both meet
  const bottom = plot.word("faint", "floor of the trace", "middle");
  const name = plot.word("twin", "trace");
  const normName = plot.word("third", "norm");
  const own = plot.word("theta", "as trained", "middle");
  const turn = (x) => element.turn("log2_alpha", Math.round(Math.log2(Math.max(x, 1e-9)) * 4) / 4);
  const step = (direction) => element.turn("log2_alpha", element.inputs.log2_alpha + direction);
  const grip = drag(plot, dot, "log2 of α, along the curve of the trace", { turn, step });
  return (values, inputs, curve) => {
    plot.bend(line, curve);
    plot.bend(floor, [[2 ** -MOST, values.floor], [2 ** MOST, values.floor]]);
    const here = 2 ** inputs.log2_alpha;
    plot.move(dot, here, values.trace);
    plot.move(norm, here, values.spectral_norm);
    plot.move(trained, 1, values.trained_trace);
    const isNear = Math.abs(inputs.log2_alpha) < 3.5;
    change(own, { display: isNear ? "none" : "inline" });
    plot.settle(bottom, [0, -6.1, 6.1].map((power) => [2 ** power, values.floor]));
    plot.settle(name, [[here, values.trace]], [bottom]);
    plot.settle(normName, [[here, values.spectral_norm]], [name, bottom]);
    plot.settle(own, [[1, values.trained_trace]], [name, normName, bottom]);
    grip.follow(inputs.log2_alpha, -MOST, MOST, `α = ${formatPower(inputs.log2_alpha)}, trace ${format(values.trace)}`);
  };
}

define("sm-hessians", {
  title: "How sharp, and how flat, can the twins of one network be?",
  inputs: {
    layers: { label: "Layers of weights", choices: [[2, "two"], [3, "three"]], value: 2 },
    log2_alpha: { label: "α, the factor of the first layer", from: -MOST, to: MOST, step: 0.25, value: -5, text: formatPower },
    log2_beta: {
      label: "β, the factor of the second", from: -MOST, to: MOST, step: 0.25, value: 0,
      text: formatPower, when: ({ layers }) => layers === 3,
    },
  },
  presets: [
    ["as trained", { log2_alpha: 0, log2_beta: 0 }],
    ["a million times as sharp", { log2_alpha: -10, log2_beta: 0 }],
    ["down to the floor", "floor"],
  ],
  numbers: {
    trace: { label: "trace", ink: "twin" },
    spectral_norm: { label: "spectral norm", ink: "third" },
    floor: { label: "floor of the trace" },
  },
  formulas,
  // The twin at which all layers have the same trace.
  places: {
    floor({ layers }, { networks }) {
      const { traces } = networks[layers];
      const share = findFloor(traces) / layers;
      return { log2_alpha: Math.log2(traces[0] / share) / 2, log2_beta: layers === 3 ? Math.log2(traces[1] / share) / 2 : 0 };
    },
  },
  build(stage, element) {
    const { model } = element;
    const blocks = drawBlocks(stage);
    const spectrum = drawSpectrum(stage);
    const trace = drawTrace(stage, element);
    return (values, inputs) => {
      const { drawn } = model;
      blocks(inputs, drawn.blocks);
      spectrum(model.networks[inputs.layers].trained, drawn.spectrum);
      trace(values, inputs, drawn.curve);
    };
  },
  sentence({ trace, floor }, { log2_alpha, layers }) {
    const above = trace / floor;
    const way = above < 1.0005
      ? "The trace is at its floor: no twin of this network has a smaller one."
      : `The trace is ${format(above)} times its floor, which no scaling of layers can pass.`;
    const other = layers === 2
      ? "The blocks beside the diagonal stay as they are."
      : "Now the blocks beside the diagonal change, too.";
    return `At α = ${formatPower(log2_alpha)} the function is the same. ${way} ${other}`;
  },
});
