import { Plot, box, change, define, draw, format, formatPower, map, network } from "bookproof";
import { REACH, ROWS, SHOWN, formulas } from "./formulas/index.js";

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
    word.dataset.shows = `answer_${k + 1}`;
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
  place.lines.forEach(([first], k) => change(first, { "data-drawn": `layer ${k + 1}` }));
  return (log2_alpha, thicknesses) => {
    const ink = log2_alpha === 0 ? "theta" : "twin";
    [log2_alpha, -log2_alpha].forEach((power, k) => {
      place.lines[k].forEach((line, at) => {
        change(line, { class: ink, "stroke-width": thicknesses[k][at].toFixed(2) });
      });
      change(factors[k], { text: `× ${formatPower(power)}` });
    });
  };
}

function build(stage, element) {
  const { model } = element;
  const drawFactors = drawNetwork(stage, model);
  const { valley } = model;
  const top = 1.1 * Math.max(...valley.map(([, loss]) => loss));
  const plot = new Plot(stage, "The loss along the sharpest direction", {
    x: { from: -REACH, to: REACH, ticks: [-0.1, 0, 0.1], label: "distance from the minimum" },
    y: { from: 0, to: top, ticks: [0, 0.1, 0.2, 0.3, 0.4, 0.5].filter((tick) => tick < top), label: "loss" },
  });
  plot.curve("theta", valley, { "data-drawn": "valley" });
  const twin = plot.curve("twin dashed", null, { "data-drawn": "needle" });
  plot.put(plot.word("theta", "as trained", "end"), ...valley[valley.length - 1], -22, 4);
  const name = plot.word("twin", "twin");
  const words = drawDigits(stage, model);
  return (values, { log2_alpha }) => {
    const { needle, answers, thicknesses } = model.drawn;
    drawFactors(log2_alpha, thicknesses);
    words.forEach((word, k) => {
      word.textContent = answers[k].toFixed(6).replace("-", "−");
    });
    plot.bend(twin, needle);
    const [t, loss] = needle.find(([t, loss]) => t > 0 && loss > 0.55 * top) || needle[needle.length - 1];
    const isWide = t > REACH / 2; // there is room within the valley
    change(name, { "text-anchor": isWide ? "end" : "start" });
    plot.put(name, t, loss, isWide ? -12 : 8, 4);
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
      from: -12, to: 12, step: 1, value: -10,
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
