// The line of a word, beside the word: see terms.py.
(() => {
  let shown = null;
  let leaving = 0;

  const hide = () => {
    if (shown) shown.hidden = true;
    shown = null;
  };

  const show = link => {
    clearTimeout(leaving);
    const card = document.getElementById(link.getAttribute("aria-describedby"));
    if (!card || card === shown) return;
    hide();
    card.hidden = false;
    shown = card;
    const word = link.getClientRects()[0];
    const widest = document.documentElement.clientWidth - card.offsetWidth - 12;
    const isRoomBelow = word.bottom + card.offsetHeight + 12 < innerHeight;
    card.style.left = `${Math.max(12, Math.min(word.left, widest))}px`;
    card.style.top = `${isRoomBelow ? word.bottom + 6 : word.top - card.offsetHeight - 6}px`;
  };

  // Time to move from the word onto its line.
  const leave = () => { leaving = setTimeout(hide, 250); };

  // A word inside a line is an ordinary link.
  const isInside = link => link.closest(".term-card") !== null;
  for (const link of document.querySelectorAll("a.term")) {
    if (isInside(link)) continue;
    link.addEventListener("pointerenter", event => {
      if (event.pointerType === "mouse") show(link);
    });
    link.addEventListener("pointerleave", event => {
      if (event.pointerType === "mouse") leave();
    });
    link.addEventListener("focus", () => { if (link.matches(":focus-visible")) show(link); });
    link.addEventListener("blur", leave);
    // A first tap shows the line, a second one follows the link.
    let touched = false;
    link.addEventListener("pointerdown", event => { touched = event.pointerType === "touch"; });
    link.addEventListener("click", event => {
      const card = document.getElementById(link.getAttribute("aria-describedby"));
      if (touched && card !== shown) {
        event.preventDefault();
        show(link);
      }
    });
  }
  for (const card of document.querySelectorAll(".term-card")) {
    document.body.append(card);
    card.addEventListener("pointerenter", () => clearTimeout(leaving));
    card.addEventListener("pointerleave", leave);
  }
  addEventListener("keydown", event => { if (event.key === "Escape") hide(); });
  addEventListener("scroll", hide, {passive: true});
  addEventListener("pointerdown", event => {
    if (!event.target.closest("a.term, .term-card")) hide();
  });
})();
