// The whole of a large matrix as a picture, with a frame around the numbers that are written out.

import { format, kindOf } from "#arrays";

const BOX = 190;
const WIDE = [110, 320];
const THINNEST = 44;
const STRIP = 22;
// Blue and orange are told apart by colour-blind readers too; what is no ordinary number has a colour of its own.
const LIGHT = { cold: [0, 84, 153], warm: [184, 68, 0], pale: [250, 250, 250], zero: [205, 208, 212], nan: [190, 0, 140], infinite: [0, 0, 0] };
const DARK = { cold: [98, 180, 250], warm: [255, 150, 70], pale: [30, 34, 39], zero: [72, 78, 86], nan: [255, 110, 210], infinite: [255, 255, 255] };
const SAID = { nan: "no number", infinite: "infinite", zero: "exactly 0" };

/** The colour of a number between −most and most: pale near 0, blue below it, orange above. */
export function heat(number, most, dark = false) {
  const colours = dark ? DARK : LIGHT;
  const kind = kindOf(number);
  if (kind) return colours[kind];
  const share = Math.min(1, Math.abs(number) / most) ** 0.7;
  const end = number < 0 ? colours.cold : colours.warm;
  return end.map((level, k) => Math.round(colours.pale[k] + (level - colours.pale[k]) * share));
}

/** The largest size of a finite number. */
export function largest(data) {
  return data.reduce((most, number) => (Number.isFinite(number) ? Math.max(most, Math.abs(number)) : most), 0);
}

/** `from −0.3 to 1.2`: the least and the largest finite number. */
export function rangeOf(data) {
  let [low, high] = [Infinity, -Infinity];
  for (const number of data) {
    if (number < low && number > -Infinity) low = number;
    if (number > high && number < Infinity) high = number;
  }
  return low <= high ? `from ${format(low)} to ${format(high)}` : "without a finite number";
}

/** The kinds of numbers among these, besides ordinary ones. */
export function kindsOf(data) {
  const found = new Set();
  for (const number of data) found.add(kindOf(number));
  return ["nan", "infinite", "zero"].filter((kind) => found.has(kind));
}

/** What the colours of a heat map mean. */
export function colourKey(kinds, range) {
  const key = document.createElement("span");
  key.className = "key";
  key.innerHTML = '<i class="cold"></i>below 0 <i class="warm"></i>above ';
  for (const kind of kinds) key.insertAdjacentHTML("beforeend", `<i class="${kind}"></i>${SAID[kind]} `);
  key.append(`· ${range}`);
  return key;
}

/** Puts numbers on a canvas, a dot each, in the colours [red, green, blue] that `colour(number)` gives. */
export function dotted(canvas, { data, rows, columns }, colour) {
  canvas.width = columns;
  canvas.height = rows;
  const pen = canvas.getContext("2d");
  const dots = pen.createImageData(columns, rows);
  const colours = new Uint32Array(dots.data.buffer);
  data.forEach((number, k) => {
    const [red, green, blue] = colour(number);
    colours[k] = 0xff000000 | (blue << 16) | (green << 8) | red;
  });
  pen.putImageData(dots, 0, 0);
}

/** The matrix on a grid of down × across dots at most; a dot that stands for several entries has the largest, NaN before all. */
export function binned(data, rows, columns, down, across) {
  const [tall, wide] = [Math.min(rows, down), Math.min(columns, across)];
  const found = new Float64Array(tall * wide);
  const weight = (number) => (Number.isNaN(number) ? Infinity : Math.min(Math.abs(number), Number.MAX_VALUE));
  for (let row = 0; row < rows; row += 1) {
    const start = Math.floor((row * tall) / rows) * wide;
    for (let column = 0; column < columns; column += 1) {
      const number = data[row * columns + column];
      const dot = start + Math.floor((column * wide) / columns);
      if (weight(number) > weight(found[dot])) found[dot] = number;
    }
  }
  return { data: found, rows: tall, columns: wide };
}

/** The size of the picture of so many rows and columns; very long sides are pressed together. */
export function pictureSize(rows, columns) {
  const wide = columns > rows;
  const scale = (wide ? WIDE[1] : BOX) / Math.max(rows, columns);
  const side = (count) => Math.max(count === 1 ? STRIP : THINNEST, Math.round(count * scale));
  return [wide ? Math.min(WIDE[0], side(rows)) : side(rows), side(columns)];
}

