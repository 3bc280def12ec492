// The depth of a page, Read or Check: see depths.py.
const Depths = (() => {
  const root = document.documentElement;
  const KEY = "depth-of-reading";
  const FOLDS = ".bd-article details.fold, .bd-article details.code, .bd-article details.held";
  const recall = () => {
    try { return localStorage.getItem(KEY); } catch { return null; }
  };
  const remember = depth => {
    try { localStorage.setItem(KEY, depth); } catch { /* a page that is a file may not */ }
  };
  const isAsked = new URLSearchParams(location.search).has("check");
  root.dataset.depth = isAsked || recall() === "check" ? "check" : "read";

  const isChecked = () => root.dataset.depth === "check";
  const openAll = open => document.querySelectorAll(FOLDS).forEach(fold => { fold.open = open; });

  // While the page arrives each fold is opened as it comes: nothing moves later.
  if (isChecked()) {
    const watcher = new MutationObserver(() => openAll(true));
    watcher.observe(root, {childList: true, subtree: true});
    addEventListener("DOMContentLoaded", () => { watcher.disconnect(); openAll(true); });
  }

  const press = () => document.querySelectorAll(".depth-switch button").forEach(button =>
    button.setAttribute("aria-pressed", String(button.value === root.dataset.depth)));

  const choose = depth => {
    // What the reader looks at stays where it is.
    const seen = [...document.querySelectorAll(".bd-article :is(h1, h2, h3, p, figure)")]
      .find(e => e.offsetParent && !e.closest("details") && e.getBoundingClientRect().top > 60);
    const before = seen?.getBoundingClientRect().top;
    root.dataset.depth = depth;
    remember(depth);
    openAll(depth === "check");
    press();
    if (seen) scrollBy({top: seen.getBoundingClientRect().top - before, behavior: "instant"});
  };

  const showSwitch = () => {
    for (const group of document.querySelectorAll(".depth-switch")) {
      group.hidden = false;
      group.querySelectorAll("button").forEach(button =>
        button.addEventListener("click", () => choose(button.value)));
    }
    press();
  };

  // A link to what lies in a fold opens it.
  const openTarget = () => {
    const name = decodeURIComponent(location.hash.slice(1));
    const target = name ? document.getElementById(name) : null;
    for (let fold = target?.closest("details"); fold; fold = fold.parentElement.closest("details"))
      fold.open = true;
  };
  addEventListener("DOMContentLoaded", openTarget);
  addEventListener("hashchange", openTarget);

  // On paper everything is open that a reader cannot open there; bookproof.css leaves the code out.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll(".bd-article details:not([open])")];
    closed.forEach(fold => { fold.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach(fold => { fold.open = false; }));

  return {choose, showSwitch};
})();
