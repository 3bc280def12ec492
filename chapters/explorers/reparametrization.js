import { Plot, change, define, drag, format } from "bookproof";
import { compare, formulas, measureDefault } from "./formulas/reparametrization.js";

const END = 1.6;
// Points of both grids whose places are compared.
const OF_ONE = 18;
const OF_FOUR = 9;

const FOUR = [1, 2, 3, 4];
const PLACED = ["1", "√2", "√3", "2"];
const PLACES = ["flattest", "second", "third", "sharpest"];
const [LEAST, MOST] = [0, 5]; // powers of ten of a curvature
const knob = (k) => `log10_curvature_${k + 1}`;

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

function drawOne(stage, { model }) {
  const known = model.overTheta[1];
  const fixed = drawWave(stage, "The loss over θ", "θ", END);
  fixed.curve("", known.curve, { "data-drawn": "over θ" });
  for (const point of known.dots) fixed.move(fixed.dot("theta", 4), ...point);
  const bent = drawWave(stage, "The same loss over η, its points carried along", "η", END);
  const parabola = bent.curve("third dotted", null, { "data-drawn": "parabola" });
  const curve = bent.curve("", null, { "data-drawn": "over η" });
  const dots = known.dots.map((_, k) => bent.dot("theta", 4, { "data-drawn": k === OF_ONE ? "a point over η" : "" }));
  const name = bent.word("third", "parabola");
  return (values) => {
    const { overEta: { 1: now }, parabola: points } = model;
    const end = values.place_of_end;
    bent.setAxes(
      { from: -end, to: end, ticks: placeTicks(end), label: "η", words: (value) => (value === 0 ? "0" : format(value)) },
      bent.axes.y,
    );
    bent.bend(curve, now.curve);
    now.dots.forEach((point, k) => bent.move(dots[k], ...point));
    bent.bend(parabola, points);
    bent.settle(name, [58, 55, 52, 49].map((k) => points[k]));
  };
}

// The curvatures of four minima, each on a dot that is dragged up and down.
function drawCurvatures(stage, element) {
  const plot = new Plot(stage, "Curvatures of the four, to be dragged; small and blue: over θ", {
    x: { from: 0.5, to: 4.5, ticks: FOUR, label: "minimum, from the left" },
    y: { from: 10 ** LEAST, to: 10 ** MOST, log: true, ticks: [1, 10, 100, 1e3, 1e4, 1e5], label: "curvature" },
    height: 260,
  });
  FOUR.forEach((at, k) => plot.move(plot.dot("theta", 4), at, measureDefault(k)));
  const dots = FOUR.map((at) => plot.dot("twin", 8, { "data-drawn": `curvature ${at}` }));
  const words = FOUR.map(() => plot.word("twin", "", "middle"));
  const round = (power) => Math.round(power * 20) / 20;
  const grips = FOUR.map((at, k) => drag(plot, dots[k], `curvature of minimum ${at}`, {
    turn: (x, y) => element.turn(knob(k), round(Math.log10(y))),
    step: (direction) => element.turn(knob(k), element.inputs[knob(k)] + direction / 10),
  }));
  return (values, inputs) => {
    const curvatures = FOUR.map((at) => values[`curvature_${at}`]);
    FOUR.forEach((at, k) => {
      plot.move(dots[k], at, curvatures[k]);
      const below = curvatures.filter((other) => compare(other, curvatures[k]) < 0).length;
      const isTied = curvatures.filter((other) => compare(other, curvatures[k]) === 0).length > 1;
      change(words[k], { text: isTied ? "" : PLACES[below] });
      plot.put(words[k], at, curvatures[k], 0, inputs[knob(k)] > 4.4 ? 24 : -14);
      grips[k].follow(inputs[knob(k)].toFixed(2), LEAST, MOST, `${format(curvatures[k])}${isTied ? "" : `, ${PLACES[below]}`}`);
    });
  };
}

function drawFour(stage, element) {
  const { model } = element;
  const { minima, overTheta: { 4: known } } = model;
  const [[from], [to]] = [known.curve[0], known.curve[known.curve.length - 1]];
  const show = (title, label) => {
    const plot = new Plot(stage, title, {
      x: { from, to, ticks: minima, label, words: (value) => PLACED[minima.indexOf(value)] },
      y: { from: 0, to: 0.8, ticks: [0, 0.5], label: "loss" },
    });
    for (const minimum of minima) plot.curve("twin dashed thin", [[minimum, 0], [minimum, 1]]);
    return plot;
  };
  const curvatures = drawCurvatures(stage, element);
  const bent = show("The loss over η, the grid of θ carried along", "η");
  const curve = bent.curve("", null, { "data-drawn": "four over η" });
  const dots = known.dots.map((_, k) => bent.dot("theta", 3, { "data-drawn": k === OF_FOUR ? "a point of four" : "" }));
  const fixed = show("The same loss over θ", "θ");
  fixed.curve("", known.curve, { "data-drawn": "four over θ" });
  for (const point of known.dots) fixed.move(fixed.dot("theta", 3), ...point);
  return (values, inputs) => {
    const now = model.overEta[4];
    bent.bend(curve, now.curve);
    now.dots.forEach((point, k) => bent.move(dots[k], ...point));
    curvatures(values, inputs);
  };
}

