import { Plot, change, define, drag, draw, format, panel } from "bookproof";
import { formulas, listValleys } from "./formulas/definitions.js";

const END = 2;
const TOP = 1.1;

function drawValley(stage, element) {
  const plot = new Plot(stage, "One valley under three rulers", {
    x: { from: -END, to: END, ticks: [-2, -1, 0, 1, 2], label: "distance from the minimum" },
    y: { from: 0, to: TOP, ticks: [0, 0.25, 0.5, 0.75, 1], label: "loss" },
    height: 270,
  });
  const curve = plot.curve("", null, { "data-drawn": "valley" });
  const parabola = plot.curve("third dashed", null, { "data-drawn": "parabola" });
  const width = plot.curve("theta wide", null, { "data-drawn": "width" });
  const ball = plot.curve("twin wide", null, { "data-drawn": "ball" });
  const rise = plot.curve("twin wide", null, { "data-drawn": "rise" });
  const words = {
    width: plot.word("theta", "width", "middle"),
    rise: plot.word("twin", "rise"),
    parabola: plot.word("third", "parabola"),
  };
  const height = plot.dot("theta", 7);
  const radius = plot.dot("twin", 7);
  const round = (value) => Math.round(value * 100) / 100;
  const above = drag(plot, height, "the height ε of the width", {
    turn: (x, y) => element.turn("height", round(y)),
    step: (direction) => element.turn("height", round(element.inputs.height + direction / 20)),
  });
  const across = drag(plot, radius, "the radius of the ball", {
    turn: (x) => element.turn("radius", round(Math.abs(x))),
    step: (direction) => element.turn("radius", round(element.inputs.radius + direction / 20)),
  });
  return (values, inputs, drawn) => {
    const half = values.width / 2;
    plot.bend(curve, drawn.valley);
    plot.bend(parabola, drawn.parabola);
    plot.bend(width, [[-half, inputs.height], [half, inputs.height]]);
    plot.bend(ball, [[-inputs.radius, 0], [inputs.radius, 0]]);
    plot.bend(rise, [[inputs.radius, 0], [inputs.radius, values.rise]]);
    plot.move(height, Math.max(-half, -END), inputs.height);
    plot.move(radius, inputs.radius, 0);
    const wide = Math.min(half, END);
    const top = Math.min(values.rise, TOP);
    plot.settle(words.width, [-0.4, 0.4, -0.8, 0.8].map((share) => [share * wide, inputs.height]));
    plot.settle(words.rise, [0.5, 0.8, 1].map((share) => [inputs.radius, share * top]), [words.width]);
    const end = Math.min(1.3, Math.sqrt((2 * 0.95) / Math.max(values.curvature, 1e-9)));
    const onParabola = [1, 0.85, 0.7].map((share) => [share * end, (values.curvature / 2) * (share * end) ** 2]);
    plot.settle(words.parabola, onParabola, [words.width, words.rise]);
    above.follow(inputs.height, 0.05, 1, `ε = ${format(inputs.height)}`);
    across.follow(inputs.radius, 0.05, 1.5, `r = ${format(inputs.radius)}`);
  };
}

// Who is flattest by each of the three: a line for each valley, from column to column.
function drawRanking(stage) {
  const place = panel(stage, "The five in order, the flattest on top", 320, 270);
  const measures = [["width", "by width"], ["curvature", "by curvature"], ["rise", "by rise"]];
  const across = (k) => 62 + 99 * k;
  const down = (rank) => 40 + 46 * (rank - 1);
  measures.forEach(([, words], k) =>
    draw("text", { x: across(k), y: 14, "text-anchor": "middle", text: words }, place.svg));
  // Words over dots over lines, whosever they are.
  const [lines, circles, names] = [0, 1, 2].map(() => draw("g", {}, place.svg));
  const rows = Array.from({ length: 5 }, (_, v) => ({
    line: draw("path", {}, lines),
    dots: measures.map(([measure]) => draw("circle", { r: 6, "data-drawn": `valley ${v} by ${measure}` }, circles)),
    words: measures.map(() => draw("text", { "text-anchor": "middle" }, names)),
  }));
  return (inputs, { all, places: ranks }) => {
    all.forEach((valley, v) => {
      const isOwn = v === inputs.valley;
      const ink = isOwn ? "twin" : "faint";
      const { line, dots, words } = rows[v];
      const places = measures.map(([measure], k) => {
        const rank = ranks[measure][v];
        // Where two are equal they would lie on each other.
        const twins = ranks[measure].slice(0, v).filter((other) => other === rank).length;
        return [across(k), down(rank + twins)];
      });
      change(line, { class: `curve ${ink} ${isOwn ? "" : "thin"}`, d: `M${places.map((at) => at.join(" ")).join("L")}` });
      places.forEach(([x, y], k) => {
        change(dots[k], { class: `dot ${ink}`, cx: x, cy: y });
        change(words[k], { class: `word ${isOwn ? "twin" : ""}`, x, y: y - 9, text: valley.name });
      });
    });
  };
}

const isOwn = ({ valley }) => valley === 4;

define("sm-definitions", {
  title: "Is this valley flat? Ask three rulers.",
  inputs: {
    valley: {
      label: "Valley",
      choices: [[0, "wide"], [1, "narrow"], [2, "flat-bottomed"], [3, "dimpled"], [4, "yours"]],
      value: 3,
    },
    height: { label: "height ε of the width", from: 0.05, to: 1, step: 0.01, value: 0.25 },
    radius: { label: "radius of the ball", from: 0.05, to: 1.5, step: 0.01, value: 0.5 },
    own_curvature: { label: "your valley: its curvature", from: 0, to: 20, step: 0.1, value: 2, when: isOwn },
    own_quartic: { label: "your valley: its walls, times t⁴", from: 0.01, to: 4, step: 0.01, value: 0.5, when: isOwn },
  },
  presets: [
    ["the dimple, both at once", { valley: 3, height: 0.25, radius: 0.5 }],
    ["close up", { height: 0.05, radius: 0.05 }],
    ["from afar", { height: 1, radius: 1.5 }],
  ],
  numbers: {
    width: { label: "width", ink: "theta" },
    curvature: { label: "curvature", ink: "third" },
    rise: { label: "rise", ink: "twin" },
  },
  formulas,
  build(stage, element) {
    const drawOne = drawValley(stage, element);
    const drawOrder = drawRanking(stage);
    return (values, inputs, { drawn }) => {
      drawOne(values, inputs, drawn);
      drawOrder(inputs, drawn);
    };
  },
  sentence({ place_by_width, place_by_curvature, place_by_rise }, inputs) {
    const { name } = listValleys(inputs)[inputs.valley];
    const who = name === "yours" ? "Your valley" : `The ${name} valley`;
    const words = ["the flattest", "the second flattest", "in the middle", "the second sharpest", "the sharpest"];
    const [width, curvature, rise] = [place_by_width, place_by_curvature, place_by_rise].map((place) => words[place - 1]);
    if (width === curvature && width === rise) return `${who} is ${width} of the five, all three rulers say.`;
    return `${who} is ${width} of the five by its width, ${curvature} by its curvature, ${rise} by its rise.`;
  },
});
