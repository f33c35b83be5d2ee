// One feature across and what the network answers upwards; or true values across and predicted ones upwards.

import { decode, format } from "#arrays";
import { css, parse, visible } from "#colours";
import { Canvas, axes, legend, mark, stroke } from "#drawing";

// The ends of an axis that holds these numbers, with some room.
export function ends(...lists) {
  let [low, high] = [Infinity, -Infinity];
  for (const list of lists) {
    for (const v of list) {
      if (v < low) low = v;
      if (v > high) high = v;
    }
  }
  if (!(high > low)) return Number.isFinite(low) ? { low: low - 1, high: low + 1 } : { low: 0, high: 1 };
  const room = 0.05 * (high - low);
  return { low: low - room, high: high + room };
}

class Points {
  constructor(holder, data, palette) {
    this.data = data;
    this.palette = palette;
    this.canvas = new Canvas(holder, (width) => (width < 420 ? 0.95 : 0.9));
    this.legend = document.createElement("p");
    this.legend.className = "legend";
    holder.append(this.legend);
  }

  // Draws inside the frame, then the frame.
  framed(g, frame, box, inside) {
    g.save();
    g.beginPath();
    g.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    g.clip();
    inside();
    g.restore();
    frame();
  }
}

export class CurveScene extends Points {
  constructor(holder, data, palette) {
    super(holder, data, palette);
    this.x = decode(data.x).data;
    this.y = decode(data.y).data;
    this.across = decode(data.across).data;
    this.answers = decode(data.answers).data;
    this.outputs = data.names.length;
    const last = this.answers.subarray(this.answers.length - this.across.length * this.outputs);
    this.upwards = ends(this.y, last.filter(Number.isFinite));
  }

  draw(moment) {
    const { canvas, data, outputs } = this;
    canvas.fit();
    const palette = this.palette();
    const g = canvas.begin(palette);
    const colours = data.colours.map((colour) => visible(parse(colour), palette.paper, palette.ink));
    const { box, toX, toY, frame } = axes(g, canvas, palette, {
      x: { low: this.across[0], high: this.across.at(-1), label: data.label },
      y: { ...this.upwards, label: outputs === 1 ? data.names[0] : "output" },
    });
    this.framed(g, frame, box, () => {
      for (let i = 0; i < this.x.length; i++) {
        for (let o = 0; o < outputs; o++) {
          g.globalAlpha = 0.55;
          mark(g, o, toX(this.x[i]), toY(this.y[i * outputs + o]), 3.4, css(colours[o]), css(palette.paper));
        }
      }
      g.globalAlpha = 1;
      const size = this.across.length;
      for (let o = 0; o < outputs; o++) {
        const line = [];
        for (let i = 0; i < size; i++) line.push([toX(this.across[i]), toY(this.answers[(moment * size + i) * outputs + o])]);
        stroke(g, line, css(palette.paper), 5);
        stroke(g, line, css(outputs === 1 ? palette.warm : colours[o]), 2.8);
      }
    });
    legend(this.legend, [
      ...data.names.map((name, o) => [(h) => mark(h, o, 9, 9, 4, css(colours[o]), css(palette.paper)), `${name}, the rows`]),
      [(h) => stroke(h, [[1, 9], [17, 9]], css(palette.warm), 3), "what the network answers"],
    ], palette);
    const words = `${data.names.join(", ")} over ${data.label}: the network's answer as a curve, and ${this.x.length} rows.`;
    canvas.element.setAttribute("aria-label", words);
  }
}

export class ScatterScene extends Points {
  constructor(holder, data, palette) {
    super(holder, data, palette);
    this.true = decode(data.true).data;
    this.predicted = decode(data.predicted).data;
    const last = this.predicted.subarray(this.predicted.length - this.true.length);
    this.both = ends(this.true, last.filter(Number.isFinite));
  }

  // Rows whose prediction lies beyond the frame at a moment.
  beyond(moment) {
    const count = this.true.length;
    let found = 0;
    for (let i = 0; i < count; i++) {
      const v = this.predicted[moment * count + i];
      found += !(v >= this.both.low && v <= this.both.high);
    }
    return found;
  }

  draw(moment) {
    const { canvas, data } = this;
    canvas.fit();
    const palette = this.palette();
    const g = canvas.begin(palette);
    const { box, toX, toY, frame } = axes(g, canvas, palette, {
      x: { ...this.both, label: `true ${data.name}` },
      y: { ...this.both, label: `predicted ${data.name}` },
    });
    const count = this.true.length;
    this.framed(g, frame, box, () => {
      stroke(g, [[box.left, box.bottom], [box.right, box.top]], css(palette.quiet), 1.5, [5, 4]);
      g.globalAlpha = 0.75;
      for (let i = 0; i < count; i++) {
        const v = Math.max(this.both.low, Math.min(this.both.high, this.predicted[moment * count + i]));
        mark(g, 0, toX(this.true[i]), toY(v), 3.6, css(palette.cold), css(palette.paper));
      }
      g.globalAlpha = 1;
    });
    const away = this.beyond(moment);
    legend(this.legend, [
      [(h) => mark(h, 0, 9, 9, 4, css(palette.cold), css(palette.paper)), `a row${away ? ` (${away} beyond the frame, drawn at its edge)` : ""}`],
      [(h) => stroke(h, [[1, 9], [17, 9]], css(palette.quiet), 1.5, [5, 4]), "predicted = true"],
    ], palette);
    const range = `from ${format(this.both.low, 3)} to ${format(this.both.high, 3)}`;
    canvas.element.setAttribute("aria-label", `Predicted against true ${data.name} of ${count} rows, axes ${range}; the nearer to the diagonal, the better.`);
  }
}
