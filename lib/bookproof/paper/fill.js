// Let text fill the page where a figure or table would go over to the next one and leave it half
// empty: the figure becomes a little smaller, or comes after some of the paragraphs that follow it,
// as a typesetter would do. A few lines that would be alone on the last page of a chapter are
// brought to the page before by setting the chapter a little tighter. Returns on which page each
// place of the contents comes to stand.
//
// Each chapter is laid out in columns of a page's size, side by side, by the same engine that
// breaks it into pages.
async ({ width, height }) => {
  const EMPTY = 0.14  // of a page may stay blank
  const SMALLEST = 0.8  // of its size is a figure that gives way
  const FARTHEST = 4  // blocks come before a figure that gives way
  const GAP = 50
  const FEW = 0.25  // of a page: so little is not left alone on the last one
  const TIGHTER = ["tight", "tighter", "tightest"]  // as edition.css has them
  const LINES = 3  // stay with a heading
  const BOXES = "div.cell_input, div.output, table, div.admonition.exercise"
  const HEADED = 0.14  // of a page: so far down a box may begin that follows a heading
  const LONG = 0.2  // of a page: longer code goes on over it
  const TEXT = "p, ul, ol, dl, div.math, div.cell, div.highlight, aside.margin"

  const chapters = [...document.querySelectorAll(".chapter")]
  const contents = document.querySelector(".edition-contents")
  const layOut = chapter => Object.assign(chapter.style, {
    columnFill: "auto", columnGap: `${GAP}px`, columnWidth: `${width}px`,
    height: `${height}px`, width: `${width}px`,
  })
  const findLeaves = chapter => {
    const accept = node => node.nodeType === Node.TEXT_NODE && node.textContent.trim()
      && !node.parentElement.closest("aside, .katex, svg")
      ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP
    const walker = document.createTreeWalker(chapter, NodeFilter.SHOW_TEXT, accept)
    const leaves = [...chapter.querySelectorAll("img, svg, .katex-display")]
    while (walker.nextNode()) {
      const range = document.createRange()
      range.selectNodeContents(walker.currentNode)
      leaves.push(range)
    }
    return leaves
  }
  const measure = chapter => {
    const { left, top } = chapter.getBoundingClientRect()
    const column = box => Math.floor((box.left - left + 5) / (width + GAP))
    const filled = []
    // Of text its lines: the box of a paragraph that is broken reaches to the end of the page.
    for (const leaf of findLeaves(chapter)) {
      for (const box of leaf.getClientRects()) {
        if (!box.height) continue
        const at = column(box)
        filled[at] = Math.max(filled[at] ?? 0, box.bottom - top)
      }
    }
    const start = e => {
      const box = e.getClientRects()[0]
      return box ? { at: column(box), y: box.top - top, height: e.getBoundingClientRect().height } : null
    }
    return { blank: [...filled].map(bottom => height - (bottom ?? 0)), start }
  }
  const findMovable = chapter => [...new Set([...chapter.querySelectorAll("figure, table")]
    .map(e => e.closest("div.cell, .pst-scrollable-table-container") ?? e))]

  const shrink = (block, room) => {
    const picture = block.querySelector("img")
    if (!picture) return null
    const size = parseFloat(getComputedStyle(picture).zoom)
    const need = block.getBoundingClientRect().height - room + 4
    const scale = 1 - need / picture.getBoundingClientRect().height
    if (scale < SMALLEST || scale >= 1) return null
    picture.style.zoom = scale * size
    return () => { picture.style.zoom = "" }
  }
  const moveDown = block => {
    const next = block.nextElementSibling
    const isText = next?.matches(TEXT) && !next.querySelector("figure, table")
    if (!isText) return null
    next.after(block)
    return () => block.after(next)
  }

  // A box that would stay whole on the next page goes on over it instead.
  const breakBoxes = (chapter, page) => {
    const { blank, start } = measure(chapter)
    const boxes = [...chapter.querySelectorAll(BOXES)].filter(e => {
      const place = start(e)
      const isFirst = place && place.at === page + 1 && place.y < HEADED * height
      return isFirst && !e.querySelector("figure")
    })
    boxes.forEach(e => e.style.breakInside = "auto")
    const isBetter = measure(chapter).blank[page] < blank[page] - 40
    if (!isBetter) boxes.forEach(e => e.style.breakInside = "")
    return isBetter
  }

  // The style keeps a heading with the first lines of what follows. Where these are fewer than three,
  // they are a whole paragraph, which goes with the next block.
  const keepHeadings = chapter => {
    for (const text of chapter.querySelectorAll(":is(h2, h3) + p")) {
      const line = parseFloat(getComputedStyle(text).lineHeight)
      if (text.getBoundingClientRect().height < (LINES - 0.5) * line)
        Object.assign(text.style, { breakAfter: "avoid", breakInside: "avoid" })
    }
  }

  const fillPages = chapter => {
    const movable = findMovable(chapter)
    let from = 0
    for (let tries = 0; tries < 200; tries++) {
      const { blank, start } = measure(chapter)
      const page = blank.findIndex((rest, at) =>
        at >= from && at < blank.length - 1 && rest > EMPTY * height)
      if (page < 0) break
      const block = movable.find(e => {
        const place = start(e)
        return place && place.at === page + 1 && place.y < 40
      })
      const undo = []
      let isBetter = false
      if (block) {
        const room = blank[page] - 24
        const undoShrinking = shrink(block, room)
        if (undoShrinking) {
          isBetter = measure(chapter).blank[page] < blank[page] - 10
          if (!isBetter) undoShrinking()
        }
        for (let moves = 0; !isBetter && moves < FARTHEST; moves++) {
          const undoMove = moveDown(block)
          if (!undoMove) break
          undo.push(undoMove)
          isBetter = measure(chapter).blank[page] <= EMPTY * height
        }
        const rest = measure(chapter).blank[page]
        if (!isBetter && rest > 0.6 * blank[page]) undo.reverse().forEach(f => f())
      }
      if (!isBetter) isBetter = breakBoxes(chapter, page)
      if (!isBetter) from = page + 1
    }
  }

  // Set a chapter tighter where that saves its last page, which has a few lines only.
  const pullIn = chapter => {
    const before = measure(chapter).blank
    const isAlone = before.length > 1 && height - before.at(-1) < FEW * height
    if (!isAlone) return
    for (const tighter of TIGHTER) {
      chapter.classList.add(tighter)
      if (measure(chapter).blank.length < before.length) return
    }
    chapter.classList.remove(...TIGHTER)
  }

  const places = {}
  layOut(contents)
  let pages = 2 + measure(contents).blank.length  // after the title and what is behind it
  contents.removeAttribute("style")
  for (const chapter of chapters) {
    keepHeadings(chapter)
    layOut(chapter)
    for (const code of chapter.querySelectorAll("div.cell_input"))
      if (code.getBoundingClientRect().height > LONG * height) code.style.breakInside = "auto"
    fillPages(chapter)
    pullIn(chapter)
    fillPages(chapter)
    const { blank, start } = measure(chapter)
    places[chapter.id] = pages + 1
    for (const heading of chapter.querySelectorAll("h2[id]"))
      places[heading.id] = pages + 1 + start(heading).at
    pages += blank.length
    chapter.removeAttribute("style")
  }
  return places
}
