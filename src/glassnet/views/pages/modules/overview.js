// All lines of the step at a glance, each with its numbers: for a first look, and for paper.

import { format } from "#arrays";
import { kindOf, sides } from "#matrix";

const ROWS = 6;
const COLUMNS = 7;

/** The places that are written of so many: the first ones and the last, with null where some are left out. */
export function elided(count, most) {
  if (count <= most) return Array.from({ length: count }, (_, k) => k);
  return [...Array.from({ length: most - 1 }, (_, k) => k), null, count - 1];
}

export function overview(element, step, arrays, rowNames, single) {
  let phase = "";
  for (const line of step.lines) {
    if (line.phase !== phase) {
      phase = line.phase;
      element.appendChild(document.createElement("h3")).textContent = phase[0].toUpperCase() + phase.slice(1);
    }
    const item = element.appendChild(document.createElement("section"));
    item.innerHTML = `<div class="math">${line.mathml}</div><p></p>`;
    item.querySelector("p").textContent = line.why;
    item.append(table(line, arrays[line.value], rowNames, single));
  }
}

function table(line, array, rowNames, single) {
  const [rows, columns] = sides(array.shape);
  const made = document.createElement("table");
  made.setAttribute("aria-label", `${line.name}, ${rows} by ${columns}`);
  for (const row of elided(rows, ROWS)) {
    const place = made.insertRow();
    if (row === null) {
      place.insertCell().textContent = "⋮";
      continue;
    }
    if (array.samples) {
      const head = place.appendChild(document.createElement("th"));
      head.scope = "row";
      head.textContent = rowNames[row];
    }
    for (const column of elided(columns, COLUMNS)) {
      const cell = place.insertCell();
      cell.textContent = column === null ? "…" : format(array.data[row * columns + column], 4, single);
      if (column !== null) cell.className = kindOf(array.data[row * columns + column]);
    }
  }
  return made;
}
