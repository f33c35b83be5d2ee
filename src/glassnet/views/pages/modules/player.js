// A film of a training: frames that were drawn beforehand, played, stepped through, or chosen with a slider.

/** The frame after so many milliseconds of playing; { frame, ended }. */
export function playedTo(start, elapsed, { frames, fps, speed, again }) {
  const reached = start + Math.floor((elapsed / 1000) * fps * speed);
  if (reached < frames) return { frame: reached, ended: false };
  if (again) return { frame: reached % frames, ended: false };
  return { frame: frames - 1, ended: true };
}

/** The frame that a key asks for; null when it asks for none. */
export function keyed(key, frame, frames) {
  const wanted = { ArrowRight: frame + 1, ArrowLeft: frame - 1, Home: 0, End: frames - 1 }[key];
  return wanted === undefined ? null : Math.min(frames - 1, Math.max(0, wanted));
}

export class Player {
  constructor(document, { fps, captions }, frames) {
    const named = (id) => document.getElementById(id);
    this.document = document;
    this.root = named("player");
    this.canvas = named("picture");
    [this.slider, this.said, this.play, this.speed, this.again] = ["slider", "said", "play", "speed", "again"].map(named);
    this.fps = fps;
    this.captions = captions;
    this.frames = frames;
    this.frame = 0;
    this.drawn = -1;
    this.playing = false;
    this.slider.max = String(frames.length - 1);
    this.slider.addEventListener("input", () => this.stop(Number(this.slider.value)));
    this.play.addEventListener("click", () => this.toggle());
    named("back").addEventListener("click", () => this.stop(keyed("ArrowLeft", this.frame, frames.length)));
    named("on").addEventListener("click", () => this.stop(keyed("ArrowRight", this.frame, frames.length)));
    this.speed.addEventListener("change", () => this.begin());
    document.addEventListener("keydown", (event) => this.press(event));
    this.show(0);
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const on = event.target.tagName;
    if (event.key === " " && on !== "BUTTON" && on !== "SELECT" && event.target.type !== "checkbox") {
      event.preventDefault();
      this.toggle();
      return;
    }
    if (on === "SELECT") return;
    const wanted = keyed(event.key, this.frame, this.frames.length);
    if (wanted === null) return;
    event.preventDefault();
    this.stop(wanted);
  }

  toggle() {
    if (this.playing) this.stop(this.frame);
    else {
      if (this.frame === this.frames.length - 1) this.show(0);
      this.playing = true;
      this.marked();
      this.begin();
    }
  }

  /** Playing counts from this frame and this moment. */
  begin() {
    this.from = { frame: this.frame, time: null };
    if (this.playing) requestAnimationFrame((time) => this.tick(time));
  }

  tick(time) {
    if (!this.playing) return;
    this.from.time ??= time;
    const { frame, ended } = playedTo(this.from.frame, time - this.from.time, {
      frames: this.frames.length,
      fps: this.fps,
      speed: Number(this.speed.value),
      again: this.again.checked,
    });
    if (frame !== this.frame) this.show(frame);
    if (ended) this.stop(frame);
    else if (!this.waiting) {
      this.waiting = true;
      requestAnimationFrame((next) => {
        this.waiting = false;
        this.tick(next);
      });
    }
  }

  stop(frame) {
    this.playing = false;
    this.marked();
    this.show(frame);
  }

  marked() {
    this.root.classList.toggle("playing", this.playing);
    this.play.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    // A screen reader is told where the film stands, not every frame of a film that plays.
    this.said.setAttribute("aria-live", this.playing ? "off" : "polite");
  }

  show(frame) {
    this.frame = frame;
    this.slider.value = String(frame);
    this.slider.setAttribute("aria-valuetext", this.captions[frame]);
    this.said.textContent = this.captions[frame];
    const image = new Image();
    image.onload = () => {
      // A frame that took longer than the next one is not drawn over it.
      if (this.frame !== frame && this.playing === false) return;
      this.canvas.getContext("2d").drawImage(image, 0, 0);
      this.drawn = frame;
      this.canvas.dataset.frame = String(frame);
    };
    image.src = this.frames[frame];
  }
}

if (typeof document !== "undefined" && document.getElementById("player")) {
  const read = (id) => JSON.parse(document.getElementById(`data-${id}`).textContent);
  new Player(document, read("film"), read("frames"));
}
