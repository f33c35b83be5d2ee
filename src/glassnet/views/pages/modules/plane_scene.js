// A plane of two features, or of two principal components: what is answered where, the border, the rows.

import { decode, format } from "#arrays";
import { bytes, lines } from "#bytes";
import { css, luminance, mix, parse, visible } from "#colours";
import { Canvas, axes, legend, mark, stroke } from "#drawing";

// The colour of a cell: of two classes the probability of the second, of more the likeliest and how sure it is.
export function shade(level, winner, colours, paper) {
  const share = level / 255;
  if (winner !== null) return mix(paper, colours[winner], 0.08 + 0.5 * share);
  const side = share < 0.5 ? colours[0] : colours[1];
  return mix(paper, side, 0.5 * Math.abs(2 * share - 1));
}

export class PlaneScene {
  constructor(holder, data, palette) {
    this.data = data;
    this.palette = palette;
    this.levels = bytes(data.levels);
    this.winner = data.winner ? bytes(data.winner) : null;
    this.points = decode(data.points).data;
    this.quantity = !data.classes.length;
    if (this.quantity) this.values = decode(data.values).data;
    else {
      this.true = bytes(data.true);
      this.predicted = bytes(data.predicted);
      this.borders = data.borders.map(lines);
    }
    this.canvas = new Canvas(holder, (width) => (width < 420 ? 0.95 : 0.9));
    this.legend = document.createElement("p");
    this.legend.className = "legend";
    holder.append(this.legend);
    this.hidden = document.createElement("canvas");
    this.hidden.width = this.hidden.height = data.side;
  }

  // How many of the shown rows are predicted wrongly at a moment.
  wrong(moment) {
    const count = this.true.length;
    let found = 0;
    for (let i = 0; i < count; i++) found += this.predicted[moment * count + i] !== this.true[i];
    return found;
  }

  colours(palette) {
    if (this.quantity) return [palette.cold, palette.warm];
    return this.data.colours.map((colour) => visible(parse(colour), palette.paper, palette.ink, luminance(palette.paper) < 0.2 ? 5 : 2));
  }

  draw(moment) {
    const { canvas, data } = this;
    canvas.fit();
    const palette = this.palette();
    const g = canvas.begin(palette);
    const colours = this.colours(palette);
    const { box, toX, toY, frame } = axes(g, canvas, palette, {
      x: { low: data.low[0], high: data.high[0], label: data.labels[0] },
      y: { low: data.low[1], high: data.high[1], label: data.labels[1] },
    });
    this.background(moment, colours, palette);
    g.save();
    g.beginPath();
    g.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    g.clip();
    // The outermost cells are centred on the ends of the axes.
    const [wide, high] = [box.right - box.left, box.bottom - box.top];
    const half = [wide / (data.side - 1) / 2, high / (data.side - 1) / 2];
    g.imageSmoothingEnabled = true;
    g.imageSmoothingQuality = "high";
    g.drawImage(this.hidden, box.left - half[0], box.top - half[1], wide + 2 * half[0], high + 2 * half[1]);
    for (const line of this.quantity ? [] : this.borders[moment]) {
      stroke(g, line.map(([x, y]) => [box.left + x * wide, box.bottom - y * high]), css(palette.ink), 2.2);
    }
    this.rows(g, moment, toX, toY, colours, palette);
    g.restore();
    frame();
    this.explain(moment, colours, palette);
    canvas.element.setAttribute("aria-label", this.described(moment));
  }

  background(moment, colours, palette) {
    const { side } = this.data;
    const g = this.hidden.getContext("2d");
    const image = g.createImageData(side, side);
    const table = new Map();
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const at = moment * side * side + row * side + column;
        const winner = this.winner ? this.winner[at] : null;
        const key = this.levels[at] + 256 * (winner ?? 0);
        if (!table.has(key)) table.set(key, shade(this.levels[at], winner, colours, palette.paper));
        const place = 4 * ((side - 1 - row) * side + column);
        image.data.set([...table.get(key), 255], place);
      }
    }
    g.putImageData(image, 0, 0);
  }

  rows(g, moment, toX, toY, colours, palette) {
    const count = this.points.length / 2;
    const r = Math.max(2.2, Math.min(5, 5 * Math.sqrt(150 / count)));
    for (let i = 0; i < count; i++) {
      const [x, y] = [toX(this.points[2 * i]), toY(this.points[2 * i + 1])];
      if (this.quantity) {
        const [low, high] = this.data.range;
        const share = (this.values[i] - low) / (high - low || 1);
        mark(g, 0, x, y, r + 0.5, css(shade(255 * share, null, colours, palette.paper)), css(palette.ink));
        continue;
      }
      const of = this.true[i];
      mark(g, of, x, y, r, css(colours[of]), css(palette.paper));
      if (this.predicted[moment * count + i] !== of) {
        g.beginPath();
        g.arc(x, y, r + 3.2, 0, 7);
        g.strokeStyle = css(palette.ink);
        g.lineWidth = 1.3;
        g.stroke();
      }
    }
  }

  explain(moment, colours, palette) {
    if (this.quantity) {
      const [low, high] = this.data.range;
      const patch = (share) => (g) => {
        g.fillStyle = css(shade(255 * share, null, colours, palette.paper));
        g.fillRect(2, 3, 14, 12);
      };
      legend(this.legend, [
        [patch(0), `${this.data.target} ${format(low, 3)}`],
        [patch(0.5), format((low + high) / 2, 3)],
        [patch(1), `${format(high, 3)}; the rows have the colour of their true value`],
      ], palette);
      return;
    }
    const entries = this.data.classes.map((name, k) => [(g) => mark(g, k, 9, 9, 5, css(colours[k]), css(palette.paper)), name]);
    entries.push([
      (g) => {
        g.beginPath();
        g.arc(9, 9, 6.5, 0, 7);
        g.strokeStyle = css(palette.ink);
        g.lineWidth = 1.4;
        g.stroke();
      },
      `predicted wrongly (${this.wrong(moment)} of ${this.true.length})`,
    ]);
    const border = this.data.classes.length === 2 && this.data.probability ? "border, P = ½" : "border";
    entries.push([(g) => stroke(g, [[1, 9], [17, 9]], css(palette.ink), 2.2), border]);
    legend(this.legend, entries, palette);
  }

  described(moment) {
    const { labels, classes, slice } = this.data;
    const over = `over ${labels[0]} and ${labels[1]}`;
    if (this.quantity) return `What the network predicts ${over}, with ${this.values.length} rows.`;
    const where = slice ? " The shading is that of the plane through the mean of the rows." : "";
    return `Decision boundary ${over}, classes ${classes.join(", ")}: ${this.wrong(moment)} of the ${this.true.length} rows shown are predicted wrongly.${where}`;
  }
}
