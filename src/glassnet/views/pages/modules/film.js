// The training as a film: one slider moves the network, the scene beside it, the cost and the numbers.

import { decode, format } from "#arrays";
import { Chart } from "#chart";
import { paletteOf } from "#colours";
import { CurveScene, ScatterScene } from "#curve_scene";
import { NetworkScene } from "#network_scene";
import { MatrixScene, PicturesScene } from "#pictures_scene";
import { PlaneScene } from "#plane_scene";

const SCENES = { plane: PlaneScene, curve: CurveScene, scatter: ScatterScene, pictures: PicturesScene, matrix: MatrixScene };
const STEP = 160; // milliseconds a state is shown

// Where the film goes on when it is played: from the start once it has ended.
export function following(moment, count) {
  return moment + 1 < count ? moment + 1 : 0;
}

export class Film {
  constructor(root, data) {
    this.root = root;
    this.data = data;
    this.count = data.iterations.length;
    this.measured = Object.fromEntries(Object.entries(data.measured).map(([name, array]) => [name, decode(array).data]));
    const find = (name) => root.querySelector(`[data-film="${name}"]`);
    [this.slider, this.button, this.live] = ["slider", "play", "live"].map(find);
    this.outputs = [...root.querySelectorAll("[data-column]")];
    this.moment = data.kept;
    const palette = () => paletteOf(root);
    this.scenes = [];
    const network = find("network");
    if (network && data.network) {
      this.network = new NetworkScene(network, data.network, palette);
      this.scenes.push(this.network);
      this.weight = find("weight");
      this.weights();
    }
    const scene = find("scene");
    if (scene && data.scene) this.scenes.push(new SCENES[data.scene.kind](scene, data.scene, palette));
    this.charts = data.charts.map((spec) => new Chart(find(`chart-${spec.id}`), spec));
    this.controls();
    this.redraw();
    new ResizeObserver(() => this.redraw()).observe(root);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  controls() {
    this.slider.max = String(this.count - 1);
    this.slider.addEventListener("input", () => {
      this.pause();
      this.show(Number(this.slider.value));
    });
    this.button.addEventListener("click", () => (this.timer ? this.pause() : this.play()));
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== " " || event.target.closest("button, summary, a, input:not([type=range])")) return;
      event.preventDefault();
      this.button.click();
    });
  }

  // Weights and biases are chosen by pointing at them, or by the arrow keys on the line below the diagram.
  weights() {
    const canvas = this.network.canvas.element;
    const read = (event) => {
      this.network.pick(event);
      this.redraw();
    };
    canvas.addEventListener("pointermove", read);
    canvas.addEventListener("pointerdown", read);
    this.weight.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!by) return;
      event.preventDefault();
      this.network.step(by);
      this.redraw();
    });
    this.weight.setAttribute("aria-valuemin", "0");
    this.weight.setAttribute("aria-valuemax", String(this.network.parts.length - 1));
  }

  play() {
    this.button.setAttribute("aria-pressed", "true");
    this.button.querySelector("span").textContent = "Pause";
    this.root.dataset.playing = "";
    const next = () => this.show(following(this.moment, this.count));
    if (this.moment === this.count - 1) next();
    this.timer = setInterval(() => {
      next();
      if (this.moment === this.count - 1) this.pause();
    }, STEP);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    this.button.setAttribute("aria-pressed", "false");
    this.button.querySelector("span").textContent = "Play";
    delete this.root.dataset.playing;
    this.say();
  }

  show(moment) {
    if (moment === this.moment) return;
    this.moment = moment;
    this.redraw();
  }

  redraw() {
    const { moment, data } = this;
    const iteration = data.iterations[moment];
    this.slider.value = String(moment);
    const where = `iteration ${iteration.toLocaleString("en")}, epoch ${data.epochs[moment]}`;
    this.slider.setAttribute("aria-valuetext", where);
    for (const scene of this.scenes) scene.draw(moment);
    for (const chart of this.charts) chart.mark(iteration);
    for (const output of this.outputs) this.write(output, moment);
    this.read();
    if (!this.timer) this.say();
  }

  write(output, moment) {
    const name = output.dataset.column;
    const value = name === "iteration" ? this.data.iterations[moment] : name === "epoch" ? this.data.epochs[moment] : this.measured[name][moment];
    output.dataset.value = value;
    if (typeof value === "string") output.textContent = value;
    else if (name === "iteration") output.textContent = value.toLocaleString("en");
    else output.textContent = name.endsWith("accuracy") && Number.isFinite(value) ? `${(100 * value).toFixed(1)} %` : format(value, 4);
  }

  read() {
    if (!this.weight) return;
    const said = this.network.said(this.moment);
    const words = said ? `${said.text}: ${format(said.value, 7)}` : "Point at a line or a unit to read its number; or press → here.";
    this.weight.textContent = words;
    this.weight.setAttribute("aria-valuetext", words);
    this.weight.setAttribute("aria-valuenow", String(Math.max(0, this.network.chosen)));
    if (said) Object.assign(this.weight.dataset, { value: said.value, name: said.name, at: said.at.join(" ") });
  }

  // For a screen reader, once the film stands still.
  say() {
    clearTimeout(this.saying);
    this.saying = setTimeout(() => {
      const words = this.outputs.map((output) => `${output.dataset.said} ${output.textContent}`).join(", ");
      if (this.live.textContent !== words) this.live.textContent = words;
    }, 400);
  }
}
