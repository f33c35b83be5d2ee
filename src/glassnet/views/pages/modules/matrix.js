// One array as a matrix: whole where it is small, else a heat map of all of it beside a window of numbers.

import { format, kindOf } from "#arrays";
import { HeatMap, SAID, extent } from "#heat_map";
import { placeAt, sides, spotOf } from "#walk";
import { following, resized, within } from "#windows";

const WHOLE = [12, 9];
const WINDOW = [6, 5];
const NARROW = [6, 3];
const MOST = [40, 30];

export class Matrix {
  /**
   * `pick(name, place)` is called when a person chooses an entry; `rowNames` names the rows of an array of samples;
   * `settings()` says { digits, single, dark }; `result` whether it is what the line gives.
   */
  constructor(element, { name, label, note, array, rowNames = null, pick, settings, result = false }) {
    Object.assign(this, { element, name, array, pick, settings, result });
    this.rowNames = rowNames;
    [this.rows, this.columns] = sides(array.shape);
    this.large = this.rows > WHOLE[0] || this.columns > WHOLE[1];
    const window = matchMedia("(max-width: 36rem)").matches ? NARROW : WINDOW;
    this.size = [this.rows, this.columns].map((side, axis) => (side > WHOLE[axis] ? window[axis] : side));
    if (this.columns === 1 && this.large) this.size[0] = 8;
    if (this.rows === 1 && this.large) this.size[1] = 7;
    this.from = [0, 0];
    this.spots = [];
    this.marked = new Set();
    this.current = null;
    element.className = this.large && this.rows > 1.2 * this.columns ? "matrix tall" : "matrix";
    element.dataset.name = name;
    this.head(label);
    const body = element.appendChild(document.createElement("div"));
    body.className = "body";
    if (this.large) this.makeMap(body);
    const side = body.appendChild(document.createElement("div"));
    side.className = "window";
    this.place = side.appendChild(document.createElement("div"));
    this.place.className = "scroll";
    if (this.large) this.makeRange(side);
    element.append(this.foot(note));
    this.place.addEventListener("click", (event) => this.chosen(event));
    this.place.addEventListener("keydown", (event) => this.key(event));
    this.build();
  }

  head(label) {
    const head = this.element.appendChild(document.createElement("figcaption"));
    head.innerHTML = `<span class="name">${label}</span> <span class="shape"></span>`;
    head.querySelector(".shape").textContent = this.array.shape.join(" × ");
  }

  foot(note) {
    const foot = document.createElement("p");
    foot.className = "note";
    foot.textContent = [note, this.remarks()].filter(Boolean).join(" · ");
    return foot;
  }

  remarks() {
    const counts = { nan: 0, infinite: 0 };
    for (const number of this.array.data) if (!Number.isFinite(number)) counts[kindOf(number)] += 1;
    const all = this.array.data.length;
    return [["nan", "NaN"], ["infinite", "infinite"]]
      .filter(([kind]) => counts[kind])
      .map(([kind, said]) => (counts[kind] === all && all > 1 ? `all ${said}` : `${counts[kind]} × ${said}`)).join(", ");
  }

  at(row, column) {
    return this.array.data[row * this.columns + column];
  }

  // What is marked, and what is in sight.

  /** Mark the cells that an entry is made of, and the entry itself; the window follows. */
  mark(current, places, sample) {
    this.current = current && spotOf(current, this.array.shape);
    this.sample = sample;
    this.spots = places.map((place) => spotOf(place, this.array.shape));
    this.marked = new Set(this.spots.map(String));
    const box = this.current ? [...this.current, 1, 1] : extent(this.spots);
    let from = this.from;
    if (box) {
      from = [0, 1].map((axis) => following(this.from[axis], this.size[axis], [this.rows, this.columns][axis], box[axis], box[axis] + box[axis + 2] - 1));
      if (!this.current && this.array.samples && box[2] > 1) {
        from[0] = following(this.from[0], this.size[0], this.rows, sample); // a sum over the samples: the one that is looked at
      }
    }
    this.see(from, this.size);
  }

