// The window that slides: the numbers under it, those of the kernel, their products, and what these come to.

import { format, kindOf } from "#arrays";
import { Numbers, lettersAt } from "#entries";
import { dotSize, picture } from "#tiles";
import { PART, boxOf, countSaid, inParts, planeName, planesName, windowsOf, wordsOf } from "#sliding";
import { largest } from "#heat_map";
import { entryName } from "#walk";
import { note } from "#worked";

/** Products of a window that are written out; of more, pictures are shown. */
const WRITTEN = 81;
const OPEN = 3;

export class WindowPanel {
  /** `settings()` says { digits, single, dark, arrays, symbols, writer }; `opened()` is called when another picture is looked at. */
  constructor(element, settings, opened) {
    Object.assign(this, { element, settings, opened });
    this.open = 0;
    element.addEventListener("click", (event) => {
      const part = event.target.closest("[data-part]");
      if (!part) return;
      this.open = Number(part.dataset.part);
      opened();
      element.querySelector(`[data-part="${this.open}"]`)?.focus();
    });
  }

  /** The windows of an entry, shown; null where the line slides none. What they are is given back, for the frames on the pictures. */
  show(line, place) {
    if (line !== this.line) this.open = 0;
    Object.assign(this, { line, place });
    const windows = windowsOf(line, place, this.settings().writer);
    this.windows = windows;
    this.element.hidden = !windows;
    if (!windows) return null;
    this.open = Math.min(this.open, windows.planes.length - 1);
    if (windows.routes) {
      const none = note("No window of the pool holds this entry: no slope comes back to it.");
      this.element.replaceChildren(...(windows.routes.length ? windows.routes.map((route) => this.route(route)) : [none]));
    } else {
      this.element.replaceChildren(...this.sums(windows));
    }
    return windows;
  }

  /** The picture of an array that the open part is about; null where it is about none. */
  leadOf(name) {
    const factor = this.windows?.planes[this.open].factors.find((one) => one.name === name);
    return (factor && boxOf(factor)?.lead) ?? null;
  }

  /** A picture is looked at elsewhere: the part that is made of it is opened. */
  look(name, lead) {
    const part = this.windows?.planes.findIndex(({ factors }) => factors.some((factor) => factor.name === name && String(boxOf(factor)?.lead) === String(lead))) ?? -1;
    if (part < 0 || part === this.open) return;
    this.open = part;
    this.opened();
  }

  // A sum, a mean or a largest.

  sums(windows) {
    const { planes } = windows;
    const shown = planes.length > OPEN ? [planes[this.open]] : planes;
    return [
      this.heading(windows),
      ...(planes.length > OPEN ? [this.parts(windows)] : []),
      ...shown.map((plane) => this.plane(windows, plane)),
      this.total(windows),
    ];
  }

  heading(windows) {
    const names = windows.planes[0].factors.map(({ name }) => name);
    const said = [
      ...(windows.flipped.some(Boolean) && names[1] ? [`${names[1]}, flipped, slides over ${names[0]}.`] : []),
      `${countSaid(windows, planesName(windows, this.settings().arrays))}.`,
    ];
    const made = note(said.join(" "));
    made.className = "said";
    return made;
  }

  /** One button for every picture that is summed over, with what its products come to. */
  parts(windows) {
    const list = document.createElement("div");
    list.className = "parts";
    list.setAttribute("role", "group");
    list.setAttribute("aria-label", "Pictures that are summed over");
    list.append(wordsOf(windows, this.settings().arrays).join(", "));
    windows.planes.forEach((plane, k) => {
      const button = list.appendChild(document.createElement("button"));
      const [number, sum] = [windows.others.map((letter) => plane.letters[letter]).join(", "), this.written(plane.part)];
      button.type = "button";
      button.dataset.part = k;
      button.setAttribute("aria-pressed", String(k === this.open));
      button.setAttribute("aria-label", `${planeName(windows, plane, this.settings().arrays)}: ${sum}`);
      button.append(`${number}: `, Object.assign(document.createElement("b"), { textContent: sum }));
    });
    return list;
  }

  plane(windows, plane) {
    const made = document.createElement("div");
    made.className = "plane";
    const name = planeName(windows, plane, this.settings().arrays);
    const grids = plane.factors.map((factor) => this.grid(windows, factor.name, factor.cells, plane));
    grids.forEach((grid, k) => made.append(k ? together(sign("·"), grid) : grid));
    const products = plane.products.map((row, r) => row.map((value, c) => ({ value, reason: plane.factors[0].cells[r][c].reason })));
    if (grids.length > 1) made.append(together(sign("="), this.grid(windows, null, products, plane)));
    const result = document.createElement("p");
    result.className = "part";
    const said = { max: "largest", mean: "sum", sum: "sum" }[windows.kind];
    result.append(`${said}${name ? ` of ${name}` : ""} `, Object.assign(document.createElement("strong"), { textContent: this.written(plane.part), title: this.written(plane.part, 0) }));
    made.append(together(sign("→"), result));
    return made;
  }

