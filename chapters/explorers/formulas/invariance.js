// The audit's table: which rows meet what a reader requires, in which order they stand, and what
// the open cell holds.

// What became of a measure at all networks, or at those that are minima.
export function judge(cell, at_minima) {
  return at_minima ? cell.minima : cell.verdict;
}

export function survives(cell, at_minima) {
  return judge(cell, at_minima) === "survives";
}

// Under how many of the columns that keep the function a measure survives.
export function countSurvived({ columns }, row, at_minima) {
  return columns.filter(({ key, keeps }) => keeps && survives(row.cells[key], at_minima)).length;
}

function meets({ columns }, row, inputs) {
  const words = inputs.words.toLowerCase().split(/\s+/).filter(Boolean);
  return columns.every(({ key }) => !inputs[key] || survives(row.cells[key], inputs.at_minima))
    && words.every((word) => row.text.includes(word));
}

function compareNames(one, other) {
  return one.name.toLowerCase() < other.name.toLowerCase() ? -1 : 1;
}

// All rows in an order: by family (0), by name (1), the most survived first (2).
export function orderRows(model, { order, at_minima }) {
  const rows = [...model.rows];
  if (order === 1) rows.sort(compareNames);
  if (order === 2) {
    const count = new Map(rows.map((row) => [row, countSurvived(model, row, at_minima)]));
    rows.sort((one, other) => count.get(other) - count.get(one));
  }
  return rows;
}

// Those that remain.
export function listRows(model, inputs) {
  return orderRows(model, inputs).filter((row) => meets(model, row, inputs));
}

// What authors claim of these rows: that a measure survives a column. It fails where it breaks.
export function listClaims({ columns }, rows, at_minima) {
  const cells = rows.flatMap((row) => columns.map(({ key }) => row.cells[key])).filter(({ claimed }) => claimed);
  return { made: cells.length, refuted: cells.filter((cell) => judge(cell, at_minima) === "breaks").length };
}

export function prepare(data) {
  const rows = data.rows.map((row, index) => ({
    ...row,
    index,
    text: `${row.name} ${row.family} ${row.source}`.toLowerCase(),
  }));
  return { ...data, rows };
}

function compute(model, inputs) {
  const rows = listRows(model, inputs);
  const claims = listClaims(model, rows, inputs.at_minima);
  const values = { rows: rows.length, claims: claims.made, refuted: claims.refuted };
  for (const { key } of model.columns) {
    values[`survive_${key}`] = rows.filter((row) => survives(row.cells[key], inputs.at_minima)).length;
  }
  values.first = rows.length ? rows[0].index : null;
  values.last = rows.length ? rows[rows.length - 1].index : null;
  const open = model.rows[inputs.measure].cells[model.columns[inputs.column].key];
  values.defined = open.defined;
  values.value = open.worst ? open.worst.value : null;
  values.twin = open.worst ? open.worst.twin : null;
  values.factor = open.worst ? open.worst.factor : null;
  return values;
}

export const formulas = { prepare, compute };
