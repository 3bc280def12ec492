// Make what is wider than the paper smaller, down to a size that can still be read; say what stays
// too wide.
async () => {
  await document.fonts.ready
  const SMALLEST = 0.62
  const LETTERS = 7 * 96 / 72  // pixels: the smallest letters that a table may have
  const page = document.querySelector(".bd-article").getBoundingClientRect().right + 1
  // What is folded on the screen is cut at its own edge.
  const findEdge = e => Math.min(page, e.closest("details")?.getBoundingClientRect().right ?? page)
  const isShown = e => e.getClientRects().length && getComputedStyle(e).visibility !== "hidden"
  const right = e => Math.max(e.getBoundingClientRect().right,
    e.getBoundingClientRect().left + e.scrollWidth)
  for (const e of document.querySelectorAll("table, .katex-display")) {
    if (!isShown(e)) continue
    const size = parseFloat(getComputedStyle(e).fontSize)
    const edge = findEdge(e)
    const least = e.matches("table") ? Math.max(SMALLEST, LETTERS / size) : SMALLEST
    for (let scale = 1; scale >= least && right(e) > edge; scale -= 0.02)
      e.style.fontSize = `${scale * size}px`
  }
  const name = e => `${e.closest("[id]")?.id ?? "?"}: ${e.tagName.toLowerCase()}.${e.className}`
  return [...document.querySelectorAll(".bd-article *")]
    .filter(e => isShown(e) && !e.closest(".katex-mathml") && !e.closest("svg"))
    .filter(e => e.getBoundingClientRect().right > page)
    .map(e => `${name(e)} by ${Math.round(e.getBoundingClientRect().right - page)} px`)
}
