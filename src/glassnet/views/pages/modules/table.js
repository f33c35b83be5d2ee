// Rows and columns of numbers, whole or a window of them, that can be chosen one by one.

import { format, kindOf } from "#arrays";
import { entryName } from "#walk";
import { following, resized, within } from "#windows";

const MOST = [40, 30];

/**
 * The numbers of an array. What extends it says `at(row, column)`, `placeOf(row, column)` and `drawn()`, which is called when the
 * marks have changed, and calls `build()` once `rows`, `columns`, `size` and `place` (the element of the numbers) are there.
 */
export class Table {
  /**
   * `pick(name, place)` is called when a person chooses an entry; `rowNames` names the rows of an array of samples;
   * `settings()` says { digits, single, dark }; `result` whether it is what the line gives.
   */
  constructor({ name, array, rowNames = null, pick, settings, result = false }) {
    Object.assign(this, { name, array, rowNames, pick, settings, result });
    this.from = [0, 0];
    this.spots = [];
    this.marked = new Set();
    this.current = null;
  }

  /** An element that holds the numbers. */
  holder(parent) {
    const side = parent.appendChild(document.createElement("div"));
    side.className = "window";
    this.place = side.appendChild(document.createElement("div"));
    this.place.className = "scroll";
    this.place.addEventListener("click", (event) => this.chosen(event));
    this.place.addEventListener("keydown", (event) => this.key(event));
    return side;
  }

  get sides() {
    return [this.rows, this.columns];
  }

  get title() {
    return this.name;
  }

  get headed() {
    return this.array.shape.length > 1;
  }

  remarks() {
    const counts = { nan: 0, infinite: 0 };
    for (const number of this.array.data) if (!Number.isFinite(number)) counts[kindOf(number)] += 1;
    const all = this.array.data.length;
    return [["nan", "NaN"], ["infinite", "infinite"]]
      .filter(([kind]) => counts[kind])
      .map(([kind, said]) => (counts[kind] === all && all > 1 ? `all ${said}` : `${counts[kind]} × ${said}`)).join(", ");
  }

  foot(note) {
    const foot = document.createElement("p");
    foot.className = "note";
    foot.textContent = [note, this.remarks()].filter(Boolean).join(" · ");
    return foot;
  }

  // What is in sight.

  see(from, size) {
    const same = String([from, size]) === String([this.from, this.size]);
    [this.from, this.size] = [from, size];
    if (same) this.paint();
    else this.build();
  }

  /** See a box of entries: [row, column, rows, columns]. */
  follow(box) {
    return [0, 1].map((axis) => following(this.from[axis], this.size[axis], this.sides[axis], box[axis], box[axis] + box[axis + 2] - 1));
  }

  move(down, right) {
    this.see([within(this.from[0] + down, this.size[0], this.rows), within(this.from[1] + right, this.size[1], this.columns)], this.size);
  }

  /** Put the middle of the window at an entry. */
  show(row, column) {
    this.move(row - Math.floor(this.size[0] / 2) - this.from[0], column - Math.floor(this.size[1] / 2) - this.from[1]);
  }

  resize(by) {
    const [top, tall] = resized(this.from[0], this.size[0], this.rows, by, 2, MOST[0]);
    const [left, wide] = resized(this.from[1], this.size[1], this.columns, by, 2, MOST[1]);
    this.see([top, left], [tall, wide]);
  }

  said(axis, what) {
    const count = this.sides[axis];
    if (this.size[axis] === count) return count === 1 ? `1 ${what}` : `${count} ${what}s`;
    return `${what}s ${this.from[axis]}–${this.from[axis] + this.size[axis] - 1} of ${count}`;
  }

  // The numbers.

