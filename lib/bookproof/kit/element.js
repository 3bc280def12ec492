// The element itself: knobs, presets, numbers, and the contract that tests use. An explorer is
// described by what it has to say:
//
//   define("sm-hessians", {
//     title: "a question",
//     inputs: {log2_alpha: {label, from, to, step, value, text(value)}},      a knob, or
//             {layers: {label, choices: [[2, "two"], [3, "three"]], value}},  a choice, as a list
//                                                           that opens with `menu: true`, or
//             {words: {label, words: true, value: ""}},     what is typed; with `quiet: true` a
//                                                           knob that only the drawing turns;
//                                                           or a function of the model
//     presets: [["as trained", {log2_alpha: 0}], ["down to the floor", "floor"], ...],
//     places: {floor(inputs, model)},       where a preset leads that has to be computed
//     numbers: {trace: {label, format, when(inputs)}},      what values() has that is shown; it may
//                                                           have points of what is drawn, too
//     formulas: {prepare(data), compute(model, inputs)},
//     build(stage, element) { ...; return (values, inputs, model) => {...} },
//     sentence(values, inputs, model),
//   })
//
// No time and no chance: what is shown is a function of the knobs.
import style from "./explorer.css";
import { format } from "./format.js";

const MOVE = 600; // milliseconds from one preset to the next
const PAUSE = 500; // milliseconds of rest before a reader is told

export function make(tag, attributes = {}, parent = null) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else node.setAttribute(name, value);
  }
  if (parent) parent.append(node);
  return node;
}

