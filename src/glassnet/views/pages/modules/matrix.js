// One array as a matrix: whole where it is small, else a heat map of all of it with a window of numbers that can be moved and resized.

import { format } from "#arrays";

const WHOLE_ROWS = 12;
const WHOLE_COLUMNS = 9;
const HEAT_LARGEST = 260;
const COLD = [33, 102, 172];
const WARM = [178, 60, 10];

/** Rows and columns of an array as it is shown: a row of units is one row. */
export function sides(shape) {
  if (shape.length === 0) return [1, 1];
  return shape.length === 1 ? [1, shape[0]] : [shape[0], shape.slice(1).reduce((a, b) => a * b, 1)];
}

/** Where a window of `size` must begin so that it shows `place` and stays within `count`; it moves no more than it has to. */
export function windowStart(start, size, count, place) {
  let from = Math.min(start, Math.max(0, count - size));
  if (place < from) from = place;
  if (place >= from + size) from = place - size + 1;
  return Math.max(0, from);
}

/** What a number is besides its size: "nan", "infinite", "zero" or "". */
export function kindOf(number) {
  if (Number.isNaN(number)) return "nan";
  if (!Number.isFinite(number)) return "infinite";
  return number === 0 ? "zero" : "";
}

/** The colour of a number between −most and most: blue below 0, orange above, pale near it. */
export function heat(number, most) {
  if (Number.isNaN(number)) return [255, 0, 255];
  const share = Number.isFinite(number) && most > 0 ? Math.min(1, Math.abs(number) / most) ** 0.7 : Number(number !== 0);
  const end = number < 0 ? COLD : WARM;
  return end.map((level) => Math.round(247 + (level - 247) * share));
}

export class Matrix {
  /** `pick(place)` is called when a person chooses an entry; `rowNames` names the rows of an array of samples. */
  constructor(element, { name, label, note, array, rowNames = null, pick, settings }) {
    Object.assign(this, { element, name, array, rowNames, pick, settings });
    [this.rows, this.columns] = sides(array.shape);
    this.large = this.rows > WHOLE_ROWS || this.columns > WHOLE_COLUMNS;
    this.size = [Math.min(this.rows, this.large ? 8 : WHOLE_ROWS), Math.min(this.columns, this.large ? 7 : WHOLE_COLUMNS)];
    this.from = [0, 0];
    this.marks = new Map();
    this.current = null;
    element.className = "matrix";
    element.dataset.name = name;
    const head = element.appendChild(document.createElement("figcaption"));
    head.innerHTML = `<span class="name">${label}</span> <span class="shape"></span> <span class="note"></span>`;
    head.querySelector(".shape").textContent = array.shape.length ? array.shape.join(" × ") : "a number";
    head.querySelector(".note").textContent = [note, this.remarks()].filter(Boolean).join(" · ");
    if (this.large) this.makeMap(element);
    this.table = element.appendChild(document.createElement("div"));
    this.table.className = "scroll";
    this.draw();
  }

  remarks() {
    const counts = { nan: 0, infinite: 0 };
    for (const number of this.array.data) if (kindOf(number) in counts) counts[kindOf(number)] += 1;
    return [counts.nan && `${counts.nan} × NaN`, counts.infinite && `${counts.infinite} × infinite`].filter(Boolean).join(", ");
  }

  at(row, column) {
    return this.array.data[row * this.columns + column];
  }

  /** The place of a row and column, as the array's own index. */
  place(row, column) {
    if (this.array.shape.length === 0) return [];
    return this.array.shape.length === 1 ? [column] : [row, column];
  }

  spot(place) {
    if (place.length === 0) return [0, 0];
    return place.length === 1 ? [0, place[0]] : [place[0], place[1]];
  }

  /** Mark the cells that an entry is made of, and the entry itself. */
  mark(current, sources, sample) {
    this.current = current && this.spot(current).join();
    this.sample = sample;
    this.marks = new Set(sources.map((place) => this.spot(place).join()));
    const first = current ?? sources[0];
    if (first) this.show(...this.spot(first));
    this.draw();
  }

  show(row, column) {
    this.from = [
      windowStart(this.from[0], this.size[0], this.rows, row),
      windowStart(this.from[1], this.size[1], this.columns, column),
    ];
  }

  move(down, right) {
    this.from = [
      Math.max(0, Math.min(this.rows - this.size[0], this.from[0] + down)),
      Math.max(0, Math.min(this.columns - this.size[1], this.from[1] + right)),
    ];
    this.draw();
  }

  resize(by) {
    const fit = (size, count, least, most) => Math.min(count, Math.max(least, Math.min(most, size + by)));
    this.size = [fit(this.size[0], this.rows, 2, 40), fit(this.size[1], this.columns, 2, 30)];
    this.move(0, 0);
  }

