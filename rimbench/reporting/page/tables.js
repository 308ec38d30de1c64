function sortable(section) {
  const table = section.querySelector("table");
  const [{ id }, body, heads] = [section.querySelector("h2"), table.tBodies[0], [...table.querySelectorAll("th")]];
  const unsorted = [...body.rows];
  const number = (text) => {
    const value = parseFloat(text.replace(/[,+[]/g, ""));
    return Number.isNaN(value) ? -Infinity : value; // a dash: undefined is below everything
  };

  function sort() {
    const [, sign, place] = /^(-?)(\d+)$/.exec(kept.get(id) ?? "") ?? [];
    const column = place - 1;
    const head = heads[column];
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    const rows = unsorted.map((row) => [row.cells[column]?.textContent, row]);
    if (head) {
      head.setAttribute("aria-sort", sign ? "descending" : "ascending");
      const numeric = head.classList.contains("number");
      const order = numeric ? (a, b) => number(a) - number(b) || 0 : (a, b) => a.localeCompare(b, "en", { numeric: true });
      rows.sort(([a], [b]) => (sign ? order(b, a) : order(a, b)));
    }
    body.append(...rows.map(([, row]) => row));
  }

  heads.forEach((head, column) => {
    head.firstElementChild.addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? "-" : "";
      keep(id, { [id]: `${sign}${column + 1}` });
      sort();
    });
  });
  return sort;
}
const sorts = [...document.querySelectorAll("section.table")].map(sortable);

// On a narrow screen the list of parts is closed until it is asked for, and after it was used.
const parts = document.querySelector("nav details");
const wide = matchMedia("(min-width: 64rem)");
const fold = () => (parts.open = wide.matches);
wide.addEventListener("change", fold);
parts.addEventListener("click", (event) => event.target.closest("a") && fold());
fold();
