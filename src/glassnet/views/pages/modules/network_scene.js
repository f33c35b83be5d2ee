// The network as a diagram: a line a weight, thicker and stronger the larger it is, cold below zero and warm above.

import { decode, format } from "#arrays";
import { css, diverging, mix } from "#colours";
import { Canvas, legend, text } from "#drawing";

// Where the units stand: for each layer its column, for each shown unit its height; a gap where units are left out.
export function layout(layers, width, height, margins) {
  const columns = layers.length;
  return layers.map((layer, l) => {
    const x = columns === 1 ? width / 2 : margins.left + ((width - margins.left - margins.right) * l) / (columns - 1);
    const gap = layer.units.findIndex((unit, i) => i > 0 && unit !== layer.units[i - 1] + 1);
    const slots = layer.units.length + (gap > 0 ? 2 : 0);
    const step = Math.min(64, (height - margins.top - margins.bottom) / Math.max(1, slots));
    const first = margins.top + (height - margins.top - margins.bottom - step * (slots - 1)) / 2;
    const ys = layer.units.map((_, i) => first + step * (i + (gap > 0 && i >= gap ? 2 : 0)));
    const left = layer.size - layer.units.length;
    return { x, ys, step, gap: left > 0 ? { y: (ys[gap - 1] + ys[gap]) / 2, left } : null };
  });
}

