// The step page: one line at a time, one entry of it at a time, with the cells it comes from and the sum written out.

import { decode, format } from "#arrays";
import { Numbers, cells, lettersAt } from "#entries";
import { Matrix, sides } from "#matrix";
import { overview } from "#overview";

const PHASES = { forward: "Forward", cost: "Cost", backward: "Backward", update: "Update" };
const SECONDS_AN_ENTRY = 0.9;
const SHORT = 8;

class Page {
  constructor(step) {
    this.step = step;
    this.arrays = Object.fromEntries(Object.entries(step.arrays).map(([name, array]) => [name, decode(array)]));
    this.single = step.dtype === "float32";
    this.digits = 4;
    this.every = false;
    this.line = 0;
    this.place = [];
    this.sample = 0;
    this.rowNames = step.rows.map((row) => `row ${row}`);
    this.find();
    this.makeList();
    this.makeControls();
    overview(this.parts.overview, step, this.arrays, this.rowNames, this.single);
    this.fromAddress() || this.go(0);
  }

  find() {
    this.parts = {};
    for (const id of ["lines", "equation", "why", "rules", "form", "computed", "worked", "sources", "result", "sample", "sample-said",
      "sample-box", "digits", "where", "play", "every", "every-box", "theme", "overview", "numbers"]) {
      this.parts[id.replace(/-(\w)/g, (_, letter) => letter.toUpperCase())] = document.getElementById(id);
    }
  }

  // What is looked at.

  get now() {
    return this.step.lines[this.line];
  }

  get values() {
    return this.arrays[this.now.value];
  }

  writer(most) {
    return new Numbers({
      value: (name, place) => this.arrays[name].at(...place),
      extents: { m: this.step.samples.length },
      missing: this.step.batch_size - this.step.samples.length,
      digits: this.digits,
      most,
      single: this.single,
    });
  }

  /** Go to a line; the sample that is looked at stays. */
  go(line, place = null) {
    this.line = Math.max(0, Math.min(this.step.lines.length - 1, line));
    const shape = this.values.shape;
    this.place = place ?? shape.map((_, axis) => (axis === 0 && this.values.samples ? this.sample : 0));
    if (this.values.samples) this.sample = this.place[0];
    this.showLine();
    this.showEntry();
  }

  /** The next or an earlier entry of the line; past its end, the next line. */
  walk(by) {
    const [rows, columns] = sides(this.values.shape);
    const [row, column] = this.place.length === 2 ? this.place : [0, this.place[0] ?? 0];
    const next = row * columns + column + by;
    if (next >= rows * columns) return this.line < this.step.lines.length - 1 ? this.enter(this.line + 1, 0) : this.stop();
    if (next < 0) return this.line > 0 ? this.enter(this.line - 1, -1) : undefined;
    return this.to(next);
  }

  enter(line, end) {
    const [rows, columns] = sides(this.arrays[this.step.lines[line].value].shape);
    this.go(line);
    this.to(end < 0 ? rows * columns - 1 : 0);
  }

  to(number) {
    const columns = sides(this.values.shape)[1];
    const place = [Math.floor(number / columns), number % columns];
    this.place = this.values.shape.length === 2 ? place : this.values.shape.length ? [place[1]] : [];
    if (this.values.samples) this.sample = this.place[0];
    this.showEntry();
  }

  down(by) {
    if (this.place.length !== 2) return;
    this.place = [Math.max(0, Math.min(this.values.shape[0] - 1, this.place[0] + by)), this.place[1]];
    if (this.values.samples) this.sample = this.place[0];
    this.showEntry();
  }

  /** A cell was chosen: go to the line that gives it; of what is given, say so. */
  pick(name, place) {
    this.stop();
    const lines = this.step.lines;
    const line = lines.findIndex((one) => one.value === name);
    if (line < 0) {
      if (this.arrays[name].samples) {
        this.sample = place[0];
        if (this.values.samples) this.place = [this.sample, ...this.place.slice(1)];
        this.showEntry();
      }
      const said = name in this.step.symbols ? this.step.symbols[name].meaning : "";
      this.parts.worked.append(this.said(`${name}[${place.join(", ")}] is given to the step${said ? `: ${said}` : ""}.`));
      return;
    }
    this.go(line, place);
  }

  said(text) {
    const note = document.createElement("p");
    note.className = "given";
    note.textContent = text;
    return note;
  }

  // Showing it.

