import { define, format, make } from "bookproof";
import { countSurvived, formulas, judge, listRows, orderRows } from "./formulas/invariance.js";

const SIGNS = { undefined: "–", unclear: "?", breaks: "×" };
const STEPS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };

const HINT = "Press a column’s name: every row must survive it. Press a cell: what it rests on. Arrow keys go from cell to cell.";

// The signs of Table 10.1: what is proved told from what was sampled.
function writeSign({ verdict, minima, basis }) {
  const same = basis === "proved" ? "≡" : "=";
  if (verdict === "survives") return same;
  return verdict === "breaks" && minima === "survives" ? `(${same})` : SIGNS[verdict];
}

function writeFactor({ factor }) {
  return factor === null ? "by values of unlike sign, or one of them zero" : `by a factor of ${format(factor)}`;
}

function spellOut(cell) {
  if (cell.verdict === "survives") return cell.basis === "proved" ? "survives, proved" : "survives, sampled";
  if (cell.verdict !== "breaks") return cell.verdict === "unclear" ? "too close to tell" : "undefined";
  const words = `breaks ${writeFactor(cell.worst)}`;
  return cell.minima === "survives" ? `survives at minima, elsewhere ${words}` : words;
}

function listRequired({ columns }, inputs) {
  return columns.filter(({ key }) => inputs[key]).map(({ head }) => head);
}

// Reasons name the network, and so differ where they are one: the first stands for them.
function tellReasons({ reasons }, model) {
  const count = reasons.reduce((sum, [, networks]) => sum + networks, 0);
  return `Undefined at ${count}${reasons.length > 1 ? ", one of them because" : ":"} ${model.reasons[reasons[0][0]]}.`;
}

