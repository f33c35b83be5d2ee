// One array as a matrix: whole where it is small, else a heat map of all of it beside a window of numbers.

import { HeatMap, colourKey, extent, rangeOf } from "#heat_map";
import { Table } from "#table";
import { placeAt, sides, spotOf } from "#walk";
import { following } from "#windows";

const WHOLE = [12, 9];
const WINDOW = [6, 5];
const NARROW = [6, 3];

export class Matrix extends Table {
  constructor(element, { label, note, rowNames, ...settings }) {
    super({ ...settings, rowNames: settings.array.samples ? rowNames : null });
    [this.rows, this.columns] = sides(this.array.shape);
    this.large = this.rows > WHOLE[0] || this.columns > WHOLE[1];
    const window = matchMedia("(max-width: 36rem)").matches ? NARROW : WINDOW;
    this.size = this.sides.map((side, axis) => (side > WHOLE[axis] ? window[axis] : side));
    if (this.columns === 1 && this.large) this.size[0] = 8;
    if (this.rows === 1 && this.large) this.size[1] = 7;
    element.className = this.large && this.rows > 1.2 * this.columns ? "matrix tall" : "matrix";
    element.dataset.name = this.name;
    element.append(caption(label, this.array.shape));
    const body = element.appendChild(document.createElement("div"));
    body.className = "body";
    if (this.large) this.makeMap(body);
    const side = this.holder(body);
    if (this.large) this.ranged(side, colourKey(this.map.kinds, rangeOf(this.array.data)));
    element.append(this.foot(note));
    this.build();
  }

  at(row, column) {
    return this.array.data[row * this.columns + column];
  }

  placeOf(row, column) {
    return placeAt(row, column, this.array.shape);
  }

  /** Mark the cells that an entry is made of, and the entry itself; the window follows. */
  mark(current, places, sample) {
    this.current = current && spotOf(current, this.array.shape);
    this.sample = sample;
    this.spots = places.map((place) => spotOf(place, this.array.shape));
    this.marked = new Set(this.spots.map(String));
    const box = this.current ? [...this.current, 1, 1] : extent(this.spots);
    let from = this.from;
    if (box) {
      from = this.follow(box);
      if (!this.current && this.array.samples && box[2] > 1) {
        from[0] = following(this.from[0], this.size[0], this.rows, sample); // a sum over the samples: the one that is looked at
      }
    }
    this.see(from, this.size);
  }

  drawn() {
    for (const line of this.place.querySelectorAll("tr[data-row]")) {
      line.classList.toggle("sample", this.array.samples && Number(line.dataset.row) === this.sample);
    }
    if (this.map) this.map.draw({ from: this.from, size: this.size, spots: this.spots, current: this.current });
  }

  /** Digits or colours have changed. */
  renew() {
    if (this.map) this.map.paint(this.settings().dark);
    this.build();
  }

  makeMap(body) {
    this.map = new HeatMap(body, {
      name: this.name, rows: this.rows, columns: this.columns, data: this.array.data, said: rangeOf(this.array.data),
      show: (...to) => this.show(...to), move: (...by) => this.move(...by), resize: (by) => this.resize(by),
    });
    this.map.paint(this.settings().dark);
  }
}

/** The head of an array: its letters and its shape. */
export function caption(label, shape) {
  const head = document.createElement("figcaption");
  head.innerHTML = `<span class="name">${label}</span> <span class="shape"></span>`;
  head.querySelector(".shape").textContent = shape.join(" × ");
  return head;
}
