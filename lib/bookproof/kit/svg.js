// Drawing with SVG: nodes, axes, curves, dots that can be dragged, heat maps, a network.
import { format, raise } from "./format.js";

const SPACE = "http://www.w3.org/2000/svg";

export function draw(tag, attributes, parent) {
  const node = document.createElementNS(SPACE, tag);
  change(node, attributes);
  if (parent) parent.append(node);
  return node;
}

export function change(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else node.setAttribute(name, value);
  }
}

// A title in words, and room below it.
export function box(parent, title) {
  const figure = document.createElement("div");
  figure.className = "panel";
  const head = document.createElement("p");
  head.className = "panel-title";
  head.textContent = title;
  figure.append(head);
  parent.append(figure);
  return { figure, head };
}

// A panel with an SVG of a fixed shape, which grows with the page.
export function panel(parent, title, width = 320, height = 230) {
  const { figure, head } = box(parent, title);
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, figure);
  return { figure, head, svg, width, height };
}

const scales = {
  linear: { to: (value) => value, from: (value) => value },
  log: { to: Math.log10, from: (value) => 10 ** value },
};

function formatTick(value, isLog) {
  if (!isLog) return String(Math.round(value * 1e6) / 1e6).replace("-", "−");
  const power = Math.round(Math.log10(value));
  return power === 0 ? "1" : power === 1 ? "10" : `10${raise(power)}`;
}

// Where a word may stand beside a point: which side of it is there, and in which direction.
const SIDES = [
  ["start", 1, -1], ["end", -1, -1], ["start", 1, 0], ["end", -1, 0],
  ["start", 1, 1], ["end", -1, 1], ["middle", 0, -1], ["middle", 0, 1],
];
const GAPS = [9, 16, 26, 38];
const LETTER = 6.5; // about as wide as one is, in a word that has some narrow ones
const AROUND = 4;
const [ABOVE, BELOW] = [10, 3]; // of a word's line

// The box of a word, by its letters: to ask the browser would be to lay out the page.
function surround(text, anchor, x, y) {
  const width = LETTER * text.length + AROUND;
  const left = x - { start: 0, middle: width / 2, end: width }[anchor];
  return { left, right: left + width, top: y - ABOVE, bottom: y + BELOW };
}

function meets(one, other) {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}

// Whether a line from one point to another goes through a box: what is left of it, edge by edge.
function crosses([x1, y1], [x2, y2], box) {
  let [from, to] = [0, 1];
  for (const [start, way, low, high] of [[x1, x2 - x1, box.left, box.right], [y1, y2 - y1, box.top, box.bottom]]) {
    if (way === 0) {
      if (start < low || start > high) return false;
      continue;
    }
    const [enter, leave] = [(low - start) / way, (high - start) / way];
    from = Math.max(from, Math.min(enter, leave));
    to = Math.min(to, Math.max(enter, leave));
  }
  return from <= to;
}

function isSeen(node) {
  return node.getAttribute("display") !== "none";
}

export class Plot {
  // axis = {from, to, ticks, label, log, words: how a tick is written}
  constructor(parent, title, { x, y, width = 320, height = 230, left = 50 }) {
    this.place = panel(parent, title, width, height);
    this.svg = this.place.svg;
    this.svg.plot = this; // so that a test can read what is drawn
    this.box = { left, right: width - 12, top: 12, bottom: height - 38 };
    this.frame = draw("g", { class: "axes" }, this.svg);
    this.content = draw("g", {}, this.svg);
    this.clip(width, height);
    this.setAxes(x, y);
  }

  clip(width, height) {
    const { left, right, top, bottom } = this.box;
    const inner = draw("svg", {
      x: left, y: top - 3, width: right - left + 8, height: bottom - top + 7,
      viewBox: `${left} ${top - 3} ${right - left + 8} ${bottom - top + 7}`,
    }, this.content);
    this.curves = inner;
  }

