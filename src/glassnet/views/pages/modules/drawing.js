// What the scenes share: a canvas as sharp as the screen, axes, marks of the classes, a legend.

import { css } from "#colours";
import { tickText, ticks } from "#ticks";

const FONT = "system-ui, sans-serif";

// A canvas in a holder, its context in CSS pixels.
export class Canvas {
  constructor(holder, ratio, most = 520) {
    this.element = document.createElement("canvas");
    this.element.setAttribute("role", "img");
    this.ratio = ratio;
    this.most = most;
    holder.append(this.element);
    this.holder = holder;
    this.fit();
  }

  // Takes the holder's width; answers whether that changed.
  fit() {
    const width = Math.max(240, Math.floor(this.holder.clientWidth));
    const dots = Math.max(2, window.devicePixelRatio || 1);
    if (width === this.width && dots === this.dots) return false;
    this.width = width;
    this.dots = dots;
    this.height = Math.round(Math.min(width * this.ratio(width), this.most));
    this.element.width = Math.round(width * dots);
    this.element.height = Math.round(this.height * dots);
    this.element.style.width = `${width}px`;
    this.element.style.height = `${this.height}px`;
    return true;
  }

  begin(palette) {
    const g = this.element.getContext("2d");
    g.setTransform(this.dots, 0, 0, this.dots, 0, 0);
    g.clearRect(0, 0, this.width, this.height);
    g.fillStyle = css(palette.paper);
    g.fillRect(0, 0, this.width, this.height);
    g.lineJoin = "round";
    return g;
  }

  // Where a pointer is, in CSS pixels of the canvas.
  place(event) {
    const box = this.element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }
}

export function text(g, words, x, y, { colour, size = 13, align = "left", base = "middle", weight = 400, most } = {}) {
  g.font = `${weight} ${size}px ${FONT}`;
  g.textAlign = align;
  g.textBaseline = base;
  if (colour) g.fillStyle = colour;
  g.fillText(most ? shortened(g, words, most) : words, x, y);
}

function shortened(g, words, most) {
  if (g.measureText(words).width <= most) return words;
  let kept = words;
  while (kept.length > 1 && g.measureText(`${kept}…`).width > most) kept = kept.slice(0, -1);
  return `${kept.trimEnd()}…`;
}

// A frame with ticks and labels; answers the places of values.
export function axes(g, canvas, palette, { x, y }) {
  const box = { left: 58, right: canvas.width - 10, top: 10, bottom: canvas.height - 44 };
  const toX = (v) => box.left + ((box.right - box.left) * (v - x.low)) / (x.high - x.low || 1);
  const toY = (v) => box.bottom - ((box.bottom - box.top) * (v - y.low)) / (y.high - y.low || 1);
  const ink = css(palette.ink);
  const frame = () => {
    g.strokeStyle = css(palette.quiet);
    g.lineWidth = 1;
    g.strokeRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    for (const v of ticks(x.low, x.high, canvas.width < 420 ? 5 : 6)) {
      text(g, tickText(v), toX(v), box.bottom + 6, { colour: ink, size: 12, align: "center", base: "top" });
    }
    for (const v of ticks(y.low, y.high, 5)) text(g, tickText(v), box.left - 7, toY(v), { colour: ink, size: 12, align: "right" });
    const wide = box.right - box.left;
    text(g, x.label, (box.left + box.right) / 2, canvas.height - 8, { colour: ink, align: "center", base: "bottom", most: wide });
    g.save();
    g.translate(14, (box.top + box.bottom) / 2);
    g.rotate(-Math.PI / 2);
    text(g, y.label, 0, 0, { colour: ink, align: "center", most: box.bottom - box.top });
    g.restore();
  };
  return { box, toX, toY, frame };
}

const SHAPES = [
  (g, x, y, r) => g.arc(x, y, r, 0, 7),
  (g, x, y, r) => polygon(g, x, y, 1.25 * r, 3, -Math.PI / 2),
  (g, x, y, r) => polygon(g, x, y, 1.2 * r, 4, Math.PI / 4),
  (g, x, y, r) => polygon(g, x, y, 1.25 * r, 4, 0),
  (g, x, y, r) => polygon(g, x, y, 1.25 * r, 3, Math.PI / 2),
  (g, x, y, r) => polygon(g, x, y, 1.2 * r, 5, -Math.PI / 2),
  (g, x, y, r) => polygon(g, x, y, 1.2 * r, 6, 0),
];

function polygon(g, x, y, r, corners, turn) {
  for (let i = 0; i < corners; i++) {
    const angle = turn + (2 * Math.PI * i) / corners;
    g[i ? "lineTo" : "moveTo"](x + r * Math.cos(angle), y + r * Math.sin(angle));
  }
  g.closePath();
}

// The mark of a class: a shape of its own besides its colour.
export function mark(g, kind, x, y, r, fill, edge) {
  g.beginPath();
  SHAPES[kind % SHAPES.length](g, x, y, r);
  g.fillStyle = fill;
  g.fill();
  g.strokeStyle = edge;
  g.lineWidth = 0.9;
  g.stroke();
}

export function stroke(g, points, colour, width, dash = []) {
  g.beginPath();
  points.forEach(([x, y], i) => g[i ? "lineTo" : "moveTo"](x, y));
  g.strokeStyle = colour;
  g.lineWidth = width;
  g.setLineDash(dash);
  g.stroke();
  g.setLineDash([]);
}

// A line of swatches below a scene: [[draw, words], ...], each drawn on a small canvas of its own.
export function legend(holder, entries, palette) {
  holder.replaceChildren(
    ...entries.map(([draw, words]) => {
      const item = document.createElement("span");
      const swatch = document.createElement("canvas");
      swatch.width = swatch.height = 36;
      swatch.setAttribute("aria-hidden", "true");
      const g = swatch.getContext("2d");
      g.scale(2, 2);
      draw(g, palette);
      item.append(swatch, words);
      return item;
    }),
  );
}
