// Which claims of a ledger are left by words, chapter, kind and strength, and what is counted of
// them. A share is what was measured over what was allowed.

export function listLeft({ claims, kinds }, { words, chapter, kind, strength }) {
  const typed = words.toLowerCase().split(/\s+/).filter(Boolean);
  return claims.filter((claim) =>
    (chapter === 0 || claim.chapter === chapter)
    && (kind === 0 || claim.kinds.includes(kinds[kind - 1]))
    && (strength === 0 || claim.strong)
    && typed.every((word) => claim.words.includes(word)));
}

function compute(model, inputs) {
  const left = listLeft(model, inputs);
  const shares = left.flatMap(({ shares }) => shares);
  const values = {
    claims: left.length,
    chapters: new Set(left.map(({ chapter }) => chapter)).size,
    strong: left.filter(({ strong }) => strong).length,
    comparisons: shares.length,
    exact: left.reduce((sum, { exact }) => sum + exact, 0),
    largest_share: Math.max(0, ...shares),
  };
  for (const kind of model.kinds) {
    values[`with_${kind}`] = left.filter(({ kinds }) => kinds.includes(kind)).length;
  }
  return values;
}

export const formulas = { prepare: (data) => data, compute };
