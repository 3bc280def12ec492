import { Plot, box, change, define, draw, format, formatPower, map, network } from "bookproof";
import { follow, formulas } from "./formulas/index.js";
import { predict, scale } from "./formulas/network.js";

const REACH = 0.15;
const SHOWN = 6;
const ROWS = 8;

// Distances that lie the closer to the middle, the narrower the valley.
function placeDistances(times) {
  const power = Math.min(9, 1 + 2 * Math.ceil(Math.log10(Math.max(times, 1)) / 1.5));
  return Array.from({ length: 121 }, (_, k) => {
    const share = (k - 60) / 60;
    return REACH * Math.sign(share) * Math.abs(share) ** power;
  });
}

// How thick the lines of one picture row are: the size of a unit's weights to the eight pixels of it.
function measureRows(layer, units) {
  return Array.from({ length: ROWS }, (_, row) =>
    Array.from({ length: units }, (_, j) => {
      let sum = 0;
      for (let column = 0; column < 8; column++) sum += layer[(8 * row + column) * units + j] ** 2;
      return Math.sqrt(sum);
    }));
}

function drawDigits(stage, model) {
  const { figure } = box(stage, "Six digits of the test, and what the network answers: above zero is even");
  figure.classList.add("whole");
  const row = document.createElement("div");
  row.className = "pictures";
  figure.append(row);
  const words = [];
  for (let k = 0; k < SHOWN; k++) {
    const place = document.createElement("div");
    const word = document.createElement("span");
    row.append(place);
    const greys = model.x_test.subarray(64 * k, 64 * (k + 1));
    map(place, 8, 8).paint(Array.from(greys, (grey) => [0, 0, 0, Math.round(255 * grey)]));
    place.append(word);
    words.push(word);
  }
  return words;
}

function drawNetwork(stage, model) {
  const units = model.widths[1];
  const place = network(stage, "The network and its weights", [ROWS, units, 1], {
    names: [[0, "pixels"], [1, "16 rectifiers"], [2, "answer"]],
  });
  const between = (k, text) =>
    draw("text", { class: "word twin", x: (place.across(k) + place.across(k + 1)) / 2, y: 12, "text-anchor": "middle", text }, place.svg);
  const factors = [between(0, ""), between(1, "")];
  const sizes = [measureRows(model.layers[0], units).flat(), Array.from(model.layers[1], Math.abs)];
  const largest = sizes.map((all) => Math.max(...all));
  return (log2_alpha) => {
    const ink = log2_alpha === 0 ? "theta" : "twin";
    [log2_alpha, -log2_alpha].forEach((power, k) => {
      place.lines[k].forEach((line, at) => {
        const thickness = (1.6 * sizes[k][at] * 2 ** (power / 6)) / largest[k];
        change(line, { class: ink, "stroke-width": thickness.toFixed(2) });
      });
      change(factors[k], { text: `× ${formatPower(power)}` });
    });
  };
}

function build(stage, element) {
  const { model } = element;
  const drawFactors = drawNetwork(stage, model);
  const even = placeDistances(1);
  const wide = follow(model, 0, even);
  const top = 1.1 * Math.max(...wide);
  const plot = new Plot(stage, "The loss along the sharpest direction", {
    x: { from: -REACH, to: REACH, ticks: [-0.1, 0, 0.1], label: "distance from the minimum" },
    y: { from: 0, to: top, ticks: [0, 0.1, 0.2, 0.3, 0.4, 0.5].filter((tick) => tick < top), label: "loss" },
  });
  plot.curve("theta", even.map((t, k) => [t, wide[k]]));
  const twin = plot.curve("twin dashed");
  plot.put(plot.word("theta", "as trained", "end"), REACH, wide[120], -22, 4);
  const name = plot.word("twin", "twin");
  const answers = drawDigits(stage, model);
  const six = model.x_test.slice(0, 64 * SHOWN);
  return (values, { log2_alpha }) => {
    drawFactors(log2_alpha);
    const alpha = 2 ** log2_alpha;
    const outputs = predict(scale(model.layers, [alpha, 1 / alpha]), model.widths, six);
    answers.forEach((word, k) => {
      word.textContent = outputs[k].toFixed(6).replace("-", "−");
    });
    const distances = placeDistances(values.times);
    const losses = follow(model, log2_alpha, distances);
    plot.bend(twin, distances.map((t, k) => [t, losses[k]]));
    const above = losses.findIndex((loss, k) => k >= 60 && loss > 0.55 * top);
    const at = above < 0 ? 120 : above;
    const isWide = distances[at] > REACH / 2; // there is room within the valley
    change(name, { "text-anchor": isWide ? "end" : "start" });
    plot.put(name, distances[at], losses[at], isWide ? -12 : 8, 4);
  };
}

function countBits(bits) {
  return bits === 1 ? "1 bit" : `${bits} bits`;
}

define("sm-index", {
  title: "Turn one knob: what changes, and what does not?",
  inputs: {
    log2_alpha: {
      label: "α: the first layer times α, the second divided by α",
      from: -12, to: 12, step: 1, value: 0,
      text: (value) => `α = ${formatPower(value)}`,
    },
  },
  presets: [
    ["as trained", { log2_alpha: 0 }],
    ["a million times as sharp", { log2_alpha: -10 }],
    ["the other way", { log2_alpha: 12 }],
  ],
  numbers: {
    largest_eigenvalue: { label: "largest curvature, λ", ink: "twin" },
    largest_difference: { label: "bits of the predictions changed" },
    accuracy: { label: "right of 1,597 test images", format: (share) => `${(100 * share).toFixed(1)} %` },
  },
  formulas,
  build,
  sentence({ times, largest_difference, accuracy }) {
    const sharp = Math.abs(times - 1) < 1e-9
      ? "The network as it was trained."
      : `${times < 1 ? `The sharpness is ${format(1 / times)} times smaller` : `The sharpness is ${format(times)} times what it was`}.`;
    const same = largest_difference === 0
      ? `All 1,597 predictions are the same to the last bit, and ${(100 * accuracy).toFixed(1)} % are right.`
      : `Off the powers of two rounding shows, in the last ${countBits(largest_difference)} of 53; ${(100 * accuracy).toFixed(1)} % are right.`;
    return `${sharp} ${same}`;
  },
});
