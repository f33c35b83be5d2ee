// An array of pictures, such as the maps of a layer or its kernels: a tile for each, and the numbers of one of them.

import { colourKey, extent, kindsOf, rangeOf } from "#heat_map";
import { caption } from "#matrix";
import { Table } from "#table";
import { Tiles, isPhotograph } from "#tiles";
import { further } from "#walk";

const WHOLE = [8, 6];
const WINDOW = [6, 5];
const NARROW = [6, 3];

export class Pictures extends Table {
  /**
   * `padding` is how far the line reads beyond the edge, [above, below, left, right]; `given` whether it is what the network is given;
   * `open` whether the numbers are shown at once, `looked(name, lead)` is called when another picture is looked at.
   */
  constructor(element, { label, note, padding = [0, 0, 0, 0], given = false, open = true, looked = () => {}, ...settings }) {
    super(settings);
    this.looked = looked;
    const { shape, data } = this.array;
    [this.rows, this.columns] = shape.slice(2);
    this.lead = [0, 0];
    this.sample = 0;
    this.marks = new Map();
    this.large = this.rows > WHOLE[0] || this.columns > WHOLE[1];
    const window = matchMedia("(max-width: 36rem)").matches ? NARROW : WINDOW;
    this.size = this.sides.map((side, axis) => (side > WHOLE[axis] ? window[axis] : side));
    element.className = "matrix pictures";
    element.dataset.name = this.name;
    element.append(caption(label, shape));
    const body = element.appendChild(document.createElement("div"));
    body.className = "body";
    const photograph = given && isPhotograph(data);
    this.makeTiles(body, padding, photograph);
    const foot = body.appendChild(document.createElement("div"));
    foot.className = "choice";
    foot.append(this.chooser());
    this.numbers = foot.appendChild(document.createElement("details"));
    this.numbers.open = open;
    this.numbers.append(Object.assign(document.createElement("summary"), { textContent: "numbers" }));
    this.numbers.addEventListener("toggle", () => this.drawn());
    const side = this.holder(this.numbers);
    this.ranged(side, photograph ? plainKey(data) : colourKey(kindsOf(data), rangeOf(data)));
    element.append(this.foot(note));
    this.build();
  }

  makeTiles(body, padding, photograph) {
    const sheet = body.appendChild(document.createElement("div"));
    sheet.className = "sheet";
    sheet.tabIndex = 0;
    sheet.setAttribute("role", "application");
    sheet.setAttribute("aria-roledescription", "pictures");
    sheet.setAttribute("aria-label", this.spoken());
    this.tiles = new Tiles(sheet, { name: this.name, array: this.array, padding, photograph });
    this.sheet = sheet;
    this.listen();
  }

  /** What a screen reader says of the tiles. */
  spoken() {
    const { shape, data, samples } = this.array;
    const counted = samples ? `${shape[1]} channels` : `${shape[0]} filters of ${shape[1]} channels`;
    const keys = this.result ? "Arrow keys choose the entry" : "Arrow keys move the window of numbers";
    return `${this.name}: ${counted}, ${shape[2]} rows, ${shape[3]} columns each, ${rangeOf(data)}. ${keys}, comma and full stop lead to another picture.`;
  }

  get title() {
    return `${this.name}[${this.lead.join(", ")}]`;
  }

  at(row, column) {
    return this.array.at(...this.lead, row, column);
  }

  placeOf(row, column) {
    return [...this.lead, row, column];
  }

  // Which picture is looked at.

  /** Which one it is, in words, and buttons for the one before and after. */
  chooser() {
    const line = document.createElement("p");
    line.className = "which";
    this.which = line.appendChild(document.createElement("span"));
    if (this.count > 1) {
      for (const [text, said, by] of [["‹", "picture before", -1], ["›", "next picture", 1]]) {
        const button = line.appendChild(document.createElement("button"));
        Object.assign(button, { type: "button", textContent: text, title: `the ${said} (${by < 0 ? "," : "."})` });
        button.setAttribute("aria-label", `the ${said} of ${this.name}`);
        button.addEventListener("click", () => this.other(by));
      }
    }
    return line;
  }

  /** Pictures of the sample, or of all filters. */
  get count() {
    const [first, second] = this.array.shape;
    return this.array.samples ? second : first * second;
  }

  other(by) {
    const [first, second] = this.array.shape;
    const to = this.array.samples ? [this.lead[0], this.lead[1] + by] : further(this.lead, [first, second], by);
    if (!to || to[1] < 0 || to[1] >= second) return;
    if (this.result) this.pick(this.name, [...to, ...(this.current ?? [0, 0])]);
    else this.look(to);
  }