// How far a point is from a stretch between two others.
export function distance([px, py], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const along = dx || dy ? Math.max(0, Math.min(1, ((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy))) : 0;
  return Math.hypot(px - ax - along * dx, py - ay - along * dy);
}

// Every weight and bias that is drawn, layer by layer: what it is, and where it is in its array.
export function parts(data) {
  const found = [];
  data.weights.forEach(({ name, bias }, l) => {
    const [from, to] = [data.layers[l], data.layers[l + 1]];
    to.labels.forEach((label, j) => {
      from.labels.forEach((other, i) => {
        const at = [from.units[i] + 1, to.units[j] + 1];
        found.push({ layer: l, i, j, name, place: i * to.labels.length + j, text: `${name}, ${other} → ${label}`, at });
      });
      if (bias) found.push({ layer: l, i: -1, j, name: bias, place: j, text: `${bias}, bias of ${label}`, at: [to.units[j] + 1] });
    });
  });
  return found;
}

export class NetworkScene {
  constructor(holder, data, palette) {
    this.data = data;
    this.arrays = Object.fromEntries(Object.entries(data.arrays).map(([name, array]) => [name, decode(array)]));
    this.sizes = Object.fromEntries(
      Object.entries(this.arrays).map(([name, { shape }]) => [name, shape.slice(1).reduce((a, b) => a * b, 1)]),
    );
    this.parts = parts(data);
    this.chosen = -1;
    this.palette = palette;
    const most = Math.max(...data.layers.map((layer) => layer.units.length));
    this.canvas = new Canvas(holder, (width) => Math.max(0.72, Math.min(1.05, (most * 15 + 60) / width)));
    this.legend = document.createElement("p");
    this.legend.className = "legend";
    holder.append(this.legend);
  }

  // The number of a part at a moment, exactly.
  value(part, moment) {
    return this.arrays[part.name].data[moment * this.sizes[part.name] + part.place];
  }

  said(moment) {
    if (this.chosen < 0) return null;
    const part = this.parts[this.chosen];
    return { text: part.text, value: this.value(part, moment), name: part.name, at: part.at };
  }

  pick(event) {
    const point = this.canvas.place(event);
    let [best, near] = [-1, 9];
    this.parts.forEach((part, n) => {
      const [a, b] = this.ends(part);
      const far = part.i < 0 ? Math.hypot(point[0] - b[0], point[1] - b[1]) - this.radius(part.layer + 1) - 2 : distance(point, a, b);
      if (far < near - (part.i < 0 ? 0 : 0.01)) [best, near] = [n, Math.max(far, 0)];
    });
    this.chosen = best;
  }

  step(by) {
    const count = this.parts.length;
    this.chosen = this.chosen < 0 ? (by > 0 ? 0 : count - 1) : (this.chosen + by + count) % count;
  }

  ends({ layer, i, j }) {
    const [from, to] = [this.places[layer], this.places[layer + 1]];
    return [i < 0 ? null : [from.x, from.ys[i]], [to.x, to.ys[j]]];
  }

  radius(layer) {
    return Math.max(2.5, Math.min(11, 0.36 * this.places[layer].step));
  }

  draw(moment) {
    const { canvas, data } = this;
    canvas.fit();
    const palette = this.palette();
    const g = canvas.begin(palette);
    const narrow = canvas.width < 420;
    g.font = "13px system-ui, sans-serif";
    const longest = (layer) => Math.max(...layer.labels.map((label) => g.measureText(label).width));
    const room = (layer) => (layer.named ? Math.min(narrow ? 0.34 * canvas.width : 170, 24 + longest(layer)) : 22);
    const margins = { left: room(data.layers[0]), right: room(data.layers.at(-1)), top: 30, bottom: 12 };
    this.places = layout(data.layers, canvas.width, canvas.height, margins);
    this.edges(g, moment, palette);
    this.units(g, moment, palette, margins);
    this.highlight(g, palette);
    this.explain(palette);
    canvas.element.setAttribute("aria-label", this.described(moment));
  }

  edges(g, moment, palette) {
    const largest = this.data.largest || 1;
    const strengths = this.parts
      .filter((part) => part.i >= 0)
      .map((part) => [part, this.value(part, moment)])
      .sort((a, b) => Math.abs(a[1]) - Math.abs(b[1]));
    const crowded = strengths.length > 300;
    for (const [part, value] of strengths) {
      const share = Math.min(1, Math.abs(value) / largest);
      if (!(share > 0)) continue;
      const [a, b] = this.ends(part);
      g.beginPath();
      g.moveTo(...a);
      g.lineTo(...b);
      g.globalAlpha = crowded ? 0.04 + 0.9 * share : 0.12 + 0.88 * Math.sqrt(share);
      g.strokeStyle = css(value < 0 ? palette.cold : palette.warm);
      g.lineWidth = 0.4 + (crowded ? 3.4 : 5) * share;
      g.stroke();
    }
    g.globalAlpha = 1;
  }

  units(g, moment, palette, margins) {
    const ink = css(palette.ink);
    const biases = Object.fromEntries(this.parts.filter((p) => p.i < 0).map((p) => [`${p.layer + 1} ${p.j}`, p]));
    this.places.forEach((place, l) => {
      const layer = this.data.layers[l];
      place.ys.forEach((y, j) => {
        const bias = biases[`${l} ${j}`];
        const share = bias ? this.value(bias, moment) / (this.data.largest_bias || 1) : 0;
        g.beginPath();
        g.arc(place.x, y, this.radius(l), 0, 7);
        g.fillStyle = css(bias ? diverging(0.85 * share, palette) : mix(palette.paper, palette.quiet, 0.25));
        g.fill();
        g.strokeStyle = ink;
        g.lineWidth = 1;
        g.stroke();
        if (!layer.named) return;
        const away = this.radius(l) + 6;
        if (l === 0) text(g, layer.labels[j], place.x - away, y, { colour: ink, align: "right", most: margins.left - away - 2 });
        else text(g, layer.labels[j], place.x + away, y, { colour: ink, most: margins.right - away - 2 });
      });
      if (place.gap) {
        const words = `${place.gap.left.toLocaleString("en")} more`;
        const side = l === 0 ? "left" : l === this.places.length - 1 ? "right" : "center";
        const x = l === 0 ? 4 : l === this.places.length - 1 ? this.canvas.width - 4 : place.x;
        g.font = "12px system-ui, sans-serif";
        const wide = g.measureText(words).width + 8;
        g.fillStyle = css(palette.paper);
        const start = side === "left" ? x - 4 : side === "right" ? x - wide + 4 : x - wide / 2;
        g.fillRect(start, place.gap.y - 9, wide, 18);
        text(g, words, x, place.gap.y, { colour: ink, align: side, size: 12 });
      }
      const count = layer.size.toLocaleString("en");
      const several = layer.size === 1 ? "" : "s";
      const first = this.data.source ? `${this.data.source}: ${count} number${several}` : `${count} input${several}`;
      const head = l === 0 ? first : `${count} unit${several}`;
      const align = this.places.length === 1 ? "center" : l === 0 ? "left" : l === this.places.length - 1 ? "right" : "center";
      const x = align === "left" ? 6 : align === "right" ? this.canvas.width - 6 : place.x;
      text(g, head, x, 14, { colour: css(palette.quiet), align, size: 12 });
    });
  }

  highlight(g, palette) {
    if (this.chosen < 0) return;
    const part = this.parts[this.chosen];
    const [a, b] = this.ends(part);
    g.strokeStyle = css(palette.ink);
    g.lineWidth = 2.5;
    g.beginPath();
    if (part.i < 0) g.arc(b[0], b[1], this.radius(part.layer + 1) + 3, 0, 7);
    else {
      g.moveTo(...a);
      g.lineTo(...b);
      g.setLineDash([5, 4]);
    }
    g.stroke();
    g.setLineDash([]);
  }

  explain(palette) {
    const line = (rgb) => (g) => {
      g.strokeStyle = css(rgb);
      g.lineWidth = 4;
      g.beginPath();
      g.moveTo(1, 9);
      g.lineTo(17, 9);
      g.stroke();
    };
    const disc = (g) => {
      [palette.cold, palette.warm].forEach((rgb, i) => {
        g.beginPath();
        g.arc(9, 9, 6, Math.PI / 2 + i * Math.PI, 1.5 * Math.PI + i * Math.PI);
        g.fillStyle = css(mix(palette.paper, rgb, 0.85));
        g.fill();
      });
      g.beginPath();
      g.arc(9, 9, 6, 0, 7);
      g.strokeStyle = css(palette.ink);
      g.stroke();
    };
    const entries = [
      [line(palette.cold), "weight below 0"],
      [line(palette.warm), `above 0; the thickest line is ${format(this.data.largest, 3)}`],
    ];
    if (this.data.largest_bias > 0) entries.push([disc, "bias below, above 0"]);
    legend(this.legend, entries, palette);
  }

  described(moment) {
    const sizes = this.data.layers.map((layer) => layer.size).join(", ");
    let strongest = null;
    for (const part of this.parts) {
      const value = this.value(part, moment);
      if (part.i >= 0 && (!strongest || Math.abs(value) > Math.abs(strongest.value))) strongest = { text: part.text, value };
    }
    const most = strongest ? ` The largest weight shown: ${strongest.text}, ${format(strongest.value, 4)}.` : "";
    return `Diagram of the network, layers of ${sizes} units.${most}`;
  }
}
