/* A table that becomes a list of labelled cards on a phone; roles keep its meaning there. */

import { element } from "./dom.js";

/* columns: [{label, number?}]; rows: arrays of nodes or text, one per column. */
export function dataTable(caption, columns, rows) {
  const head = columns.map(({ label, number }) =>
    element("th", { scope: "col", role: "columnheader", class: number && "number" }, label),
  );
  return element(
    "div",
    { class: "table-box" },
    element(
      "table",
      { class: "stacking", role: "table" },
      element("caption", { class: "visually-hidden" }, caption),
      element("thead", { role: "rowgroup" }, element("tr", { role: "row" }, head)),
      element("tbody", { role: "rowgroup" }, rows.map((cells) => tableRow(columns, cells))),
    ),
  );
}

export function tableRow(columns, cells) {
  return element(
    "tr",
    { role: "row" },
    cells.map((cell, index) => {
      const { label, number } = columns[index];
      return element(
        "td",
        { role: "cell", class: number && "number", "data-label": label },
        element("div", { class: "cell" }, cell),
      );
    }),
  );
}
