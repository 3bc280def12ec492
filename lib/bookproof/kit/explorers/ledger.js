// The ledger in hand. Its rows and its strip plot are the page's own; here is what chooses among
// them, and they follow.
import { format } from "../format.js";
import { formulas, listLeft } from "./formulas/ledger.js";

const EVERYTHING = { chapter: 0, kind: 0, strength: 0, words: "" };
const KINDS = {
  equality: "equalities",
  inequality: "bounds",
  count: "counts",
  estimate: "estimates",
  figure: "figures, as drawn",
  words: "words said of figures",
};

// What stands on the page, once all of it is there.
function collect() {
  const rows = [...document.querySelectorAll("table.ledger tbody tr")];
  const dots = [...document.querySelectorAll("figure.strip a")];
  return {
    rows: rows.map((row) => ({ row, anchor: row.id })),
    dots: dots.map((dot) => ({ dot, anchor: dot.getAttribute("href").slice(1) })),
    chapters: [...document.querySelectorAll("details.ledger-chapter")].map((chapter) => ({
      chapter,
      anchors: [...chapter.querySelectorAll("tbody tr")].map(({ id }) => id),
    })),
  };
}

function show({ rows, dots, chapters }, left, isChosen) {
  const linked = location.hash.slice(1);
  for (const { row, anchor } of rows) row.hidden = !left.has(anchor);
  for (const { dot, anchor } of dots) dot.classList.toggle("left-out", !left.has(anchor));
  for (const { chapter, anchors } of chapters) {
    const isEmpty = !anchors.some((anchor) => left.has(anchor));
    chapter.hidden = isEmpty;
    chapter.open = (isChosen && !isEmpty) || anchors.includes(linked);
  }
}

function build(stage, element) {
  stage.remove(); // the page has it
  let page = null;
  // A link to a row shows it, whatever was chosen.
  const openRow = () => {
    const row = location.hash ? document.getElementById(location.hash.slice(1)) : null;
    const chapter = row && row.closest("details.ledger-chapter");
    if (!chapter) return;
    if (row.hidden) for (const [name, value] of Object.entries(EVERYTHING)) element.set(name, value);
    chapter.open = true;
    row.scrollIntoView();
  };
  const start = () => {
    page = collect();
    element.redraw();
    openRow();
  };
  addEventListener("hashchange", openRow);
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else requestAnimationFrame(start);
  return (values, inputs, model) => {
    if (!page) return;
    const left = new Set(listLeft(model, inputs).map(({ anchor }) => anchor));
    const isChosen = Object.keys(EVERYTHING).some((name) => inputs[name] !== EVERYTHING[name]);
    show(page, left, isChosen);
  };
}

function percent(share) {
  return `${format(100 * share)} %`;
}

export const spec = {
  title: "What was checked, and how closely? Choose among the claims.",
  inputs: ({ chapters, kinds }) => ({
    chapter: { label: "Chapter", menu: true, choices: [[0, "all chapters"], ...chapters.map((title, k) => [k + 1, title])], value: 0 },
    kind: { label: "Kind of check", menu: true, choices: [[0, "all kinds"], ...kinds.map((kind, k) => [k + 1, KINDS[kind]])], value: 0 },
    strength: { label: "Claims", choices: [[0, "all"], [1, "strong ones"]], value: 0 },
    words: { label: "Words of a claim, a function or a test", words: true, value: "" },
  }),
  presets: [
    ["everything", EVERYTHING],
    ["theorems", { ...EVERYTHING, words: "theorem" }],
    ["what is drawn", "drawn"],
  ],
  places: {
    drawn: (inputs, { kinds }) => ({ ...EVERYTHING, kind: kinds.indexOf("figure") + 1 }),
  },
  numbers: {
    claims: { label: "claims left" },
    strong: { label: "of these strong" },
    comparisons: { label: "comparisons, a dot each" },
    largest_share: { label: "most used of what was allowed", format: percent },
  },
  formulas,
  build,
  sentence({ claims, chapters, comparisons, exact, largest_share }, inputs, model) {
    const all = model.claims.length;
    if (!claims) return `None of the ${all} claims.`;
    const where = chapters === 1 ? "one chapter" : `${chapters} chapters`;
    const left = claims === all ? `All ${all} claims` : `${claims} of ${all} claims`;
    const closest = comparisons
      ? ` The closest to its limit used ${percent(largest_share)} of what was allowed.`
      : "";
    const same = exact ? ` ${exact} ${exact === 1 ? "equality is" : "equalities are"} exact.` : "";
    return `${left}, in ${where}.${closest}${same}`;
  },
};
