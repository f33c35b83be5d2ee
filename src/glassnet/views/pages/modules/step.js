// The step page: one line at a time, one entry of it at a time, with the cells it comes from and the sum written out.

import { decode, format } from "#arrays";
import { Numbers, cells, lettersAt } from "#entries";
import { readableFormulas } from "#formulas";
import { Matrix } from "#matrix";
import { overview } from "#overview";
import { Pictures } from "#pictures";
import { boxesOf, paddingOf, slidingSum } from "#sliding";
import { below, count, entryName, further, placeOf } from "#walk";
import { WindowPanel } from "#window_panel";
import { constants, note, readNames, remarks, sum } from "#worked";

const SHORT = 8;
const IDS = [
  "lines", "equation", "why", "rules", "form", "computed", "worked", "sources", "result", "sample", "sample-said", "sample-box",
  "digits", "speed", "where", "play", "every", "every-box", "theme", "overview", "numbers", "return", "sign", "sliding", "step-entry",
];

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
    this.way = []; // where a person came from, to go back to
    this.views = new Map();
    this.rowNames = step.rows.map((row) => `row ${row}`);
    this.shuffled = step.rows.some((row, k) => row !== k);
    this.parts = Object.fromEntries(IDS.map((id) => [id, document.getElementById(id)]));
    this.buttons = [...document.querySelectorAll("#lines [data-line]")];
    this.panel = new WindowPanel(this.parts.sliding, () => ({ ...this.settings(), arrays: this.arrays, symbols: step.symbols, writer: this.writer() }), () => this.showEntry());
    this.listen();
    this.fromAddress() || this.go(0);
    const rest = () => overview(this.parts.overview, this.arrays, this.rowNames, this.single);
    (globalThis.requestIdleCallback ?? setTimeout)(rest);
  }

  // What is looked at.

  get now() {
    return this.step.lines[this.line];
  }

  get values() {
    return this.arrays[this.now.value];
  }

  get dark() {
    const wanted = document.documentElement.dataset.theme;
    return wanted ? wanted === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  }

  writer() {
    return new Numbers({
      value: (name, place) => this.arrays[name].at(...place),
      extents: { m: this.step.samples.length },
      missing: this.step.batch_size - this.step.samples.length,
      digits: this.digits,
      most: this.every ? Infinity : SHORT,
      single: this.single,
      keep: this.sample,
    });
  }

  /** Go to a line; the sample that is looked at stays. */
  go(line, place = null) {
    const focused = document.activeElement?.closest?.(".matrix td");
    this.line = Math.max(0, Math.min(this.step.lines.length - 1, line));
    this.showLine();
    this.to(place ?? this.values.shape.map((_, axis) => (axis === 0 && this.values.samples ? this.sample : 0)));
    if (focused) this.focus();
  }

  /** Go to an entry of the line. */
  to(place) {
    const focused = document.activeElement?.closest?.("#result td");
    this.place = place;
    if (this.values.samples) this.sample = place[0];
    this.showEntry();
    if (focused) this.focus();
  }

  /** Who walks through the entries from a cell stays with the cell that is computed. */
  focus() {
    this.views.get(this.now.value).stop.focus({ preventScroll: true });
  }

  /** The next or an earlier entry of the line; past its end, the next line. */
  walk(by) {
    const place = further(this.place, this.values.shape, by);
    if (place) return this.to(place);
    const line = this.line + by;
    if (line < 0 || line >= this.step.lines.length) return this.stop();
    const { shape } = this.arrays[this.step.lines[line].value];
    return this.go(line, placeOf(by < 0 ? count(shape) - 1 : 0, shape));
  }

  choose(sample) {
    this.sample = sample;
    this.to(this.values.samples ? [sample, ...this.place.slice(1)] : this.place);
  }

  /** A cell was chosen: go to the line that gives it; of what is given, say so. */
  pick(name, place) {
    this.stop();
    if (name === this.now.value) return this.to(place);
    const line = this.step.lines.findIndex((one) => one.value === name);
    if (line >= 0) {
      this.way.push([this.line, this.place]);
      return this.go(line, place);
    }
    if (this.arrays[name].samples) this.choose(place[0]);
    const meaning = this.step.symbols[name]?.meaning;
    return this.parts.worked.append(note(`${entryName(name, place)} is given to the step${meaning ? `: ${meaning}` : ""}.`));
  }

  goBack() {
    const came = this.way.pop();
    if (came) this.go(...came);
  }

  // Showing it.

  showLine() {
    const line = this.now;
    const { parts } = this;
    parts.equation.innerHTML = line.mathml;
    parts.why.textContent = line.why;
    parts.rules.replaceChildren(...line.rules.map((rule) => Object.assign(document.createElement("li"), { textContent: rule })));
    parts.form.textContent = line.entry_text;
    parts.form.parentElement.hidden = line.entry.kind === "whole";
    parts.computed.innerHTML = line.computed_as ? `computed as ${line.computed_as}` : "";
    for (const [k, button] of this.buttons.entries()) button.setAttribute("aria-current", String(k === this.line));
    this.reveal(this.buttons[this.line]);
    const names = [...new Set(readNames(line.entry, Object.keys(this.arrays)))].filter((name) => name in this.arrays);
    const own = line.value;
    this.views.clear();
    this.padding = paddingOf(line, this.values.shape, this.writer());
    const windowed = Boolean(slidingSum(line.entry)); // then a bias is written in the sum, and the room is for the pictures
    const read = names.filter((name) => this.arrays[name].shape.length > (windowed ? 1 : 0) && name !== own);
    parts.sources.replaceChildren(...read.map((name) => this.figure(name, this.meaning(name))));
    parts.result.replaceChildren(this.figure(own, line.name in this.arrays && line.name !== own ? "after this step" : "what this line gives", true));
    parts.sign.textContent = line.phase === "update" ? "←" : "=";
    this.scalars = names.filter((name) => !this.arrays[name].shape.length);
    this.showNumbers();
  }

  figure(name, said, result = false) {
    const figure = document.createElement("figure");
    const array = this.arrays[name];
    const settings = {
      name, label: this.step.symbols[name]?.label ?? name, note: said, array, result,
      pick: (...chosen) => this.pick(...chosen), settings: () => this.settings(),
    };
    const view = array.shape.length === 4
      ? new Pictures(figure, {
        ...settings, padding: this.padding[name], given: name === "X", open: !slidingSum(this.now.entry),
        looked: (...at) => this.panel.look(...at),
      })
      : new Matrix(figure, { ...settings, rowNames: this.shuffled ? this.rowNames : null });
    this.views.set(name, view);
    return figure;
  }

  settings() {
    return { digits: this.digits, single: this.single, dark: this.dark };
  }

  meaning(name) {
    if (name.endsWith(".after")) return `${name.slice(0, -6) in this.arrays ? "after this step, " : ""}from a line above`;
    return this.now.phase === "update" && name === this.now.name ? "before this step" : this.step.symbols[name]?.meaning;
  }

  reveal(button) {
    const box = this.parts.lines;
    const [top, bottom] = [button.offsetTop - box.offsetTop, button.offsetTop - box.offsetTop + button.offsetHeight];
    if (top < box.scrollTop + 40 || bottom > box.scrollTop + box.clientHeight - 40) box.scrollTop = top - box.clientHeight / 2;
  }

  showNumbers() {
    const item = (label, number, said) => {
      const made = document.createElement("li");
      made.innerHTML = `${label} = <output></output> <span class="note"></span>`;
      const output = made.querySelector("output");
      output.textContent = format(number, this.digits, this.single);
      output.title = format(number, 0, this.single);
      made.querySelector(".note").textContent = said;
      return made;
    };
    this.parts.numbers.replaceChildren(
      ...this.scalars.map((name) => item(this.step.symbols[name]?.label ?? name, this.arrays[name].data[0], this.step.symbols[name]?.meaning.split(":")[0] ?? "")),
      ...constants(this.now.entry).map(([name, value]) => item(name, value, "")),
    );
  }

  showEntry() {
    const { line: index, place, arrays, parts, step, now: line } = this;
    const writer = this.writer();
    const found = new Map([...this.views.keys()].map((name) => [name, []]));
    for (const [name, at] of cells(line.entry, lettersAt(line.letters, place), writer)) if (name !== line.value) found.get(name)?.push(at);
    const windows = this.panel.show(line, place);
    parts["step-entry"].classList.toggle("windowed", Boolean(windows));
    const boxes = boxesOf(windows);
    for (const [name, view] of this.views) {
      view.mark(name === line.value ? place : null, found.get(name), this.sample, boxes.get(name), this.panel.leadOf(name));
    }
    const sample = this.values.samples ? null : this.sample;
    const written = sum({ line, place, arrays, writer, sample });
    parts.worked.replaceChildren(written, ...remarks({ line, place, arrays, writer, step }).map(note));
    parts.worked.classList.toggle("whole", this.every);
    parts["every-box"].hidden = !this.every && !written.textContent.includes("more …");
    parts.where.textContent = `${entryName(line.name, place)}: line ${index + 1} of ${step.lines.length}`;
    this.showSample();
    const [from] = this.way.slice(-1);
    parts.return.hidden = !from;
    if (from) parts.return.textContent = `↩ ${entryName(step.lines[from[0]].name, from[1])}`;
    this.address();
  }

  /** What is looked at stands in the address, once one stays: browsers refuse to write it at every stroke of a held key. */
  address() {
    clearTimeout(this.addressed);
    this.addressed = setTimeout(() => {
      const place = this.place.length ? `,${this.place.join()}` : "";
      history.replaceState(null, "", `#${encodeURIComponent(this.now.name)}${place}`);
    }, 150);
  }

  showSample() {
    const { sample, step, parts } = this;
    parts.sample.value = sample;
    const said = `no. ${step.samples[sample]} in the batch of ${step.batch_size}, ${this.rowNames[sample]} of the data`;
    parts["sample-said"].textContent = said;
    parts.sample.setAttribute("aria-valuetext", said);
  }

  renew() {
    for (const view of this.views.values()) view.renew();
    this.showNumbers();
    this.showEntry();
  }

  // Being told what to show.

  listen() {
    const { parts } = this;
    parts.sample.max = this.step.samples.length - 1;
    parts["sample-box"].hidden = this.step.samples.length < 2;
    parts.sample.addEventListener("input", () => {
      this.stop();
      this.choose(Number(parts.sample.value));
    });
    parts.digits.addEventListener("change", () => {
      this.digits = Number(parts.digits.value);
      this.renew();
    });
    parts.every.addEventListener("change", () => {
      this.every = parts.every.checked;
      this.showEntry();
    });
    parts.speed.addEventListener("change", () => this.timer && this.start());
    parts.lines.addEventListener("click", (event) => this.lineChosen(event.target.closest("[data-line]")));
    for (const button of document.querySelectorAll("[data-do]")) {
      button.addEventListener("click", () => this.told(button.dataset.do));
    }
    parts.theme.addEventListener("click", () => {
      document.documentElement.dataset.theme = this.dark ? "light" : "dark";
      this.renew();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.renew());
    for (const part of [parts.worked, parts.sliding]) {
      part.addEventListener("pointerover", (event) => this.point(event.target.dataset));
      part.addEventListener("pointerleave", () => this.point({}));
    }
    document.addEventListener("keydown", (event) => this.key(event));
    addEventListener("hashchange", (event) => {
      // What was looked at before may have been written to the address since.
      if (this.fromAddress(new URL(event.newURL).hash)) document.getElementById("step-entry").scrollIntoView();
    });
  }

  lineChosen(button) {
    if (!button) return;
    this.stop();
    this.way = [];
    this.go(this.buttons.indexOf(button));
  }

  /** The cell that a number in the sum is, when the mouse is on it. */
  point({ array, at }) {
    for (const [name, view] of this.views) view.point(name === array ? at : null);
  }

  told(what) {
    if (what !== "play") this.stop();
    if (what.endsWith("line") || what === "first" || what === "last") this.way = [];
    ({
      next: () => this.walk(1), back: () => this.walk(-1),
      down: () => this.to(below(this.place, this.values.shape, 1)), up: () => this.to(below(this.place, this.values.shape, -1)),
      "next-line": () => this.go(this.line + 1), "last-line": () => this.go(this.line - 1),
      first: () => this.go(0), last: () => this.go(this.step.lines.length - 1),
      play: () => (this.timer ? this.stop() : this.start()), return: () => this.goBack(),
    })[what]();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.("input:not([type=checkbox]), select, textarea")) return;
    const what = {
      ArrowRight: "next", ArrowLeft: "back", ArrowDown: "down", ArrowUp: "up", PageDown: "next-line", PageUp: "last-line",
      n: "next-line", b: "last-line", Home: "first", End: "last", p: "play", Backspace: "return",
    }[event.key];
    if (!what) return;
    event.preventDefault();
    this.told(what);
  }

  start() {
    clearInterval(this.timer);
    this.parts.play.setAttribute("aria-pressed", "true");
    this.parts.play.textContent = "❚❚ Pause";
    this.parts.worked.setAttribute("aria-live", "off"); // a reader would fall behind
    this.timer = setInterval(() => this.walk(1), Number(this.parts.speed.value));
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.parts.play.setAttribute("aria-pressed", "false");
    this.parts.play.textContent = "▶ Play";
    this.parts.worked.setAttribute("aria-live", "polite");
  }

  fromAddress(hash = location.hash) {
    const [name, ...place] = decodeURIComponent(hash.slice(1)).split(",");
    const line = this.step.lines.findIndex((one) => one.name === name);
    if (line < 0) return false;
    const { shape } = this.arrays[this.step.lines[line].value];
    const fits = place.length === shape.length && place.every((text, axis) => /^\d+$/.test(text) && Number(text) < shape[axis]);
    this.go(line, fits ? place.map(Number) : null);
    return true;
  }
}

readableFormulas();
globalThis.glassnetStep = new Page(JSON.parse(document.getElementById("data-step").textContent));