  setAxes(x, y) {
    this.axes = { x, y };
    this.frame.replaceChildren();
    const { left, right, top, bottom } = this.box;
    draw("path", { d: `M${left} ${top}V${bottom}H${right}` }, this.frame);
    for (const value of x.ticks || []) {
      const at = this.x(value);
      draw("path", { d: `M${at} ${bottom}v4` }, this.frame);
      const text = x.words ? x.words(value) : formatTick(value, x.log);
      draw("text", { x: at, y: bottom + 16, "text-anchor": "middle", text }, this.frame);
    }
    for (const value of y.ticks || []) {
      const at = this.y(value);
      draw("path", { d: `M${left} ${at}h-4` }, this.frame);
      const text = y.words ? y.words(value) : formatTick(value, y.log);
      draw("text", { x: left - 7, y: at + 4, "text-anchor": "end", text }, this.frame);
    }
    const middle = (left + right) / 2;
    draw("text", { class: "label", x: middle, y: bottom + 33, "text-anchor": "middle", text: x.label }, this.frame);
    const turn = `translate(11 ${(top + bottom) / 2}) rotate(-90)`;
    draw("text", { class: "label", transform: turn, "text-anchor": "middle", text: y.label || "" }, this.frame);
  }

  position(value, axis, start, end) {
    const { to } = scales[axis.log ? "log" : "linear"];
    const share = (to(value) - to(axis.from)) / (to(axis.to) - to(axis.from));
    return start + share * (end - start);
  }

  x(value) {
    return this.position(value, this.axes.x, this.box.left, this.box.right);
  }

  y(value) {
    return this.position(value, this.axes.y, this.box.bottom, this.box.top);
  }

  // The numbers at a place of the page, as a pointer gives it.
  invert(clientX, clientY) {
    const seen = this.svg.getBoundingClientRect();
    const { left, right, top, bottom } = this.box;
    const at = [
      ((clientX - seen.left) / seen.width) * this.place.width,
      ((clientY - seen.top) / seen.height) * this.place.height,
    ];
    const shares = [(at[0] - left) / (right - left), (bottom - at[1]) / (bottom - top)];
    return ["x", "y"].map((name, k) => {
      const axis = this.axes[name];
      const { to, from } = scales[axis.log ? "log" : "linear"];
      return from(to(axis.from) + shares[k] * (to(axis.to) - to(axis.from)));
    });
  }

  locate(points) {
    return points.map(([x, y]) => [this.x(x), Math.max(-9999, Math.min(9999, this.y(y)))]);
  }

  path(points) {
    let d = "";
    for (const at of this.locate(points)) {
      d += `${d ? "L" : "M"}${at[0].toFixed(2)} ${at[1].toFixed(2)}`;
    }
    return d;
  }

  curve(ink, points, look = {}) {
    const node = draw("path", { class: `curve ${ink}`, ...look }, this.curves);
    if (points) this.bend(node, points);
    return node;
  }

  bend(node, points) {
    node.points = points;
    node.setAttribute("d", this.path(points));
  }

  dot(ink, radius = 6, look = {}) {
    return draw("circle", { class: `dot ${ink}`, r: radius, ...look }, this.content);
  }

  move(dot, x, y) {
    change(dot, { cx: this.x(x).toFixed(2), cy: this.y(y).toFixed(2) });
  }

  // Words beside a point, moved by (dx, dy), kept inside the panel.
  word(ink, text, anchor = "start") {
    return draw("text", { class: `word ${ink}`, text, "text-anchor": anchor }, this.content);
  }

  put(word, x, y, dx = 0, dy = 0) {
    const at = Math.max(this.box.top + 4, Math.min(this.box.bottom - 4, this.y(y) + dy));
    const across = Math.max(this.box.left, Math.min(this.box.right, this.x(x) + dx));
    change(word, { x: across.toFixed(1), y: at.toFixed(1) });
  }

  // Words beside one of some points, the first where no curve, no dot and no other word is, else
  // where the fewest are. What is put before is in the way of what is put after.
  settle(word, points, others = []) {
    const count = this.countCrowd(others);
    let [best, least] = [null, Infinity];
    for (const { own, at } of this.offerPlaces(word, points)) {
      const found = count(own);
      if (found < least) [best, least] = [at, found];
      if (least === 0) break;
    }
    if (best) change(word, best);
    else this.put(word, ...points[0]);
  }

  // How much is in a box: of curves each once, of dots and of other words each four times.
  countCrowd(others) {
    const nodes = [...this.curves.children].filter((node) => node.points && isSeen(node));
    const curves = nodes.map((node) => this.locate(node.points));
    const boxes = [...this.content.querySelectorAll("circle.dot")].filter(isSeen).map((dot) => {
      const [x, y, r] = ["cx", "cy", "r"].map((name) => Number(dot.getAttribute(name)));
      return { left: x - r, right: x + r, top: y - r, bottom: y + r };
    });
    for (const other of others.filter(isSeen)) {
      const [x, y] = ["x", "y"].map((name) => Number(other.getAttribute(name)));
      boxes.push(surround(other.textContent, other.getAttribute("text-anchor"), x, y));
    }
    return (own) => 4 * boxes.filter((box) => meets(own, box)).length
      + curves.filter((curve) => curve.some((end, k) => k > 0 && crosses(curve[k - 1], end, own))).length;
  }