  build() {
    const focused = this.place.contains(document.activeElement) && document.activeElement.dataset.spot;
    const [rows, columns] = [0, 1].map((axis) => Array.from({ length: this.size[axis] }, (_, k) => this.from[axis] + k));
    const table = document.createElement("table");
    const label = `${this.title}, ${this.said(0, "row")}, ${this.said(1, "column")}`;
    table.setAttribute("aria-label", this.array.shape.length ? label : this.name);
    if (this.array.shape.length) {
      const head = table.createTHead().insertRow();
      if (this.headed) head.insertCell();
      for (const column of columns) head.append(header("col", String(column)));
    }
    this.buttons = new Map();
    const body = table.createTBody();
    body.classList.toggle("starts", this.from[1] === 0);
    body.classList.toggle("ends", this.from[1] + this.size[1] === this.columns);
    for (const row of rows) {
      const line = body.insertRow();
      line.dataset.row = row;
      if (this.headed) line.append(header("row", String(row), this.rowNames ? this.rowNames[row] : ""));
      for (const column of columns) line.insertCell().append(this.button(row, column));
    }
    this.place.replaceChildren(table);
    if (this.range) this.range.textContent = `${this.said(0, "row")} · ${this.said(1, "column")}`;
    this.paint();
    if (focused !== false && focused !== undefined) (this.buttons.get(focused) ?? this.cell)?.focus({ preventScroll: true });
  }

  button(row, column) {
    const number = this.at(row, column);
    const { digits, single } = this.settings();
    const button = document.createElement("button");
    const place = this.placeOf(row, column);
    button.type = "button";
    button.textContent = format(number, digits, single);
    button.title = `${entryName(this.name, place)} = ${format(number, 0, single)}`;
    button.dataset.place = place.join();
    button.dataset.spot = `${row},${column}`;
    this.buttons.set(button.dataset.spot, button);
    return button;
  }

  /** The classes of the cells that are in sight, and where the Tab key stops. */
  paint() {
    const current = this.current && String(this.current);
    let stop = null;
    for (const [spot, button] of this.buttons) {
      const [row, column] = spot.split(",");
      button.className = kindOf(this.at(Number(row), Number(column)));
      button.tabIndex = -1;
      button.classList.toggle("source", this.marked.has(spot));
      button.classList.toggle("current", spot === current);
      if (spot === current) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
      if (spot === current || (!stop && !current && this.marked.has(spot))) stop = button;
    }
    this.cell = stop ?? this.buttons.values().next().value;
    this.cell.tabIndex = 0;
    this.reveal(this.cell);
    this.drawn();
  }

  /** Where the focus goes. */
  get stop() {
    return this.cell;
  }

  /** Where the numbers are wider than the page, they are moved so that this one is in sight. */
  reveal(button) {
    const { place } = this;
    if (place.scrollWidth <= place.clientWidth) return;
    const [left, right] = [button.parentElement.offsetLeft, button.parentElement.offsetLeft + button.parentElement.offsetWidth + 8];
    if (left < place.scrollLeft) place.scrollLeft = left;
    if (right > place.scrollLeft + place.clientWidth) place.scrollLeft = right - place.clientWidth;
  }

  /** The cell at this place looks as if pointed at; none without a place. */
  point(place) {
    this.place.querySelector(".pointed")?.classList.remove("pointed");
    if (place !== null) this.place.querySelector(`[data-place="${place}"]`)?.classList.add("pointed");
  }

  chosen(event) {
    const button = event.target.closest("button");
    if (button) this.pick(this.name, this.placeOf(...button.dataset.spot.split(",").map(Number)));
  }

  /** Among the cells that a line reads the arrow keys move the focus; Enter leads to the line that gives the cell. */
  key(event) {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (this.result || !step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const [row, column] = event.target.dataset.spot.split(",").map(Number);
    const to = [within(row + step[0], 1, this.rows), within(column + step[1], 1, this.columns)];
    this.see(this.follow([...to, 1, 1]), this.size);
    this.buttons.get(String(to)).focus();
  }

  /** Below a window of numbers: which they are, buttons for more and fewer, and what the colours mean. */
  ranged(side, key) {
    const line = side.appendChild(document.createElement("div"));
    line.className = "range";
    this.range = line.appendChild(document.createElement("span"));
    for (const [text, said, by] of [["−", "fewer", -2], ["+", "more", 2]]) {
      const button = line.appendChild(document.createElement("button"));
      Object.assign(button, { type: "button", textContent: text, title: `${said} numbers` });
      button.setAttribute("aria-label", `${said} numbers of ${this.name}`);
      button.addEventListener("click", () => this.resize(by));
    }
    line.append(key);
  }
}

function header(scope, text, name = "") {
  const made = document.createElement("th");
  made.scope = scope;
  made.textContent = text;
  if (name) made.insertAdjacentHTML("beforeend", ` <small>${name}</small>`);
  return made;
}
