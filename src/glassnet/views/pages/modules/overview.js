// All lines of the step at a glance, each with its numbers: for a first look, and for paper.

import { format, kindOf } from "#arrays";
import { sides } from "#walk";

const ROWS = 6;
const COLUMNS = 4;

/** The places that are written of so many: the first ones and the last, with null where some are left out. */
export function elided(count, most) {
  if (count <= most) return Array.from({ length: count }, (_, k) => k);
  return [...Array.from({ length: most - 1 }, (_, k) => k), null, count - 1];
}

/** Puts the numbers below every element that says, as `data-array`, which array it is about. */
export function overview(element, arrays, rowNames, single) {
  for (const place of element.querySelectorAll("[data-array]")) {
    const name = place.dataset.array;
    if (place.matches("output")) place.textContent = format(arrays[name].data[0], 4, single);
    else place.replaceChildren(table(name, arrays[name], rowNames, single));
  }
}

function table(name, array, rowNames, single) {
  const [rows, columns] = sides(array.shape);
  const made = document.createElement("table");
  made.setAttribute("aria-label", array.shape.length ? `${name}, ${rows} by ${columns}` : name);
  if (array.shape.length) made.className = "bracketed";
  for (const row of elided(rows, ROWS)) {
    const line = made.insertRow();
    if (array.samples) {
      const head = line.appendChild(document.createElement("th"));
      head.scope = "row";
      head.textContent = row === null ? "" : rowNames[row];
    }
    for (const column of elided(columns, COLUMNS)) {
      const cell = line.insertCell();
      const number = array.data[row * columns + column];
      cell.textContent = row === null ? "⋮" : column === null ? "…" : format(number, 4, single);
      if (row !== null && column !== null) cell.className = kindOf(number);
    }
  }
  return made;
}