  see(from, size) {
    const same = String([from, size]) === String([this.from, this.size]);
    [this.from, this.size] = [from, size];
    if (same) this.paint();
    else this.build();
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

  // The numbers.

  build() {
    const focused = this.place.contains(document.activeElement) && document.activeElement.dataset.spot;
    const [rows, columns] = [0, 1].map((axis) => Array.from({ length: this.size[axis] }, (_, k) => this.from[axis] + k));
    const table = document.createElement("table");
    const label = `${this.name}, ${this.said(0, "row")}, ${this.said(1, "column")}`;
    table.setAttribute("aria-label", this.array.shape.length ? label : this.name);
    const headed = this.array.shape.length > 1;
    if (this.array.shape.length) {
      const head = table.createTHead().insertRow();
      if (headed) head.insertCell();
      for (const column of columns) head.append(header("col", String(column)));
    }
    this.buttons = new Map();
    const body = table.createTBody();
    body.classList.toggle("starts", this.from[1] === 0);
    body.classList.toggle("ends", this.from[1] + this.size[1] === this.columns);
    for (const row of rows) {
      const line = body.insertRow();
      line.dataset.row = row;
      if (headed) line.append(header("row", String(row), this.array.samples && this.rowNames ? this.rowNames[row] : ""));
      for (const column of columns) line.insertCell().append(this.button(row, column));
    }
    this.place.replaceChildren(table);
    if (this.range) this.range.textContent = `${this.said(0, "row")} · ${this.said(1, "column")}`;
    this.paint();
    if (focused !== false && focused !== undefined) (this.buttons.get(focused) ?? this.stop)?.focus({ preventScroll: true });
  }

  said(axis, what) {
    const count = [this.rows, this.columns][axis];
    if (this.size[axis] === count) return count === 1 ? `1 ${what}` : `${count} ${what}s`;
    return `${what}s ${this.from[axis]}–${this.from[axis] + this.size[axis] - 1} of ${count}`;
  }

  button(row, column) {
    const number = this.at(row, column);
    const { digits, single } = this.settings();
    const button = document.createElement("button");
    const place = placeAt(row, column, this.array.shape);
    button.type = "button";
    button.textContent = format(number, digits, single);
    button.title = `${this.name}${place.length ? `[${place.join(", ")}]` : ""} = ${format(number, 0, single)}`;
    button.dataset.place = place.join();
    button.dataset.spot = `${row},${column}`;
    this.buttons.set(button.dataset.spot, button);
    return button;
  }

  /** The classes of the cells that are in sight, and where the Tab key stops. */
  paint() {
    const current = this.current && String(this.current);
    this.stop = null;
    for (const [spot, button] of this.buttons) {
      const [row, column] = spot.split(",");
      button.className = kindOf(this.at(Number(row), Number(column)));
      button.tabIndex = -1;
      button.classList.toggle("source", this.marked.has(spot));
      button.classList.toggle("current", spot === current);
      if (spot === current) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
      if (spot === current || (!this.stop && !current && this.marked.has(spot))) this.stop = button;
    }
    this.stop ??= this.buttons.values().next().value;
    this.stop.tabIndex = 0;
    this.reveal(this.stop);
    for (const line of this.place.querySelectorAll("tr[data-row]")) {
      line.classList.toggle("sample", this.array.samples && Number(line.dataset.row) === this.sample);
    }
    if (this.map) this.drawMap();
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

  /** Digits or colours have changed. */
  renew() {
    if (this.map) this.map.paint(this.settings().dark);
    this.build();
  }

  chosen(event) {
    const button = event.target.closest("button");
    if (button) this.pick(this.name, placeAt(...button.dataset.spot.split(",").map(Number), this.array.shape));
  }

  /** Among the cells that a line reads the arrow keys move the focus; Enter leads to the line that gives the cell. */
  key(event) {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (this.result || !step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const [row, column] = event.target.dataset.spot.split(",").map(Number);
    const to = [within(row + step[0], 1, this.rows), within(column + step[1], 1, this.columns)];
    this.see([0, 1].map((axis) => following(this.from[axis], this.size[axis], [this.rows, this.columns][axis], to[axis])), this.size);
    this.buttons.get(String(to)).focus();
  }

  // The heat map.

  makeMap(body) {
    let [least, largest] = [Infinity, -Infinity];
    for (const number of this.array.data) {
      if (number < least && number > -Infinity) least = number;
      if (number > largest && number < Infinity) largest = number;
    }
    const range = least <= largest ? `from ${format(least)} to ${format(largest)}` : "without a finite number";
    this.map = new HeatMap(body, {
      name: this.name, rows: this.rows, columns: this.columns, data: this.array.data, said: range,
      show: (...to) => this.show(...to), move: (...by) => this.move(...by), resize: (by) => this.resize(by),
    });
    this.extremes = range;
    this.map.paint(this.settings().dark);
  }

  drawMap() {
    this.map.draw({ from: this.from, size: this.size, spots: this.spots, current: this.current });
  }

  makeRange(side) {
    const line = side.appendChild(document.createElement("div"));
    line.className = "range";
    this.range = line.appendChild(document.createElement("span"));
    for (const [text, said, by] of [["−", "fewer", -2], ["+", "more", 2]]) {
      const button = line.appendChild(document.createElement("button"));
      Object.assign(button, { type: "button", textContent: text, title: `${said} numbers` });
      button.setAttribute("aria-label", `${said} numbers of ${this.name}`);
      button.addEventListener("click", () => this.resize(by));
    }
    const key = line.appendChild(document.createElement("span"));
    key.className = "key";
    key.innerHTML = '<i class="cold"></i>below 0 <i class="warm"></i>above ';
    for (const kind of this.map.kinds) key.insertAdjacentHTML("beforeend", `<i class="${kind}"></i>${SAID[kind]} `);
    key.append(`· ${this.extremes}`);
  }
}

function header(scope, text, name = "") {
  const made = document.createElement("th");
  made.scope = scope;
  made.textContent = text;
  if (name) made.insertAdjacentHTML("beforeend", ` <small>${name}</small>`);
  return made;
}