  showLine() {
    const line = this.now;
    this.parts.equation.innerHTML = line.mathml;
    this.parts.why.textContent = line.why;
    this.parts.rules.replaceChildren(...line.rules.map((rule) => Object.assign(document.createElement("li"), { textContent: `by ${rule}` })));
    this.parts.form.textContent = line.entry_text;
    this.parts.computed.innerHTML = line.computed_as ? `computed as ${line.computed_as}, which cannot overflow` : "";
    for (const [k, button] of this.buttons.entries()) {
      button.setAttribute("aria-current", String(k === this.line));
      if (k === this.line && this.parts.lines.scrollHeight > this.parts.lines.clientHeight) {
        this.parts.lines.scrollTop = button.offsetTop - this.parts.lines.clientHeight / 2;
      }
    }
    const names = [...new Set(readNames(line.entry))].filter((name) => name in this.arrays);
    const matrices = names.filter((name) => this.arrays[name].shape.length);
    this.views = new Map();
    const make = (name, note) => {
      const figure = document.createElement("figure");
      const symbol = this.step.symbols[name] ?? { label: name, meaning: "" };
      this.views.set(name, new Matrix(figure, {
        name, label: symbol.label, note, array: this.arrays[name], rowNames: this.rowNames,
        pick: (...chosen) => this.pick(...chosen), settings: () => ({ digits: this.digits, single: this.single }),
      }));
      return figure;
    };
    const before = line.phase === "update";
    const left = (name) => (name.endsWith(".after") ? "after this step" : before && name === line.name ? "before this step" : "");
    this.parts.sources.replaceChildren(...matrices.map((name) => make(name, left(name) || this.step.symbols[name]?.meaning)));
    this.parts.result.replaceChildren(make(line.value, before ? "after this step" : "what this line gives"));
    const numbers = names.filter((name) => !this.arrays[name].shape.length);
    this.scalars = numbers;
    this.showScalars();
  }

  showScalars() {
    this.parts.numbers.replaceChildren(...this.scalars.map((name) => {
      const item = document.createElement("li");
      const symbol = this.step.symbols[name];
      item.innerHTML = `${symbol?.label ?? name} = <output></output> <span class="note"></span>`;
      item.querySelector("output").textContent = format(this.arrays[name].data[0], this.digits, this.single);
      item.querySelector(".note").textContent = symbol?.meaning ?? "";
      return item;
    }));
  }

  showEntry() {
    const { entry, value, name } = this.now;
    const letters = lettersAt(this.place);
    const numbers = this.writer(this.every ? Infinity : SHORT);
    const found = new Map();
    if (entry.kind !== "whole") for (const [from, place] of cells(entry, letters, numbers)) {
      if (!found.has(from)) found.set(from, []);
      found.get(from).push(place);
    }
    const own = value === name ? null : value;
    for (const [other, view] of this.views) {
      const current = other === value && (!own || other === own) ? this.place : null;
      view.mark(current, other === value ? [] : found.get(other) ?? [], this.sample);
    }
    this.showWorked(entry, letters, numbers);
    this.showSample();
    const index = this.place.length ? `[${this.place.join(", ")}]` : "";
    this.parts.where.textContent = `${name}${index}: line ${this.line + 1} of ${this.step.lines.length}`;
    history.replaceState(null, "", `#${encodeURIComponent(name)}${this.place.length ? `,${this.place.join()}` : ""}`);
  }

  showWorked(entry, letters, numbers) {
    const result = document.createElement("strong");
    result.className = "current";
    result.textContent = format(this.values.at(...this.place), this.digits, this.single);
    result.title = format(this.values.at(...this.place), 0, this.single);
    const left = document.createElement("span");
    left.className = "left";
    left.textContent = `${this.now.name}${this.place.length ? `[${this.place.join(", ")}]` : ""} ${this.now.phase === "update" ? "←" : "="} `;
    const pieces = numbers.written(entry, letters).map((piece) => {
      const span = document.createElement("span");
      span.textContent = typeof piece === "string" ? piece : piece.text;
      if (typeof piece !== "string") {
        span.className = "source";
        span.title = `${piece.name}${piece.place.length ? `[${piece.place.join(", ")}]` : ""} = ${format(this.arrays[piece.name].at(...piece.place), 0, this.single)}`;
      }
      return span;
    });
    const sum = document.createElement("p");
    sum.className = "sum";
    sum.append(left, ...pieces, " = ", result);
    this.parts.worked.replaceChildren(sum);
    if (entry.kind === "whole") {
      this.parts.worked.append(this.said("No entry of this line stands alone: all of the matrices together give it."));
    }
    const missing = this.step.batch_size - this.step.samples.length;
    if (missing && sum.textContent.includes("more samples")) {
      this.parts.worked.append(this.said(`${missing} of the batch's ${this.step.batch_size} samples are not in this page; the result is of all of them.`));
    }
    this.parts.everyBox.hidden = !this.every && !sum.textContent.includes("more …");
  }

