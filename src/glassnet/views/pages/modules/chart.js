// Curves with axes, a legend and values to be read by pointer or keyboard; drawn as SVG, so that they print sharply.

import { decode, format } from "#arrays";
import { countTicks, logTicks, scale, tickText, ticks } from "#ticks";

const SPACE = "http://www.w3.org/2000/svg";

export function node(name, attributes = {}, ...inside) {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

// The place of the number nearest to x in numbers that increase.
export function nearest(numbers, x) {
  let [low, high] = [0, numbers.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= x) low = middle;
    else high = middle;
  }
  return Math.abs(numbers[high] - x) < Math.abs(numbers[low] - x) ? high : low;
}

// The lowest and highest finite numbers; of a logarithmic axis only those above 0.
export function extent(lists, positive = false) {
  let [low, high] = [Infinity, -Infinity];
  for (const list of lists) {
    for (const v of list) {
      if (!Number.isFinite(v) || (positive && v <= 0)) continue;
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
  }
  return low <= high ? [low, high] : [positive ? 0.1 : 0, 1];
}

// The path of a series; it breaks where a number is not finite, or not above 0 on a logarithmic axis.
export function path(xs, ys, toX, toY, positive = false) {
  let [d, open] = ["", false];
  for (let i = 0; i < xs.length; i++) {
    const fits = Number.isFinite(ys[i]) && (!positive || ys[i] > 0);
    if (fits) d += `${open ? "L" : "M"}${toX(xs[i]).toFixed(1)} ${toY(ys[i]).toFixed(1)}`;
    open = fits;
  }
  return d;
}

// Every x at which some series has a value, increasing.
export function stops(series) {
  return [...new Set(series.flatMap((s) => [...s.x]))].sort((a, b) => a - b);
}

export class Chart {
  constructor(holder, spec) {
    this.spec = spec;
    this.holder = holder;
    this.series = spec.series.map((s) => ({ ...s, x: decode(s.x).data, y: decode(s.y).data }));
    this.stops = stops(this.series);
    this.at = null;
    this.marked = null;
    this.picture = document.createElement("div");
    this.picture.className = "picture";
    this.legend = document.createElement("p");
    this.legend.className = "legend";
    this.readout = document.createElement("p");
    this.readout.className = "readout";
    holder.append(this.legend, this.picture, this.readout);
    this.marks = spec.marks ?? [];
    this.explain();
    this.reader();
    this.draw();
    new ResizeObserver(() => this.picture.clientWidth !== this.width && this.draw()).observe(this.picture);
  }

  explain() {
    for (const s of this.series) {
      const item = document.createElement("span");
      const swatch = node("svg", { width: 26, height: 12, "aria-hidden": "true", class: "swatch" });
      if (s.dots) swatch.append(node("circle", { cx: 13, cy: 6, r: 3.5, class: `dot ${s.colour}` }));
      else swatch.append(node("path", { d: "M1 6H25", class: `line ${s.colour}`, "stroke-dasharray": s.dash ?? "" }));
      item.append(swatch, s.name);
      this.legend.append(item);
    }
    if (!this.marks.length) return;
    const list = document.createElement("ul");
    list.className = "marks";
    for (const mark of this.marks) {
      const item = document.createElement("li");
      item.textContent = `${mark.label}. ${mark.said}`;
      list.append(item);
    }
    this.picture.after(list);
  }

  // The line below the chart: what stands at the chosen place, for the pointer and for the arrow keys.
  reader() {
    const line = this.readout;
    line.tabIndex = 0;
    line.setAttribute("role", "slider");
    line.setAttribute("aria-label", `${this.spec.title}: values`);
    line.setAttribute("aria-valuemin", "0");
    line.setAttribute("aria-valuemax", String(this.stops.length - 1));
    line.addEventListener("keydown", (event) => {
      const last = this.stops.length - 1;
      const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 20, PageDown: -20 }[event.key];
      const place = this.at ?? last;
      if (by) this.read(Math.max(0, Math.min(last, place + by)));
      else if (event.key === "Home") this.read(0);
      else if (event.key === "End") this.read(last);
      else return;
      event.preventDefault();
    });
    this.picture.addEventListener("pointermove", (event) => {
      const box = this.picture.getBoundingClientRect();
      this.read(nearest(this.stops.map(this.toX), event.clientX - box.left));
    });
    this.picture.addEventListener("pointerleave", () => this.read(this.marked));
    this.read(null);
  }

  values(place) {
    const x = this.stops[place];
    return this.series.map((s) => {
      const i = nearest(s.x, x);
      return s.x[i] === x ? s.y[i] : null;
    });
  }

  read(place) {
    this.at = place;
    const shown = place ?? this.stops.length - 1;
    const x = this.stops[shown];
    const parts = this.series
      .map((s, i) => [s.name, this.values(shown)[i]])
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name} ${format(value, 5)}`);
    const words = `${this.spec.x.name} ${x.toLocaleString("en")}: ${parts.join(" · ")}`;
    this.readout.textContent = words;
    this.readout.dataset.x = x;
    this.readout.dataset.values = JSON.stringify(this.values(shown).map((v) => (v === null || Number.isFinite(v) ? v : String(v))));
    this.readout.setAttribute("aria-valuenow", String(shown));
    this.readout.setAttribute("aria-valuetext", words);
    this.cursor();
  }

  // Marks a place that something else chose, and reads it when nothing else is read.
  mark(x) {
    this.marked = nearest(this.stops, x);
    this.read(this.marked);
  }

  draw() {
    const width = Math.max(240, this.picture.clientWidth);
    this.width = this.picture.clientWidth;
    const height = Math.round(Math.max(190, Math.min(300, 0.5 * width)));
    const { spec } = this;
    const box = { left: 62, right: width - 16, top: this.marks.length ? 30 : 10, bottom: height - 42 };
    const kind = spec.x.kind ?? "linear";
    const log = spec.y.log;
    const xs = extent(this.series.map((s) => s.x));
    let [low, high] = extent(this.series.map((s) => s.y), log);
    const room = log ? 0 : 0.05 * (high - low) || 0.5;
    [low, high] = log ? [low * 0.93, high * 1.08] : [low - room, high + room];
    if (spec.y.most !== undefined) high = Math.min(high, spec.y.most + 0.02);
    this.toX = scale(kind, kind === "count" ? 0 : xs[0], xs[1], box.left, box.right);
    this.toY = scale(log ? "log" : "linear", low, high, box.bottom, box.top);
    this.box = box;
    const svg = node("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": this.described() });
    this.frame(svg, width, height, kind, xs, [low, high]);
    this.bands(svg, xs);
    for (const s of this.series) this.curve(svg, s, log);
    if (spec.best) this.star(svg, spec.best);
    this.line = node("line", { class: "cursor", y1: box.top, y2: box.bottom });
    this.spots = this.series.map((s) => node("circle", { r: 4.5, class: `spot ${s.colour}` }));
    svg.append(this.line, ...this.spots);
    this.picture.replaceChildren(svg);
    this.cursor();
  }

  frame(svg, width, height, kind, xs, ys) {
    const { box, spec } = this;
    const across = kind === "count" ? countTicks(xs[1]) : ticks(xs[0], xs[1], width < 420 ? 4 : 7).filter((v) => v === Math.round(v) || !spec.x.whole);
    const upwards = spec.y.log ? logTicks(...ys) : ticks(ys[0], ys[1], 5).filter((v) => v <= (spec.y.most ?? Infinity));
    for (const v of upwards) {
      const y = this.toY(v);
      svg.append(node("line", { class: "grid", x1: box.left, x2: box.right, y1: y, y2: y }));
      svg.append(node("text", { x: box.left - 7, y: y + 4, "text-anchor": "end" }, tickText(v)));
    }
    for (const v of across) {
      const x = this.toX(v);
      svg.append(node("line", { class: "grid", x1: x, x2: x, y1: box.top, y2: box.bottom }));
      const words = tickText(v);
      const most = width - 2 - 3.7 * words.length;
      svg.append(node("text", { x: Math.min(x, most), y: box.bottom + 16, "text-anchor": "middle" }, words));
    }
    svg.append(node("text", { x: (box.left + box.right) / 2, y: height - 5, "text-anchor": "middle", class: "label" }, spec.x.label));
    const turned = `rotate(-90) translate(${-(box.top + box.bottom) / 2} 13)`;
    svg.append(node("text", { transform: turned, "text-anchor": "middle", class: "label" }, spec.y.label));
  }

  curve(svg, s, log) {
    if (s.dots) {
      for (let i = 0; i < s.x.length; i++) {
        if (Number.isFinite(s.y[i])) svg.append(node("circle", { cx: this.toX(s.x[i]), cy: this.toY(s.y[i]), r: 3, class: `dot ${s.colour}` }));
      }
      return;
    }
    const d = path(s.x, s.y, this.toX, this.toY, log);
    svg.append(node("path", { d, class: `line ${s.colour}`, "stroke-dasharray": s.dash ?? "" }));
    if (s.x.length === 1) svg.append(node("circle", { cx: this.toX(s.x[0]), cy: this.toY(s.y[0]), r: 4, class: `dot ${s.colour}` }));
  }

  // Stretches of x that something is said about: a line where each begins, a band as far as it lasts, and its label above.
  bands(svg, [first, last]) {
    const { box } = this;
    const right = [];
    for (const mark of [...this.marks].sort((a, b) => a.from - b.from)) {
      const [from, to] = [mark.from, mark.to].map((x) => this.toX(Math.max(first, Math.min(last, x))));
      const group = node("g", { class: `mark ${mark.severity}` }, node("title", {}, `${mark.label}. ${mark.said}`));
      if (to > from) group.append(node("rect", { class: "band", x: from, y: box.top, width: to - from, height: box.bottom - box.top }));
      group.append(node("line", { class: "edge", x1: from, x2: from, y1: box.top - 4, y2: box.bottom }));
      const x = Math.max(from, (right.at(-1) ?? -Infinity) + 20);
      right.push(x);
      group.append(node("circle", { cx: x, cy: box.top - 14, r: 9 }));
      group.append(node("text", { x, y: box.top - 10, "text-anchor": "middle" }, mark.label));
      svg.append(group);
    }
  }

  star(svg, best) {
    const [x, y] = [this.toX(best.x), this.toY(best.y)];
    const points = Array.from({ length: 10 }, (_, i) => {
      const r = i % 2 ? 4 : 9;
      const angle = -Math.PI / 2 + (Math.PI * i) / 5;
      return `${(x + r * Math.cos(angle)).toFixed(1)},${(y + r * Math.sin(angle)).toFixed(1)}`;
    });
    svg.append(node("polygon", { points: points.join(" "), class: "star" }, node("title", {}, best.label)));
  }

  cursor() {
    if (!this.line) return;
    const place = this.at ?? this.marked;
    this.line.style.display = place === null ? "none" : "";
    const values = place === null ? [] : this.values(place);
    if (place !== null) {
      const x = this.toX(this.stops[place]);
      this.line.setAttribute("x1", x);
      this.line.setAttribute("x2", x);
    }
    this.spots.forEach((spot, i) => {
      const value = values[i] ?? null;
      const seen = value !== null && Number.isFinite(value) && (!this.spec.y.log || value > 0);
      spot.style.display = seen ? "" : "none";
      if (!seen) return;
      spot.setAttribute("cx", this.toX(this.stops[place]));
      spot.setAttribute("cy", this.toY(value));
    });
  }

  described() {
    const said = this.series.map((s) => {
      const finite = [...s.y].filter(Number.isFinite);
      if (!finite.length) return `${s.name}: no finite value`;
      return `${s.name} from ${format(s.y[0], 4)} to ${format(s.y.at(-1), 4)}`;
    });
    const marked = this.marks.length ? ` Marked: ${this.marks.map((m) => `${m.label}. ${m.said}`).join("; ")}.` : "";
    return `${this.spec.title}: ${this.spec.y.label} by ${this.spec.x.label}. ${said.join("; ")}.${marked}`;
  }
}

// Points, such as predicted against true values, read one at a time.
export class PointChart {
  constructor(holder, spec) {
    this.spec = spec;
    this.x = decode(spec.x.values).data;
    this.y = decode(spec.y.values).data;
    this.order = [...this.x.keys()].sort((a, b) => this.x[a] - this.x[b]);
    this.picture = document.createElement("div");
    this.picture.className = "picture";
    this.readout = document.createElement("p");
    this.readout.className = "readout";
    this.readout.tabIndex = 0;
    this.readout.setAttribute("role", "slider");
    this.readout.setAttribute("aria-label", `${spec.title}: rows`);
    this.readout.setAttribute("aria-valuemin", "0");
    this.readout.setAttribute("aria-valuemax", String(this.order.length - 1));
    holder.append(this.picture, this.readout);
    this.readout.addEventListener("keydown", (event) => {
      const last = this.order.length - 1;
      const to = { ArrowRight: this.place + 1, ArrowUp: this.place + 1, ArrowLeft: this.place - 1, ArrowDown: this.place - 1, Home: 0, End: last }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.read(Math.max(0, Math.min(last, to)));
    });
    this.picture.addEventListener("pointermove", (event) => {
      const box = this.picture.getBoundingClientRect();
      const [px, py] = [event.clientX - box.left, event.clientY - box.top];
      const far = this.order.map((i) => Math.hypot(this.toX(this.x[i]) - px, this.toY(this.y[i]) - py));
      this.read(far.indexOf(Math.min(...far)));
    });
    this.draw();
    this.read(this.order.length - 1);
    new ResizeObserver(() => this.picture.clientWidth !== this.width && this.draw()).observe(this.picture);
  }

  read(place) {
    this.place = place;
    const i = this.order[place];
    const { x, y, rows } = this.spec;
    const words = `row ${rows[i]}: ${x.name} ${format(this.x[i], 5)}, ${y.name} ${format(this.y[i], 5)}`;
    this.readout.textContent = words;
    this.readout.dataset.values = JSON.stringify([this.x[i], this.y[i]]);
    this.readout.setAttribute("aria-valuenow", String(place));
    this.readout.setAttribute("aria-valuetext", words);
    this.spot.setAttribute("cx", this.toX(this.x[i]));
    this.spot.setAttribute("cy", this.toY(this.y[i]));
  }

  draw() {
    this.width = this.picture.clientWidth;
    const width = Math.max(240, this.width);
    const height = Math.round(Math.max(220, Math.min(380, 0.75 * width)));
    const box = { left: 62, right: width - 12, top: 10, bottom: height - 42 };
    const room = ([low, high]) => [low - 0.05 * (high - low || 1), high + 0.05 * (high - low || 1)];
    const both = this.spec.diagonal ? room(extent([this.x, this.y])) : null;
    const xs = both ?? room(extent([this.x]));
    const ys = both ?? room(extent([this.y]));
    this.toX = scale("linear", ...xs, box.left, box.right);
    this.toY = scale("linear", ...ys, box.bottom, box.top);
    const { spec } = this;
    const said = `${spec.title}: ${spec.y.label} against ${spec.x.label}, ${this.x.length} rows.`;
    const svg = node("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": said });
    Chart.prototype.frame.call(Object.assign(Object.create(this), { box, spec }), svg, width, height, "linear", xs, ys);
    if (both) svg.append(node("line", { class: "guide", x1: box.left, y1: box.bottom, x2: box.right, y2: box.top }));
    else svg.append(node("line", { class: "guide", x1: box.left, x2: box.right, y1: this.toY(0), y2: this.toY(0) }));
    for (let i = 0; i < this.x.length; i++) {
      svg.append(node("circle", { cx: this.toX(this.x[i]).toFixed(1), cy: this.toY(this.y[i]).toFixed(1), r: 3.2, class: "dot one faint" }));
    }
    this.spot = node("circle", { r: 6, class: "spot ring" });
    svg.append(this.spot);
    this.picture.replaceChildren(svg);
    if (this.place !== undefined) this.read(this.place);
  }
}
