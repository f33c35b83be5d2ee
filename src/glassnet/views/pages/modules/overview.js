// All lines of the step at a glance, each with its numbers: for a first look, and for paper.

import { format, kindOf } from "#arrays";
import { largest, rangeOf } from "#heat_map";
import { dotSize, isPhotograph, picture, pictureOf } from "#tiles";
import { sides } from "#walk";

const ROWS = 6;
const COLUMNS = 4;
const PICTURES = 16;

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
    else if (arrays[name].shape.length === 4) place.replaceChildren(...pictures(name, arrays[name], rowNames));
    else place.replaceChildren(table(name, arrays[name], rowNames, single));
  }
}

/** The pictures of the first sample, or of the first filters, on white as on paper, with their range. */
function pictures(name, array, rowNames) {
  const [first, channels, rows, columns] = array.shape;
  const leads = Array.from({ length: array.samples ? channels : first * channels }, (_, k) => (array.samples ? [0, k] : [Math.floor(k / channels), k % channels]));
  const shown = leads.slice(0, PICTURES);
  const dot = dotSize(Math.max(12, shown.length), Math.max(rows, columns));
  const most = largest(array.data);
  const list = document.createElement("div");
  list.className = "glanced";
  for (const lead of shown) {
    const canvas = picture(pictureOf(array, lead), rows, columns, { most, limit: 600, photograph: name === "X" && isPhotograph(array.data) });
    canvas.setAttribute("aria-hidden", "true"); // the element around says what it is
    Object.assign(canvas.style, { width: `${columns * dot}px`, height: `${rows * dot}px` });
    list.append(canvas);
  }
  const what = array.samples ? `${rowNames[0]}, ` : "";
  const left = leads.length - shown.length;
  list.setAttribute("role", "img");
  list.setAttribute("aria-label", `${name}: ${shown.length} pictures of ${rows} by ${columns}`);
  const said = document.createElement("p");
  said.textContent = `${what}${leads.length} ${leads.length === 1 ? "picture" : "pictures"} of ${rows} × ${columns}${left ? `, the first ${shown.length}` : ""}; ${rangeOf(array.data)} in all`;
  return [list, said];
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