  showSample() {
    this.parts.sample.value = this.sample;
    this.parts.sampleSaid.textContent = `${this.step.samples[this.sample]} in the batch, ${this.rowNames[this.sample]} of the data`;
  }

  // Being told what to show.

  makeList() {
    let phase = "";
    let list = null;
    this.buttons = [];
    this.step.lines.forEach((line, k) => {
      if (line.phase !== phase) {
        phase = line.phase;
        const head = this.parts.lines.appendChild(document.createElement("h2"));
        head.textContent = PHASES[phase];
        list = this.parts.lines.appendChild(document.createElement("ol"));
      }
      const button = list.appendChild(document.createElement("li")).appendChild(document.createElement("button"));
      button.type = "button";
      button.dataset.line = line.name;
      button.textContent = line.text;
      button.addEventListener("click", () => {
        this.stop();
        this.go(k);
      });
      this.buttons.push(button);
    });
  }

  makeControls() {
    this.parts.sample.max = this.step.samples.length - 1;
    this.parts.sampleBox.hidden = this.step.samples.length < 2;
    this.parts.sample.addEventListener("input", () => {
      this.stop();
      this.sample = Number(this.parts.sample.value);
      if (this.values.samples) this.place = [this.sample, ...this.place.slice(1)];
      this.showEntry();
    });
    this.parts.digits.addEventListener("change", () => {
      this.digits = Number(this.parts.digits.value);
      this.showScalars();
      this.showEntry();
    });
    this.parts.every.addEventListener("change", (event) => {
      this.every = event.target.checked;
      this.showEntry();
    });
    for (const button of document.querySelectorAll("[data-do]")) {
      button.addEventListener("click", () => {
        if (button.dataset.do !== "play") this.stop();
        this.do(button.dataset.do);
      });
    }
    this.parts.theme.addEventListener("click", () => {
      const dark = getComputedStyle(document.documentElement).colorScheme === "dark" || (!document.documentElement.dataset.theme
        && matchMedia("(prefers-color-scheme: dark)").matches);
      document.documentElement.dataset.theme = dark ? "light" : "dark";
    });
    document.addEventListener("keydown", (event) => this.key(event));
    addEventListener("hashchange", () => this.fromAddress());
  }

  do(what) {
    ({
      next: () => this.walk(1), back: () => this.walk(-1), down: () => this.down(1), up: () => this.down(-1),
      "next-line": () => this.go(this.line + 1), "last-line": () => this.go(this.line - 1),
      first: () => this.go(0), last: () => this.go(this.step.lines.length - 1), play: () => (this.timer ? this.stop() : this.start()),
    })[what]();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, canvas, textarea")) return;
    const what = {
      ArrowRight: "next", ArrowLeft: "back", ArrowDown: "down", ArrowUp: "up", PageDown: "next-line", PageUp: "last-line",
      n: "next-line", b: "last-line", Home: "first", End: "last", p: "play",
    }[event.key];
    if (!what) return;
    event.preventDefault();
    if (what !== "play") this.stop();
    this.do(what);
  }

  start() {
    this.parts.play.setAttribute("aria-pressed", "true");
    this.parts.play.textContent = "❚❚ Pause";
    this.parts.worked.setAttribute("aria-live", "off"); // a reader would fall behind
    this.timer = setInterval(() => this.walk(1), 1000 * SECONDS_AN_ENTRY);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.parts.play.setAttribute("aria-pressed", "false");
    this.parts.play.textContent = "▶ Play";
    this.parts.worked.setAttribute("aria-live", "polite");
  }

  fromAddress() {
    const [name, ...place] = decodeURIComponent(location.hash.slice(1)).split(",");
    const line = this.step.lines.findIndex((one) => one.name === name);
    if (line < 0) return false;
    const shape = this.arrays[this.step.lines[line].value].shape;
    const numbers = place.map(Number);
    const fits = numbers.length === shape.length && numbers.every((index, axis) => index >= 0 && index < shape[axis]);
    if (line === this.line && fits && numbers.join() === this.place.join() && this.views) return true;
    this.go(line, fits ? numbers : null);
    return true;
  }
}

/** The names of the arrays that a form reads, in reading order. */
export function readNames(form) {
  if (form.kind === "cell") return [form.name];
  return [form.left, form.right, form.inner, ...(form.arguments ?? [])].filter(Boolean).flatMap(readNames);
}

if (typeof document !== "undefined") {
  globalThis.glassnetStep = new Page(JSON.parse(document.getElementById("data-step").textContent));
}