function addStyle() {
  // A sheet, not a <style>: a page may forbid what is written into it.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}

let count = 0;

class Explorer extends HTMLElement {
  connectedCallback() {
    if (this.hasAttribute("data-ready")) return;
    const source = this.parentElement.querySelector(`script[data-for="${this.localName}"]`);
    if (!source) return;
    const { spec } = this.constructor;
    this.model = spec.formulas.prepare(JSON.parse(source.textContent).data);
    this.knobs = typeof spec.inputs === "function" ? spec.inputs(this.model) : spec.inputs;
    this.inputs = {};
    for (const [name, knob] of Object.entries(this.knobs)) this.inputs[name] = knob.value;
    this.number = ++count;
    this.build(spec);
    this.redraw();
    this.setAttribute("data-ready", "");
  }

  build(spec) {
    this.replaceChildren();
    this.setAttribute("role", "group");
    const title = make("p", { class: "explorer-title", id: `explorer-${this.number}`, text: spec.title }, this);
    this.setAttribute("aria-labelledby", title.id);
    this.rows = {};
    const seen = Object.entries(this.knobs).filter(([, knob]) => !knob.quiet);
    // Few may stay in sight while a phone scrolls.
    const isFew = seen.length <= 3 && !seen.some(([, knob]) => knob.words);
    const knobs = make("div", { class: isFew ? "knobs few" : "knobs" }, this);
    for (const [name, knob] of seen) this.rows[name] = this.addKnob(knobs, name, knob);
    this.presets = make("div", { class: "presets", role: "group", "aria-label": "Places to go to" }, this);
    for (const [words, place] of spec.presets || []) {
      const button = make("button", { type: "button", text: words }, this.presets);
      const find = typeof place === "string" ? spec.places[place] : () => place;
      button.addEventListener("click", () => this.go(find(this.inputs, this.model)));
    }
    const list = make("dl", { class: "numbers" }, this);
    this.shown = {};
    for (const [name, number] of Object.entries(spec.numbers)) {
      const pair = make("div", {}, list);
      make("dt", { text: number.label }, pair);
      this.shown[name] = make("dd", { "data-name": name }, pair);
      if (number.ink) this.shown[name].className = number.ink;
    }
    this.told = make("p", { class: "sentence" }, this);
    this.live = make("p", { class: "live", role: "status" }, this);
    const stage = make("div", { class: "stage" }, this);
    this.draw = spec.build(stage, this);
  }

  addKnob(parent, name, knob) {
    if (knob.words) return this.addWords(parent, name, knob);
    if (knob.menu) return this.addMenu(parent, name, knob);
    return knob.choices ? this.addChoice(parent, name, knob) : this.addSlider(parent, name, knob);
  }

  addField(parent, name, knob, tag, attributes = {}) {
    const row = make("div", { class: "field" }, parent);
    const id = `explorer-${this.number}-${name}`;
    make("label", { for: id, text: knob.label }, row);
    return make(tag, { id, ...attributes }, row);
  }

  addWords(parent, name, knob) {
    const field = this.addField(parent, name, knob, "input", { type: "search", autocomplete: "off" });
    field.addEventListener("input", () => this.turn(name, field.value));
    return (value) => {
      if (field.value !== value) field.value = value;
    };
  }

  addMenu(parent, name, knob) {
    const field = this.addField(parent, name, knob, "select");
    for (const [value, words] of knob.choices) make("option", { value, text: words }, field);
    field.addEventListener("change", () => this.turn(name, Number(field.value)));
    return (value) => (field.value = value);
  }

  addSlider(parent, name, knob) {
    const row = make("div", { class: "knob" }, parent);
    const id = `explorer-${this.number}-${name}`;
    make("label", { for: id, text: knob.label }, row);
    const output = make("output", { for: id }, row);
    const { from, to, step } = knob;
    const range = make("input", { id, type: "range", min: from, max: to, step }, row);
    range.addEventListener("input", () => this.turn(name, Number(range.value)));
    return (value) => {
      range.value = value;
      const text = knob.text ? knob.text(value, this.inputs) : format(value);
      if (output.textContent !== text) {
        output.textContent = text;
        range.setAttribute("aria-valuetext", text);
      }
      row.hidden = knob.when ? !knob.when(this.inputs) : false;
    };
  }

  addChoice(parent, name, knob) {
    const row = make("div", { class: "choice", role: "group", "aria-label": knob.label }, parent);
    make("span", { class: "choice-label", "aria-hidden": "true", text: knob.label }, row);
    const buttons = knob.choices.map(([value, words]) => {
      const button = make("button", { type: "button", text: words }, row);
      button.addEventListener("click", () => this.turn(name, value));
      return [value, button];
    });
    return (value) => {
      for (const [own, button] of buttons) {
        const isPressed = String(own === value);
        if (button.getAttribute("aria-pressed") !== isPressed) button.setAttribute("aria-pressed", isPressed);
      }
      row.hidden = knob.when ? !knob.when(this.inputs) : false;
    };
  }

  // Turn a knob by hand: what is drawn follows with the next frame.
  turn(name, value) {
    cancelAnimationFrame(this.going);
    this.assign(name, value);
    this.schedule();
  }

  // Go to a place, on the way if the reader does not mind what moves.
  go(place) {
    cancelAnimationFrame(this.going);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const start = { ...this.inputs };
    const began = performance.now();
    const advance = (now) => {
      const share = still ? 1 : Math.min(1, (now - began) / MOVE);
      const eased = share * share * (3 - 2 * share);
      for (const [name, value] of Object.entries(place)) {
        const between = start[name] + eased * (value - start[name]);
        const { choices, words } = this.knobs[name];
        this.assign(name, choices || words || share === 1 ? value : between);
      }
      this.redraw();
      if (share < 1) this.going = requestAnimationFrame(advance);
    };
    advance(began);
  }

  assign(name, value) {
    const knob = this.knobs[name];
    if (!knob) throw new TypeError(`name must be one of ${Object.keys(this.inputs).join(", ")}, got ${name}`);
    if (knob.words) {
      if (typeof value !== "string") throw new TypeError(`${name} must be a text, got ${value}`);
    } else if (typeof value !== "number" || Number.isNaN(value)) {
      throw new TypeError(`${name} must be a number, got ${value}`);
    }
    if (knob.words) {
      this.inputs[name] = value;
    } else if (knob.choices) {
      if (!knob.choices.some(([own]) => own === value)) {
        throw new RangeError(`${name} must be one of ${knob.choices.map(([own]) => own).join(", ")}, got ${value}`);
      }
      this.inputs[name] = value;
    } else {
      this.inputs[name] = Math.max(knob.from, Math.min(knob.to, value));
    }
    this.computed = null;
  }

  set(name, value) {
    cancelAnimationFrame(this.going);
    this.assign(name, value);
    this.redraw();
  }

  values() {
    if (!this.computed) this.computed = this.constructor.spec.formulas.compute(this.model, this.inputs);
    return { ...this.computed };
  }

  schedule() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => this.redraw());
  }

  redraw() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    const { spec } = this.constructor;
    const values = this.values();
    for (const [name, show] of Object.entries(this.rows)) show(this.inputs[name]);
    this.draw(values, this.inputs, this.model);
    for (const [name, node] of Object.entries(this.shown)) {
      const write = spec.numbers[name].format;
      const text = write ? write(values[name], values, this.inputs) : format(values[name]);
      if (node.textContent !== text) node.textContent = text;
      node.parentElement.hidden = spec.numbers[name].when ? !spec.numbers[name].when(this.inputs) : false;
    }
    const sentence = spec.sentence(values, this.inputs, this.model);
    if (this.told.textContent !== sentence) this.told.textContent = sentence;
    clearTimeout(this.resting);
    if (this.hasAttribute("data-ready")) {
      this.resting = setTimeout(() => (this.live.textContent = sentence), PAUSE);
    }
  }
}

export function define(name, spec) {
  if (customElements.get(name)) return;
  if (!customElements.get("explorer-kit")) {
    customElements.define("explorer-kit", class extends HTMLElement {});
    addStyle();
  }
  customElements.define(name, class extends Explorer {
    static spec = spec;
  });
}