function join(words) {
  if (words.length > 3) return `all ${words.length} that are required`;
  return words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}` : words[0];
}

// The heads: pressed, one is a requirement.
function makeHead(table, element) {
  const { columns } = element.model;
  const head = make("thead", {}, table);
  const names = make("tr", {}, head);
  make("th", { scope: "col", class: "name", text: "measure" }, names);
  const buttons = columns.map(({ key, head: words, keeps }) => {
    const cell = make("th", { scope: "col", class: keeps ? "" : "control" }, names);
    if (!keeps) {
      make("span", { class: "upright", text: words }, cell);
      return null;
    }
    const button = make("button", { type: "button", "aria-label": `must survive ${words}` }, cell);
    make("span", { class: "upright", text: words }, button);
    button.addEventListener("click", () => element.turn(key, 1 - element.inputs[key]));
    return button;
  });
  make("th", { scope: "col", text: "of 12", title: "how many of the twelve a measure survives" }, names);
  const counts = make("tr", { class: "counts" }, head);
  make("th", { scope: "row", text: "survive, of these" }, counts);
  const counted = columns.map(({ key }) => make("td", { "data-shows": `survive_${key}` }, counts));
  make("td", {}, counts);
  // What is written again is laid out again, the whole table with it.
  return (values, inputs) => columns.forEach(({ key }, k) => {
    const isPressed = String(inputs[key] === 1);
    if (buttons[k] && buttons[k].getAttribute("aria-pressed") !== isPressed) buttons[k].setAttribute("aria-pressed", isPressed);
    const count = String(values[`survive_${key}`]);
    if (counted[k].textContent !== count) counted[k].textContent = count;
  });
}

function makeRow(row, model, open) {
  const line = make("tr", {});
  make("th", { scope: "row", text: row.name }, line);
  const cells = model.columns.map(({ key, head }, k) => {
    const cell = row.cells[key];
    const place = make("td", { class: cell.claimed ? "claimed" : "" }, line);
    const claim = cell.claimed ? "; claimed by the authors" : "";
    const about = `${head}: ${spellOut(cell)}${claim}`;
    const button = make("button", { type: "button", tabindex: -1, title: about, "aria-label": about }, place);
    button.textContent = writeSign(cell);
    if (cell.claimed) make("sup", { text: "c" }, button);
    button.addEventListener("click", () => open(row.index, k));
    return { cell, place, button };
  });
  return { row, line, cells, count: make("td", { class: "count" }, line) };
}

// Arrow keys go from cell to cell; one of them is where Tab enters.
function walk(box, from, direction) {
  const lines = [...box.querySelectorAll("tbody tr:not(.family, [hidden])")];
  const at = lines.indexOf(from.closest("tr"));
  const line = lines[Math.max(0, Math.min(lines.length - 1, at + direction[0]))];
  const buttons = [...line.querySelectorAll("button")];
  const own = [...from.closest("tr").querySelectorAll("button")].indexOf(from);
  buttons[Math.max(0, Math.min(buttons.length - 1, own + direction[1]))].focus();
}

function drawTable(stage, element, open) {
  const { model } = element;
  const id = `${element.localName}-hint`;
  make("p", { class: "panel-title", id, text: HINT }, stage);
  const box = make("div", { class: "sheet", role: "region", "aria-label": "The audit's table" }, stage);
  const table = make("table", { "aria-describedby": id }, box);
  make("caption", { class: "live", text: "Which measures survive which twins" }, table);
  const head = makeHead(table, element);
  const rows = model.rows.map((row) => makeRow(row, model, open));
  const families = new Map();
  for (const { family } of model.rows) {
    if (families.has(family)) continue;
    const line = make("tr", { class: "family" });
    const head = make("th", { scope: "rowgroup", colspan: model.columns.length + 2 }, line);
    make("span", { text: family }, head);
    families.set(family, line);
  }
  const nobody = make("tr", { class: "family" });
  make("td", { colspan: model.columns.length + 2, text: "No measure of the list does." }, nobody);
  box.addEventListener("keydown", (event) => {
    const direction = STEPS[event.key];
    if (!direction || !event.target.matches("td button")) return;
    event.preventDefault();
    walk(box, event.target, direction);
  });
  let entry = null;
  const enter = (button) => {
    if (entry) entry.tabIndex = -1;
    entry = button;
    entry.tabIndex = 0;
  };
  box.addEventListener("focusin", (event) => {
    if (event.target.matches("td button")) enter(event.target);
  });
  // Rows are put in order when the order changes, and hidden when what is required does: so most
  // of the table stays as it is.
  const arrange = (isByFamily, ordered) => {
    const bodies = new Map();
    for (const row of ordered) {
      const family = isByFamily ? row.family : "";
      if (!bodies.has(family)) bodies.set(family, isByFamily ? [families.get(family)] : []);
      bodies.get(family).push(rows[row.index].line);
    }
    for (const body of [...table.tBodies]) body.remove();
    for (const lines of bodies.values()) make("tbody", {}, table).append(...lines);
    make("tbody", {}, table).append(nobody);
  };
  let [order, shown, minima, opened] = ["", "", null, null];
  return (values, inputs) => {
    head(values, inputs);
    table.classList.toggle("with-claims", inputs.with_claims === 1);
    if (minima !== inputs.at_minima) {
      minima = inputs.at_minima;
      for (const { row, cells, count } of rows) {
        count.textContent = countSurvived(model, row, minima);
        for (const { cell, place } of cells) place.dataset.verdict = judge(cell, minima);
      }
    }
    const wanted = inputs.order === 2 ? `2 at ${minima}` : String(inputs.order);
    if (order !== wanted) {
      order = wanted;
      arrange(inputs.order === 0, orderRows(model, inputs));
    }
    const left = new Set(listRows(model, inputs).map(({ index }) => index));
    if (shown !== [...left].join()) {
      shown = [...left].join();
      for (const { row, line } of rows) line.hidden = !left.has(row.index);
      for (const [family, line] of families) line.hidden = !rows.some(({ row }) => row.family === family && left.has(row.index));
      nobody.hidden = left.size > 0;
    }
    const now = rows[inputs.measure].cells[inputs.column].button;
    if (opened !== now) {
      if (opened) opened.removeAttribute("aria-current");
      now.setAttribute("aria-current", "true");
      opened = now;
    }
    if (!entry || entry.closest("tr").hidden) {
      const first = table.querySelector("tr:not([hidden]) td button");
      if (first) enter(first);
    }
  };
}

// What the open cell rests on.
function drawExample(stage, { model }) {
  const panel = make("div", { class: "example" }, stage);
  const title = make("p", { class: "panel-title" }, panel);
  const notes = make("p", {}, panel);
  const list = make("dl", { class: "numbers" }, panel);
  const pairs = {};
  for (const [name, words] of [["value", "at the network"], ["twin", "at its twin"]]) {
    const pair = make("div", {}, null);
    make("dt", { text: words }, pair);
    pairs[name] = [pair, make("dd", { "data-name": name }, pair)];
  }
  const where = make("p", {}, panel);
  const line = make("pre", { tabindex: 0, "aria-label": "the line of Python that reproduces it" }, panel);
  const code = make("code", {}, line);
  const copy = make("button", { type: "button", text: "Copy the line" }, panel);
  const told = make("span", { class: "copied", "aria-live": "polite" }, panel);
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      // Where a page has no clipboard the line is selected, as by hand.
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
    told.textContent = "Copied.";
  });
  let shown = null;
  return (values, inputs) => {
    const row = model.rows[inputs.measure];
    const column = model.columns[inputs.column];
    const cell = row.cells[column.key];
    if (cell === shown) return;
    shown = cell;
    const { worst } = cell;
    title.textContent = `${row.name}, ${column.head}: ${spellOut(cell)}.`;
    const said = [];
    if (cell.proof !== undefined) said.push(model.proofs[cell.proof]);
    if (cell.limit !== undefined) said.push(model.limits[cell.limit]);
    else if (cell.verdict === "survives" && cell.basis === "sampled") said.push("The same at every twin that was drawn: no proof.");
    said.push(`Compared at ${cell.defined} of ${model.networks.length} networks.`);
    if (cell.reasons.length) said.push(tellReasons(cell, model));
    if (cell.claimed) said.push(`Its authors claim that it survives (${row.place}).`);
    notes.textContent = said.join(" ");
    list.replaceChildren(...(worst ? Object.values(pairs).map(([pair]) => pair) : []));
    for (const node of [where, line, copy]) node.hidden = !worst;
    told.textContent = "";
    if (!worst) return;
    for (const [name, [, place]] of Object.entries(pairs)) place.textContent = format(worst[name], 6);
    const { parameters, minimum } = model.networks.find(({ name }) => name === worst.network);
    where.textContent = `The network: ${worst.network}; ${parameters} parameters, ${minimum ? "a minimum" : "no minimum"}. The twin: seed ${worst.seed}. Both parameters and both values in hand:`;
    code.textContent = worst.python;
  };
}

// All requirements at once: those that are named, and no others.
function requireOnly({ columns }, keys) {
  const kept = columns.filter(({ keeps }) => keeps);
  return Object.fromEntries(kept.map(({ key }) => [key, keys.includes(key) ? 1 : 0]));
}

define("sm-invariance", {
  title: "Which measures survive what you require?",
  inputs: ({ columns, rows }) => ({
    order: { label: "Order", choices: [[0, "family"], [1, "name"], [2, "survived"]], value: 0 },
    at_minima: { label: "At", choices: [[0, "all networks"], [1, "minima only"]], value: 0 },
    with_claims: { label: "Claims", choices: [[0, "left out"], [1, "laid over"]], value: 0 },
    words: { label: "Words of a name, a family or a source", words: true, value: "" },
    measure: { quiet: true, choices: rows.map(({ name }, k) => [k, name]), value: 0 },
    column: { quiet: true, choices: columns.map(({ head }, k) => [k, head]), value: 0 },
    ...Object.fromEntries(columns.filter(({ keeps }) => keeps).map(({ key }) =>
      [key, { quiet: true, choices: [[0, "open"], [1, "required"]], value: 0 }])),
  }),
  presets: [
    ["nothing required", "none"],
    ["layers and units", "scalings"],
    ["and softmax shift", "shift"],
    ["all twelve", "all"],
  ],
  places: {
    none: (inputs, model) => requireOnly(model, []),
    scalings: (inputs, model) => requireOnly(model, ["layer_scale", "node_scale"]),
    shift: (inputs, model) => requireOnly(model, ["layer_scale", "node_scale", "softmax_shift"]),
    all: (inputs, model) => requireOnly(model, model.columns.map(({ key }) => key)),
  },
  numbers: {
    rows: { label: "measures left" },
    claims: { label: "claims about them" },
    refuted: { label: "of these refuted", ink: "twin" },
  },
  formulas,
  build(stage, element) {
    stage.classList.add("tall");
    const open = (measure, column) => {
      element.turn("measure", measure);
      element.turn("column", column);
      requestAnimationFrame(() => stage.lastChild.scrollIntoView({ block: "nearest" }));
    };
    const table = drawTable(stage, element, open);
    const example = drawExample(stage, element);
    return (values, inputs) => {
      table(values, inputs);
      example(values, inputs);
    };
  },
  sentence({ rows }, inputs, model) {
    const required = listRequired(model, inputs);
    const where = inputs.at_minima ? " at minima" : "";
    const all = model.rows.length;
    const filter = inputs.words.trim() ? ` with “${inputs.words.trim()}”` : "";
    const left = rows === 0 ? "None" : rows === all ? `All ${all}` : `${rows}`;
    const row = model.rows[inputs.measure];
    const column = model.columns[inputs.column];
    const open = `Open: ${row.name}, ${column.head}, ${spellOut(row.cells[column.key])}.`;
    if (!required.length) return `${left} of ${all} measures${filter}. ${open}`.replace(`All ${all} of ${all}`, `All ${all}`);
    const verb = rows === 1 ? "survives" : "survive";
    return `${left} of ${all} measures${filter} ${verb} ${join(required)}${where}. ${open}`;
  },
});
