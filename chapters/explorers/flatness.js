import { Plot, change, define, draw, format } from "bookproof";
import { MOST, formulas, listBoxes } from "./formulas/flatness.js";
import { traceLevel } from "./formulas/hyperbola.js";

const END = 5.4;

function drawPlane(stage, { r }) {
  const ticks = [0, 1, 2, 3, 4, 5];
  const plot = new Plot(stage, "Boxes along the tube of nearly the same function", {
    x: { from: 0, to: END, ticks, label: "θ₁" },
    y: { from: 0, to: END, ticks, label: "θ₂" },
    height: 314,
  });
  for (const [name, side] of [["inner", 1 - r], ["outer", 1 + r]]) {
    plot.curve("faint dashed thin", traceLevel(side ** 2, END), { "data-drawn": `${name} edge` });
  }
  const rows = Array.from({ length: MOST }, (_, k) => ({
    area: draw("path", {}, plot.curves),
    line: draw("path", { "data-drawn": k === 0 ? "first box" : "" }, plot.curves),
  }));
  return (boxes) => {
    rows.forEach(({ area, line }, k) => {
      const box = boxes[k];
      for (const node of [area, line]) change(node, { display: box ? "inline" : "none" });
      if (!box) return;
      const [[left, right], [bottom, top]] = [box.x, box.y];
      const d = `${plot.path([[left, bottom], [right, bottom], [right, top], [left, top]])}Z`;
      const ink = Math.abs(box.alpha - 1) < 1e-9 ? "theta" : "twin";
      change(area, { class: `area ${ink}`, d });
      change(line, { class: `curve ${ink}`, d });
    });
  };
}

function drawAreas(stage) {
  const plot = new Plot(stage, "Their area, over the number of boxes", {
    x: { from: 0, to: MOST, ticks: [0, 5, 10, 15], label: "boxes" },
    y: { from: 0, to: 4, ticks: [0, 1, 2, 3, 4], label: "area" },
    height: 314,
  });
  const sum = plot.curve("faint dashed", null, { "data-drawn": "added up" });
  const union = plot.curve("twin", null, { "data-drawn": "covered" });
  const dot = plot.dot("twin", 7, { "data-drawn": "covered here" });
  const name = plot.word("twin", "covered", "end");
  const other = plot.word("faint", "added up", "end");
  return (values, { boxes }, { unions }) => {
    const count = Math.round(boxes);
    const most = (values.sum_of_areas / count) * MOST;
    plot.bend(sum, [[0, 0], [MOST, most]]);
    plot.bend(union, unions);
    plot.move(dot, count, values.union_area);
    plot.settle(name, [12, 10, 8].map((k) => unions[k]));
    plot.settle(other, [12, 10, 8].map((k) => [k, (k * most) / MOST]), [name]);
  };
}

define("sm-flatness", {
  title: "How much room is there for nearly the same function?",
  inputs: {
    boxes: { label: "boxes", from: 1, to: MOST, step: 1, value: 5, text: (value) => String(Math.round(value)) },
    ratio: { label: "ratio of two neighbours' α", from: 1.05, to: 3, step: 0.05, value: 2, text: (value) => format(value) },
  },
  presets: [
    ["one box", { boxes: 1, ratio: 2 }],
    ["side by side", { boxes: 15, ratio: 5 / 3 }],
    ["crowded", { boxes: 15, ratio: 1.2 }],
  ],
  numbers: {
    union_area: { label: "area covered", ink: "twin" },
    sum_of_areas: { label: "areas added up" },
    meet_below: { label: "they meet below" },
  },
  formulas,
  build(stage, { model }) {
    const drawBoxes = drawPlane(stage, model);
    const drawArea = drawAreas(stage);
    return (values, inputs) => {
      drawBoxes(listBoxes(model.r, inputs.boxes, inputs.ratio));
      drawArea(values, inputs, model);
    };
  },
  sentence({ union_area, sum_of_areas, meet_below }, { boxes, ratio }, { r }) {
    const count = Math.round(boxes);
    const seen = listBoxes(r, boxes, ratio).filter(({ x, y }) => x[0] < END && y[0] < END).length;
    const rest = seen < count ? ` The picture has ${seen} of them.` : "";
    if (count === 1) return `One box has the area ${format(sum_of_areas)}. Each image of it has the same.`;
    if (ratio >= meet_below - 1e-9) {
      return `${count} boxes, none of which meets another, cover ${format(union_area)}; every further one adds ${format(sum_of_areas / count)}, without end.${rest}`;
    }
    return `${count} boxes overlap and cover ${format(union_area)}. Still each further one adds the same, so there is no end to it.${rest}`;
  },
});