  // The places of a word beside some points that are inside the panel, the nearest of a point first.
  *offerPlaces(word, points) {
    const places = this.locate(points).flatMap(([x, y]) => GAPS.flatMap((gap) =>
      SIDES.map(([anchor, dx, dy]) => [anchor, x + dx * gap, y + dy * gap + 4])));
    for (const [anchor, x, y] of places) {
      const own = surround(word.textContent, anchor, x, y);
      const isInside = own.left >= this.box.left + 2 && own.right <= this.box.right + 2
        && own.top >= this.box.top - 6 && own.bottom <= this.box.bottom - 2;
      if (isInside) yield { own, at: { "text-anchor": anchor, x: x.toFixed(1), y: y.toFixed(1) } };
    }
  }
}

// Make a dot that a finger, a mouse or the arrow keys move. `turn(x, y)` hears where a pointer is,
// `step(direction, isUpright)` hears +1 or -1, and whether an arrow up or down said so.
export function drag(plot, dot, name, { turn, step }) {
  const target = draw("circle", { class: "grip", r: 26, tabindex: 0, role: "slider", "aria-label": name }, plot.content);
  plot.svg.removeAttribute("aria-hidden");
  let holding = false;
  target.addEventListener("pointerdown", (event) => {
    holding = true;
    target.setPointerCapture(event.pointerId);
  });
  target.addEventListener("pointermove", (event) => {
    if (holding) turn(...plot.invert(event.clientX, event.clientY));
  });
  for (const end of ["pointerup", "pointercancel"]) target.addEventListener(end, () => (holding = false));
  target.addEventListener("keydown", (event) => {
    const direction = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (direction === undefined) return;
    event.preventDefault();
    step(direction, event.key === "ArrowUp" || event.key === "ArrowDown");
  });
  return {
    follow(now, least, most, text) {
      change(target, {
        cx: dot.getAttribute("cx"), cy: dot.getAttribute("cy"),
        "aria-valuenow": now, "aria-valuemin": least, "aria-valuemax": most, "aria-valuetext": text,
      });
    },
  };
}

// A network as columns of units and lines as thick as their weights. `layers[k][i][j]` is the weight
// from the unit i of a column to the unit j of the next.
export function network(parent, title, counts, { width = 320, height = 230, names = [] }) {
  const place = panel(parent, title, width, height);
  const top = 12;
  const bottom = height - 30;
  const across = (k) => 24 + (k * (width - 48)) / (counts.length - 1);
  const down = (k, i) => (counts[k] === 1 ? (top + bottom) / 2 : top + ((i + 0.5) * (bottom - top)) / counts[k]);
  const lines = [];
  for (let k = 0; k + 1 < counts.length; k++) {
    lines.push([]);
    for (let i = 0; i < counts[k]; i++) {
      for (let j = 0; j < counts[k + 1]; j++) {
        const ends = { x1: across(k), y1: down(k, i), x2: across(k + 1), y2: down(k + 1, j) };
        lines[k].push(draw("line", ends, place.svg));
      }
    }
  }
  counts.forEach((count, k) => {
    for (let i = 0; i < count; i++) {
      draw("circle", { class: "unit", cx: across(k), cy: down(k, i), r: count > 12 ? 4 : 7 }, place.svg);
    }
  });
  const words = names.map(([at, name]) =>
    draw("text", { class: "word", x: across(at), y: height - 8, "text-anchor": "middle", text: name }, place.svg));
  return { ...place, lines, words, across, down };
}

// A picture of squares on a canvas, `columns` wide and `rows` high. Black is the page's ink.
export function map(parent, rows, columns) {
  const canvas = document.createElement("canvas");
  canvas.width = columns;
  canvas.height = rows;
  canvas.setAttribute("aria-hidden", "true");
  parent.append(canvas);
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  return {
    canvas,
    // `colors` has [red, green, blue, opacity] of each square, up to 255.
    paint(colors) {
      colors.forEach((color, k) => image.data.set(color, 4 * k));
      context.putImageData(image, 0, 0);
    },
  };
}