  /** Look at another picture of what the line reads. */
  look(lead) {
    this.lead = lead;
    this.spots = this.marks.get(lead.join())?.spots ?? [];
    this.marked = new Set(this.spots.map(String));
    const box = extent(this.spots);
    if (box) this.from = this.follow(box);
    this.build();
    this.looked(this.name, lead);
  }

  /**
   * Mark the cells that an entry is made of, and the entry itself; the window follows. `boxes` are the windows that lie on the
   * pictures, those parts too that lie on the padding: lead → [row, column, rows, columns]; `lead` is the picture to look at, if any.
   */
  mark(current, places, sample, boxes = new Map(), lead = null) {
    const marks = new Map();
    for (const place of places) {
      const key = place.slice(0, 2).join();
      if (!marks.has(key)) marks.set(key, { lead: place.slice(0, 2), spots: [] });
      marks.get(key).spots.push(place.slice(2));
    }
    for (const [key, mark] of marks) mark.box = boxes.get(key) ?? extent(mark.spots);
    for (const [key, box] of boxes) if (!marks.has(key)) marks.set(key, { lead: key.split(",").map(Number), spots: [], box });
    this.marks = marks;
    const before = String(this.lead);
    this.lead = lead ?? this.leadOf(current, sample);
    this.current = current?.slice(2) ?? null;
    this.spots = marks.get(this.lead.join())?.spots ?? [];
    this.marked = new Set(this.spots.map(String));
    const box = this.current ? [...this.current, 1, 1] : extent(this.spots);
    const from = box ? this.follow(box) : this.from;
    if (before === String(this.lead)) return this.see(from, this.size);
    this.from = from;
    return this.build();
  }

  /** The picture that is looked at: that of the entry; else it stays, if it is of the sample and the entry is made of it. */
  leadOf(current, sample) {
    if (current) return current.slice(0, 2);
    const [own, channel] = this.lead;
    const wanted = this.array.samples ? [sample, channel] : [own, channel];
    if (!this.marks.size || this.marks.has(wanted.join())) return wanted;
    const [first] = [...this.marks.values()].filter(({ lead }) => !this.array.samples || lead[0] === sample);
    return (first ?? this.marks.values().next().value).lead;
  }

  /** Where the focus goes: to the number of the entry, or to the tiles while the numbers are shut. */
  get stop() {
    return this.numbers.open ? this.cell : this.sheet;
  }

  /** Digits or colours have changed. */
  renew() {
    this.tiles.see(this.lead, this.settings().dark, true);
    this.build();
  }

  drawn() {
    const { lead, current, marks } = this;
    this.tiles.see(lead, this.settings().dark);
    const seen = this.large && this.numbers.open ? { lead, box: [...this.from, ...this.size] } : null;
    this.tiles.frame({ marks, current: current && { lead, spot: current }, seen, lead });
    if (!this.pressed) this.tiles.reveal(lead); // else what is under the finger would move
    const [first, second] = this.array.shape;
    const channel = second > 1 ? `channel ${lead[1]} of ${second}` : "1 channel";
    this.which.textContent = this.array.samples ? channel : `filter ${lead[0]} of ${first}, ${channel}`;
  }

  // Being told what to show.

  listen() {
    const { sheet } = this;
    const choose = (event) => {
      const place = this.tiles.entryAt(event.clientX, event.clientY);
      if (!place || String(place) === this.last) return;
      this.last = String(place);
      if (this.result) this.pick(this.name, place);
      else {
        this.look(place.slice(0, 2));
        this.show(...place.slice(2));
      }
    };
    sheet.addEventListener("pointerdown", (event) => {
      this.pressed = true;
      this.last = null;
      choose(event);
    });
    sheet.addEventListener("pointermove", (event) => {
      const place = this.tiles.entryAt(event.clientX, event.clientY);
      sheet.title = place ? this.tiles.titleOf(place) : "";
      if (this.pressed && event.buttons) choose(event);
    });
    for (const end of ["pointerup", "pointercancel", "pointerleave"]) sheet.addEventListener(end, () => (this.pressed = false));
    sheet.addEventListener("keydown", (event) => this.told(event));
  }

  /** On the tiles of what the line gives, the arrow keys are left to the page: they choose the entry. */
  told(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const far = event.shiftKey ? 10 : 1;
    const steps = { ArrowUp: [-far, 0], ArrowDown: [far, 0], ArrowLeft: [0, -far], ArrowRight: [0, far] }[event.key];
    const size = { "+": 2, "=": 2, "-": -2, "−": -2 }[event.key];
    const other = { ",": -1, ".": 1 }[event.key];
    if (other) this.other(other);
    else if (size) this.resize(size);
    else if (steps && !this.result) this.move(...steps);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function plainKey(data) {
  const key = document.createElement("span");
  key.className = "key";
  key.textContent = `dark is 0, bright is more · ${rangeOf(data)}`;
  return key;
}
