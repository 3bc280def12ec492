// Finds rows of the ledger by any of their words; every word that is typed must be there.
(() => {
  const field = document.querySelector(".ledger-search input");
  const chapters = [...document.querySelectorAll("details.ledger-chapter")];
  const rows = [...document.querySelectorAll("table.ledger tbody tr")];
  const read = row => (row.id + " " + row.textContent).toLowerCase();
  const texts = new Map(rows.map(row => [row, read(row)]));
  if (!field) return;
  field.closest("p").hidden = false;

  const find = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const row of rows) {
      row.hidden = !words.every(word => texts.get(row).includes(word));
      found += row.hidden ? 0 : 1;
    }
    for (const chapter of chapters) {
      const isEmpty = !chapter.querySelector("tbody tr:not([hidden])");
      chapter.hidden = isEmpty;
      chapter.open = words.length > 0 && !isEmpty;
    }
    const status = document.querySelector(".ledger-search [role=status]");
    status.textContent = words.length ? `${found} of ${rows.length}` : "";
  };
  field.addEventListener("input", find);

  // A link to a row shows it, whatever was searched for.
  const openRow = () => {
    const row = location.hash ? document.getElementById(location.hash.slice(1)) : null;
    if (!row) return;
    if (row.hidden) { field.value = ""; find(); }
    const chapter = row.closest("details");
    if (chapter) chapter.open = true;
    row.scrollIntoView();
  };
  addEventListener("hashchange", openRow);
  openRow();
})();