  /** The numbers of a window, row by row; of very many a picture. */
  grid(windows, name, cells, plane) {
    const figure = document.createElement("figure");
    figure.className = cells[0].length > 4 ? "grid many" : "grid";
    const head = figure.appendChild(document.createElement("figcaption"));
    const first = cells.flat().find((cell) => cell.place);
    const lead = first?.place.length === 4 ? `[${first.place.slice(0, 2).join(", ")}]` : "";
    const flipped = name && plane.factors[1]?.name === name && windows.flipped.some(Boolean) ? ", flipped" : "";
    head.innerHTML = name ? this.settings().symbols[name]?.label ?? name : "products";
    head.append(`${lead}${flipped}`);
    if (cells.length * cells[0].length > WRITTEN) figure.append(this.painted(name ?? "products", cells));
    else figure.append(this.table(`${name ?? "products"}${lead}`, name, cells, plane));
    return figure;
  }

  table(label, name, cells, plane) {
    const table = document.createElement("table");
    table.setAttribute("aria-label", label);
    cells.forEach((row, r) => {
      const line = table.insertRow();
      row.forEach((cell, c) => {
        const made = line.insertCell();
        const winner = plane.winner && plane.winner[0] === r && plane.winner[1] === c;
        if (cell.value === null || cell.value === undefined) {
          made.className = cell.reason === "padding" ? "padding" : "gap";
          made.title = { padding: "on the padding", gap: "between the strides" }[cell.reason] ?? "left out";
          return;
        }
        made.textContent = this.written(cell.value);
        made.className = [name ? "source" : "", kindOf(cell.value), winner ? "winner" : ""].join(" ").trim();
        made.title = `${name ? `${entryName(name, cell.place)} = ` : ""}${this.written(cell.value, 0)}`;
        if (name) [made.dataset.array, made.dataset.at] = [name, cell.place.join()];
      });
    });
    return table;
  }

  painted(name, cells) {
    const data = Float64Array.from(cells.flat(), (cell) => cell.value ?? 0);
    const most = largest(data);
    const canvas = picture(data, cells.length, cells[0].length, { most, dark: this.settings().dark });
    const dot = dotSize(3, Math.max(cells.length, cells[0].length));
    Object.assign(canvas.style, { width: `${cells[0].length * dot}px`, height: `${cells.length * dot}px` });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${name}: ${cells.length} rows, ${cells[0].length} columns`);
    return canvas;
  }

  /** The entry as the sum of its pictures' sums, with what the line adds to it. */
  total(windows) {
    const { writer, arrays } = this.settings();
    const { line, place } = this;
    const parts = windows.planes.map((plane) => plane.part);
    const own = new Numbers({ ...writer, value: (name, at) => (name === PART ? parts[at[0]] : writer.value(name, at)) });
    const made = document.createElement("p");
    made.className = "comes";
    made.append(`${entryName(line.name, place)} ${line.phase === "update" ? "←" : "="} `);
    for (const piece of own.written(inParts(line.entry, windows, writer), lettersAt(line.letters, place))) {
      if (typeof piece === "string") made.append(piece);
      else made.append(this.piece(piece, windows));
    }
    const result = document.createElement("strong");
    result.className = "current";
    result.textContent = this.written(arrays[line.value].at(...place));
    made.append(" = ", result);
    return made;
  }

  piece({ text, name, place }, windows) {
    const { arrays } = this.settings();
    const made = document.createElement("span");
    made.textContent = text;
    const sum = name === PART;
    made.className = sum ? "partial" : "source";
    const whole = sum ? windows.planes[place[0]].part : arrays[name].at(...place);
    const what = sum ? ["sum", planeName(windows, windows.planes[place[0]], arrays)].filter(Boolean).join(" of ") : entryName(name, place);
    made.title = `${what} = ${this.written(whole, 0)}`;
    return made;
  }

  // Where the slope of a pool is routed.

  route({ name, from, own, cells, winner, leads, slope }) {
    const made = document.createElement("div");
    made.className = "plane";
    const grid = this.grid({ flipped: [] }, name, cells, { factors: [], winner });
    grid.querySelector(`[data-at="${own.join()}"]`)?.classList.add("own");
    const there = winner && cells[winner[0]][winner[1]].place;
    const said = `the slope ${entryName(from.name, from.place)} = ${this.written(slope)}`;
    const text = leads
      ? `${entryName(name, own)} leads its window: ${said} comes here.`
      : `${entryName(name, own)} does not lead its window${there ? `: ${said} goes to ${entryName(name, there)}` : ""}.`;
    const most = winner && cells[winner[0]][winner[1]].value;
    const equals = cells.flat().filter(({ value }) => value === most).length > 1;
    made.append(grid, note(equals ? `${text} Of equals the first leads.` : text));
    return made;
  }

  written(value, digits = this.settings().digits) {
    return format(value, digits, this.settings().single);
  }
}

function together(...parts) {
  const made = document.createElement("div");
  made.className = "together";
  made.append(...parts);
  return made;
}

function sign(text) {
  const made = document.createElement("span");
  made.className = "sign";
  made.setAttribute("aria-hidden", "true");
  made.textContent = text;
  return made;
}
