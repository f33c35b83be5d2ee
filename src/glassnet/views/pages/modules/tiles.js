// Pictures side by side, a tile for each: their colours and sizes, what lies around them, and what is framed on them.

import { format, kindOf } from "#arrays";
import { binned, dotted, extent, heat, largest, partOf } from "#heat_map";
import { entryName } from "#walk";

/** The longest side of a tile on the screen, by how many there are. */
const SIDES = [[1, 176], [2, 148], [4, 112], [6, 92], [12, 72], [24, 48], [48, 36], [Infinity, 22]];
const DOTS = { map: 26, kernel: 20 };
const LEAST = 18;
const GAP = 7;
/** How wide all tiles may be together. */
const WIDTHS = { map: 330, kernel: 270 };
const TILES = 120;
const MARKS = 300;

/** Dots of the screen for one entry: whole ones where they are large enough, so that all entries are alike. */
export function dotSize(count, longest, kernel = false) {
  const side = SIDES.find(([most]) => count <= most)[1];
  const dot = Math.min(kernel ? DOTS.kernel : DOTS.map, Math.max(side, LEAST) / longest);
  return dot >= 2 ? Math.floor(dot) : dot;
}

/** Columns for so many tiles of this width: no more rows than there have to be, and these as even as can be. */
export function inRows(count, wide, room) {
  const most = Math.max(1, Math.floor(room / wide));
  return Math.ceil(count / Math.ceil(count / most));
}

/** Which are shown of so many, `most` at most: those about the one that is looked at. */
export function about(at, count, most) {
  const from = Math.max(0, Math.min(count - most, at - Math.floor(most / 2)));
  return Array.from({ length: Math.min(count, most) }, (_, k) => from + k);
}

/** Light and dark as in a photograph, for pictures that are given. */
export function grey(number, most) {
  if (kindOf(number) && number !== 0) return heat(number, most);
  const level = Math.round(18 + 237 * Math.min(1, number / most));
  return [level, level, level];
}

/** Whether numbers can be shown as a photograph: none is negative. */
export function isPhotograph(data) {
  return data.every((number) => !(number < 0));
}

/** A canvas with the picture of these numbers. */
export function picture(data, rows, columns, { most, photograph = false, dark = false, limit = Infinity }) {
  const canvas = document.createElement("canvas");
  dotted(canvas, binned(data, rows, columns, limit, limit), photograph ? (number) => grey(number, most) : (number) => heat(number, most, dark));
  return canvas;
}

/** The numbers of one picture of an array. */
export function pictureOf({ shape, data }, [first, second]) {
  const size = shape[2] * shape[3];
  const start = (first * shape[1] + second) * size;
  return data.subarray(start, start + size);
}

export class Tiles {
  /** The tiles of an array within an element; `padding` is how far a line reads beyond the edge: [above, below, left, right]. */
  constructor(element, { name, array, padding, photograph }) {
    Object.assign(this, { element, name, array, padding, photograph });
    [this.rows, this.columns] = array.shape.slice(2);
    this.kernel = !array.samples;
    this.most = largest(array.data);
    this.leads = [];
    this.tiles = new Map();
  }

  /** The pictures in sight while the one at `lead` is looked at, filter by filter. */
  wanted(lead) {
    const [filters, channels] = this.array.shape;
    const across = about(lead[1], channels, TILES);
    const down = this.kernel ? about(lead[0], filters, Math.max(1, Math.floor(TILES / channels))) : [lead[0]];
    return down.map((filter) => across.map((channel) => [filter, channel]));
  }

  /** Show the tiles about a picture. */
  see(lead, dark, renew = false) {
    const blocks = this.wanted(lead);
    const same = String(blocks) === String(this.leads);
    if (same && !renew) return;
    this.leads = blocks;
    this.tiles.clear();
    const count = blocks.length * blocks[0].length;
    const [above, below, left, right] = this.padding;
    const [tall, wide] = [this.rows + above + below, this.columns + left + right];
    this.dot = dotSize(this.kernel ? Math.max(7, blocks[0].length === 1 ? Math.min(count, 12) : count) : count, Math.max(tall, wide), this.kernel);
    const tile = wide * this.dot + GAP;
    const inside = this.kernel ? Math.ceil(Math.sqrt(blocks[0].length)) : inRows(blocks[0].length, tile, WIDTHS.map);
    this.element.style.gridTemplateColumns = `repeat(${inRows(blocks.length, inside * tile + GAP, WIDTHS.kernel)}, max-content)`;
    this.element.replaceChildren(...blocks.map((block) => this.block(block, inside, dark)));
  }

