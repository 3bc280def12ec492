import { Plot, change, define, drag, format, formatPower } from "bookproof";
import { arrange, findFloor, formulas, listKnobs } from "./formulas/introduction.js";

const COUNT = 12;
const MOST = 4;
const KNOBS = listKnobs(COUNT);

function zeros() {
  return Object.fromEntries(KNOBS.map((name) => [name, 0]));
}

// The place of each network by its error, from the best.
function rank(networks, sign) {
  return networks.map(({ error }) => networks.filter((other) => sign * (other.error - error) < 0).length);
}

const sliders = Object.fromEntries(KNOBS.map((name, k) => [name, {
  label: `α of network ${k + 1}`,
  from: -MOST, to: MOST, step: 0.05, value: 0,
  text: (value) => (Number.isInteger(value) ? formatPower(value) : format(2 ** value)),
  when: ({ network }) => network === k + 1,
}]));

function build(stage, element) {
  const { networks } = element.model;
  const errors = networks.map(({ error }) => error);
  const [least, most] = [Math.floor(Math.min(...errors)), Math.ceil(Math.max(...errors))];
  const ticks = Array.from({ length: most - least + 1 }, (_, k) => least + k);
  const plot = new Plot(stage, "Test error over sharpness; blue: small batches, purple: all images at once. Move them along their orbits", {
    x: { from: 10, to: 1e4, log: true, ticks: [10, 100, 1e3, 1e4], label: "trace of the Hessian" },
    y: { from: least, to: most, ticks: ticks.length > 8 ? ticks.filter((tick) => tick % 2 === 0) : ticks, label: "test error in %" },
    width: 390,
    height: 290,
  });
  plot.place.figure.classList.add("whole");
  const orbit = plot.curve("twin thin", null, { "data-drawn": "orbit" });
  const dots = networks.map(({ group }, k) => {
    const dot = plot.dot(group === "small" ? "theta" : "third", 7, { "data-drawn": `network ${k + 1}` });
    dot.addEventListener("pointerdown", () => element.turn("network", k + 1));
    return dot;
  });
  const names = networks.map(({ group }, k) => plot.word(group === "small" ? "theta" : "third", String(k + 1), "middle"));
  const moved = plot.dot("twin", 9, { "data-drawn": "the chosen one" });
  const current = () => KNOBS[element.inputs.network - 1];
  const turn = (x) => {
    const { traces } = networks[element.inputs.network - 1];
    const wanted = Math.max(x, findFloor({ traces }));
    const square = (2 * traces[0]) / (wanted + Math.sqrt(Math.max(wanted ** 2 - 4 * traces[0] * traces[1], 0)));
    element.turn(current(), Math.log2(square) / 2);
  };
  const step = (direction) => element.turn(current(), element.inputs[current()] - direction / 10);
  const grip = drag(plot, moved, "trace of the chosen network", { turn, step });
  return (values, inputs) => {
    networks.forEach((network, k) => {
      const trace = values[`trace_${k + 1}`];
      plot.move(dots[k], trace, network.error);
    });
    const chosen = networks[inputs.network - 1];
    plot.move(moved, values.chosen_trace, chosen.error);
    const floor = values.chosen_floor;
    plot.bend(orbit, [[floor, chosen.error], [1e4, chosen.error]]);
    change(orbit, { class: "curve twin thin" });
    networks.forEach(({ error }, k) => plot.settle(names[k], [[values[`trace_${k + 1}`], error]], names.slice(0, k)));
    grip.follow(values.chosen_trace.toPrecision(3), floor.toPrecision(3), 10000,
      `network ${inputs.network}: trace ${format(values.chosen_trace)}, error ${format(chosen.error)} %`);
  };
}

define("sm-introduction", {
  title: "Do sharp minima generalize worse? Make them.",
  inputs: {
    network: {
      label: "Network",
      choices: KNOBS.map((_, k) => [k + 1, String(k + 1)]),
      value: 1,
    },
    ...sliders,
  },
  presets: [
    ["as trained", zeros()],
    ["sharpness predicts perfectly", "perfect"],
    ["perfectly wrong", "wrong"],
  ],
  places: {
    perfect: (inputs, { networks }) => arrange(networks, rank(networks, 1)),
    wrong: (inputs, { networks }) => arrange(networks, rank(networks, -1)),
  },
  numbers: {
    correlation: { label: "rank correlation τ", ink: "twin" },
    chosen_trace: { label: "trace of the chosen one" },
    chosen_error: { label: "its test error in %" },
  },
  formulas,
  build,
  sentence({ correlation }) {
    const verdict = correlation > 0.995
      ? "The sharper, the worse, without exception"
      : correlation < -0.995
        ? "The sharper, the better, without exception"
        : correlation > 0.3 ? "The sharper ones tend to be worse" : correlation < -0.3 ? "The sharper ones tend to be better" : "Sharpness says little";
    return `${verdict}: τ = ${format(correlation, 2)}. No network has changed its function, nor its test error.`;
  },
});
