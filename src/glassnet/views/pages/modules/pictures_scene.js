// The weights from the pixels to the first units, each unit a picture; and a confusion matrix that moves.

import { format } from "#arrays";
import { bytes } from "#bytes";
import { css, diverging } from "#colours";
import { Canvas, legend, text } from "#drawing";

// Columns and cell size that fit so many pictures into a width.
export function tiling(count, width, shape, gap = 8, head = 16) {
  const columns = Math.min(count, width < 420 ? 4 : Math.ceil(Math.sqrt(count)));
  const cell = Math.floor((width - gap * (columns + 1)) / columns);
  const high = Math.round((cell * shape[0]) / shape[1]);
  const rows = Math.ceil(count / columns);
  return { columns, rows, cell, high, height: rows * (high + head + gap) + gap };
}

export class PicturesScene {
  constructor(holder, data, palette) {
    this.data = data;
    this.palette = palette;
    this.levels = bytes(data.levels);
    this.canvas = new Canvas(holder, (width) => tiling(data.units, Math.min(width, 480), data.shape).height / width, 900);
    this.legend = document.createElement("p");
    this.legend.className = "legend";
    holder.append(this.legend);
    this.hidden = document.createElement("canvas");
    [this.hidden.height, this.hidden.width] = data.shape;
  }

  draw(moment) {
    const { canvas, data } = this;
    canvas.fit();
    const palette = this.palette();
    const g = canvas.begin(palette);
    const wide = Math.min(canvas.width, 480);
    const { columns, cell, high } = tiling(data.units, wide, data.shape);
    const left = (canvas.width - wide) / 2;
    const small = this.hidden.getContext("2d");
    const size = data.shape[0] * data.shape[1];
    g.imageSmoothingEnabled = false;
    for (let unit = 0; unit < data.units; unit++) {
      const image = small.createImageData(this.hidden.width, this.hidden.height);
      for (let p = 0; p < size; p++) {
        const level = this.levels[(moment * data.units + unit) * size + p];
        image.data.set([...diverging((level - 127.5) / 127.5, palette), 255], 4 * p);
      }
      small.putImageData(image, 0, 0);
      const x = left + 8 + (unit % columns) * (cell + 8);
      const y = 8 + Math.floor(unit / columns) * (high + 24);
      text(g, data.channels ? `filter ${unit}` : `unit ${unit + 1}`, x, y + 8, { colour: css(palette.quiet), size: 12 });
      g.drawImage(this.hidden, x, y + 16, cell, high);
      g.strokeStyle = css(palette.line);
      g.lineWidth = 1;
      g.strokeRect(x, y + 16, cell, high);
    }
    const patch = (share) => (h) => {
      h.fillStyle = css(diverging(share, palette));
      h.fillRect(2, 3, 14, 12);
      h.strokeStyle = css(palette.quiet);
      h.strokeRect(2, 3, 14, 12);
    };
    legend(this.legend, [
      [patch(-1), `−${format(data.largest, 3)}`],
      [patch(0), "0"],
      [patch(1), `${format(data.largest, 3)}: weight ${data.name}${data.channels ? "" : " of each pixel"}`],
    ], palette);
    const said = data.channels ? `of the first ${data.units} filters` : `from the pixels to the first ${data.units} units`;
    canvas.element.setAttribute("aria-label", `The weights ${data.name} ${said}, as pictures.`);
  }
}

export class MatrixScene {
  constructor(holder, data) {
    this.data = data;
    const table = document.createElement("table");
    table.className = "confusion";
    const corner = '<td class="corner">true ↓ predicted →</td>';
    table.innerHTML = `<caption>Rows trained on, by true and predicted class</caption><thead><tr>${corner}</tr></thead><tbody></tbody>`;
    const head = table.tHead.rows[0];
    data.classes.forEach((name) => head.append(this.head(name, "col")));
    this.cells = data.classes.map((name) => {
      const row = table.tBodies[0].insertRow();
      row.append(this.head(name, "row"));
      return data.classes.map(() => row.insertCell());
    });
    const box = document.createElement("div");
    box.className = "wide";
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "Confusion matrix of the rows trained on");
    box.append(table);
    holder.append(box);
  }

  head(name, scope) {
    const cell = document.createElement("th");
    cell.scope = scope;
    cell.textContent = name;
    return cell;
  }

  draw(moment) {
    this.data.counts[moment].forEach((row, i) => {
      const total = row.reduce((a, b) => a + b, 0);
      row.forEach((count, j) => {
        const cell = this.cells[i][j];
        cell.textContent = count.toLocaleString("en");
        cell.style.setProperty("--share", total ? count / total : 0);
        cell.className = `${i === j ? "right" : "wrong"}${count ? "" : " none"}`;
      });
    });
  }
}
