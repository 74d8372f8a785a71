"use strict";
// Tables that the page was written with: a click on a heading sorts them. A cell's own value stands in data-value.

function cellValue(row, column) {
  const cell = row.cells[column];
  const text = cell?.dataset.value ?? cell?.textContent.trim() ?? "";
  if (text === "" || text === DASH) return null;
  return Number.isNaN(Number(text)) ? text : Number(text);
}

/** The button within a heading that sorts; it says by aria-sort of its cell how its column is sorted. */
function sortButton(heading, words, onclick) {
  heading.replaceChildren(element("button", { type: "button", class: "sort", onclick }, words, element("span", { class: "arrow", "aria-hidden": "true" })));
}

function showSorted(headings, chosen, direction) {
  for (const heading of headings) {
    if (heading === chosen) heading.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
    else heading.removeAttribute("aria-sort");
  }
}

function sortable(table) {
  const headings = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  headings.forEach((heading, column) => {
    sortButton(heading, heading.textContent.trim(), () => {
      const first = column === 0 ? 1 : -1; // names from a, figures from the largest
      const now = { ascending: 1, descending: -1 }[heading.getAttribute("aria-sort")];
      const direction = now ? -now : first;
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => compare(cellValue(a, column), cellValue(b, column), direction));
      table.tBodies[0].append(...rows);
      showSorted(headings, heading, direction);
    });
  });
}

for (const table of document.querySelectorAll("table.sortable")) sortable(table);