  block(leads, columns, dark) {
    const made = document.createElement("div");
    made.className = "block";
    const list = made.appendChild(document.createElement("div"));
    list.className = "tiles";
    list.style.gridTemplateColumns = `repeat(${columns}, max-content)`;
    list.append(...leads.map((lead) => this.tile(lead, dark)));
    if (this.kernel && this.array.shape[0] > 1) made.append(label(`${leads[0][0]}`));
    return made;
  }

  tile(lead, dark) {
    const { dot, padding: [above, below, left, right], rows, columns } = this;
    const made = document.createElement("div");
    made.className = above + below + left + right ? "tile padded" : "tile";
    made.dataset.lead = lead.join();
    const field = made.appendChild(document.createElement("div"));
    field.className = "field";
    field.style.width = `${(columns + left + right) * dot}px`;
    field.style.height = `${(rows + above + below) * dot}px`;
    const canvas = picture(pictureOf(this.array, lead), rows, columns, { most: this.most, photograph: this.photograph, dark, limit: 600 });
    canvas.setAttribute("aria-hidden", "true"); // the element around says what it is
    Object.assign(canvas.style, { width: `${columns * dot}px`, height: `${rows * dot}px`, left: `${left * dot}px`, top: `${above * dot}px` });
    field.append(canvas);
    if (!this.kernel && this.array.shape[1] > 1) made.append(label(`${lead[1]}`));
    this.tiles.set(lead.join(), { element: made, field, canvas, frames: new Map() });
    return made;
  }

  /** Put frames on the tiles. marks: lead → { box, spots }; current: { lead, spot }, or null; seen: { lead, box } of the numbers in sight. */
  frame({ marks, current, seen, lead }) {
    const all = [...marks.values()].reduce((sum, { spots }) => sum + spots.length, 0);
    for (const [key, tile] of this.tiles) {
      tile.element.classList.toggle("chosen", key === lead.join());
      const { box, spots } = marks.get(key) ?? { box: null, spots: [] };
      const used = extent(spots);
      const holes = used && spots.length < used[2] * used[3];
      this.place(tile, "numbers", seen && seen.lead.join() === key ? seen.box : null);
      this.place(tile, "reads", box);
      this.place(tile, "used", used && !holes && String(used) !== String(box) ? used : null);
      this.place(tile, "entry", current && current.lead.join() === key ? [...current.spot, 1, 1] : null);
      this.dots(tile, holes && all <= MARKS ? spots : []);
    }
  }

  place(tile, kind, box) {
    let frame = tile.frames.get(kind);
    if (!box) {
      frame?.remove();
      tile.frames.delete(kind);
      return;
    }
    if (!frame) {
      frame = tile.field.appendChild(document.createElement("span"));
      frame.className = `frame ${kind}`;
      tile.frames.set(kind, frame);
    }
    this.lay(frame, box);
  }

  dots(tile, spots) {
    for (const old of tile.field.querySelectorAll(".spot")) old.remove();
    for (const spot of spots) {
      const made = tile.field.appendChild(document.createElement("span"));
      made.className = "spot";
      this.lay(made, [...spot, 1, 1]);
    }
  }

  lay(element, [row, column, tall, wide]) {
    const { dot, padding: [above, , left] } = this;
    Object.assign(element.style, {
      left: `${(column + left) * dot}px`, top: `${(row + above) * dot}px`, width: `${wide * dot}px`, height: `${tall * dot}px`,
    });
  }

  /** The entry that lies at a place of the screen: [filter, channel, row, column]; null beside the tiles. */
  entryAt(x, y) {
    const tile = this.tiles.get(document.elementFromPoint(x, y)?.closest(".tile")?.dataset.lead);
    if (!tile || !this.element.contains(tile.element)) return null;
    const box = tile.canvas.getBoundingClientRect();
    const spot = [partOf(y - box.top, box.height, this.rows, 0), partOf(x - box.left, box.width, this.columns, 0)];
    return [...tile.element.dataset.lead.split(",").map(Number), ...spot.map((index, axis) => Math.max(0, Math.min([this.rows, this.columns][axis] - 1, index)))];
  }

  titleOf(place) {
    return `${entryName(this.name, place)} = ${format(this.array.at(...place), 6)}`;
  }

  /** Where a tile is outside the part of a scrolled sheet that is in sight, it is moved there. */
  reveal(lead) {
    const { element } = this;
    const tile = this.tiles.get(lead.join())?.element;
    if (!tile || element.scrollHeight <= element.clientHeight) return;
    const [top, bottom] = [tile.offsetTop, tile.offsetTop + tile.offsetHeight]; // within the sheet, which is positioned
    if (top < element.scrollTop) element.scrollTop = top - 4;
    if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = bottom + 16 - element.clientHeight;
  }
}

function label(text) {
  return Object.assign(document.createElement("small"), { textContent: text });
}