  draw() {
    const [top, left] = this.from;
    const rows = Array.from({ length: this.size[0] }, (_, k) => top + k);
    const columns = Array.from({ length: this.size[1] }, (_, k) => left + k);
    const table = document.createElement("table");
    const named = this.rowNames && this.array.samples;
    const head = table.createTHead().insertRow();
    head.innerHTML = `<td></td>${columns.map((c) => `<th scope="col">${c}</th>`).join("")}`;
    const body = table.createTBody();
    for (const row of rows) {
      const line = body.insertRow();
      if (named && row === this.sample) line.className = "sample";
      const header = document.createElement("th");
      header.scope = "row";
      header.textContent = named ? this.rowNames[row] : row;
      line.append(header);
      for (const column of columns) line.insertCell().append(this.cell(row, column));
    }
    this.table.replaceChildren(table);
    if (this.large) this.drawMap();
  }

  cell(row, column) {
    const number = this.at(row, column);
    const button = document.createElement("button");
    const { digits, single } = this.settings();
    const spot = `${row},${column}`;
    button.type = "button";
    button.tabIndex = spot === this.current ? 0 : -1;
    button.textContent = format(number, digits, single);
    button.title = `${this.name}[${this.place(row, column).join(", ")}] = ${format(number, 0, single)}`;
    button.dataset.place = this.place(row, column).join();
    button.className = kindOf(number);
    if (this.marks.has(spot)) button.classList.add("source");
    if (spot === this.current) {
      button.classList.add("current");
      button.setAttribute("aria-current", "true");
    }
    button.addEventListener("click", () => this.pick(this.name, this.place(row, column)));
    return button;
  }

  // The map.

  makeMap(element) {
    const place = element.appendChild(document.createElement("div"));
    place.className = "map";
    this.map = place.appendChild(document.createElement("canvas"));
    const scale = Math.max(1, Math.min(10, Math.floor(HEAT_LARGEST / Math.max(this.rows, this.columns))));
    this.scale = scale;
    this.map.width = Math.min(this.columns * scale, 1200);
    this.map.height = Math.min(this.rows * scale, 1200);
    this.map.tabIndex = 0;
    this.map.setAttribute("role", "img");
    let least = Infinity;
    let largest = -Infinity;
    for (const number of this.array.data) {
      if (!Number.isFinite(number)) continue;
      least = Math.min(least, number);
      largest = Math.max(largest, number);
    }
    this.most = Math.max(Math.abs(least), Math.abs(largest));
    const range = Number.isFinite(least) ? `from ${format(least)} to ${format(largest)}` : "without a finite number";
    this.map.setAttribute(
      "aria-label",
      `${this.name}: ${this.rows} rows, ${this.columns} columns, ${range}. Arrow keys move the window of numbers, + and − resize it.`,
    );
    const key = place.appendChild(document.createElement("p"));
    key.className = "key";
    key.innerHTML = '<span class="cold"></span> below 0 <span class="warm"></span> above; ';
    key.append(`${range}. The frame is the window of numbers: move it with the mouse or the arrow keys.`);
    const steps = key.appendChild(document.createElement("span"));
    steps.className = "steps";
    for (const [text, said, by] of [["−", "fewer", -2], ["+", "more", 2]]) {
      const button = steps.appendChild(document.createElement("button"));
      Object.assign(button, { type: "button", textContent: text });
      button.setAttribute("aria-label", `${said} numbers of ${this.name}`);
      button.addEventListener("click", () => this.resize(by));
    }
    this.picture = this.paint();
    const follow = (event) => {
      const box = this.map.getBoundingClientRect();
      const row = Math.floor(((event.clientY - box.top) / box.height) * this.rows);
      const column = Math.floor(((event.clientX - box.left) / box.width) * this.columns);
      this.from = [row - Math.floor(this.size[0] / 2), column - Math.floor(this.size[1] / 2)];
      this.move(0, 0);
    };
    this.map.addEventListener("pointerdown", (event) => {
      this.map.setPointerCapture(event.pointerId);
      follow(event);
    });
    this.map.addEventListener("pointermove", (event) => event.buttons && follow(event));
    this.map.addEventListener("keydown", (event) => {
      const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (steps) this.move(...steps.map((step) => step * (event.shiftKey ? 10 : 1)));
      else if (event.key === "+") this.resize(2);
      else if (event.key === "-") this.resize(-2);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  paint() {
    const picture = document.createElement("canvas");
    picture.width = this.columns;
    picture.height = this.rows;
    const pen = picture.getContext("2d");
    const dots = pen.createImageData(this.columns, this.rows);
    this.array.data.forEach((number, k) => dots.data.set([...heat(number, this.most), 255], 4 * k));
    pen.putImageData(dots, 0, 0);
    return picture;
  }

  drawMap() {
    const pen = this.map.getContext("2d");
    const [across, down] = [this.map.width / this.columns, this.map.height / this.rows];
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.picture, 0, 0, this.map.width, this.map.height);
    const frame = [this.from[1] * across, this.from[0] * down, this.size[1] * across, this.size[0] * down];
    pen.lineWidth = 4;
    pen.strokeStyle = "#ffffff";
    pen.strokeRect(...frame);
    pen.lineWidth = 2;
    pen.strokeStyle = "#000000";
    pen.strokeRect(...frame);
  }
}