// One scene at a time: its panels are there, and those of the other are not.
function build(stage, element) {
  const scenes = {};
  for (const [count, draw] of [[1, drawOne], [4, drawFour]]) {
    const before = stage.children.length;
    const redraw = draw(stage, element);
    scenes[count] = { redraw, panels: [...stage.children].slice(before) };
  }
  return (values, inputs) => {
    for (const [count, { panels }] of Object.entries(scenes)) {
      for (const panel of panels) panel.hidden = Number(count) !== inputs.minima;
    }
    scenes[inputs.minima].redraw(values, inputs);
  };
}

// The minima in the order of their curvatures, equal ones in one breath.
function orderFour(curvatures) {
  const order = [0, 1, 2, 3].sort((one, other) => compare(curvatures[one], curvatures[other]) || one - other);
  return order.map((k, place) => {
    const isTied = place > 0 && compare(curvatures[k], curvatures[order[place - 1]]) === 0;
    return `${place === 0 ? "" : isTied ? " and " : ", "}${k + 1}`;
  }).join("");
}

function tellFour(values) {
  const curvatures = FOUR.map((at) => values[`curvature_${at}`]);
  const order = values.spread - 1 < 1e-9 ? "All four are equally sharp" : `From flat to sharp: ${orderFour(curvatures)}`;
  return `${order}; over θ it was 1, 2, 3, 4. No minimum has moved, and no height has changed.`;
}

function writeConstant(b) {
  return b === null ? "η = θ" : format(b);
}

const isOne = ({ minima }) => minima === 1;
const isFour = ({ minima }) => minima === 4;
const setFour = (powers) => ({ minima: 4, ...Object.fromEntries(powers.map((power, k) => [knob(k), power])) });

define("sm-reparametrization", {
  title: "Which minimum is the sharp one? Choose the coordinate.",
  inputs: {
    minima: { label: "Minima", choices: [[1, "one"], [4, "four, to order"]], value: 1 },
    a: { label: "a", from: -0.45, to: 1, step: 0.01, value: 0.5, text: (value) => format(Math.round(value * 100) / 100), when: isOne },
    log10_b: { label: "b", from: -4, to: 0.5, step: 0.05, value: -1.7, text: (value) => format(10 ** value), when: isOne },
    ...Object.fromEntries([4, 3, 2, 1].map((value, k) => [knob(k), { quiet: true, from: LEAST, to: MOST, value }])),
  },
  presets: [
    ["default: η = θ", { minima: 1, a: 0, log10_b: 0 }],
    ["sharper", { minima: 1, a: 0.5, log10_b: Math.log10(0.02) }],
    ["flatter", { minima: 1, a: -0.3, log10_b: -3 }],
    ["four: left sharpest", setFour([4, 3, 2, 1])],
    ["four: third flattest", setFour([3, 4, 0.5, 3.5])],
    ["four: all alike", setFour([3, 3, 3, 3])],
  ],
  numbers: {
    curvature: { label: "curvature in the middle", ink: "twin", when: isOne },
    outer_curvature: { label: "at the outer two", when: isOne },
    ratio: { label: "middle over outer", when: isOne },
    ...Object.fromEntries(FOUR.map((at) => [`b_${at}`, { label: `b of minimum ${at}`, when: isFour, format: writeConstant }])),
    turned: { label: "of six pairs turned", when: isFour },
  },
  formulas,
  build,
  sentence(values, inputs) {
    if (inputs.minima === 4) return tellFour(values);
    const { ratio, times } = values;
    const middle = Math.abs(times - 1) < 1e-9
      ? "The coordinate leaves the middle minimum as it is."
      : `The coordinate has made the middle minimum ${times > 1 ? `${format(times)} times as sharp` : `${format(1 / times)} times as flat`}.`;
    const order = Math.abs(ratio - 1) < 1e-3
      ? "All three are equally sharp."
      : `Now it is the ${ratio > 1 ? "sharpest" : "flattest"} of the three, and the model at each point is what it was.`;
    return `${middle} ${order}`;
  },
});