export class HeatMap {
  /** `show(row, column)` puts the window about an entry, `move(down, right)` and `resize(by)` change it. */
  constructor(element, { name, rows, columns, data, said, show, move, resize }) {
    Object.assign(this, { rows, columns, data, show, move, resize });
    this.most = largest(data);
    [this.height, this.width] = pictureSize(rows, columns);
    this.dense = Math.min(2, Math.max(1, globalThis.devicePixelRatio || 1));
    this.bins = binned(data, rows, columns, this.height * this.dense, this.width * this.dense);
    this.canvas = element.appendChild(document.createElement("canvas"));
    this.canvas.width = this.width * this.dense;
    this.canvas.height = this.height * this.dense;
    this.canvas.style.width = `${this.width}px`;
    this.canvas.style.aspectRatio = `${this.width} / ${this.height}`;
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-roledescription", "heat map");
    this.canvas.setAttribute(
      "aria-label",
      `${name}: ${rows} rows, ${columns} columns, ${said}. Arrow keys move the window of numbers, plus and minus resize it.`,
    );
    this.pointers = new Map();
    this.listen();
  }

  /** The kinds of numbers that are in the picture, besides ordinary ones. */
  get kinds() {
    return kindsOf(this.bins.data);
  }

  paint(dark) {
    this.dark = dark;
    this.picture = document.createElement("canvas");
    dotted(this.picture, this.bins, (number) => heat(number, this.most, dark));
  }

  /** Draw the picture, the rows and columns that are marked, and the frame of the window. */
  draw({ from, size, spots, current }) {
    const pen = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    const [down, across] = [height / this.rows, width / this.columns];
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.picture, 0, 0, width, height);
    const box = (row, column, tall, wide, colour, thick) => {
      const least = 3 * this.dense;
      const [w, h] = [Math.max(least, wide * across), Math.max(least, tall * down)];
      const x = Math.min(width - w, column * across);
      const y = Math.min(height - h, row * down);
      pen.lineWidth = thick * this.dense;
      pen.strokeStyle = colour;
      pen.strokeRect(x, y, w, h);
    };
    const edges = this.dark ? ["#15181c", "#7ab8f5", "#ffd166", "#ffffff"] : ["#ffffff", "#0b5cad", "#8a5a00", "#000000"];
    const range = extent(spots);
    if (range) box(...range, edges[0], 4), box(...range, edges[1], 2);
    if (current) box(...current, 1, 1, edges[2], 3);
    box(...from, ...size, edges[0], 4);
    box(...from, ...size, edges[3], 1.5);
  }

  entryAt(event) {
    const box = this.canvas.getBoundingClientRect();
    return [
      partOf(event.clientY - box.top, box.height, this.rows), partOf(event.clientX - box.left, box.width, this.columns),
    ];
  }

  listen() {
    const { canvas, pointers } = this;
    let apart = 0;
    const distance = () => {
      const [a, b] = [...pointers.values()];
      return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, event);
      if (pointers.size === 2) apart = distance();
      else this.show(...this.entryAt(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      const [row, column] = this.entryAt(event);
      canvas.title = this.titleOf(row, column);
      if (!pointers.has(event.pointerId)) return;
      pointers.set(event.pointerId, event);
      if (pointers.size === 1) this.show(row, column);
      else if (Math.abs(distance() - apart) > 24) {
        this.resize(distance() > apart ? -1 : 1); // fingers apart: nearer, so fewer numbers
        apart = distance();
      }
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => pointers.delete(event.pointerId));
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && document.activeElement !== canvas) return; // else the page scrolls
      event.preventDefault();
      this.resize(Math.sign(event.deltaY));
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const far = event.shiftKey ? 10 : 1;
      const steps = { ArrowUp: [-far, 0], ArrowDown: [far, 0], ArrowLeft: [0, -far], ArrowRight: [0, far] }[event.key];
      const sizes = { "+": 2, "=": 2, "-": -2, "−": -2 }[event.key];
      if (event.ctrlKey || event.metaKey || event.altKey || !(steps || sizes)) return;
      if (steps) this.move(...steps);
      else this.resize(sizes);
      event.preventDefault();
      event.stopPropagation();
    });
  }

  titleOf(row, column) {
    return `row ${row}, column ${column}: ${this.data[row * this.columns + column]}`;
  }
}

/** Which of `count` rows lies at a height; close to an end it is the one at the end, so that a finger can reach it. */
export function partOf(at, side, count, edge = 3) {
  if (at < edge) return 0;
  return at > side - edge ? count - 1 : Math.floor((at / side) * count);
}

/** The smallest box about some entries: row, column, rows, columns. */
export function extent(spots) {
  if (!spots.length) return null;
  let [top, left, bottom, right] = [Infinity, Infinity, -1, -1];
  for (const [row, column] of spots) {
    [top, left] = [Math.min(top, row), Math.min(left, column)];
    [bottom, right] = [Math.max(bottom, row), Math.max(right, column)];
  }
  return [top, left, bottom - top + 1, right - left + 1];
}
